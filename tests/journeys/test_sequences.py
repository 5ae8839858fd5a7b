"""What a sequence does, and what ends it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gatepost.contacts.models import Suppression
from gatepost.conversations.models import Promise
from gatepost.demo.browser import Browser
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment

from .story import TWO_DAYS, Story

ONE_DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
MANY_DAYS = timedelta(days=6)


def disconnect(story: Story) -> Browser:
    """As the rep does it, on the mailbox's page."""
    return story.browser.open(f"{story.stand.url}/mailboxes/{story.mailbox.pk}/disconnect/").press(
        "Disconnect"
    )


def test_both_steps_reach_the_contact_in_one_thread_and_the_enrolment_is_finished(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    assert len(story.sent_to(petra)) == 1
    story.wait(TWO_DAYS)
    story.wait(timedelta(minutes=20))  # the sent copy is seen, and the last step is confirmed
    first, second = story.sent_to(petra)
    assert first["subject"] == "Quick question, Petra"
    assert second["conversationId"] == first["conversationId"]
    assert [each.state for each in story.messages(petra)] == [Message.State.CONFIRMED] * 2
    assert story.enrolment(petra).state == Enrolment.State.FINISHED


def test_a_reply_stops_the_sequence_and_stands_in_the_inbox_with_its_tone(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.answer(petra, "Yes, this sounds interesting. Can we talk on Tuesday?")
    story.settle()
    enrolment = story.enrolment(petra)
    assert (enrolment.state, enrolment.cause) == (Enrolment.State.STOPPED, Enrolment.Cause.REPLY)
    assert [reply.label for reply in story.replies(petra)] == ["interested"]
    assert "Interested" in story.browser.open(f"{story.stand.url}/inbox/").text
    story.wait(MANY_DAYS)
    assert len(story.sent_to(petra)) == 1


def test_a_reply_that_a_rule_moved_to_a_folder_of_the_reps_own_stops_the_sequence_within_seconds(
    story: Story,
) -> None:
    petra = story.prospect()
    domain = story.address_of(petra).partition("@")[2]
    above = story.stand.tell("folders", mailbox=story.address, name="Customers", below="inbox")
    own = story.stand.tell(
        "folders",
        mailbox=story.address,
        name="Quandt AG",
        below=above["id"],
        rule={"senderContains": [domain]},
    )
    story.enrol(petra)
    story.settle()
    story.answer(petra, "Yes, this sounds interesting. Can we talk on Tuesday?")
    story.settle()  # the clock stands still: no timer, only Microsoft's notification
    assert story.enrolment(petra).cause == Enrolment.Cause.REPLY
    assert len(story.replies(petra)) == 1
    names = [
        item
        for request in story.stand.requests()
        for item in request.get("items") or ()
        if item["kind"] == "mailFolder"
    ]
    assert own["id"] in {item["id"] for item in names}
    assert not any("displayName" in item["fields"] for item in names)


def test_a_reply_that_came_at_the_moment_when_the_next_step_was_due_stops_it(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.stand.kill("worker")
    story.stand.switch(notifications_lost=1.0)
    story.stand.set_rate(0)
    due = story.enrolment(petra).due_at
    assert due is not None
    story.stand.advance_to(due + timedelta(seconds=1))
    story.answer(petra, "Please call me on Friday, I would like to see it.")
    story.stand.set_rate(60)
    story.stand.start()
    story.settle()
    assert len(story.sent_to(petra)) == 1
    assert story.enrolment(petra).cause == Enrolment.Cause.REPLY


def test_an_absence_notice_pauses_until_the_day_after_the_return(story: Story) -> None:
    petra = story.prospect("out_of_office", reply_id="en-ooo-exchange")  # back in nine days
    story.enrol(petra)
    story.settle()
    story.wait(timedelta(minutes=5))
    (notice,) = story.replies(petra)
    assert notice.label == "out_of_office" and notice.return_local_date is not None
    paused = story.enrolment(petra)
    assert paused.state == Enrolment.State.PAUSED and paused.due_at is not None
    assert paused.due_at.astimezone(BERLIN).date() >= notice.return_local_date + ONE_DAY
    story.wait(timedelta(days=5))
    assert len(story.sent_to(petra)) == 1, "nothing may be sent during the absence"
    story.wait_until(paused.due_at + timedelta(minutes=1))
    assert len(story.sent_to(petra)) == 2


def test_a_hard_bounce_stops_the_enrolment_and_the_address_is_never_written_to_again(story: Story) -> None:
    petra = story.prospect("bounce_hard", reply_id="en-bounce-exchange-unknown")
    story.enrol(petra)
    story.settle()
    story.wait(timedelta(minutes=5))
    enrolment = story.enrolment(petra)
    assert (enrolment.state, enrolment.cause) == (Enrolment.State.STOPPED, Enrolment.Cause.BOUNCE)
    assert [each.cause for each in story.rows(Suppression)] == [Suppression.Cause.BOUNCE]
    assert story.messages(petra)[0].bounced_at is not None
    story.wait(MANY_DAYS)
    assert len(story.sent_to(petra)) == 1


def test_a_temporary_bounce_pauses_and_the_sequence_goes_on_later(story: Story) -> None:
    petra = story.prospect("bounce_soft", reply_id="en-bounce-exchange-full")
    story.enrol(petra)
    story.settle()
    story.wait(timedelta(minutes=5))
    assert story.enrolment(petra).state == Enrolment.State.PAUSED
    story.wait(MANY_DAYS)
    assert len(story.sent_to(petra)) == 2 and not story.rows(Suppression)


def test_who_opts_out_is_never_written_to_again_not_even_in_another_sequence(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.answer(petra, "Please remove me from your list and do not contact me again.")
    story.settle()
    assert story.enrolment(petra).cause == Enrolment.Cause.OPT_OUT
    (suppression,) = story.rows(Suppression)
    assert suppression.cause in (Suppression.Cause.UNSUBSCRIBE, Suppression.Cause.HARD_NO)
    with pytest.raises(AssertionError, match="do-not-contact"):
        story.enrol(petra)
    story.wait(MANY_DAYS)
    assert len(story.sent_to(petra)) == 1


def test_who_asks_for_later_leaves_a_dated_promise_and_gets_no_further_step(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.answer(petra, "Not now, sorry. Please get back to me in three months.")
    story.settle()
    assert [reply.label for reply in story.replies(petra)] == ["circle_back_later"]
    assert len(story.rows(Promise)) == 1
    story.wait(MANY_DAYS)
    assert len(story.sent_to(petra)) == 1


def test_a_colleagues_answer_to_a_forwarded_mail_stops_the_sequence_and_is_marked(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    domain = story.address_of(petra).partition("@")[2]
    story.answer(
        petra,
        "Petra passed this on to me. I look after this, let us talk on Thursday.",
        sender=f"jonas@{domain}",
    )
    story.settle()
    (reply,) = story.replies(petra)
    assert reply.someone_else
    assert story.enrolment(petra).state == Enrolment.State.STOPPED


def test_an_internal_answer_to_our_mail_is_dropped_unread_and_the_sequence_goes_on(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.answer(petra, "I know them well, be careful.", sender="gustav@northwind.example")
    story.wait(TWO_DAYS)
    assert not story.replies(petra)
    assert len(story.sent_to(petra)) == 2


def test_mail_that_only_shares_the_conversation_is_not_read_until_the_rep_says_so(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    conversation = story.sent_to(petra)[-1]["conversationId"]
    thread = story.stand.tell(
        "deliver", mailbox=story.address, **{"from": story.address_of(petra)}, text="Yes please, call me.",
        subject="Quick question, Petra", conversation=conversation,
    )  # fmt: skip
    story.settle()
    served = [
        set(item["fields"])
        for request in story.stand.requests()
        for item in request.get("items") or ()
        if item.get("internetMessageId") == thread["internetMessageId"]
    ]
    assert served and not any({"uniqueBody", "body", "subject", "from"} & fields for fields in served)
    assert not story.replies(petra)


def test_a_mailbox_that_is_disconnected_sends_and_asks_nothing_from_that_moment(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    assert story.graph_requests(0), "it was asked before"
    assert "Nothing is sent or read any more" in disconnect(story).text
    after = story.stand.last_request()
    story.answer(petra, "Yes, I am interested.")
    story.wait(MANY_DAYS)
    assert story.mailbox.state == Mailbox.State.DISCONNECTED
    assert len(story.sent_to(petra)) == 1
    # What is ours at Microsoft ends (tests/promises/test_disconnect_stops_everything.py), and nothing else is asked.
    others = [each for each in story.graph_requests(after) if each["method"] != "DELETE"]
    assert all(each["path"].endswith("/mailFolders/drafts/messages") for each in others)


def test_a_mailbox_that_was_connected_again_reads_what_it_missed_before_it_sends(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    disconnect(story)
    story.answer(petra, "Yes, I am interested.")
    story.wait(MANY_DAYS)
    story.connect()
    story.settle()
    assert [reply.label for reply in story.replies(petra)] == ["interested"]
    assert len(story.sent_to(petra)) == 1


def test_a_mailbox_whose_tokens_were_revoked_asks_its_rep_and_goes_on_afterwards(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.stand.tell("users", address=story.address, revoke_tokens=True)
    story.wait(MANY_DAYS)
    assert story.mailbox.state == Mailbox.State.NEEDS_RECONNECT
    assert len(story.sent_to(petra)) == 1
    story.connect()
    story.settle()
    story.wait(timedelta(minutes=5))
    assert len(story.sent_to(petra)) == 2
