import email
import json
import os
from pathlib import Path

import pytest

from gatepost.text import machine

SHARED = Path(os.environ.get("GATEPOST_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
MACHINES = SHARED / "reply-fixtures" / "auto-and-bounce" / "sisimai__set-of-emails.jsonl"

DSN = ("Content-Type", 'multipart/report; report-type="delivery-status"')


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Status: 5.1.1\nuser unknown", "hard"),
        ("550 no such user", "hard"),
        ("Status: 4.4.7\nDelivery delayed", "soft"),
        ("552 5.2.2 mailbox full", "soft"),
        ("550 5.7.1 rejected for policy reasons", "blocked"),
        ("listed at Spamhaus", "blocked"),
    ],
)
def test_a_bounce_is_hard_soft_or_blocked(text, severity):
    found = machine.recognise([DSN], "Undeliverable: Intake", "postmaster@theirs.example", text)
    assert found.kind == "bounce"
    assert found.bounce == severity


def test_a_bounce_comes_before_an_automatic_answer():
    assert machine.recognise([DSN, ("Auto-Submitted", "auto-replied")]).kind == "bounce"


@pytest.mark.parametrize(
    ("headers", "subject"),
    [
        ([("Auto-Submitted", "auto-generated")], "Re: Intake"),
        ([("X-Autoreply", "yes")], "Re: Intake"),
        ([("Precedence", "auto_reply")], "Re: Intake"),
        ([("Return-Path", "<>"), ("X-Auto-Response-Suppress", "All")], "Re: Intake"),
        ([], "Automatic reply: Intake"),
        ([], "AW: Abwesenheitsnotiz: Intake"),
        ([], "Réponse automatique : Intake"),
    ],
)
def test_an_automatic_answer_is_known(headers, subject):
    assert machine.recognise(headers, subject).kind == "automatic"


@pytest.mark.parametrize(
    ("headers", "subject"),
    [
        ([("X-Auto-Response-Suppress", "All")], "Re: Intake"),
        ([("Precedence", "bulk")], "Re: Intake"),
        ([("Auto-Submitted", "no")], "Re: Intake"),
        ([], "Re: Undeliverable promises in your pitch"),
        ([], "Re: your out of office demo"),
    ],
)
def test_what_peoples_mail_carries_too_is_no_machine(headers, subject):
    assert machine.recognise(headers, subject, "ada@theirs.example") is None


def test_a_read_receipt_and_a_complaint_are_told_apart():
    receipt = ("content-type", "multipart/report; report-type=disposition-notification")
    complaint = ("content-type", "multipart/report; report-type=feedback-report")
    assert machine.recognise([receipt]).kind == "receipt"
    assert machine.recognise([complaint]).kind == "complaint"


@pytest.mark.skipif(not MACHINES.is_file(), reason="the public bounces are not here")
def test_public_bounces_are_known_by_headers_sender_and_subject():
    rows = [
        row for row in map(json.loads, MACHINES.read_text("utf-8").splitlines()) if row["kind"] == "bounce"
    ]
    found = [_recognised(row["raw"].encode("latin-1")) for row in rows]
    assert sum(seen is not None and seen.kind == "bounce" for seen in found) / len(rows) >= 0.96


def _recognised(raw: bytes) -> machine.Machine | None:
    mail = email.message_from_bytes(raw)
    headers = [(name, str(value)) for name, value in mail.items()]
    return machine.recognise(headers, str(mail["subject"] or ""), str(mail["from"] or ""))
