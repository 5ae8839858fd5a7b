"""`gatepost bench send`: mails sent exactly once in a second, with all commits kept.

The jobs of a worker send what is due in many mailboxes: gate, draft, commit, send, commit, audit and ledger, against
an embedded database that keeps each commit on disk and a sandbox that answers at once. A core is one second of processor
time, of the worker and of the database together; the sandbox's is Microsoft's. What was sent is then compared with what was
delivered.
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
    from gatepost.accounts.models import Member
    from gatepost.demo.stand import Stand
    from gatepost.mailboxes.models import Mailbox

# As many as one worker sends from at once (GATEPOST_WORKER_JOBS); Microsoft lets each send 30 in a minute.
MAILBOXES, MAILS = 120, 10
LIMITS = {"sends_per_second_and_core": 100.0}
MOST_ROUNDS = 10
KEPT = ("fsync", "synchronous_commit", "full_page_writes")


def measure(*, mailboxes: int = MAILBOXES, mails: int = MAILS) -> dict[str, Any]:
    """In a process of its own: an installation has its settings from the environment, once."""
    ran = subprocess.run(
        [sys.executable, "-c", "from gatepost.bench.send import main; main()", str(mailboxes), str(mails)], check=False,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "DJANGO_SETTINGS_MODULE": "gatepost.config.settings"},
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError("The measuring process failed; it said why above.")
    return dict(json.loads(ran.stdout))


def _main(mailboxes: int, mails: int) -> dict[str, Any]:
    from gatepost.config.installation import set_up_django
    from gatepost.demo.stand import standing

    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        with standing(
            Path(folder) / "demo", seed=1, prospects=0, unrelated=0, first_port=8400,
            without=frozenset({"hooks", "worker"}),
        ) as stand:  # fmt: skip
            set_up_django()
            boxes = prepare(stand, mailboxes, mails)
            stand.children.stop_one("web")
            figures = _send(stand, boxes, mailboxes * mails)
            kept = all(_shows(name) == "on" for name in KEPT)
            truth = _truth(stand)
    once = truth["delivered"] == figures["sends"] == mailboxes * mails and not truth["delivered_twice"]
    within = {name: figures[name] >= limit for name, limit in LIMITS.items()}
    return {
        "ok": all(within.values()) and kept and once,
        "figures": {**figures, **truth, "commits_kept": kept},
        "limits": LIMITS,
        "kept": within,
    }


def prepare(stand: "Stand", mailboxes: int, mails: int, *, steps: int = 1) -> "list[Mailbox]":
    """Each rep has a mailbox that is connected as every one is, and the first of so many steps due to so many contacts."""
    from gatepost.accounts import actions as accounts
    from gatepost.demo import seed
    from gatepost.demo.browser import post_json
    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Mailbox

    workspace = accounts.create_workspace("Bench")
    addresses = [f"rep{number}@northwind.example" for number in range(mailboxes)]
    member = accounts.add_member(
        workspace.id, email=addresses[0], name="Rep", role="owner", password=seed.PASSWORD,
        actor=accounts.INSTALLER,
    )  # fmt: skip
    for number, address in enumerate(addresses):
        post_json(stand.sandbox("users"), {"address": address, "name": f"Rep {number}", "kind": "rep"})
    browser = seed.sign_in(stand, addresses[0])
    for address in addresses:
        seed.connect(browser, stand, address)
    with inside(workspace.id):
        Mailbox.objects.update(gap_seconds=0, daily_limit=10_000)
        boxes = list(Mailbox.objects.all())
    for number, box in enumerate(boxes):
        _enrol(member, box, number, mails, steps)
    return boxes


def _enrol(member: "Member", box: "Mailbox", number: int, mails: int, steps: int) -> None:
    from gatepost.accounts.membership import by
    from gatepost.contacts import actions as contacts
    from gatepost.demo import seed
    from gatepost.sequences import actions as sequences
    from gatepost.sequences import enrolments

    workspace_id, actor = member.workspace_id, by(member)
    sequence = sequences.create_sequence(workspace_id, f"Sequence {number}", member=member)
    sequences.save_steps(sequence.pk, seed.STEPS[:steps], workspace_id=workspace_id, actor=actor)
    always = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    sequences.change_schedule(sequence.pk, always, "Europe/Berlin", workspace_id=workspace_id, actor=actor)
    sequences.activate(sequence.pk, workspace_id=workspace_id, actor=actor)
    people = [
        contacts.add_contact(
            workspace_id,
            {
                "email": f"contact{n}@customer{number}.example",
                "first_name": "Petra",
                "company": f"Customer {number}",
            },
            actor=actor,
        )
        for n in range(mails)
    ]
    enrolments.enrol(
        sequence.pk, [each.pk for each in people], box.pk, workspace_id=workspace_id, actor=actor
    )


def _send(stand: "Stand", boxes: "list[Mailbox]", due: int) -> dict[str, Any]:
    """Everything that is due leaves."""
    from gatepost import clock
    from gatepost.graph.gateway import close_shared_session
    from gatepost.isolation import inside
    from gatepost.jobs.threads import in_thread
    from gatepost.jobs.worker import be_ready
    from gatepost.mailboxes.models import Mailbox
    from gatepost.outbox.models import Message
    from gatepost.sequences.jobs import send_due_steps

    workspace_id = boxes[0].workspace_id
    with inside(workspace_id):
        # No worker runs that reads the mailboxes; that is not what is measured.
        Mailbox.objects.update(
            read_through=clock.now(), calendar_read_through=clock.now(), sending_not_before=None
        )

    def left() -> int:
        with inside(workspace_id):
            return Message.objects.filter(state=Message.State.ACCEPTED).count()

    async def send() -> None:
        # A job gives its place to others after a while, and is put into the queue again.
        for _ in range(MOST_ROUNDS):
            await asyncio.gather(*(send_due_steps(str(workspace_id), str(box.pk)) for box in boxes))
            if await in_thread(left) == due:
                break
        await close_shared_session()

    be_ready()  # as a worker does when it starts
    database_before, worker_before, began = database_seconds(stand), time.process_time(), time.monotonic()
    asyncio.run(send())
    took, worker = time.monotonic() - began, time.process_time() - worker_before
    database = database_seconds(stand) - database_before
    sends = left()
    most = max(sends, 1)
    return {
        "mailboxes": len(boxes),
        "sends": sends,
        "seconds": round(took, 2),
        "sends_per_second": round(sends / took, 1),
        "sends_per_second_and_core": round(sends / (worker + database), 1),
        "worker_ms_per_send": round(worker / most * 1000, 2),
        "database_ms_per_send": round(database / most * 1000, 2),
    }


def database_seconds(stand: "Stand") -> float:
    """Processor time of the database's processes so far; of those that ended too."""
    postmaster = int((stand.data / "postgres/data/postmaster.pid").read_text().split()[0])
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == postmaster:
            ticks += sum(int(each) for each in fields[11:13])
        elif file.parent.name == str(postmaster):
            ticks += sum(int(each) for each in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _shows(setting: str) -> str:
    from django.db import connections

    with connections["default"].cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        return str(cursor.fetchone()[0])


def _truth(stand: "Stand") -> dict[str, int]:
    """What the sandbox delivered."""
    from gatepost.demo.browser import get_json

    rows: Any = get_json(stand.sandbox("truth"))["deliveries"]
    counts = [row["count"] for row in rows]
    return {"delivered": sum(counts), "delivered_twice": sum(count > 1 for count in counts)}


def main() -> None:
    print(json.dumps(_main(*(int(each) for each in sys.argv[1:]))))
