from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatepost.outbox.limits import Counted, Limit, Pause
from gatepost.outbox.rules import (
    Cancel,
    GateFacts,
    Hold,
    MailboxFacts,
    Send,
    Wait,
    after_refusal,
    may_send,
)

NOW = datetime(2027, 1, 11, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BOX = MailboxFacts(
    connected=True,
    not_before=None,
    read_through=NOW,
    max_age=5 * MINUTE,
)
TODAY = Limit("mailbox_day", 50, "mails a day from this mailbox")


def paused_since(moment):
    return Pause(moment, timedelta(seconds=90), timedelta(seconds=90), "")


OPEN = GateFacts(
    mailbox=BOX,
    is_follow_up=False,
    stopped="",
    suppressed=False,
    paused_until=None,
    pause_reason="",
    window_opens=NOW,
)


def gate(**changes):
    return may_send(replace(OPEN, **changes), now=NOW)


def mailbox_gate(*, is_follow_up=False, **changes):
    return may_send(replace(OPEN, mailbox=replace(BOX, **changes), is_follow_up=is_follow_up), now=NOW)


def test_when_nothing_speaks_against_it_the_message_may_leave():
    assert gate() == Send()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"stopped": "replied: interested"}, "replied: interested"),
        ({"suppressed": True}, "on the do-not-contact list"),
    ],
)
def test_a_message_that_must_never_leave_is_cancelled_with_its_reason(facts, reason):
    assert gate(**facts) == Cancel(reason)


def test_a_reply_outweighs_every_reason_to_wait():
    facts = {
        "paused_until": NOW + MINUTE,
        "window_opens": NOW + MINUTE,
        "mailbox": replace(BOX, connected=False),
    }
    assert gate(stopped="replied", **facts) == Cancel("replied")


def test_a_pause_is_waited_for_with_its_reason():
    assert gate(paused_until=NOW + MINUTE, pause_reason="out of office") == Wait(
        NOW + MINUTE, "out of office"
    )


def test_a_pause_that_is_over_holds_nobody():
    assert gate(paused_until=NOW, pause_reason="out of office") == Send()


def test_what_a_member_postponed_waits_also_when_it_is_woken():
    assert gate(postponed_until=NOW + MINUTE) == Wait(NOW + MINUTE, "postponed by a member")
    assert gate(postponed_until=NOW) == Send()


def test_outside_the_window_the_message_waits_until_it_opens():
    assert gate(window_opens=NOW + MINUTE) == Wait(NOW + MINUTE, "outside the sending window")


@pytest.mark.parametrize(
    ("facts", "until", "reason"),
    [
        ({"connected": False}, NOW + 15 * MINUTE, "the mailbox is not connected"),
        ({"not_before": NOW + 2 * MINUTE}, NOW + 2 * MINUTE, "Microsoft asked us to wait"),
        (
            {"limits": (Counted(TODAY, NOW - MINUTE),)},
            NOW + timedelta(hours=15),
            "the limit of 50 mails a day from this mailbox is reached",
        ),
        (
            {"pause": paused_since(NOW - timedelta(seconds=60))},
            NOW + timedelta(seconds=30),
            "the pause between two mails",
        ),
    ],
)
def test_what_holds_one_message_of_a_mailbox_holds_them_all(facts, until, reason):
    assert mailbox_gate(**facts) == Wait(until, reason, whole_mailbox=True)


@pytest.mark.parametrize(
    "facts",
    [
        {"not_before": NOW},
        {"limits": (Counted(TODAY, None),)},
        {"pause": paused_since(NOW - timedelta(seconds=90))},
    ],
)
def test_a_mailbox_just_inside_its_limits_may_send(facts):
    assert mailbox_gate(**facts) == Send()


@pytest.mark.parametrize("is_follow_up", [False, True])
def test_a_mailbox_that_was_never_read_sends_nothing_before_it_is(is_follow_up):
    wait = mailbox_gate(read_through=None, is_follow_up=is_follow_up)
    assert isinstance(wait, Wait) and wait.read_first and wait.whole_mailbox


def test_a_follow_up_waits_until_the_mailbox_was_read_just_now():
    stale = NOW - 5 * MINUTE - timedelta(seconds=1)
    assert mailbox_gate(read_through=stale) == Send()
    assert mailbox_gate(read_through=stale, is_follow_up=True).read_first
    assert mailbox_gate(read_through=NOW - 5 * MINUTE, is_follow_up=True) == Send()


def test_microsofts_daily_limit_lets_the_whole_mailbox_rest():
    wait = after_refusal("ErrorExceededMessageLimit", now=NOW)
    assert isinstance(wait, Wait) and wait.whole_mailbox and wait.until == NOW + timedelta(hours=24)


def test_any_other_refusal_is_shown_to_a_person_with_microsofts_code():
    hold = after_refusal("ErrorSendAsDenied", now=NOW)
    assert isinstance(hold, Hold) and "ErrorSendAsDenied" in hold.reason
