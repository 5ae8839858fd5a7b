"""Restore drills: a dump while mails leave, then they go on leaving, the dump is put back, the worker starts."""

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connections

from gatepost.accounts.membership import by
from gatepost.config import backup
from gatepost.contacts.models import Contact
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import restored, rules
from gatepost.outbox.models import Message, Recovery
from tests import makers
from tests.journeys.standing import Standing, until
from tests.journeys.story import Story
from tests.proofs.kills import ONE_STEP

MAILS = 8
REQUESTS_A_MAIL = 3  # look for the draft, make it, send it


@dataclass(frozen=True, slots=True)
class Drilled:
    """What came of one drill. `forgotten`: mails that had left, and the restored database did not know it."""

    mails: int
    forgotten: int
    wrong: list[str]


def prepare(story: Story) -> None:
    """The mailbox sends without a pause and without a limit that so many drills would meet."""
    with inside(story.workspace.pk):
        Mailbox.objects.update(gap_seconds=0, daily_limit=10_000)


def drill(story: Story, folder: Path, chance: random.Random) -> Drilled:
    """Afterwards each mail was delivered once, or it says what is wrong."""
    stand = story.stand
    contacts = [makers.make_contact(story.workspace, _address(chance)) for _ in range(MAILS)]
    story.enrol(*contacts, steps=ONE_STEP)
    _let_pass(stand, chance.randrange(MAILS * REQUESTS_A_MAIL))
    main = backup.Kept("main", stand.owner, timedelta(days=1))
    file = backup.back_up(main, folder, data_dir=folder)
    # To the end, or not: what had not left by then must still leave.
    _let_pass(stand, chance.choice((1, 10, MAILS * REQUESTS_A_MAIL * 2)))
    stand.kill("worker")
    _put_back(stand, main, file)
    forgotten = _forgotten(story, contacts)
    stand.start()
    _recover(story)
    wrong = []
    try:
        story.come_through(*contacts)
    except AssertionError as error:
        wrong.append(str(error))
    counts = {row["to"]: row["count"] for row in story.deliveries()}
    for contact in contacts:
        count = counts.get(story.address_of(contact), 0)
        if count != 1:
            wrong.append(f"contact {contact.pk}: delivered {count} times")
    return Drilled(len(contacts), forgotten, wrong)


def _put_back(stand: Standing, main: backup.Kept, file: Path) -> None:
    """As docs/operate/restored.md says: into an empty database, then `gatepost migrate`."""
    connections.close_all()
    with psycopg.connect(stand.owner, autocommit=True) as owner:
        owner.execute("DROP SCHEMA public CASCADE")
        owner.execute("CREATE SCHEMA public")
    backup.restore(main, file)
    call_command("migrate", database="owner", verbosity=0, skip_checks=True)


def _forgotten(story: Story, contacts: list[Contact]) -> int:
    delivered = {row["to"] for row in story.deliveries()}
    left = {message.contact_id for message in story.rows(Message) if message.has_left or message.sending_at}
    return sum(story.address_of(each) in delivered and each.pk not in left for each in contacts)


def _recover(story: Story) -> None:
    """The worker notices, each mailbox is compared after the quiet time, and the rep says go."""
    until(lambda: bool(_open(story)), "the worker notices that the database was restored")
    story.stand.advance(rules.RECOVERY_QUIET + timedelta(minutes=1))
    until(lambda: not _not_compared(story), "the mailbox is compared")
    restored.go(story.workspace.pk, actor=by(story.rep))


def _open(story: Story) -> list[Recovery]:
    return story.rows(Recovery, go_at=None)


def _not_compared(story: Story) -> list[Mailbox]:
    with inside(story.workspace.pk):
        return restored.not_compared()


def _let_pass(stand: Standing, requests: int) -> None:
    """So many requests reach the sandbox, as far as there are any to come."""
    goal = stand.last_request() + requests
    try:
        until(lambda: stand.last_request() >= goal, "they come", seconds=5)
    except AssertionError:
        return


def _address(chance: random.Random) -> str:
    return f"contact-{chance.getrandbits(64):016x}@elsewhere.example"
