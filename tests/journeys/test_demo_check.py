"""The check of the main job, in its small form. The full one is a command: gatepost demo --check."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STAGES = {"connect", "send", "reply", "stop", "meeting", "privacy", "record", "contract", "clock"}


THIS_MACHINE = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file to which every process writes each host that it looks up or connects to."""
    return tmp_path_factory.mktemp("watched") / "hosts"


@pytest.fixture(scope="module")
def report(watched: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "gatepost", "demo", "--check", "--small", "--json"]
    watching = {"PYTHONPATH": str(Path(__file__).parent / "watched"), "TESTS_WATCHED": str(watched)}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **watching})
    assert ran.stdout.strip(), ran.stderr
    return json.loads(ran.stdout)


def test_every_stage_of_the_main_job_holds(report: dict[str, Any]) -> None:
    failed = {name: report[name] for name in STAGES if not report[name]["ok"]}
    assert failed == {} and report["ok"] is True


def test_what_was_sent_is_what_was_delivered(report: dict[str, Any]) -> None:
    sent = report["send"]
    assert sent["messages_sent"] == sent["messages_delivered_by_the_sandbox"] >= sent["enrolled"] == 40
    assert sent["duplicates"] == 0


def test_every_reply_and_meeting_was_found(report: dict[str, Any]) -> None:
    reply, meeting = report["reply"], report["meeting"]
    assert reply["replies_stored"] == reply["replies_delivered_by_the_sandbox"] > 10
    assert meeting["meetings_found"] == meeting["meetings_booked"] > 0


def test_the_unrelated_mail_of_the_connected_mailboxes_left_only_its_envelope(report: dict[str, Any]) -> None:
    privacy = report["privacy"]
    assert privacy["unrelated_messages_in_the_connected_mailboxes"] >= 200
    assert privacy["unrelated_messages_stored"] == 0 and privacy["fields_served_beyond_the_envelope"] == []


def test_the_small_check_prints_one_json_object_with_a_field_for_each_stage(report: dict[str, Any]) -> None:
    assert set(report) >= STAGES


def test_no_process_calls_anything_but_this_machine(report: dict[str, Any], watched: Path) -> None:
    """docs/operate/addresses.md: with a stand-in for Microsoft nothing is left to call."""
    hosts = set(watched.read_text().splitlines())
    assert "127.0.0.1" in hosts  # the stand-in was called, so calls are seen
    assert {host for host in hosts if not host.startswith("/")} <= THIS_MACHINE
