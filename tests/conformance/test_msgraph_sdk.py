"""Whole stories with Microsoft's own client, msgraph-sdk 1.65.0, in one process with the sandbox.

`./dev conformance` runs them in an environment of their own; elsewhere they are skipped.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("msgraph", reason="needs msgraph-sdk: run ./dev conformance")

import httpx
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.attendee import Attendee
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.day_of_week import DayOfWeek
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.event_message_request import EventMessageRequest
from msgraph.generated.models.event_type import EventType
from msgraph.generated.models.file_attachment import FileAttachment
from msgraph.generated.models.importance import Importance
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.mail_folder import MailFolder
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.patterned_recurrence import PatternedRecurrence
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.recurrence_pattern import RecurrencePattern
from msgraph.generated.models.recurrence_pattern_type import RecurrencePatternType
from msgraph.generated.models.recurrence_range import RecurrenceRange
from msgraph.generated.models.recurrence_range_type import RecurrenceRangeType
from msgraph.generated.models.response_type import ResponseType
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import (
    CalendarViewRequestBuilder,
)
from msgraph.generated.users.item.events.item.accept.accept_post_request_body import AcceptPostRequestBody
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
    MessagesRequestBuilder,
)
from msgraph.generated.users.item.messages.item.forward.forward_post_request_body import (
    ForwardPostRequestBody,
)
from msgraph.generated.users.item.messages.item.move.move_post_request_body import MovePostRequestBody
from msgraph.generated.users.item.messages.item.reply.reply_post_request_body import ReplyPostRequestBody
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_content import BatchRequestContent

from m365_sandbox import entities, notifications
from m365_sandbox.app import create_app
from m365_sandbox.contract import Watch, watch_of_the_environment

ALICE, BEN, CAROL = "alice@northwind.example", "ben@northwind.example", "carol@contoso.example"
SCOPES = ["User.Read", "Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite", "Contacts.Read", "People.Read"]
WORLD = {
    "tenants": [{"domain": "northwind.example", "name": "Northwind"}, {"domain": "contoso.example", "name": "C"}],
    "users": [
        {"address": ALICE, "name": "Alice Berger"}, {"address": BEN, "name": "Ben Okafor"},
        {"address": CAROL, "name": "Carol Diaz", "kind": "prospect"},
    ],
}  # fmt: skip


class Credential:
    """Hands out a token that was issued before."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)

    def close(self) -> None:
        pass


class Office:
    """The sandbox in this process, and a client of Microsoft's for each of its people."""

    def __init__(self) -> None:
        self.watch = watch_of_the_environment() or Watch()
        self.app = create_app(world=WORLD, watch=self.watch)
        self.sandbox = self.app.state.sandbox

    def client(self, address: str, scopes: list[str] = SCOPES) -> GraphServiceClient:
        user = self.sandbox.user(address)
        app = next(iter(self.sandbox.store.apps.values()))
        token = entities.AccessToken(f"token-{address}", app.id, user.id, scopes, self.sandbox.now() + 3600)
        self.sandbox.store.save(token)
        plain = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app))
        client = GraphClientFactory.create_with_default_middleware(client=plain, options=options)
        provider = AzureIdentityAuthenticationProvider(Credential(token.id))
        return GraphServiceClient(request_adapter=GraphRequestAdapter(provider, client=client))

    def settle(self) -> None:
        """Let everything that is due happen."""
        while self.app.state.courier.do_what_is_due():
            pass


def told(story: Callable[[Office], Awaitable[None]]) -> None:
    """Run the story to its end; all of it must have kept the contract."""
    office = Office()
    asyncio.run(story(office))  # type: ignore[arg-type]
    office.watch.tell()
    assert office.watch.checked and office.watch.violations == []


def to(address: str) -> Recipient:
    return Recipient(email_address=EmailAddress(address=address))


def letter(subject: str, *addresses: str) -> Message:
    body = ItemBody(content="Good morning", content_type=BodyType.Text)
    return Message(subject=subject, body=body, to_recipients=[to(address) for address in addresses])


async def inbox(client: GraphServiceClient) -> list[Message]:
    page = await client.me.mail_folders.by_mail_folder_id("inbox").messages.get()
    assert page is not None
    return page.value or []


def test_who_am_i() -> None:
    async def story(office: Office) -> None:
        me = await office.client(ALICE).me.get()
        assert me is not None
        assert (me.display_name, me.mail) == ("Alice Berger", ALICE)

    told(story)


def test_a_draft_is_written_changed_sent_and_answered() -> None:
    async def story(office: Office) -> None:
        alice, ben = office.client(ALICE), office.client(BEN)
        draft = await alice.me.messages.post(letter("Plan", BEN))
        assert draft is not None and draft.id and draft.is_draft
        change = Message(importance=Importance.High)
        changed = await alice.me.messages.by_message_id(draft.id).patch(change)
        assert changed is not None and changed.importance == Importance.High
        await alice.me.messages.by_message_id(draft.id).send.post()
        office.settle()

        [mail] = await inbox(ben)
        assert (mail.subject, mail.internet_message_id) == ("Plan", draft.internet_message_id)
        answer = ReplyPostRequestBody(comment="Fine with me")
        await ben.me.messages.by_message_id(mail.id or "").reply.post(answer)
        office.settle()
        [back] = await inbox(alice)
        assert (back.subject, back.conversation_id) == ("RE: Plan", draft.conversation_id)

    told(story)


def test_mail_is_sent_with_an_attachment_and_forwarded() -> None:
    async def story(office: Office) -> None:
        alice, ben = office.client(ALICE), office.client(BEN)
        mail = letter("Papers", BEN)
        mail.attachments = [
            FileAttachment(
                odata_type="#microsoft.graph.fileAttachment", name="a.txt", content_type="text/plain",
                content_bytes=b"abc",
            )
        ]  # fmt: skip
        await alice.me.send_mail.post(SendMailPostRequestBody(message=mail, save_to_sent_items=True))
        office.settle()
        [got] = await inbox(ben)
        assert got.id and got.has_attachments
        parts = await ben.me.messages.by_message_id(got.id).attachments.get()
        assert parts is not None and isinstance((parts.value or [None])[0], FileAttachment)
        body = ForwardPostRequestBody(to_recipients=[to(CAROL)], comment="For you")
        await ben.me.messages.by_message_id(got.id).forward.post(body)
        office.settle()
        assert [m.subject for m in await inbox(office.client(CAROL))] == ["FW: Papers"]

    told(story)


def test_pages_are_followed_to_the_end() -> None:
    async def story(office: Office) -> None:
        alice = office.client(ALICE)
        for number in range(5):
            await alice.me.messages.post(letter(f"No. {number}", BEN))
        drafts = alice.me.mail_folders.by_mail_folder_id("drafts").messages
        query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
            top=2, select=["subject"], count=True
        )
        page = await drafts.get(RequestConfiguration(query_parameters=query))
        assert page is not None and page.odata_count == 5
        subjects = [m.subject for m in page.value or []]
        while page is not None and page.odata_next_link:
            page = await drafts.with_url(page.odata_next_link).get()
            subjects += [m.subject for m in (page.value if page else None) or []]
        assert sorted(subjects) == [f"No. {number}" for number in range(5)]

    told(story)


def test_a_delta_goes_on_where_it_stopped() -> None:
    async def story(office: Office) -> None:
        alice, ben = office.client(ALICE), office.client(BEN)
        delta = ben.me.mail_folders.by_mail_folder_id("inbox").messages.delta
        first = await delta.get()
        assert first is not None and first.value == [] and first.odata_delta_link
        draft = await alice.me.messages.post(letter("New", BEN))
        assert draft is not None
        await alice.me.messages.by_message_id(draft.id or "").send.post()
        office.settle()
        second = await delta.with_url(first.odata_delta_link).get()
        assert second is not None and [m.subject for m in second.value or []] == ["New"]
        [mail] = second.value or []
        archive = MovePostRequestBody(destination_id="archive")
        await ben.me.messages.by_message_id(mail.id or "").move.post(archive)
        third = await delta.with_url(second.odata_delta_link or "").get()
        [gone] = (third.value if third else None) or []
        assert (gone.id, gone.additional_data["@removed"]) == (mail.id, {"reason": "changed"})

    told(story)


def test_a_series_is_booked_seen_and_accepted() -> None:
    async def story(office: Office) -> None:
        alice, ben = office.client(ALICE), office.client(BEN)
        pattern = RecurrencePattern(
            type=RecurrencePatternType.Weekly, interval=1, days_of_week=[DayOfWeek.Monday]
        )
        limits = RecurrenceRange(
            type=RecurrenceRangeType.Numbered, number_of_occurrences=3,
            start_date=datetime(2027, 3, 1).date(),
        )  # fmt: skip
        made = await alice.me.events.post(
            Event(
                subject="Weekly", start=DateTimeTimeZone(date_time="2027-03-01T09:00:00", time_zone="UTC"),
                end=DateTimeTimeZone(date_time="2027-03-01T09:30:00", time_zone="UTC"),
                attendees=[Attendee(email_address=EmailAddress(address=BEN))],
                recurrence=PatternedRecurrence(pattern=pattern, range=limits),
            )
        )  # fmt: skip
        assert made is not None and made.type == EventType.SeriesMaster
        query = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
            start_date_time="2027-03-01T00:00:00Z", end_date_time="2027-04-01T00:00:00Z"
        )
        window = RequestConfiguration(query_parameters=query)
        view = await ben.me.calendar_view.get(window)
        assert view is not None and [e.type for e in view.value or []] == [EventType.Occurrence] * 3
        [request] = await inbox(ben)
        assert isinstance(request, EventMessageRequest)
        master = (view.value or [])[0].series_master_id or ""
        answer = AcceptPostRequestBody(send_response=True)
        await ben.me.events.by_event_id(master).accept.post(answer)
        office.settle()
        own = await alice.me.events.by_event_id(made.id or "").get()
        assert own is not None and own.attendees and own.attendees[0].status
        assert own.attendees[0].status.response == ResponseType.Accepted

    told(story)


def test_a_subscription_is_made_renewed_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def shakes(_: str) -> bool:
        return True

    monkeypatch.setattr(notifications, "shakes_hands", shakes)

    async def story(office: Office) -> None:
        alice = office.client(ALICE)
        now = datetime.fromtimestamp(office.sandbox.now(), UTC)
        wanted = Subscription(
            change_type="created,updated", notification_url="https://app.example/hook", client_state="secret",
            resource="me/mailFolders('inbox')/messages", expiration_date_time=now + timedelta(days=6),
        )  # fmt: skip
        made = await alice.subscriptions.post(wanted)
        assert made is not None and made.id
        with pytest.raises(ODataError) as refused:
            await alice.subscriptions.post(wanted)
        assert refused.value.response_status_code == 409
        one = alice.subscriptions.by_subscription_id(made.id)
        renewed = await one.patch(Subscription(expiration_date_time=now + timedelta(days=2)))
        assert renewed is not None and renewed.expiration_date_time == (now + timedelta(days=2)).replace(
            microsecond=0
        )
        await one.delete()
        left = await alice.subscriptions.get()
        assert left is not None and left.value == []

    told(story)


def test_a_batch_answers_each_request() -> None:
    async def story(office: Office) -> None:
        alice = office.client(ALICE)
        batch = BatchRequestContent()
        first = batch.add_request_information(alice.me.to_get_request_information())
        missing = alice.me.messages.by_message_id("AAMkADnone=").to_get_request_information()
        second = batch.add_request_information(missing)
        answers = await alice.batch.post(batch)
        assert answers is not None
        names = [first, second] if first and second else list(answers.responses)
        assert [answers.responses[name].status for name in names] == [200, 404]

    told(story)


def test_folders_people_and_calendars_are_typed() -> None:
    async def story(office: Office) -> None:
        alice = office.client(ALICE)
        made = await alice.me.mail_folders.post(MailFolder(display_name="Leads"))
        assert made is not None and made.display_name == "Leads"
        folders = await alice.me.mail_folders.delta.get()
        assert folders is not None and "Leads" in [f.display_name for f in folders.value or []]
        people = await alice.me.people.get()
        assert people is not None and [p.display_name for p in people.value or []] == ["Ben Okafor"]
        calendars = await alice.me.calendars.get()
        assert calendars is not None and [c.is_default_calendar for c in calendars.value or []] == [True]

    told(story)


def test_refusals_arrive_as_typed_errors() -> None:
    async def story(office: Office) -> None:
        with pytest.raises(ODataError) as gone:
            await office.client(ALICE).me.messages.by_message_id("AAMkADnone=").get()
        assert gone.value.error is not None and gone.value.error.code == "ErrorItemNotFound"
        assert gone.value.error.inner_error is not None and gone.value.error.inner_error.request_id
        poor = office.client(BEN, ["User.Read"])
        with pytest.raises(ODataError) as refused:
            await poor.me.messages.get()
        assert (refused.value.response_status_code, refused.value.error.code) == (403, "ErrorAccessDenied")

    told(story)
