"""`gatepost bench triage`: envelopes decided keep or drop in a second, in delta pages as Microsoft gives them.

Mailboxes at the sandbox hold mail of which one in a hundred answers ours. Their inboxes are walked from the start, again and
again, by the product's own sync: request, ledger, facts, decision, drop counts and position, each page in its transaction. What
follows for the one of a hundred (sender, text, label) is counted and left to `bench classify` and `bench reply-to-stop`.
A core is one second of processor time, of the worker and of the database together; the sandbox's is Microsoft's. What was
kept and dropped is then compared with what lies in the mailboxes.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from gatepost.demo.stand import Stand
    from gatepost.mailboxes.models import Mailbox

# A walk that is narrowed by time tells 5,000 mails at most (https://learn.microsoft.com/graph/api/message-delta).
MAILBOXES, MESSAGES, WALKS = 20, 100_000, 10
OURS = 100  # one of so many
LIMITS = {"messages_per_second_and_core": 20_000.0, "memory_grown_mb": 16.0}


def measure(*, mailboxes: int = MAILBOXES, messages: int = MESSAGES, walks: int = WALKS) -> dict[str, Any]:
    """In a process of its own: an installation has its settings from the environment, once."""
    ran = subprocess.run(
        [
            sys.executable, "-c", "from gatepost.bench.triage import main; main()",
            str(mailboxes), str(messages), str(walks),
        ],
        check=False, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "gatepost.config.settings"},
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError("The measuring process failed; it said why above.")
    return dict(json.loads(ran.stdout))


def _main(mailboxes: int, messages: int, walks: int) -> dict[str, Any]:
    from gatepost.config.installation import set_up_django
    from gatepost.demo.stand import standing

    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        with standing(
            Path(folder) / "demo", seed=1, prospects=0, unrelated=0, first_port=8900,
            without=frozenset({"hooks", "worker"}), crowd=(mailboxes, messages),
        ) as stand:  # fmt: skip
            set_up_django()
            boxes = _prepare(stand, mailboxes, messages)
            stand.children.stop_one("web")
            figures = asyncio.run(_walk(stand, boxes, walks))
    expected = {"decided": messages * walks, "kept": messages // OURS * walks}
    right = all(figures[name] == number for name, number in expected.items())
    kept = {
        "messages_per_second_and_core": figures["messages_per_second_and_core"]
        >= LIMITS["messages_per_second_and_core"],
        "memory_grown_mb": figures["memory_grown_mb"] <= LIMITS["memory_grown_mb"],
    }
    return {"ok": all(kept.values()) and right, "figures": figures, "limits": LIMITS, "kept": kept}


def _prepare(stand: "Stand", mailboxes: int, messages: int) -> "list[Mailbox]":
    """Every mailbox is connected as each one is; the mails that are answered there are ours."""
    from gatepost.accounts import actions as accounts
    from gatepost.demo import seed
    from gatepost.demo.browser import post_json
    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Mailbox
    from m365_sandbox import crowd

    workspace = accounts.create_workspace("Bench")
    addresses = [crowd.address(number) for number in range(mailboxes)]
    member = accounts.add_member(
        workspace.id, email=addresses[0], name="Rep", role="owner", password=seed.PASSWORD,
        actor=accounts.INSTALLER,
    )  # fmt: skip
    browser = seed.sign_in(stand, addresses[0])
    for address in addresses:
        post_json(stand.sandbox("users"), {"address": address, "kind": "rep"})  # the account picker shows it
        seed.connect(browser, stand, address)
    with inside(workspace.id):
        boxes = list(Mailbox.objects.order_by("connected_at").select_related("workspace"))
    _send(member, boxes, messages)
    return boxes


def _send(member: Any, boxes: "list[Mailbox]", messages: int) -> None:
    """Letter N of the crowd lies in mailbox N modulo their number; those that answer something answer this."""
    from uuid import uuid4

    from gatepost import clock
    from gatepost.accounts.membership import by
    from gatepost.contacts.actions import add_contact
    from gatepost.isolation import inside
    from gatepost.outbox.models import Message
    from gatepost.vault.sealing import index
    from m365_sandbox import crowd

    workspace_id, now = member.workspace_id, clock.now()
    contact = add_contact(workspace_id, {"email": "petra@customer.example"}, actor=by(member))
    with inside(workspace_id):
        Message.objects.bulk_create(
            Message(
                workspace_id=workspace_id, mailbox=boxes[number % len(boxes)], contact=contact, enrolment_id=uuid4(),
                sequence_id=workspace_id, step_id=workspace_id, position=1, key=uuid4().hex, guard=uuid4().hex,
                number=number, state=Message.State.CONFIRMED, planned_at=now, accepted_at=now, confirmed_at=now,
                internet_message_index=index(workspace_id, "message-id", f"<asked-{number}@outreach.example>"),
            )
            for number in range(messages)
            if crowd.answers_us(number)
        )  # fmt: skip


async def _walk(stand: "Stand", boxes: "list[Mailbox]", walks: int) -> dict[str, Any]:
    from gatepost.graph.gateway import close_shared_session
    from gatepost.jobs.threads import in_thread
    from gatepost.jobs.worker import be_ready

    async def walk() -> int:
        return sum(await asyncio.gather(*map(_inbox, boxes)))

    await walk()  # the first one fills caches and pools
    be_ready()  # as a worker does when it starts
    dropped_before, kept = await in_thread(_dropped, boxes[0].workspace_id), 0
    memory_before, before, began = _memory_mb(), _seconds(stand), time.monotonic()
    for _ in range(walks):
        kept += await walk()
    took, after, memory = time.monotonic() - began, _seconds(stand), _memory_mb()
    await close_shared_session()
    worker, database = (late - early for late, early in zip(after, before, strict=True))
    decided = kept + await in_thread(_dropped, boxes[0].workspace_id) - dropped_before
    most = max(decided, 1)
    return {
        "mailboxes": len(boxes),
        "decided": decided,
        "kept": kept,
        "seconds": round(took, 1),
        "messages_per_second": round(decided / took),
        "messages_per_second_and_core": round(decided / (worker + database)),
        "worker_us_each": round(worker / most * 1e6, 1),
        "database_us_each": round(database / most * 1e6, 1),
        "memory_mb": round(memory),
        "memory_grown_mb": round(memory - memory_before, 1),
    }


def _seconds(stand: "Stand") -> tuple[float, float]:
    """Processor time so far of this process, and of the database."""
    from gatepost.bench.send import database_seconds

    return time.process_time(), database_seconds(stand)


async def _inbox(box: "Mailbox") -> int:
    """The inbox is walked; what would be looked at more closely is counted."""
    from gatepost.intake.jobs import pages, store, triage
    from gatepost.jobs.threads import in_thread
    from gatepost.mailboxes.connection import gateway_for

    kept = 0
    folder = await in_thread(_from_the_start, box)
    async with gateway_for(box, reason="looking for replies") as gateway:
        async for page in pages(folder, gateway):
            judged, candidates = await triage(box, folder, page, gateway)
            if candidates:
                await store(judged)
            kept += len(candidates)
    return kept


def _from_the_start(box: "Mailbox") -> Any:
    """The inbox, as if it had never been read."""
    from datetime import UTC, datetime

    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Folder

    with inside(box.workspace_id):
        found = Folder.objects.filter(mailbox=box, name="inbox")
        found.update(position="", walking=True, told=0, anchored_at=datetime(2000, 1, 1, tzinfo=UTC))
        return found.select_related("mailbox").get()


def _dropped(workspace_id: Any) -> int:
    from django.db.models import Sum

    from gatepost.intake.models import DropCount
    from gatepost.isolation import inside

    with inside(workspace_id):
        return int(DropCount.objects.aggregate(all=Sum("count"))["all"] or 0)


def _memory_mb() -> float:
    """What this process holds now; the most that it ever held says nothing about growing."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def main() -> None:
    print(json.dumps(_main(*(int(each) for each in sys.argv[1:]))))
