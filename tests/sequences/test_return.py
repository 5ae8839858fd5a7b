"""After a gap: what had waited goes out one after another, and the report says how much that was."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from gatepost import clock
from gatepost.audit.models import AuditEntry
from gatepost.isolation import inside
from gatepost.mailboxes import gaps
from gatepost.mailboxes.models import Gap, Mailbox, Notice
from gatepost.sequences import waiting, windows
from gatepost.sequences.models import Enrolment
from gatepost.sequences.windows import Hours
from tests.makers import (
    MONDAY,
    clock_at,
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)  # fmt: skip

ALL_DAY = {day: [["00:00", "24:00"]] for day in windows.DAYS}
OFFICE = {day: [["09:00", "17:00"]] for day in windows.DAYS[:5]}
FRIDAYS = {"fri": [["09:00", "17:00"]]}
TUESDAY = datetime(2027, 1, 12, 9, 0, tzinfo=UTC)


def spread(*each_window, start=TUESDAY, minutes=10):
    waiting = [Hours(window, "UTC") for window in each_window]
    return windows.spread(waiting, start=start, pace=timedelta(minutes=minutes))


def test_what_waited_goes_out_one_after_another_and_the_oldest_first():
    assert spread(ALL_DAY, ALL_DAY, ALL_DAY) == [TUESDAY + timedelta(minutes=10 * n) for n in range(3)]


def test_what_finds_no_place_before_the_window_closes_goes_on_when_it_opens_again():
    due = spread(OFFICE, OFFICE, OFFICE, start=TUESDAY.replace(hour=16, minute=45))
    assert [(each.day, each.hour) for each in due] == [(12, 16), (12, 16), (13, 9)]


def test_no_two_share_a_place_whatever_their_windows():
    due = spread(*[OFFICE, FRIDAYS, ALL_DAY] * 40)
    assert len(set(due)) == 120
    for window, moment in zip([OFFICE, FRIDAYS, ALL_DAY] * 40, due, strict=True):
        assert windows.next_open(window, "UTC", moment) == moment


def test_a_window_that_is_closed_for_days_holds_up_nobody_else():
    due = spread(FRIDAYS, ALL_DAY)
    assert due[0].weekday() == 4 and due[1] == TUESDAY


def test_thousands_that_waited_are_spread_without_a_burst():
    due = sorted(spread(*[OFFICE] * 2_000))
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in itertools.pairwise(due))


def test_the_pace_fills_a_working_day_with_the_limit_and_never_falls_below_the_pause():
    assert windows.pace(48, timedelta(seconds=90)) == timedelta(minutes=10)
    assert windows.pace(10_000, timedelta(seconds=90)) == timedelta(seconds=90)


# Sending again


@pytest.fixture
def mailbox(db, tmp_path):
    with clock_at(MONDAY, tmp_path):
        yield make_mailbox(make_member(make_workspace()), daily_limit=48, gap_seconds=60)


def due(mailbox, *ago):
    """One enrolment for each time, due so long ago; in the order given."""
    sequence = make_sequence(mailbox.member)
    made = []
    for each in ago:
        enrolment = make_enrolment(sequence, make_contact(mailbox.member.workspace), mailbox)
        with inside(mailbox.workspace_id):
            Enrolment.objects.filter(pk=enrolment.pk).update(due_at=clock.now() - each)
        made.append(enrolment)
    return made


def begin(mailbox, cause="sign_in", *, hours=5):
    with inside(mailbox.workspace_id):
        return gaps.begin(mailbox, cause, began_at=clock.now() - timedelta(hours=hours))


def send_again(mailbox, *, spread=False):
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(read_through=clock.now(), calendar_read_through=clock.now())
    return waiting.send_again(mailbox.pk, workspace_id=mailbox.workspace_id, spread=spread)


def test_after_a_gap_the_oldest_goes_first_and_the_others_follow_at_the_mailboxes_pace(mailbox):
    young, old, oldest = due(mailbox, timedelta(hours=2), timedelta(days=1), timedelta(days=3))
    begin(mailbox)
    assert send_again(mailbox) == 3
    times = [fresh(each).due_at for each in (oldest, old, young)]
    assert times == [MONDAY + timedelta(minutes=10 * n) for n in range(3)]


def test_what_became_due_only_now_keeps_its_time(mailbox):
    (now,) = due(mailbox, timedelta(minutes=5))
    before = fresh(now).due_at
    begin(mailbox)
    assert send_again(mailbox) == 0
    assert fresh(now).due_at == before


def test_no_enrolment_is_failed_or_stopped_by_a_gap(mailbox):
    made = due(mailbox, timedelta(days=9), timedelta(days=30))
    begin(mailbox, hours=24 * 40)
    send_again(mailbox)
    assert {fresh(each).state for each in made} == {"active"}


def test_the_report_says_how_many_steps_waited_and_is_told_once(mailbox):
    due(mailbox, timedelta(hours=2), timedelta(hours=3))
    begin(mailbox)
    send_again(mailbox)
    send_again(mailbox)
    (gap,) = rows(Gap, mailbox.workspace_id)
    assert (gap.waiting_steps, gap.resumed_at) == (2, MONDAY)
    assert gap.last_step_due_at == MONDAY + timedelta(minutes=10)
    (notice,) = rows(Notice, mailbox.workspace_id)
    assert (notice.kind, notice.gap_id, notice.member_id) == ("gap", gap.pk, mailbox.member_id)
    assert len(rows(AuditEntry, mailbox.workspace_id, tag="gap:end")) == 1


def test_a_position_that_was_lost_for_a_moment_moves_no_step_and_writes_no_letter(mailbox):
    (one,) = due(mailbox, timedelta(hours=2))
    before = fresh(one).due_at
    with inside(mailbox.workspace_id):
        gaps.begin(mailbox, Gap.Cause.POSITION_LOST, began_at=clock.now() - timedelta(minutes=2))
    send_again(mailbox)
    assert fresh(one).due_at == before
    assert rows(Notice, mailbox.workspace_id) == []
    assert rows(Gap, mailbox.workspace_id)[0].resumed_at == MONDAY


def test_a_resumed_mailbox_spreads_what_waited_and_has_no_gap_to_report(mailbox):
    made = due(mailbox, timedelta(days=1), timedelta(days=2))
    assert send_again(mailbox, spread=True) == 2
    assert sorted(fresh(each).due_at for each in made) == [MONDAY, MONDAY + timedelta(minutes=10)]
    assert rows(Gap, mailbox.workspace_id) == rows(Notice, mailbox.workspace_id) == []
