"""Disconnecting stops everything at once, and then ends what is ours at Microsoft."""

from datetime import timedelta

from gatepost.audit.models import LedgerRow
from gatepost.graph.housekeeping import CLEAN_UP
from gatepost.graph.shapes import SEND_KEY
from gatepost.mailboxes.models import Connection, Mailbox, Subscription
from gatepost.outbox.models import Message
from gatepost.sequences.edits import StepDraft
from tests.journeys.standing import until
from tests.journeys.story import OtherMailbox, Story

STEP = (StepDraft(0, "Quick question", "Hi {{ first_name }}, shall we talk?"),)


def disconnect(story: Story) -> None:
    story.browser.open(f"{story.stand.url}/mailboxes/{story.mailbox.pk}/disconnect/").press("Disconnect")
    assert story.mailbox.state == Mailbox.State.DISCONNECTED


def cleaned_up(story: Story) -> None:
    until(lambda: story.mailbox.clean_up_until is None, "what is ours at Microsoft has ended")


def test_its_tokens_are_gone_and_at_microsoft_our_subscriptions_and_drafts(story: Story) -> None:
    story.settle()
    assert story.rows(Connection) and (subscriptions := story.rows(Subscription))
    draft = OtherMailbox.of(story.stand, story.address)
    ours = {"subject": "ours", "singleValueExtendedProperties": [{"id": SEND_KEY, "value": "a key of ours"}]}
    draft.ask("POST", "/me/messages", ours)
    theirs = draft.ask("POST", "/me/messages", {"subject": "the rep's own"})
    disconnect(story)
    cleaned_up(story)
    assert story.mailbox.left_at_microsoft == []
    assert not story.rows(Connection) and not story.rows(Subscription)
    assert [each["id"] for each in draft.ask("GET", "/me/mailFolders/drafts/messages")["value"]] == [
        theirs["id"]
    ]
    ended = {
        request["path"].rpartition("/")[2]
        for request in story.graph_requests(0)
        if request["method"] == "DELETE"
    }
    assert {each.microsoft_id for each in subscriptions} <= ended


def test_after_it_nothing_is_asked_but_to_end_what_is_ours(story: Story) -> None:
    story.enrol(*[story.prospect() for _ in range(3)])
    story.settle()
    before = story.stand.last_request()
    disconnect(story)
    cleaned_up(story)
    asked = {row.shape for row in story.rows(LedgerRow, reason="disconnected")}
    assert asked and asked <= CLEAN_UP
    of_them = [each for each in story.graph_requests(before) if each["method"] != "DELETE"]
    assert all("/mailFolders/drafts/messages" in each["path"] for each in of_them)


def test_a_worker_that_is_killed_meanwhile_ends_it_when_it_is_back(story: Story) -> None:
    story.settle()
    story.stand.kill("worker")
    disconnect(story)
    assert story.rows(Connection)
    story.stand.start()
    cleaned_up(story)
    assert not story.rows(Connection) and story.mailbox.left_at_microsoft == []


def test_in_the_middle_of_sending_at_most_the_mail_in_flight_still_leaves(story: Story) -> None:
    people = [story.prospect(name=f"Prospect Number{n}") for n in range(15)]
    story.enrol(*people, steps=STEP)
    until(lambda: len(story.truth().get("sent", ())) >= 3, "a few mails have left")
    disconnect(story)
    left = len(story.truth()["sent"])
    story.wait(timedelta(hours=2))
    assert len(story.truth()["sent"]) <= left + 1 < len(people)
    states = {message.state for each in people for message in story.messages(each)}
    assert Message.State.HELD not in states


def test_no_request_is_made_for_it_any_more_whatever_happens_in_the_mailbox(story: Story) -> None:
    petra = story.prospect("books_meeting")
    story.enrol(petra)
    story.settle()
    disconnect(story)
    cleaned_up(story)
    after = story.stand.last_request()
    story.answer(petra, "Yes, I am interested.")
    story.wait(timedelta(days=6))
    assert story.graph_requests(0) and not story.graph_requests(after)
    assert len(story.sent_to(petra)) == 1 and not story.replies(petra)


def test_what_it_sent_is_still_shown_and_connecting_again_goes_on(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    disconnect(story)
    cleaned_up(story)
    page = story.browser.open(f"{story.stand.url}/outbox/?part=sent")
    assert page.status == 200 and "Petra Quandt" in page.text
    story.connect()
    story.settle()
    assert story.mailbox.is_connected
