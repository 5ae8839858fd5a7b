"""The demo's workspace: three reps, the sandbox's prospects as contacts, one sequence of three steps."""

import csv
import io
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by, member_of
from gatepost.accounts.models import Member, User, Workspace
from gatepost.contacts import imports
from gatepost.contacts.models import Contact
from gatepost.demo.browser import Browser, CannotGoOn, get_json
from gatepost.demo.stand import Stand
from gatepost.isolation import inside
from gatepost.mailboxes import features
from gatepost.mailboxes.models import Mailbox
from gatepost.sequences import actions as sequences
from gatepost.sequences import edits, enrolments
from gatepost.sequences.models import Sequence

PASSWORD = "between-you-and-me"
REPS = (("alice@northwind.example", "Alice Berger"), ("ben@northwind.example", "Ben Okafor"),
        ("chloe@northwind.example", "Chloé Martin"))  # fmt: skip
DAY = 24 * 60
MAX_MAILS_A_DAY = 400
# Percent that may bounce or opt out before the sequence pauses itself. Two of three people of the sandbox answer, and
# so many more say no than in life: with the usual 5 % most runs would end after the first step.
MOST_BAD = 50

STEPS = (
    edits.StepDraft(
        0,
        "Quick question about {{ company | default: 'your team' }}",
        "Hi {{ first_name | default: 'there' }},\n\n"
        "when I read about {{ company | default: 'your team' }}, I wondered how you plan appointments today. "
        "We help teams like yours to lose fewer of them: most see a third fewer no-shows within two months.\n\n"
        "Would a quarter of an hour next week be worth it to you?",
    ),
    edits.StepDraft(
        2 * DAY,
        "",
        "Hi {{ first_name | default: 'there' }},\n\n"
        "just in case my note went under: here is the one thing that people tell us they would not want to miss. "
        "Reminders go out by themselves, and whoever cancels makes room for the next in line.\n\n"
        "Shall I show you how that looks?",
    ),
    edits.StepDraft(
        3 * DAY,
        "",
        "Hi {{ first_name | default: 'there' }},\n\n"
        "I will not keep knocking. If this is not for you, a short no is a fine answer; "
        "if somebody else looks after it, I would be glad of the name.",
    ),
)


@dataclass(frozen=True, slots=True)
class Seeded:
    workspace: Workspace
    members: tuple[Member, ...]


def seed(stand: Stand) -> Seeded:
    """The workspace with its members, contacts and a draft sequence; made once, found again later."""
    known = User.objects.filter(email=REPS[0][0]).first()
    if known is not None:
        return _found(known)
    workspace = accounts.create_workspace("Northwind Studio")
    members = tuple(
        accounts.add_member(
            workspace.id,
            email=address,
            name=name,
            role=Member.Role.OWNER if number == 0 else Member.Role.REP,
            password=PASSWORD,
            actor=accounts.INSTALLER,
        )
        for number, (address, name) in enumerate(REPS)
    )
    features.switch(workspace.id, "briefs", True, actor=accounts.INSTALLER)
    workspace.refresh_from_db()
    imports.import_csv(workspace.id, "prospects.csv", prospects_csv(stand), member=members[0])
    sequence = sequences.create_sequence(workspace.id, "Fewer empty appointments", member=members[0])
    sequences.save_steps(sequence.pk, STEPS, workspace_id=workspace.id, actor=by(members[0]))
    sequences.change_life(
        sequence.pk, workspace_id=workspace.id, actor=by(members[0]),
        bounce_limit=MOST_BAD, complaint_limit=MOST_BAD,
    )  # fmt: skip
    return Seeded(workspace, members)


def prospects_csv(stand: Stand) -> bytes:
    """The people of the sandbox who may be written to, as a list to import."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("first_name", "last_name", "email", "company", "title", "time_zone", "country"))
    people: Any = get_json(stand.sandbox("people"))
    for user in people:
        if user["kind"] == "prospect":
            person = user["person"]
            first, _, last = person["name"].partition(" ")
            table.writerow((first, last, person["address"], *(person.get(k) or "" for k in FURTHER)))
    return out.getvalue().encode()


FURTHER = ("company", "title", "time_zone", "country")


# From one address thirty may sign in within a minute: on a quick machine stories begin more often.
SIGN_IN_TRIES = 15


def sign_in(stand: Stand, address: str) -> Browser:
    """A browser in which this member is signed in."""
    browser = Browser()
    for _try in range(SIGN_IN_TRIES):
        browser.open(f"{stand.url}/sign-in/").press("Sign in", login=address, password=PASSWORD)
        if browser.status != HTTPStatus.TOO_MANY_REQUESTS:
            break
        time.sleep(5)
    if "/sign-in/" in browser.address:
        said = " ".join(browser.text.split())[-300:]
        raise CannotGoOn(f"{address} could not sign in ({browser.status}): {said}")
    return browser


def go_to_microsoft(browser: Browser, stand: Stand) -> Browser:
    """As a rep does: Mailboxes → Add mailbox → Microsoft account. The browser shows the account picker."""
    browser.open(f"{stand.url}/mailboxes/new/").press("Microsoft account")
    if browser.status != 200:
        raise CannotGoOn(
            f"Microsoft's page did not open ({browser.status}): {browser.address.partition('?')[0]}"
        )
    return browser


def connect(browser: Browser, stand: Stand, account: str) -> Browser:
    """Two clicks more: the account, Accept. The browser shows the connected mailbox."""
    go_to_microsoft(browser, stand).press(account)
    if "/mailboxes/" not in browser.address:
        browser.press("Accept")
    return browser


def enrol_everybody(seeded: Seeded, mailboxes: list[Mailbox], *, leave: int = 0) -> int:
    """All contacts but the last `leave` are in the sequence, shared among the mailboxes, and it is active."""
    workspace_id, actor = seeded.workspace.id, by(seeded.members[0])
    with inside(workspace_id):
        sequence = Sequence.objects.filter(workspace_id=workspace_id).order_by("created_at").first()
        ids = list(Contact.objects.order_by("id").values_list("id", flat=True))
    assert sequence is not None
    chosen = ids[: len(ids) - leave]
    count = 0
    for number, mailbox in enumerate(mailboxes):
        part: list[UUID] = chosen[number :: len(mailboxes)]
        count += enrolments.enrol(sequence.pk, part, mailbox.pk, workspace_id=workspace_id, actor=actor).count
    sequences.activate(sequence.pk, workspace_id=workspace_id, actor=actor)
    return count


def _found(user: User) -> Seeded:
    member = member_of(user.pk)
    assert member is not None
    with inside(member.workspace_id):
        members = tuple(Member.objects.select_related("workspace").order_by("id"))
    return Seeded(member.workspace, members)
