"""Looking at pages as a member does, and making what they show."""

import html
import re
from datetime import date, datetime, timedelta
from uuid import uuid4

from django.test import Client

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.conversations.actions import Incoming, record_reply
from gatepost.conversations.models import Reply
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.meetings.models import Brief, Guest, Meeting
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.text.labeller import Evidence
from gatepost.text.people import ThirdParty
from gatepost.text.tone import Tone
from gatepost.vault.sealing import seal
from tests.makers import PASSWORD

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member.user, backend=BACKEND)
    client.get("/sign-in/")  # the first page of a session also notes where it comes from
    return client


def confirmed(client: Client) -> Client:
    """The same, after showing once more who it is, as some pages ask."""
    client.post("/account/confirm/", {"password": PASSWORD})
    return client


def text_of(response: object) -> str:
    """What a page says, without its tags."""
    page = response.content.decode()  # type: ignore[attr-defined]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def rows_in(response: object) -> int:
    """How many rows the page's tables have."""
    body = response.content.decode()  # type: ignore[attr-defined]
    return sum(part.count("<tr") for part in re.findall(r"<tbody>(.*?)</tbody>", body, re.S))


def make_message(
    enrolment: Enrolment,
    *,
    position: int = 1,
    state: str = "confirmed",
    sent: datetime | None = None,
    reason: str = "",
) -> Message:
    """One mail of ours; unless held or planned it has left."""
    moment = sent or clock.now() - timedelta(days=1)
    with inside(enrolment.workspace_id):
        message = Message(
            workspace_id=enrolment.workspace_id,
            mailbox_id=enrolment.mailbox_id,
            contact_id=enrolment.contact_id,
            enrolment_id=enrolment.pk,
            sequence_id=enrolment.sequence_id,
            step_id=enrolment.sequence.steps.get(position=position).pk,
            position=position,
            key=uuid4().hex,
            guard=uuid4().hex,
            number=1,
            state=state,
            reason=reason,
            content_hash="-",
            planned_at=moment,
            not_before=moment if state in ("planned", "drafted", "sending", "accepted") else None,
        )
        if state in ("accepted", "confirmed"):
            message.sending_at = message.accepted_at = moment
        if state == "confirmed":
            message.confirmed_at = moment
        seal(message, "subject", "Quick question")
        seal(message, "body", "Hi Petra,\n\nshall we talk?")
        message.save(force_insert=True)
    return message


def make_reply(
    message: Message,
    label: str = "interested",
    text: str = "Yes, let us talk.",
    *,
    words: str = "",
    names: ThirdParty | None = None,
    until: date | None = None,
) -> Reply:
    """An answer to `message`; `words` of it are what decided the label, `names` whom it names, `until` its date."""
    start = text.index(words) if words else 0
    evidence = (Evidence(start, start + len(words), words, "test"),) if words else ()
    tone = Tone(
        label,
        (label,),
        0.9,
        evidence,
        text,
        return_date=until,
        return_precision="day" if until else None,
        third_party=names,
        bounce="hard" if label == "bounce" else None,
        version="test",
    )
    reply = record_reply(
        Incoming(
            message=message,
            graph_id=uuid4().hex,
            internet_message_id=f"<{uuid4().hex}@contoso.example>",
            received=clock.now() - timedelta(hours=1),
            sender="petra@contoso.example",
            someone_else=False,
            subject="Re: Quick question",
            tone=tone,
        )
    )
    assert reply is not None
    return reply


def make_meeting(
    enrolment: Enrolment, *, brief: str = "", starts: datetime | None = None, **columns: object
) -> Meeting:
    """A meeting with the enrolment's contact, who is its one guest."""
    starts = starts or clock.now() + timedelta(days=2)
    with inside(enrolment.workspace_id):
        meeting = Meeting(
            id=uuid7(),
            workspace_id=enrolment.workspace_id,
            mailbox_id=enrolment.mailbox_id,
            contact_id=enrolment.contact_id,
            enrolment=enrolment,
            step_id=enrolment.sequence.steps.get(position=1).pk,
            graph_id=uuid4().hex,
            ical_uid_index=uuid4().hex,
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
            found_at=clock.now(),
            booked_at=clock.now(),
            **columns,
        )
        seal(meeting, "subject", "A first look")
        meeting.save(force_insert=True)
        Guest.objects.create(
            workspace_id=enrolment.workspace_id, meeting=meeting, contact_id=enrolment.contact_id,
            enrolment=enrolment, match=meeting.match, answer="organizer",
        )  # fmt: skip
        if brief:
            row = Brief(workspace_id=enrolment.workspace_id, mailbox_id=enrolment.mailbox_id, meeting=meeting)
            row.written_at, row.content_hash = clock.now(), "-"
            seal(row, "text", brief)
            row.save(force_insert=True)
    return meeting
