"""`gatepost bench reply-to-stop`: from the delivery of a reply at Microsoft to an enrolment that is stopped.

A whole installation runs, as `gatepost serve` starts it, with its sandbox. Steps are sent, the contacts answer one after another,
and the time from each delivery to the enrolment's end is taken: once with Microsoft's notifications, once where none reaches us
and the timer alone serves. Reading, labelling, storing and every commit are part of it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from gatepost.demo.stand import Stand

MAILBOXES, REPLIES, POLL_SECONDS = 4, 10, 20  # replies: to each mailbox
LIMITS = {"with_notifications_p95_s": 2.0, "without_longest_polls": 1.0}
WAIT_SECONDS = 300.0
APART_SECONDS = 0.3


def measure(
    *, mailboxes: int = MAILBOXES, replies: int = REPLIES, poll: int = POLL_SECONDS
) -> dict[str, Any]:
    """Each in a process of its own: an installation has its settings from the environment, once."""
    notified = _ran(mailboxes, replies, poll, without="")
    polled = _ran(mailboxes, replies, poll, without="hooks")
    return beside_limits(notified, polled, poll)


def beside_limits(notified: Sequence[float], polled: Sequence[float], poll: int) -> dict[str, Any]:
    """Seconds from each answer to the end of its enrolment, with notifications and without, as figures."""
    ordered, longest = sorted(notified), max(polled)
    figures: dict[str, Any] = {
        "replies": len(ordered),
        "with_notifications_p50_s": round(statistics.median(ordered), 2),
        "with_notifications_p95_s": round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 2),
        "poll_interval_s": poll,
        "without_p50_s": round(statistics.median(polled), 2),
        "without_longest_s": round(longest, 2),
        # A reply that comes just after a look is found by the next one, and read after that.
        "without_longest_polls": round(longest / (poll + LIMITS["with_notifications_p95_s"]), 2),
    }
    kept = {name: figures[name] <= limit for name, limit in LIMITS.items()}
    return {"ok": all(kept.values()), "figures": figures, "limits": LIMITS, "kept": kept}


def _ran(mailboxes: int, replies: int, poll: int, *, without: str) -> list[float]:
    ran = subprocess.run(
        [
            sys.executable, "-c", "from gatepost.bench.reply_to_stop import main; main()",
            str(mailboxes), str(replies), without,
        ],
        check=False, stdout=subprocess.PIPE, text=True,
        env={
            **os.environ, "DJANGO_SETTINGS_MODULE": "gatepost.config.settings", "GATEPOST_SYNC_EVERY": str(poll)
        },
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError("The measuring process failed; it said why above.")
    return list(json.loads(ran.stdout))


def _main(mailboxes: int, replies: int, without: str) -> list[float]:
    from gatepost.bench.send import prepare
    from gatepost.config.installation import set_up_django
    from gatepost.demo.stand import standing

    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        with standing(
            Path(folder) / "demo", seed=1, prospects=0, unrelated=0, first_port=8950,
            without=frozenset({without} - {""}),
        ) as stand:  # fmt: skip
            set_up_django()
            workspace_id = prepare(stand, mailboxes, replies, steps=2)[0].workspace_id
            _until(lambda: _sent(workspace_id) == mailboxes * replies, "the steps were not sent")
            delivered = _answer(stand, workspace_id)
            _until(lambda: len(_ended(workspace_id)) == len(delivered), "not every enrolment was stopped")
            ended = _ended(workspace_id)
    return [(ended[enrolment] - at).total_seconds() for enrolment, at in delivered.items()]


def _until(holds: Any, otherwise: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"After {WAIT_SECONDS:.0f} s {otherwise}.")
        time.sleep(0.2)


def _sent(workspace_id: UUID) -> int:
    from gatepost.isolation import inside
    from gatepost.outbox.models import Message

    with inside(workspace_id):
        return Message.objects.filter(state=Message.State.CONFIRMED).count()


def _answer(stand: "Stand", workspace_id: UUID) -> dict[UUID, datetime]:
    """Every contact answers once, now in this mailbox, now in that. When each answer was handed over,
    by the clock that the enrolments' ends are told by, which runs as fast as any."""
    from gatepost import clock
    from gatepost.demo.browser import post_json
    from gatepost.isolation import inside
    from gatepost.outbox.models import Message
    from gatepost.vault import names

    with inside(workspace_id):
        mails: list[tuple[UUID, dict[str, object]]] = [
            (
                each.enrolment_id,
                {
                    "mailbox": names.open(each.mailbox, "address"),
                    "from": names.open(each.contact, "email"),
                    "subject": "Re: Quick question",
                    "text": "Yes, let us talk on Thursday.",
                    "in_reply_to": names.open(each, "internet_message_id"),
                },
            )
            for each in Message.objects.select_related("mailbox", "contact").order_by("number", "mailbox")
        ]
    delivered = {}
    for enrolment, mail in mails:
        delivered[enrolment] = clock.now()
        post_json(stand.sandbox("deliver"), mail)
        time.sleep(APART_SECONDS)
    return delivered


def _ended(workspace_id: UUID) -> dict[UUID, datetime]:
    from gatepost.isolation import inside
    from gatepost.sequences.models import Enrolment

    with inside(workspace_id):
        stopped = Enrolment.objects.filter(state=Enrolment.State.STOPPED, cause="reply")
        return {each.pk: each.ended_at for each in stopped if each.ended_at is not None}


def main() -> None:
    mailboxes, replies, without = sys.argv[1:]
    print(json.dumps(_main(int(mailboxes), int(replies), without)))
