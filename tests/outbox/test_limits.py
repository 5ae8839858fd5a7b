"""The limits in virtual time: checked by counting what left, not by the code that let it leave."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.outbox.limits import (
    Counted,
    Limit,
    Pause,
    next_leaves,
    of_day,
)

# Around both changes of the clock, and the day that Samoa never had.
STARTS = st.sampled_from(
    [
        datetime(2027, 3, 27, 22, 0, tzinfo=UTC),
        datetime(2027, 10, 30, 21, 30, tzinfo=UTC),
        datetime(2027, 6, 1, 12, 0, tzinfo=UTC),
        datetime(2011, 12, 29, 8, 0, tzinfo=UTC),
    ]
)
ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Santiago", "UTC"]
)
SECOND = timedelta(seconds=1)


class World:
    """Mailboxes that send whatever they may, as soon as they may, each mail to one of a few companies."""

    def __init__(self, start, zone, limits, gaps):
        self.now, self.zone, self.limits, self.gaps = start, zone, limits, gaps
        self.left = []  # (moment, mailbox, company)

    def counted(self, mailbox, company):
        for limit, of in self.limits:
            same = [
                moment
                for moment, box, to in reversed(self.left)
                if (of != "mailbox" or box == mailbox) and (of != "company" or to == company)
            ]
            yield Counted(limit, same[limit.most - 1] if len(same) >= limit.most else None)

    def pause(self, mailbox):
        last = max((moment for moment, box, _to in self.left if box == mailbox), default=None)
        return Pause(last, self.gaps[0], self.gaps[1], mailbox)

    def run(self, queue):
        """Sends the queue in its order as far as the limits go; how often somebody had to wait."""
        waits = 0
        while queue:
            soonest = []
            for entry in queue:
                full = next_leaves(tuple(self.counted(*entry)), self.pause(entry[0]), now=self.now)
                if full is None:
                    self.left.append((self.now, *entry))
                    queue.remove(entry)
                    break
                assert full.until > self.now and full.reason
                soonest.append(full.until)
            else:
                waits += 1
                assert waits < 500, "waits for ever"
                self.now = min(soonest)
        return waits


@given(
    start=STARTS,
    zone=ZONES,
    a_day=st.integers(1, 6),
    an_hour=st.integers(1, 4),
    to_company=st.integers(1, 3),
    together=st.integers(2, 9),
    least=st.integers(2, 3000),
    more=st.integers(0, 2000),
    queue=st.lists(
        st.tuples(st.sampled_from(["alice", "ben"]), st.sampled_from("xyz")), min_size=1, max_size=16
    ),
)
def test_no_limit_is_ever_exceeded_and_everything_leaves_in_its_order(
    start, zone, a_day, an_hour, to_company, together, least, more, queue
):
    day = Limit("mailbox_day", a_day, "", time_zone=zone)
    limits = [
        (day, "mailbox"),
        (Limit("mailbox_hour", an_hour, "", timedelta(hours=1)), "mailbox"),
        (Limit("company_day", to_company, "", time_zone=zone, whole_mailbox=False), "company"),
        (Limit("tenant_day", together, "", timedelta(days=1)), "all"),
    ]
    world = World(start, zone, limits, (least * SECOND, (least + more) * SECOND))
    asked = list(queue)
    world.run(queue)
    left, local = world.left, ZoneInfo(zone)
    assert Counter((box, to) for _at, box, to in left) == Counter(asked)
    per_day = Counter((box, at.astimezone(local).date()) for at, box, _to in left)
    per_company = Counter((to, at.astimezone(local).date()) for at, _box, to in left)
    assert max(per_day.values()) <= a_day and max(per_company.values()) <= to_company
    for at, box, _to in left:
        within_hour = [
            each for each, other, _x in left if other == box and at - timedelta(hours=1) <= each <= at
        ]
        within_day = [each for each, _b, _x in left if at - timedelta(days=1) <= each <= at]
        assert len(within_hour) <= an_hour and len(within_day) <= together
    for name in ("alice", "ben"):
        moments = [at for at, box, _to in left if box == name]
        pauses = [after - before for before, after in pairwise(moments)]
        assert all(pause >= least * SECOND for pause in pauses)


@given(st.integers(2, 3600), st.integers(0, 3600), st.text(), STARTS)
def test_the_pause_is_drawn_between_its_two_ends_and_stays_as_it_was_drawn(least, more, seed, moment):
    pause = Pause(moment, least * SECOND, (least + more) * SECOND, seed)
    assert least * SECOND <= pause.length <= (least + more) * SECOND
    assert pause.length == Pause(moment, least * SECOND, (least + more) * SECOND, seed).length


@given(st.integers(1, 10_000), st.integers(1, 90), STARTS, ZONES)
def test_a_slow_start_grows_every_day_until_the_limit(limit, days, began, zone):
    steps = [of_day(limit, days, began, began + timedelta(days=n), zone) for n in range(days + 3)]
    assert steps == sorted(steps) and steps[0] >= 1 and steps[-1] == limit
    assert steps[0] <= max(1, limit / 2)


NOON = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)


def test_the_limit_that_holds_longest_is_the_one_that_is_told():
    day = Counted(Limit("mailbox_day", 2, "mails a day from this mailbox", time_zone="Europe/Berlin"), NOON)
    hour = Counted(Limit("mailbox_hour", 1, "mails an hour from this mailbox", timedelta(hours=1)), NOON)
    pause = Pause(NOON, 90 * SECOND, 90 * SECOND, "")
    assert next_leaves((hour, day), pause, now=NOON).limit == "mailbox_day"
    assert next_leaves((hour,), pause, now=NOON).limit == "mailbox_hour"
    assert next_leaves((), pause, now=NOON).reason == "the pause between two mails"
    assert next_leaves((), None, now=NOON) is None


@pytest.mark.parametrize(
    ("sent", "hours"), [(datetime(2027, 3, 27, 23, 30, tzinfo=UTC), 23), (datetime(2027, 10, 30, 22, 30, tzinfo=UTC), 25)]
)  # fmt: skip
def test_a_day_on_which_the_clock_changes_is_a_day(sent, hours):
    limit = Limit("mailbox_day", 1, "", time_zone="Europe/Berlin")
    midnight = limit.counts_from(sent)
    assert limit.has_room_at(sent, sent) - midnight == timedelta(hours=hours)
