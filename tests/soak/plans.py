"""`./dev soak plans`: a million schedules in virtual time, judged by rules written down a second time.

    ./dev soak plans --schedules 1000000 --seed 1

Worlds of one mailbox each: a sequence with random steps, hours, limits and days off, and contacts all over the earth.
The planner (`sequences.rules`, `sequences.windows`) and the gate (`outbox.rules`) decide as the worker asks them to;
contacts are out of office, companies are on hold, the sequence is paused and goes on. `Judge` then looks at what left,
with wall clocks of its own and nothing of the planner's: no step early, none outside a window, on a holiday or while the
sender was away, no limit exceeded, none during a pause, each contact's steps in their order, and nothing forgotten.
Exit code 0 only if nothing was wrong.
"""

import argparse
import heapq
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo as Zone

import holidays

from gatepost.outbox import limits
from gatepost.outbox import rules as gate
from gatepost.sequences import rules
from gatepost.sequences.windows import DAYS, Hours, resume_after

ZoneInfo = cache(Zone)  # which keeps only eight by itself
CONTACTS = 100  # in a world
# Places that change their clocks in different ways, and some that never do.
PLACES = (
    ("Europe/Berlin", "DE"), ("Europe/London", "GB"), ("America/New_York", "US"), ("America/Sao_Paulo", "BR"),
    ("Australia/Lord_Howe", "AU"), ("Australia/Sydney", "AU"), ("Asia/Kolkata", "IN"), ("Asia/Tokyo", "JP"),
    ("Africa/Cairo", "EG"), ("Pacific/Auckland", "NZ"), ("America/St_Johns", "CA"), ("Asia/Kathmandu", ""),
    ("Pacific/Kiritimati", ""), ("America/Santiago", "CL"), ("Africa/Casablanca", "MA"),
)  # fmt: skip
MOMENTS = ("00:00", "00:30", "01:00", "02:00", "02:30", "03:00", "07:30", "09:00", "11:45", "13:00", "17:00", "18:00",
           "22:15", "24:00")  # fmt: skip


@dataclass(slots=True)
class Person:
    """A contact in the sequence, as the worker's tables would have him."""

    number: int
    hours: Hours
    enrolled: datetime
    holds: set[rules.Condition]
    position: int = 1
    before: datetime | None = None
    skipped: bool = False
    resumes: datetime | None = None
    absences: list[tuple[datetime, date, datetime]] = field(
        default_factory=list
    )  # told at, returns on, goes on at


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that left, or was skipped."""

    person: int
    position: int
    at: datetime
    skipped: bool


@dataclass(slots=True)
class World:
    """What was arranged, and what happened."""

    steps: list[rules.StepFacts]
    people: list[Person]
    mailbox_zone: str
    daily_limit: int
    gap: timedelta
    buffer_days: int
    pauses: list[tuple[datetime, datetime]]  # of the sequence
    company_holds: dict[int, tuple[datetime, datetime]]  # by a contact's number
    away_local: list[tuple[date, date]]  # the sender's days off, both included
    log: list[Taken] = field(default_factory=list)
    finished: set[int] = field(default_factory=set)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak plans")
    parser.add_argument("--schedules", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    began, told = time.monotonic(), 0.0
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for done, (made, problems) in enumerate(run(given.schedules, given.seed), 1):
        counts += made
        wrong += problems
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"{done * CONTACTS:,} schedules, {told - began:.0f} s, {len(wrong)} wrong", flush=True)
    seconds = time.monotonic() - began
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()), f"in {seconds:.0f} s")
    for each in wrong[:20]:
        print(f"WRONG: {each}")
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


def run(schedules: int, seed: int) -> Iterator[tuple[Counter[str], list[str]]]:
    """Each world's figures, and what is wrong in it."""
    for number in range(-(-schedules // CONTACTS)):
        chance = random.Random(f"{seed}/{number}")
        world = arranged(chance)
        waits = live(world, chance)
        sent = sum(not each.skipped for each in world.log)
        figures = Counter(
            {
                "schedules": len(world.people),
                "steps sent": sent,
                "skipped": len(world.log) - sent,
                "waits": waits,
            }
        )
        yield figures, [f"seed {seed}, world {number}: {each}" for each in Judge(world).findings()]


# The world


def arranged(chance: random.Random) -> World:
    start = datetime(
        chance.randint(2025, 2030), chance.choice((1, 3, 3, 4, 9, 10, 10, 11, 12)), 1, tzinfo=UTC
    )
    start += timedelta(minutes=chance.randrange(31 * 1440))
    zone = chance.choice(PLACES)[0]
    away_local = [
        (first, first + timedelta(days=chance.randrange(20)))
        for first in (
            start.date() + timedelta(days=chance.randrange(40)) for _ in range(chance.choice((0, 0, 1, 2)))
        )
    ]
    away = tuple(
        (_midnight(first, zone), _midnight(last + timedelta(days=1), zone)) for first, last in away_local
    )
    window, skips_holidays = a_window(chance), chance.random() < 0.8
    world = World(
        steps=[a_step(chance, number) for number in range(chance.choice((1, 2, 3, 3, 4, 6)))],
        people=[],
        mailbox_zone=zone,
        daily_limit=chance.choice((5, 20, 50, 200)),
        gap=timedelta(seconds=chance.choice((0, 2, 90, 600))),
        buffer_days=chance.choice((0, 1, 2, 5)),
        pauses=[],
        company_holds={},
        away_local=away_local,
    )
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        begins = start + timedelta(hours=chance.uniform(0, 900))
        world.pauses.append((begins, begins + timedelta(hours=chance.uniform(1, 60))))
    for number in range(CONTACTS):
        place, country = chance.choice(PLACES)
        hours = Hours(window, place, country if skips_holidays else "", away)
        enrolled = start + timedelta(minutes=chance.choice((0, 0, chance.randrange(5 * 1440))))
        holds = {condition for condition in rules.Condition if chance.random() < 0.7}
        world.people.append(Person(number, hours, enrolled, holds))
        if chance.random() < 0.05:
            begins = enrolled + timedelta(hours=chance.uniform(0, 300))
            world.company_holds[number] = (begins, begins + timedelta(hours=chance.uniform(1, 400)))
    return world


def a_window(chance: random.Random) -> dict[str, list[list[str]]]:
    if chance.random() < 0.4:
        return {day: [["08:00", "18:00"]] for day in DAYS[:5]}
    window = {}
    for day in chance.sample(DAYS, chance.randint(2, 7)):
        marks = sorted(chance.sample(range(len(MOMENTS)), 2 * chance.choice((1, 1, 2, 3))))
        window[day] = [[MOMENTS[a], MOMENTS[b]] for a, b in zip(marks[::2], marks[1::2], strict=True)]
    return window


def a_step(chance: random.Random, number: int) -> rules.StepFacts:
    business_days = chance.choice((0, 0, 0, 1, 2, 3, 10))
    minutes = 0 if business_days else chance.choice((0, 5, 90, 1440, 2880, 3 * 1440, 7 * 1440, 30 * 1440))
    about = list(rules.Condition)[2 if number == 0 else 0 :]
    conditions = tuple(chance.sample(about, chance.choice((0, 0, 0, 1, 2))))
    return rules.StepFacts(rules.Kind.MAIL, minutes, business_days, conditions)


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


# The worker


def live(world: World, chance: random.Random) -> int:
    """Everybody goes through the sequence. How often something had to wait."""
    queue: list[tuple[datetime, int]] = []
    for person in world.people:
        heapq.heappush(
            queue, (rules.due(world.steps[0], person.hours, after=person.enrolled).at, person.number)
        )
    mailbox_waits = datetime.min.replace(tzinfo=UTC)
    left: list[datetime] = []
    waits = 0
    while queue:
        due_at, number = heapq.heappop(queue)
        person, now = world.people[number], max(due_at, mailbox_waits)
        if _falls_ill(world, person, now, chance):
            heapq.heappush(queue, (max(due_at, person.absences[-1][2]), number))
            continue
        decision = rules.decide_next(_facts(world, person, now), now=now)
        if isinstance(decision, rules.Send):
            verdict = gate.may_send(_gate_facts(world, person, now, left), now=now)
            if isinstance(verdict, gate.Wait):
                waits += 1
                if verdict.whole_mailbox:
                    mailbox_waits = verdict.until
                heapq.heappush(queue, (due_at if verdict.whole_mailbox else verdict.until, number))
                continue
            assert isinstance(verdict, gate.Send), verdict
            left.append(now)
        elif isinstance(decision, rules.Wait):
            waits += 1
            assert decision.until > now, decision
            heapq.heappush(queue, (decision.until, number))
            continue
        elif isinstance(decision, rules.Finish):
            world.finished.add(number)
            continue
        else:
            assert isinstance(decision, rules.Skip), decision
        person.skipped = isinstance(decision, rules.Skip)
        world.log.append(Taken(number, person.position, now, person.skipped))
        person.before, person.position = now, person.position + 1
        following = world.steps[person.position - 1] if person.position <= len(world.steps) else None
        at = rules.due(following, person.hours, after=now).at if following else now
        heapq.heappush(queue, (at, number))
    return waits


def _falls_ill(world: World, person: Person, now: datetime, chance: random.Random) -> bool:
    """An out-of-office notice came in a moment ago: the enrolment pauses, as enrolments.pause_until has it."""
    if (
        person.position == 1
        or person.position > len(world.steps)
        or person.absences
        or chance.random() > 0.05
    ):
        return False
    returns = now.astimezone(ZoneInfo(person.hours.time_zone)).date() + timedelta(days=chance.randint(0, 25))
    resumes = resume_after(returns, person.hours, buffer_days=world.buffer_days)
    person.absences.append((now, returns, resumes))
    return True


def _facts(world: World, person: Person, now: datetime) -> rules.EnrolmentFacts:
    position = person.position
    step = world.steps[position - 1] if position <= len(world.steps) else rules.StepFacts()
    before = rules.Condition.STEP_SKIPPED if person.skipped else rules.Condition.STEP_DONE
    about_before = {rules.Condition.STEP_DONE, rules.Condition.STEP_SKIPPED}
    held = world.company_holds.get(person.number)
    return rules.EnrolmentFacts(
        next_position=position,
        last_position=len(world.steps),
        sequence_active=not any(begins <= now < ends for begins, ends in world.pauses),
        suppressed=False,
        internal=False,
        company_hold_until=held[1] if held and held[0] <= now else None,
        hours=person.hours,
        step=step,
        holds=(person.holds - about_before) | {before},
        has_written=position > 1,
    )


def _gate_facts(world: World, person: Person, now: datetime, left: list[datetime]) -> gate.GateFacts:
    of_day = limits.Limit("mailbox_day", world.daily_limit, "mails a day", time_zone=world.mailbox_zone)
    nth = left[-world.daily_limit] if len(left) >= world.daily_limit else None
    opening = person.hours.opening(now)
    return gate.GateFacts(
        mailbox=gate.MailboxFacts(
            connected=True,
            not_before=None,
            read_through=now,
            max_age=timedelta(seconds=10),
            limits=(limits.Counted(of_day, nth),),
            pause=limits.Pause(left[-1] if left else None, world.gap, world.gap, ""),
        ),
        is_follow_up=person.position > 1,
        stopped="",
        suppressed=False,
        paused_until=None,
        pause_reason="",
        window_opens=opening.at,
        closed_reason=opening.reason,
    )


# The judge: it knows what was arranged and what left, and calls nothing of the planner's.


class Judge:
    """What is wrong in a world, each as a sentence."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_person: defaultdict[int, list[Taken]] = defaultdict(list)
        for each in world.log:
            self.by_person[each.person].append(each)

    def findings(self) -> Iterator[str]:
        yield from self._limits()
        for person in self.world.people:
            taken = self.by_person[person.number]
            yield from (f"contact {person.number}: {words}" for words in self._order(person, taken))
            for each in taken:
                for words in self._of_step(person, each, taken):
                    yield f"contact {person.number}, step {each.position} at {each.at}: {words}"

    def _limits(self) -> Iterator[str]:
        zone, per_day, last = ZoneInfo(self.world.mailbox_zone), Counter[date](), None
        for each in sorted((each for each in self.world.log if not each.skipped), key=lambda each: each.at):
            per_day[each.at.astimezone(zone).date()] += 1
            if last is not None and (each.at - last).total_seconds() < self.world.gap.total_seconds():
                yield f"{each.at} follows {last} sooner than the pause between two mails"
            last = each.at
        yield from (f"{n} mails on {day}" for day, n in per_day.items() if n > self.world.daily_limit)

    def _order(self, person: Person, taken: list[Taken]) -> Iterator[str]:
        if [each.position for each in taken] != list(range(1, len(self.world.steps) + 1)):
            yield f"took {[each.position for each in taken]}"
        if any(later.at < earlier.at for earlier, later in zip(taken, taken[1:], strict=False)):
            yield "a later step came before an earlier one"
        if person.number not in self.world.finished:
            yield "never finished"

    def _of_step(self, person: Person, each: Taken, taken: list[Taken]) -> Iterator[str]:
        after = taken[each.position - 2].at if each.position > 1 else person.enrolled
        step, zone = self.world.steps[each.position - 1], ZoneInfo(person.hours.time_zone)
        local = each.at.astimezone(zone)
        yield from self._too_early(step, after, local, person)
        if each.skipped != self._should_skip(step, person, taken, each.position):
            yield "skipped against its conditions" if each.skipped else "taken against its conditions"
        for told, returns, _resumes in person.absences:
            if each.at > told and not self._back_long_enough(returns, local.date(), person):
                yield f"went on too early after a return on {returns}"
        if any(begins <= each.at < ends for begins, ends in self.world.pauses):
            yield "while the sequence was paused"
        held = self.world.company_holds.get(person.number)
        if held and held[0] <= each.at < held[1]:
            yield "while its company was on hold"
        if each.skipped:
            return
        minute = local.hour * 60 + local.minute
        open_spans = person.hours.window.get(
            ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()], []
        )
        if not any(_minutes(opens) <= minute < _minutes(closes) for opens, closes in open_spans):
            yield f"outside the window, {local:%a %H:%M}"
        if person.hours.country and local.date() in _calendar(person.hours.country, local.year):
            yield "on a public holiday"
        sender_day = each.at.astimezone(ZoneInfo(self.world.mailbox_zone)).date()
        if any(first <= sender_day <= last for first, last in self.world.away_local):
            yield "while the sender was away"

    def _too_early(
        self, step: rules.StepFacts, after: datetime, local: datetime, person: Person
    ) -> Iterator[str]:
        if step.business_days:
            day, counted = after.astimezone(local.tzinfo).date(), 0
            while day < local.date():
                day += timedelta(days=1)
                counted += self._is_business_day(day, person)
            if counted < step.business_days:
                yield f"early: {counted} of {step.business_days} business days"
        elif local.timestamp() < after.timestamp() + step.delay_minutes * 60:
            yield f"early: {step.delay_minutes} minutes after {after}"

    def _should_skip(self, step: rules.StepFacts, person: Person, taken: list[Taken], position: int) -> bool:
        skipped_before = position > 1 and taken[position - 2].skipped
        for condition in step.conditions:
            if condition.value == "step_done":
                is_so = not skipped_before
            elif condition.value == "step_skipped":
                is_so = skipped_before
            else:
                is_so = condition in person.holds
            if not is_so:
                return True
        return False

    def _back_long_enough(self, returns: date, on: date, person: Person) -> bool:
        day, counted = returns, 0
        while day < on:
            day += timedelta(days=1)
            counted += self._is_business_day(day, person)
        return on >= returns and counted >= self.world.buffer_days

    @staticmethod
    def _is_business_day(day: date, person: Person) -> bool:
        if day.isoweekday() > 5:
            return False
        return not (person.hours.country and day in _calendar(person.hours.country, day.year))


_calendars: dict[tuple[str, int], set[date]] = {}


def _calendar(country: str, year: int) -> set[date]:
    key = country, year
    if key not in _calendars:
        _calendars[key] = set(holidays.country_holidays(country, years=[year]).keys())
    return _calendars[key]


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


if __name__ == "__main__":
    sys.exit(main())
