"""Disconnecting stops everything at once. (Retention and erasing come later; what was stored stays until then.)"""

from datetime import timedelta

from gatepost.mailboxes.models import Connection, Mailbox, Subscription
from gatepost.outbox.models import Message
from gatepost.sequences.actions import StepDraft
from tests.journeys.standing import until
from tests.journeys.story import Story

STEP = (StepDraft(0, "Quick question", "Hi {{ first_name }}, shall we talk?"),)


def disconnect(story: Story) -> None:
    story.browser.open(f"{story.stand.url}/mailboxes/{story.mailbox.pk}/disconnect/").press("Disconnect")
    assert story.mailbox.state == Mailbox.State.DISCONNECTED


def test_its_tokens_and_subscriptions_are_gone(story: Story) -> None:
    story.settle()
    assert story.rows(Connection) and story.rows(Subscription)
    disconnect(story)
    assert not story.rows(Connection) and not story.rows(Subscription)


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
    page = story.browser.open(f"{story.stand.url}/outbox/?part=sent")
    assert page.status == 200 and "Petra Quandt" in page.text
    story.connect()
    story.settle()
    assert story.mailbox.is_connected
