"""`gatepost demo --check`: the main job headless, with the clock accelerated, compared with what really happened.

The clock is slow while anything is in flight and jumps when all is quiet: what the product promises is
checked against the sandbox's own record, not against what the product believes.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gatepost import clock
from gatepost.demo.browser import Browser, get_json, post_json
from gatepost.demo.stand import Stand, standing
from m365_sandbox import contract


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is told. `unrelated` mails are shared among six mailboxes, of which three are connected."""

    prospects: int
    unrelated: int
    days: int
    least_unrelated: int  # in the connected mailboxes, for the judgement on them to mean anything


FULL = Scale(prospects=120, unrelated=4212, days=12, least_unrelated=2000)  # longer than most absences
SMALL = Scale(prospects=40, unrelated=468, days=8, least_unrelated=200)  # longer than the sequence
# A Monday morning, so that every run has the same week-ends.
START = datetime(2027, 1, 11, 7, 30, tzinfo=UTC)
RATE = 60.0  # while something is in flight
HOME = ZoneInfo("Europe/Berlin")
MORNING, NIGHT = 7, 23
JUMP = timedelta(hours=4)
# Between the last look for replies and the send lies at most this: two real seconds on this clock, and the send.
LATE_REPLY = timedelta(seconds=5 * RATE)


def check(
    *, as_json: bool, seed: int = 1, scale: Scale = FULL, switches: dict[str, Any] | None = None
) -> int:
    """Run the main job and print what was seen. Returns the exit code: 0 only if every stage holds.

    `switches`: how the sandbox decides what Microsoft's documentation leaves open.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gatepost-check-") as folder:
        say = _quiet if as_json else _aloud
        os.environ.setdefault(contract.VARIABLE, str(Path(folder) / "graph-contract"))
        with standing(
            Path(folder), seed=seed, prospects=scale.prospects, unrelated=scale.unrelated, first_port=random.randrange(18_000, 28_000, 20),
            start_at=START.timestamp(), rate=RATE, say=say,
        ) as stand:  # fmt: skip
            if switches:
                post_json(stand.sandbox("switches"), switches)
            report = _run(stand, scale, say)
    report["seconds"] = round(time.monotonic() - started, 1)
    print(json.dumps(report, indent=2, default=str) if as_json else _readable(report))
    return 0 if report["ok"] else 1


def _run(stand: Stand, scale: Scale, say: Any) -> dict[str, Any]:
    from gatepost.demo import seed as seeding

    say("Writing a workspace, contacts and a sequence …")
    seeded = seeding.seed(stand)
    say("Connecting mailboxes through the browser …")
    connecting = _connect(stand)
    mailboxes = _prepared_mailboxes(seeded.workspace.id)
    enrolled = seeding.enrol_everybody(seeded, mailboxes)
    say(f"{enrolled} contacts enrolled. Letting {scale.days} days pass …")
    passing = _let_days_pass(stand, seeded.workspace.id, scale.days, say)
    say("Comparing with what really happened …")
    return _judge(stand, seeded.workspace.id, scale, connecting, enrolled, passing)


def _connect(stand: Stand) -> dict[str, Any]:
    """Three reps connect; one cancels, one needs an administrator, one connects a second time."""
    from gatepost.demo import seed as seeding

    outcome: dict[str, Any] = {}
    browsers = {address: seeding.sign_in(stand, address) for address, _ in seeding.REPS}
    first = browsers[seeding.REPS[0][0]]
    seeding.go_to_microsoft(first, stand).press(seeding.REPS[0][0]).press("Cancel")
    outcome["cancelled_shows_help"] = _shows_waiting_room(first)
    seeding.go_to_microsoft(first, stand).press("erin@fabrikam.example")
    outcome["microsoft_asks_for_an_administrator"] = "admin" in first.text.lower()
    for address, browser in browsers.items():
        seeding.connect(browser, stand, address)
    seeding.connect(first, stand, seeding.REPS[0][0])
    outcome["second_connect_changes_nothing"] = first.status == 200 and "/mailboxes/" in first.address
    return outcome


def _shows_waiting_room(browser: Browser) -> bool:
    return browser.status == 200 and "/mailboxes/attempts/" in browser.address


def _prepared_mailboxes(workspace_id: Any) -> list[Any]:
    """The connected mailboxes, with limits wide enough for everybody on one day."""
    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Mailbox

    with inside(workspace_id):
        Mailbox.objects.update(daily_limit=400, gap_seconds=2)
        return list(Mailbox.objects.filter(state=Mailbox.State.CONNECTED).order_by("connected_at"))


def _let_days_pass(stand: Stand, workspace_id: Any, days: int, say: Any) -> dict[str, Any]:
    """Time goes on by jumps, each when nothing is in flight any more."""
    from gatepost.demo.settling import settle

    end = START + timedelta(days=days)
    jumps, slowest, unsettled = 0, 0.0, 0
    while clock.now() < end:
        began = time.monotonic()
        if not settle(stand.sandbox("clock"), workspace_id):
            unsettled += 1
        slowest = max(slowest, time.monotonic() - began)
        post_json(stand.sandbox("clock"), {"to": _next_stop(clock.now()).isoformat()})
        jumps += 1
        if jumps % 10 == 0:
            say(f"  {clock.now():%A %d %B, %H:%M}")
    settle(stand.sandbox("clock"), workspace_id)
    return {"jumps": jumps, "slowest_settle_seconds": round(slowest, 1), "unsettled": unsettled}


def _next_stop(now: datetime) -> datetime:
    """Four hours later; a night or a week-end, when hardly anybody writes, is passed at once."""
    local = now.astimezone(HOME)
    if local.weekday() < 5 and MORNING <= local.hour < NIGHT:
        return now + JUMP
    morning = (local + timedelta(days=local.hour >= MORNING)).replace(
        hour=MORNING, minute=0, second=0, microsecond=0
    )
    return morning + timedelta(days=max(0, 7 - morning.weekday()) if morning.weekday() >= 5 else 0)


def _judge(
    stand: Stand,
    workspace_id: Any,
    scale: Scale,
    connecting: dict[str, Any],
    enrolled: int,
    passing: dict[str, Any],
) -> dict[str, Any]:
    from gatepost.isolation import inside

    truth: Any = get_json(stand.sandbox("truth"))
    with inside(workspace_id):
        stages = {
            "connect": _judge_connect(connecting),
            "send": _judge_send(truth, enrolled),
            "reply": _judge_replies(workspace_id, truth),
            "stop": _judge_stops(),
            "meeting": _judge_meetings(workspace_id, truth),
            "privacy": _judge_privacy(workspace_id, truth, stand, scale),
            "record": _judge_record(),
            "contract": _judge_contract(stand),
        }
    stages["clock"] = {"ok": passing["unsettled"] == 0, **passing}
    return {"ok": all(stage["ok"] for stage in stages.values()), **stages}


def _judge_connect(connecting: dict[str, Any]) -> dict[str, Any]:
    from gatepost.mailboxes.models import Connection, Mailbox

    mailboxes = Mailbox.objects.filter(state=Mailbox.State.CONNECTED).count()
    sealed = not any(_looks_like_a_token(c) for c in Connection.objects.all())
    return {
        "ok": mailboxes == 3 and sealed and all(connecting.values()),
        "mailboxes_connected": mailboxes,
        "tokens_sealed": sealed,
        **connecting,
    }


def _looks_like_a_token(connection: Any) -> bool:
    return any(bytes(token or b"").startswith((b"ey", b"1.", b"0.")) for token in
               (connection.refresh_token, connection.access_token))  # fmt: skip


def _judge_send(truth: dict[str, Any], enrolled: int) -> dict[str, Any]:
    from gatepost.outbox.models import Message
    from gatepost.sequences.models import Sequence

    paused = [name for name in Sequence.objects.values_list("pause_reason", flat=True) if name]
    states = Counter(Message.objects.values_list("state", flat=True))
    left = states[Message.State.ACCEPTED] + states[Message.State.CONFIRMED]
    delivered = sum(row["count"] for row in truth["deliveries"])
    doubles = len(truth["duplicates"]) + len(truth["duplicates_by_property"])
    return {
        "ok": (
            doubles == 0
            and left == delivered
            and left >= enrolled
            and states[Message.State.HELD] == 0
            and not paused
        ),
        "paused_by_itself": paused,
        "enrolled": enrolled,
        "messages_sent": left,
        "messages_confirmed": states[Message.State.CONFIRMED],
        "messages_delivered_by_the_sandbox": delivered,
        "duplicates": doubles,
        "by_state": dict(states),
        "by_step": {str(k): v for k, v in sorted(_by_step().items())},
    }


def _by_step() -> Counter[int]:
    from gatepost.outbox.models import Message

    return Counter(Message.objects.filter(accepted_at__isnull=False).values_list("position", flat=True))


def _judge_replies(workspace_id: Any, truth: dict[str, Any]) -> dict[str, Any]:
    from gatepost.conversations.models import Reply
    from gatepost.vault.sealing import index

    delivered: dict[str, str] = {}
    for mailbox in truth["mailboxes"].values():
        for kind in ("replies", "automatic", "bounces"):
            for fact in mailbox[kind]:
                key = index(workspace_id, "message-id", fact["internetMessageId"])
                delivered[key] = str((fact.get("truth") or {}).get("label") or fact.get("label") or kind)
    stored = dict(Reply.objects.values_list("internet_message_index", "label"))
    labels = Counter(stored.values())
    right = sum(stored[key] == label for key, label in delivered.items() if key in stored)
    unsure = labels["unsure"]
    answered = [key for key in delivered if stored.get(key, "unsure") != "unsure"]
    right_answered = sum(stored[key] == delivered[key] for key in answered)
    opt_outs_missed = sum(
        delivered[key] in ("unsubscribe", "hard_no")
        and stored.get(key) in ("interested", "question", "circle_back_later")
        for key in delivered
    )
    return {
        "ok": set(stored) == set(delivered) and opt_outs_missed == 0 and bool(stored),
        "replies_delivered_by_the_sandbox": len(delivered),
        "replies_stored": len(stored),
        "missing": len(set(delivered) - set(stored)),
        "not_ours": len(set(stored) - set(delivered)),
        "labels": dict(sorted(labels.items())),
        "labels_right_share": round(right / max(1, len(delivered)), 3),
        "labels_right_share_where_answered": round(right_answered / max(1, len(answered)), 3),
        "unsure": unsure,
        "opt_outs_shown_as_friendly": opt_outs_missed,
    }


def _judge_stops() -> dict[str, Any]:
    from gatepost.conversations.models import Reply
    from gatepost.conversations.rules import AUTOMATIC
    from gatepost.outbox.models import Message
    from gatepost.sequences.models import Enrolment

    causes = Counter(Enrolment.objects.filter(state=Enrolment.State.STOPPED).values_list("cause", flat=True))
    states = Counter(Enrolment.objects.values_list("state", flat=True))
    late = 0
    for reply in Reply.objects.exclude(label__in=AUTOMATIC).select_related("conversation"):
        late += Message.objects.filter(
            enrolment_id=reply.conversation.enrolment_id, sending_at__gt=reply.received_at + LATE_REPLY
        ).count()
    return {
        "ok": late == 0 and all(causes[cause] > 0 for cause in ("reply", "bounce", "meeting", "opt_out")),
        "stopped_by_cause": dict(sorted(causes.items())),
        "enrolments_by_state": dict(sorted(states.items())),
        "steps_sent_after_a_reply": late,
    }


def _judge_meetings(workspace_id: Any, truth: dict[str, Any]) -> dict[str, Any]:
    from gatepost.meetings.models import Brief, Meeting
    from gatepost.vault.sealing import index

    booked = {
        index(workspace_id, "ical-uid", fact["iCalUId"])
        for mailbox in truth["mailboxes"].values()
        for fact in mailbox["meetings"]
    }
    found = set(Meeting.objects.values_list("ical_uid_index", flat=True))
    briefs = Brief.objects.count()
    shown = Brief.objects.exclude(event_id="").count()
    written = sum(len(mailbox["events_created"]) for mailbox in truth["mailboxes"].values())
    return {
        "ok": found == booked and bool(found) and briefs == len(found) and shown == written,
        "meetings_booked": len(booked),
        "meetings_found": len(found),
        "briefs_written": briefs,
        "briefs_on_the_calendar": shown,
        "events_created_in_calendars": written,
    }


# What may leave the sandbox of a mail that is not ours. Sender fields only where it refers to mail of ours.
ENVELOPE_FIELDS = {
    "id", "conversationId", "internetMessageId", "receivedDateTime", "singleValueExtendedProperties", "@odata.etag",
    "@odata.type", "@removed",
}  # fmt: skip


def _judge_privacy(workspace_id: Any, truth: dict[str, Any], stand: Stand, scale: Scale) -> dict[str, Any]:
    from gatepost.conversations.models import Reply
    from gatepost.demo.seed import REPS
    from gatepost.intake.models import DropCount, Quarantine
    from gatepost.vault.sealing import index

    boxes = truth["mailboxes"]
    unrelated = [fact for box in boxes.values() for fact in box["unrelated"]]
    in_connected = sum(len(boxes[address]["unrelated"]) for address, _ in REPS)
    keys = {index(workspace_id, "message-id", fact["internetMessageId"]) for fact in unrelated}
    stored = Reply.objects.filter(internet_message_index__in=keys).count()
    quarantined = Quarantine.objects.filter(internet_message_index__in=keys).count()
    looked_at = sum(DropCount.objects.values_list("count", flat=True))
    served = _fields_served(stand, {fact["internetMessageId"] for fact in unrelated})
    too_much = sorted(served - ENVELOPE_FIELDS)
    return {
        "ok": stored == 0 and not too_much and in_connected >= scale.least_unrelated,
        "unrelated_messages_in_all_mailboxes": len(unrelated),
        "unrelated_messages_in_the_connected_mailboxes": in_connected,
        "unrelated_messages_stored": stored,
        "unrelated_messages_quarantined": quarantined,
        "envelopes_looked_at_and_dropped": looked_at,
        "fields_of_unrelated_messages_served": sorted(served),
        "fields_served_beyond_the_envelope": too_much,
    }


def _fields_served(stand: Stand, message_ids: set[str]) -> set[str]:
    """Every field of these messages that ever left the sandbox, by the sandbox's own record."""
    served: set[str] = set()
    after = 0
    while True:
        page: Any = get_json(stand.sandbox(f"log?after={after}&limit=2000"))
        for request in page["requests"]:
            after = request["n"]
            for item in request.get("items") or ():
                if item.get("internetMessageId") in message_ids:
                    served.update(item["fields"])
        if not page["requests"]:
            return served


def _judge_record() -> dict[str, Any]:
    from gatepost.audit import tags
    from gatepost.audit.models import AuditEntry, LedgerRow
    from gatepost.graph.shapes import SHAPES

    shapes = Counter(LedgerRow.objects.values_list("shape", flat=True))
    entries = Counter(AuditEntry.objects.values_list("tag", flat=True))
    return {
        "ok": set(shapes) <= set(SHAPES) and entries[tags.CONTENT_READ] > 0,
        "graph_requests": sum(shapes.values()),
        "graph_requests_by_shape": dict(sorted(shapes.items())),
        "audit_entries": sum(entries.values()),
        "audit_entries_by_tag": dict(sorted(entries.items())),
    }


def _judge_contract(stand: Stand) -> dict[str, Any]:
    """By Microsoft's description of Graph, whatever was asked and answered."""
    watch: Any = get_json(stand.sandbox("contract"))["watch"]
    return {"ok": bool(watch["checked"]) and not watch["violations"], **watch}


def _readable(report: dict[str, Any]) -> str:
    lines = []
    for name, stage in report.items():
        if not isinstance(stage, dict):
            continue
        lines.append(f"{'ok ' if stage['ok'] else 'BAD'}  {name}")
        lines += [f"       {key.replace('_', ' ')}: {value}" for key, value in stage.items() if key != "ok"]
    lines.append(f"{'All stages hold.' if report['ok'] else 'Not all stages hold.'} {report['seconds']} s")
    return "\n".join(lines)


def _aloud(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _quiet(line: str) -> None:
    _aloud(line)
