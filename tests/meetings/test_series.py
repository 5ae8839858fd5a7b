"""Series in any zone, across the nights when clocks change, with dates moved, called off, removed and put back: after
each look every date stands as the calendar has it, the series counts once, and each brief stands beside its date."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from gatepost.graph.wire import moment, written
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings import jobs
from gatepost.meetings.models import Meeting, Rung
from gatepost.meetings.rules import BRIEF_LENGTH, MORNING, STANDING
from tests.at_once import without_threads
from tests.makers import clock_at, rows
from tests.meetings.test_calendar import CONTACT, REP, Story
from tests.meetings.test_times import ZONES, midnight

NOW = datetime(
    2027, 3, 8, 9, tzinfo=UTC
)  # America's clocks change six days on, Europe's in three weeks, Chile's in four
DATES = 5
UID = "040000008200E00074C5B7101A82E008{:04X}{:02X}{:02X}F4B2A1D0"


@dataclass
class Date:
    """One date of the series, as the calendar has it and as it must be known."""

    day: date
    at: time | None  # None: the whole day
    zone: ZoneInfo
    moved_by: int = 0  # hours, or days of a whole-day date
    state: str = "on"
    known_at: datetime | None = None  # its time at the last look at which it was on
    stands: bool = False
    moves: int = 0

    @property
    def starts(self) -> datetime:
        if self.at is None:
            return midnight(self.day + timedelta(days=self.moved_by), self.zone)
        return datetime.combine(self.day, self.at, self.zone).astimezone(UTC) + timedelta(hours=self.moved_by)

    def seen(self) -> None:
        """What a look must make of it."""
        if self.state == "on":
            self.moves += self.stands and self.known_at != self.starts
            self.known_at, self.stands = self.starts, True
        else:
            self.stands = False


changes = some.lists(
    some.tuples(some.integers(0, DATES - 1), some.sampled_from(("moved", "called off", "removed", "on"))),
    max_size=4,
)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    some.sampled_from(ZONES),
    some.sampled_from(ZONES),
    some.none() | some.times(max_value=time(23, 29)).map(lambda each: each.replace(second=0, microsecond=0)),
    some.sampled_from((1, 7)),
    some.lists(changes, min_size=2, max_size=3),
)
@example(
    "America/New_York", "Europe/Berlin", time(2, 30), 1, [[(4, "moved")], [(4, "removed"), (0, "moved")]]
)
@example("Australia/Lord_Howe", "America/Santiago", None, 7, [[(0, "called off"), (3, "moved")], [(0, "on")]])
def test_each_date_of_a_series_is_known_as_the_calendar_has_it(
    db, tmp_path, monkeypatch, theirs, own, at, every, looks
):
    with clock_at(NOW, tmp_path):
        without_threads(monkeypatch, jobs)
        story = story_in(own)
        dates = [
            Date(NOW.date() + timedelta(days=3 + every * number), at, ZoneInfo(theirs))
            for number in range(DATES)
        ]
        for number, changed in enumerate([[], *looks]):
            for which, what in changed:
                each = dates[which]
                if what == "moved":
                    each.moved_by += 1
                else:
                    each.state = what
            write(story, dates)
            story.look(briefs=number == 0)
            for each in dates:
                each.seen()
            judge(story, dates, ZoneInfo(own))
            rungs = len(rows(Rung, story.mailbox.workspace_id))
            story.look()
            assert len(rows(Rung, story.mailbox.workspace_id)) == rungs, "a second look finds nothing new"


def story_in(zone):
    story = Story()
    with inside(story.mailbox.workspace_id):
        Mailbox.objects.update(time_zone=zone)
    story.mailbox.time_zone = zone
    return story


def write(story, dates):
    """The calendar, as Microsoft lists it: each date with an id of its own, in UTC."""
    story.calendar.events.clear()
    for number, each in enumerate(dates):
        if each.state != "removed":
            length = timedelta(days=1) if each.at is None else timedelta(minutes=30)
            story.calendar.book(
                f"E{number}", starts=each.starts, end={"dateTime": written(each.starts + length)}, isAllDay=each.at is None,
                isCancelled=each.state == "called off", seriesMasterId="M", attendees=((REP, "accepted"),), organizer=CONTACT,
                iCalUId=UID.format(each.day.year, each.day.month, each.day.day),
            )  # fmt: skip


def judge(story, dates, own):
    found = {each.graph_id: each for each in rows(Meeting, story.mailbox.workspace_id)}
    assert len(found) == DATES
    briefs = set()
    for number, each in enumerate(dates):
        meeting = found[f"E{number}"]
        assert (meeting.rung in STANDING) == each.stands, each
        if each.stands and each.at is None:
            day = meeting.first_local_date
            assert meeting.starts_at == midnight(day, own)
            offset = each.starts.astimezone(each.zone).utcoffset()
            unsure = not timedelta(hours=-10) < offset < timedelta(hours=12)
            assert abs(day - (each.day + timedelta(days=each.moved_by))) <= timedelta(days=unsure)
            briefs.add(datetime.combine(day, MORNING, own).astimezone(UTC))
        elif each.stands:
            assert meeting.starts_at == each.starts
            briefs.add(each.starts - BRIEF_LENGTH)
    with inside(story.mailbox.workspace_id):
        moves = Rung.objects.filter(rung="moved").count()
    assert moves == sum(each.moves for each in dates)
    (counted,) = [each for each in found.values() if each.counts]
    assert counted.rung in STANDING or not any(each.stands for each in dates)
    shown = [moment(each["start"]["dateTime"]) for each in story.calendar.briefs.values()]
    assert set(shown) == briefs and len(shown) == sum(each.stands for each in dates)
