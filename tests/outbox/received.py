"""The product's own composing and sending, and what the sandbox's recipient then has in her inbox."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from django.db import transaction

from gatepost.contacts.models import Contact
from gatepost.graph import drafts
from gatepost.graph.gateway import Asked, Gateway, http_session
from gatepost.isolation import inside
from gatepost.jobs.rounds import Script, in_rounds
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import rules, sending
from gatepost.outbox.models import Message
from gatepost.sequences import steps
from gatepost.sequences.models import Enrolment
from gatepost.sequences.rules import Send
from tests import makers
from tests.at_once import at_once, for_one
from tests.sandbox.conftest import Mailbox as SandboxMailbox

CAROL = "carol@contoso.example"
SHOWN = (
    "id,subject,from,toRecipients,ccRecipients,bccRecipients,body,internetMessageHeaders,internetMessageId,"
    "conversationId"
)


@dataclass
class Permission:
    """Alice's, as the sandbox gave it."""

    value: str
    scopes: frozenset[str] = frozenset(makers.ALL_SCOPES)
    ledger: list[Asked] = field(default_factory=list)

    async def token(self, *, renew: bool = False, claims: str = "") -> str:
        return self.value

    async def record(self, asked: Asked) -> None:
        self.ledger.append(asked)


@dataclass
class Through:
    """A gateway to the sandbox. Each request runs to its end in a loop of another thread: the test's own thread holds
    the test's transaction, and never waits."""

    alice: SandboxMailbox

    async def ask(self, name: str, **values: Any) -> dict[str, Any]:
        async def once() -> dict[str, Any]:
            async with http_session() as http:
                access = Permission(self.alice.tokens["access_token"])
                return await Gateway(http, access, sandbox_url=self.alice.served.url).ask(name, **values)

        with ThreadPoolExecutor(1) as elsewhere:
            return elsewhere.submit(asyncio.run, once()).result()


class Undone(Exception):
    """Ends an example: nothing of it stays in the database."""


@dataclass
class Post:
    """Alice writes to Carol."""

    alice: SandboxMailbox
    carol: SandboxMailbox
    mailbox: Mailbox
    contact: Contact

    def plan(self, enrolment: Enrolment, position: int) -> Message | None:
        """The step composed as the worker does it; None where the enrolment waits for a person."""
        return steps.act_on_due(makers.fresh(enrolment), Send(position))

    def send(self, message: Message) -> None:
        at_once(in_rounds(message.workspace_id, sending.carry_on(message, Through(self.alice), _open_gate)))  # type: ignore[arg-type]
        self.alice.served.advance(3)  # Microsoft lets 30 a minute out
        steps.step_left(makers.fresh(message))

    def received(self) -> list[dict[str, Any]]:
        """What lies in Carol's inbox, the oldest first; it is taken out."""
        mails = self.carol.get(
            f"/me/mailFolders/inbox/messages?$top=100&$select={SHOWN}&$orderby=receivedDateTime asc"
        ).json["value"]
        for each in mails:
            self.carol.call("DELETE", f"/me/messages/{each['id']}")
        return mails

    def mime_of(self, message: Message) -> EmailMessage:
        """The mail as its draft is written."""
        with inside(message.workspace_id):
            return message_from_bytes(drafts.mime(for_one(sending.letters_of, message)), policy=default)  # type: ignore[arg-type,return-value]


def _open_gate(message: Message) -> Script[rules.Verdict]:
    yield from ()
    return rules.Send()


def undone(example: Any) -> None:
    """Runs an example and takes back what it did to the database."""
    try:
        with transaction.atomic():
            example()
            raise Undone
    except Undone:
        pass


def headers_of(mail: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in mail.get("internetMessageHeaders") or ()}


def addresses(people: list[dict[str, Any]]) -> list[str]:
    return [each["emailAddress"]["address"] for each in people]
