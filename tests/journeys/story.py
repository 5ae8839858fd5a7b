"""The people of a story: a rep with a mailbox and a workspace of her own, and those she writes to."""

import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from base64 import urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar

from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member, Workspace
from gatepost.contacts.models import Contact
from gatepost.conversations.models import Reply
from gatepost.demo import seed as seeding
from gatepost.demo.browser import Browser
from gatepost.demo.stand import CLIENT_SECRET
from gatepost.isolation import inside
from gatepost.mailboxes import actions as mailboxes
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences import actions as sequences
from gatepost.sequences import edits, enrolments
from gatepost.sequences.models import Enrolment, Sequence
from gatepost.vault import names
from tests import makers

from .standing import Standing, until

TWO_DAYS = timedelta(days=2)
STEPS = (
    edits.StepDraft(0, "Quick question, {{ first_name }}", "Hi {{ first_name }},\n\nshall we talk?"),
    edits.StepDraft(2 * 24 * 60, "", "Hi {{ first_name }},\n\njust following up."),
)
OTHER_ABILITIES = (
    "openid profile offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite"
)


@dataclass
class Story:
    """One workspace with one rep. Nothing in it is shared with another story but the sandbox and the clock."""

    stand: Standing
    workspace: Workspace
    rep: Member
    address: str
    browser: Browser
    number: str

    @classmethod
    def begin(cls, stand: Standing, *, connect: bool = True, domain: str = "northwind.example") -> "Story":
        """A rep who is signed in, and whose mailbox is connected through the browser unless told otherwise."""
        stand.to_a_tuesday_morning()  # people answer on working days
        number = secrets.token_hex(4)
        address = f"rep-{number}@{domain}"
        stand.tell("users", address=address, name=f"Rita {number.title()}", kind="rep")
        workspace = accounts.create_workspace(f"Workspace {number}")
        rep = accounts.add_member(
            workspace.id, email=address, name=f"Rita {number.title()}", role="owner", password=seeding.PASSWORD,
            actor=accounts.INSTALLER,
        )  # fmt: skip
        story = cls(stand, workspace, rep, address, seeding.sign_in(stand, address), number)  # type: ignore[arg-type]
        if connect:
            story.connect()
        return story

    def connect(self) -> Browser:
        """The two clicks; the browser shows the page that follows."""
        seeding.connect(self.browser, self.stand, self.address)  # type: ignore[arg-type]
        with inside(self.workspace.id):
            Mailbox.objects.filter(workspace_id=self.workspace.id).update(gap_seconds=2, daily_limit=400)
        return self.browser

    def end(self) -> None:
        """Nothing of this story goes on."""
        with inside(self.workspace.id):
            connected = list(Mailbox.objects.filter(state=Mailbox.State.CONNECTED))
            for sequence in Sequence.objects.filter(state=Sequence.State.ACTIVE):
                sequences.pause(sequence.pk, workspace_id=self.workspace.id, actor=by(self.rep))
        for mailbox in connected:
            mailboxes.disconnect(mailbox.pk, workspace_id=self.workspace.id, actor=by(self.rep))

    # What she does

    def prospect(self, behaviour: str = "silent", name: str = "Petra Quandt", **person: Any) -> Contact:
        """Somebody who lives in the sandbox, behaves so, and is a contact."""
        first, _, last = name.partition(" ")
        local = f"{first}.{secrets.token_hex(3)}".lower()
        address = f"{local}@customer-{self.number}.example"
        known = {
            "address": address, "name": name, "company": "Contoso", "title": "Head of Care",
            "time_zone": "Europe/Berlin", "country": "DE", "language": "en", "behaviour": behaviour,
            "delay_hours": 1.0, "office_hours": [0, 24], **person,
        }  # fmt: skip
        self.stand.tell("users", address=address, name=name, kind="prospect", person=known)
        return makers.make_contact(self.workspace, address, first_name=first, last_name=last)

    def enrol(self, *contacts: Contact, steps: tuple[edits.StepDraft, ...] = STEPS) -> Sequence:
        """The contacts are in a new, active sequence that may send at any hour."""
        sequence = makers.make_sequence(self.rep, steps=steps)
        enrolled = enrolments.enrol(
            sequence.pk, [each.pk for each in contacts], self.mailbox.pk, workspace_id=self.workspace.id,
            actor=by(self.rep),
        )  # fmt: skip
        assert not enrolled.skipped, enrolled.skipped
        return sequence

    def answer(self, contact: Contact, text: str, **mail: Any) -> str:
        """The contact answers the last mail that reached him. Returns the answer's Message-ID."""
        mail = {
            "subject": "Re: Quick question",
            "in_reply_to": self.sent_to(contact)[-1]["internetMessageId"],
            **mail,
        }
        sender = mail.pop("sender", self.address_of(contact))
        return self.stand.tell("deliver", **{"mailbox": self.address, "from": sender, "text": text, **mail})[
            "internetMessageId"
        ]

    def settle(self) -> None:
        self.stand.settle(self.workspace.id)

    def wait(self, by: timedelta) -> None:
        """Time passes, and everything that it made due is done."""
        self.stand.advance(by)
        self.settle()

    def wait_until(self, moment: datetime) -> None:
        self.stand.advance_to(moment)
        self.settle()

    def come_through(self, *contacts: Contact, steps: int = 1) -> None:
        """So many steps to each contact were seen among the sent items. Unclear answers need some time."""

        def done() -> bool:
            self.stand.advance(timedelta(minutes=5))
            self.stand.settles(self.workspace.id, seconds=3)
            states = [message.state for each in contacts for message in self.messages(each)]
            return states == [Message.State.CONFIRMED] * (steps * len(contacts))

        try:
            until(done, "every step was sent and seen", seconds=90)
        except AssertionError as error:
            states = [
                (each.state, each.reason, each.attempts)
                for contact in contacts
                for each in self.messages(contact)
            ]
            raise AssertionError(f"{error} {Counter(states)}") from None

    # What there is now

    @property
    def mailbox(self) -> Mailbox:
        with inside(self.workspace.id):
            return Mailbox.objects.get(workspace_id=self.workspace.id)

    def address_of(self, contact: Contact) -> str:
        return names.open(contact, "email") or ""

    def enrolment(self, contact: Contact) -> Enrolment:
        with inside(self.workspace.id):
            return Enrolment.objects.select_related("sequence").get(contact=contact)

    def messages(self, contact: Contact) -> list[Message]:
        with inside(self.workspace.id):
            return list(Message.objects.filter(contact=contact).order_by("position"))

    def replies(self, contact: Contact) -> list[Reply]:
        with inside(self.workspace.id):
            return list(Reply.objects.filter(conversation__contact=contact).order_by("received_at"))

    def rows(self, model: Any, **conditions: Any) -> list[Any]:
        return makers.rows(model, self.workspace.id, **conditions)

    # What really happened, by the sandbox's record

    def truth(self) -> dict[str, Any]:
        found = self.stand.look(f"truth?mailbox={self.address}")
        empty: dict[str, Any] = {}
        return {**found, **found["mailboxes"].get(self.address, empty)}

    def sent_to(self, contact: Contact) -> list[dict[str, Any]]:
        """The mails to this contact that left the mailbox."""
        address = self.address_of(contact)
        return [fact for fact in self.truth().get("sent", ()) if address in fact["to"]]

    def deliveries(self) -> list[dict[str, Any]]:
        """What this rep's mailbox delivered, with how often."""
        return [row for row in self.stand.look("truth")["deliveries"] if row["from"] == self.address]

    def graph_requests(self, after: int) -> list[dict[str, Any]]:
        """The requests to Graph with this mailbox's token since then."""
        return [each for each in self.stand.requests(after) if each.get("user") == self.address]


@dataclass
class OtherMailbox:
    """A mailbox of the sandbox used by its owner through another program: with Graph, but without Gatepost."""

    stand: Standing
    token: str

    APP: ClassVar[str] = "0d5a7c11-9b1e-4d0f-8a3c-52f1c7e6b908"  # that program's own registration
    BACK: ClassVar[str] = "http://localhost:9/callback"

    @classmethod
    def of(cls, stand: Standing, address: str) -> "OtherMailbox":
        verifier = secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        stand.tell(
            "apps", client_id=cls.APP, client_secret=CLIENT_SECRET, name="Outlook", redirect_uris=[cls.BACK]
        )
        query = urllib.parse.urlencode(
            {
                "client_id": cls.APP, "response_type": "code", "redirect_uri": cls.BACK, "scope": OTHER_ABILITIES,
                "state": "s", "nonce": "n", "code_challenge": challenge, "code_challenge_method": "S256",
                "prompt": "select_account",
            }
        )  # fmt: skip
        browser = Browser()
        browser.open(f"{stand.sandbox_url}/common/oauth2/v2.0/authorize?{query}")
        code = _code_after(browser, f"{stand.sandbox_url}/common/oauth2/v2.0/", address, query)
        form = {
            "grant_type": "authorization_code", "client_id": cls.APP, "client_secret": CLIENT_SECRET, "code": code,
            "redirect_uri": cls.BACK, "code_verifier": verifier,
        }  # fmt: skip
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(
            f"{stand.sandbox_url}/common/oauth2/v2.0/token", data, timeout=30
        ) as answer:
            return cls(stand, json.loads(answer.read())["access_token"])

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.stand.sandbox_url}/v1.0{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")

    def events(self) -> list[dict[str, Any]]:
        return self.ask("GET", "/me/events?$top=100")["value"]


class _Here(urllib.request.HTTPRedirectHandler):
    """Shows where it would lead instead of going there."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _code_after(browser: Browser, base: str, address: str, query: str) -> str:
    """Sign in and accept; the code that the other program's address would be given."""
    opener = urllib.request.build_opener(_Here())
    for path, form in (
        ("signin", {"account": address, "request": query}),
        ("consent", {"account": address, "request": query, "decision": "accept"}),
    ):
        try:
            opener.open(base + path, urllib.parse.urlencode(form).encode(), timeout=30).close()
        except urllib.error.HTTPError as answer:
            to = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)
            return to["code"][0]
    raise AssertionError(f"{address} could not sign in at the sandbox.")
