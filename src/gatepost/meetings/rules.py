"""Which events are meetings with a contact, how sure they are, what they owe to which mail, what a brief says. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

PAST, FUTURE = timedelta(days=7), timedelta(days=60)
# The brief stands in the calendar just before the meeting; before one that lasts whole days, in that day's morning.
BRIEF_LENGTH = timedelta(minutes=15)
MORNING = time(8, 0)
# A meeting is owed to a mail that was sent at most so long before it was booked.
ATTRIBUTED_WITHIN = timedelta(days=30)
# Who books meetings for others: its address organises what a contact chose on a page.
BOOKING_SERVICES = ("calendly.com", "cal.com", "savvycal.com", "zcal.co", "youcanbook.me", "acuityscheduling.com",
                    "hubspot.com", "chilipiper.com", "appointlet.com", "doodle.com", "tidycal.com")  # fmt: skip
# People there share a domain and nothing else.
_PROVIDERS = """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com mac.com
    aol.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de posteo.de mailbox.org proton.me protonmail.com
    pm.me fastmail.com zoho.com mail.com hey.com tutanota.com tuta.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr
    libero.it virgilio.it alice.it tiscali.it hotmail.fr hotmail.it hotmail.de hotmail.co.uk yahoo.fr yahoo.de yahoo.it
    yahoo.co.uk yahoo.co.jp btinternet.com sky.com bluewin.ch seznam.cz wp.pl o2.pl onet.pl interia.pl mail.ru
    yandex.ru bk.ru qq.com 163.com 126.com naver.com daum.net rediffmail.com uol.com.br bol.com.br terra.com.br
    comcast.net att.net verizon.net cox.net
"""
MAIL_PROVIDERS = frozenset(_PROVIDERS.split())


class Rung(StrEnum):
    """How sure it is that a meeting takes place, or took place; each is reached on evidence, which stands beside it."""

    PROPOSED = "proposed"
    ON_CALENDAR = "on_calendar"
    ACCEPTED = "accepted"
    MOVED = "moved"  # only in the history: afterwards it stands on another rung again
    CANCELLED = "cancelled"
    DECLINED = "declined"
    TOOK_PLACE = "took_place"
    NO_SHOW = "no_show"
    DISMISSED = "dismissed"  # a member said that it is not with the contact


STANDING = frozenset({Rung.PROPOSED, Rung.ON_CALENDAR, Rung.ACCEPTED})
OVER = frozenset({Rung.TOOK_PLACE, Rung.NO_SHOW})
OFF = frozenset({Rung.CANCELLED, Rung.DECLINED})


class Match(StrEnum):
    """By what somebody at a meeting is known, surest first."""

    ADDRESS = "address"
    OTHER_ADDRESS = "other_address"  # an alias, or the address from which they once answered
    COMPANY = "company"  # only the domain: somebody of the contact's company
    BY_HAND = "by_hand"  # a member said so


class BookedBy(StrEnum):
    """Who put the meeting into the calendar."""

    CONTACT = "contact"
    REP = "rep"
    BOOKING_PAGE = "booking_page"
    COLLEAGUE = "colleague"
    SOMEBODY_ELSE = "somebody_else"


# Answers, as Microsoft names them.
YES, MAYBE, NO = frozenset({"accepted", "organizer"}), "tentativelyAccepted", "declined"


# What an event means


@dataclass(frozen=True, slots=True)
class Known:
    """A meeting as we keep it."""

    starts: datetime
    ends: datetime
    rung: Rung
    private: bool = False
    guests: frozenset[tuple[UUID, bool]] = frozenset()  # its contacts, and whether each is known for sure


@dataclass(frozen=True, slots=True)
class Guest:
    """A contact at the meeting, and what they answered."""

    contact_id: UUID
    match: Match
    answer: str

    @property
    def is_sure(self) -> bool:
        return self.match != Match.COMPANY


@dataclass(frozen=True, slots=True)
class EventFacts:
    starts: datetime
    ends: datetime
    guests: tuple[Guest, ...]
    booked_by: BookedBy
    rep_answer: str
    is_cancelled: bool = False
    is_tentative: bool = False  # the time is only held in the rep's calendar
    is_private: bool = False
    is_uninvited: bool = False  # the contact was taken off the list of attendees
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Stands:
    """On which rung, and why."""

    rung: Rung
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    reason: str


@dataclass(frozen=True, slots=True)
class Book:
    """A meeting with a contact that was not known before, or that stands again."""

    stands: Stands


@dataclass(frozen=True, slots=True)
class Change:
    """A known meeting has another time, another rung, other guests, or became private."""

    moved: bool
    stands: Stands | None  # None: the same rung as before


@dataclass(frozen=True, slots=True)
class Cancel:
    stands: Stands


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing changed."""


Decision = Book | Change | Cancel | Keep | Drop


def decide_event(facts: EventFacts, *, now: datetime) -> Decision:
    """What an event of the calendar window means."""
    known = facts.known
    if known is not None and known.rung == Rung.DISMISSED:
        return Drop("not with them, as a member said")
    if not facts.guests and known is None:
        return Drop("no enrolled contact")
    stands = stands_at(facts)
    if known is None:
        return Drop("off before it was seen") if stands.rung in OFF else Book(stands)
    if known.rung in OVER and facts.ends <= now:
        return Keep()  # what was is not undone by tidying up a calendar
    if stands.rung in OFF:
        return Keep() if known.rung in OFF else Cancel(stands)
    if known.rung not in STANDING:
        return Book(stands)
    moved = (facts.starts, facts.ends) != (known.starts, known.ends)
    guests = frozenset((each.contact_id, each.is_sure) for each in facts.guests)
    others = bool(facts.guests) and guests != known.guests
    if moved or others or stands.rung != known.rung or facts.is_private != known.private:
        return Change(moved, stands if stands.rung != known.rung else None)
    return Keep()


def stands_at(facts: EventFacts) -> Stands:
    """The rung for which the calendar holds evidence."""
    answers = {each.answer for each in facts.guests}
    if facts.is_cancelled:
        return Stands(Rung.CANCELLED, "the organiser called it off")
    if facts.is_uninvited:
        return Stands(Rung.CANCELLED, "they are no longer invited")
    if answers == {NO}:
        return Stands(Rung.DECLINED, "they declined")
    if facts.rep_answer == NO:
        return Stands(Rung.DECLINED, "you declined")
    theirs = facts.booked_by in (BookedBy.CONTACT, BookedBy.BOOKING_PAGE) or bool(answers & YES)
    # An event that was put straight into the calendar asks for no answer.
    ours = facts.rep_answer in YES or (facts.rep_answer == "none" and not facts.is_tentative)
    if theirs and ours:
        return Stands(Rung.ACCEPTED, _why_accepted(facts))
    if theirs:
        maybe = facts.rep_answer == MAYBE
        return Stands(
            Rung.PROPOSED, "you may come, you said" if maybe else "they invited you; you have not answered"
        )
    if not ours or facts.is_tentative:
        return Stands(Rung.PROPOSED, "the time is only held; nobody has said yes")
    if MAYBE in answers:
        return Stands(Rung.ON_CALENDAR, "they may come, they said")
    if facts.booked_by != BookedBy.REP:
        return Stands(
            Rung.ON_CALENDAR, "it stands in your calendar; Microsoft shows their answer to its organiser only"
        )
    return Stands(Rung.ON_CALENDAR, "it stands in your calendar; they have not answered")


def _why_accepted(facts: EventFacts) -> str:
    match facts.booked_by:
        case BookedBy.CONTACT if facts.rep_answer == "none":
            return "they put it into your calendar"
        case BookedBy.CONTACT:
            return "they invited you, and you accepted"
        case BookedBy.BOOKING_PAGE:
            return "they chose the time on a booking page"
        case _:
            return "they accepted the invitation"


GONE = Stands(Rung.CANCELLED, "it was removed from the calendar")


def is_over(rung: str, ends: datetime, *, read_at: datetime) -> Stands | None:
    """That it took place, once its time has passed in a calendar that still shows it. A mere proposal did not."""
    if ends > read_at:
        return None
    if rung == Rung.ACCEPTED:
        return Stands(Rung.TOOK_PLACE, "both had said yes, and nobody called it off")
    if rung == Rung.ON_CALENDAR:
        return Stands(Rung.TOOK_PLACE, "nobody called it off; they never answered the invitation")
    return None


# Who and when


def booked_by(organizer: str, *, is_contact: bool, is_rep: bool, is_internal: bool) -> BookedBy:
    """Who put it there, by the organiser's address. A page of Microsoft Bookings is a mailbox like a colleague's."""
    domain = organizer.rpartition("@")[2].casefold()
    if is_contact:
        return BookedBy.CONTACT
    if is_rep or not organizer:
        return BookedBy.REP
    if any(domain == each or domain.endswith("." + each) for each in BOOKING_SERVICES):
        return BookedBy.BOOKING_PAGE
    if is_internal:
        return BookedBy.COLLEAGUE
    return BookedBy.SOMEBODY_ELSE


def whole_days(starts: datetime, ends: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The first and last day of an all-day event.

    Its midnight is that of whoever made it, told in UTC. Of the days that it can be, one with a real offset
    (-12 to +14 hours) is right; where two are, the one whose offset is nearer to the rep's own.
    """
    own = starts.astimezone(zone).utcoffset() or timedelta(0)

    def offset(day: date) -> timedelta:
        return datetime.combine(day, time(0), UTC) - starts.astimezone(UTC)

    here = starts.astimezone(UTC).date()
    possible = [
        day
        for day in (here, here + timedelta(days=1))
        if timedelta(hours=-12) <= offset(day) <= timedelta(hours=14)
    ]
    first = min(possible, key=lambda day: abs(offset(day) - own))
    days = max(1, round((ends - starts) / timedelta(days=1)))  # an hour more or less where clocks change
    return first, first + timedelta(days=days - 1)


def moments_of(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first day's midnight to that after the last, there."""
    return midnight(first, zone), midnight(last + timedelta(days=1), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone).astimezone(UTC)


_EXCHANGE = "040000008200E00074C5B7101A82E008"
_DATE_IN_UID = re.compile(r"_(R?\d{8}(T\d{6}Z?)?)(?=@|$)")


def series_of(ical_uid: str) -> str:
    """The part of an occurrence's id that all dates of its series share, in whatever mailbox.

    Exchange writes the date into eight digits of the id (MS-OXOCAL, PidLidGlobalObjectId), Google after an underscore.
    """
    if ical_uid.upper().startswith(_EXCHANGE) and len(ical_uid) >= 40:
        return f"{ical_uid[:32]}00000000{ical_uid[40:]}"
    return _DATE_IN_UID.sub("", ical_uid)


@dataclass(frozen=True, slots=True)
class Row:
    """One of several rows of the same meeting: of another rep, or another date of its series."""

    id: UUID
    found_at: datetime
    stands: bool  # or took place
    sure: bool  # the contact is known by more than the company


def counting(rows: Iterable[Row]) -> UUID | None:
    """Which one of them stands for all in reports: the first found that is on, else the first found."""
    sure = sorted((row for row in rows if row.sure), key=lambda row: (row.found_at, row.id))
    return next((row.id for row in sure if row.stands), sure[0].id if sure else None)


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail of ours to one of the guests."""

    message_id: UUID
    at: datetime


def owed_to(sent: Iterable[Sent], booked_at: datetime) -> Sent | None:
    """The mail that a meeting is attributed to: the last before it was booked, if that is not too long ago."""
    before = [each for each in sent if booked_at - ATTRIBUTED_WITHIN <= each.at <= booked_at]
    return max(before, key=lambda each: each.at, default=None)


def stops(*, enrolled_at: datetime, ends: datetime) -> bool:
    """Whether a meeting stops an enrolment: not one that was over when the contact was enrolled."""
    return ends > enrolled_at


# Briefs


def brief_slot(starts: datetime, first_day: date | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the brief stands in the calendar."""
    if first_day is not None:
        opens = datetime.combine(first_day, MORNING, zone).astimezone(UTC)
        return opens, opens + BRIEF_LENGTH
    return starts - BRIEF_LENGTH, starts


class Day(StrEnum):
    """For which day's meetings a rep is told."""

    BEFORE = "before"  # those of tomorrow
    SAME = "same"  # those of today


def next_telling(at: time, zone: ZoneInfo, *, after: datetime) -> datetime:
    """The next moment of that time of day, there. An hour that a clock leaves out comes an hour later."""
    day = after.astimezone(zone).date()
    for each in (day, day + timedelta(days=1), day + timedelta(days=2)):
        moment = datetime.combine(each, at, zone).astimezone(UTC)
        if moment > after:
            return moment
    raise AssertionError("two days on, every time of day has come")


def told_span(day: str, zone: ZoneInfo, *, now: datetime) -> tuple[datetime, datetime]:
    """From midnight to midnight of the day whose meetings a rep is told of."""
    local = now.astimezone(zone).date() + timedelta(days=1 if day == Day.BEFORE else 0)
    return midnight(local, zone), midnight(local + timedelta(days=1), zone)


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who comes."""

    name: str
    title: str
    company: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A reply that matters, newest last."""

    on: date
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Before:
    """An earlier meeting with the same contact."""

    on: date
    rung: str
    notes: str = ""


@dataclass(frozen=True, slots=True)
class BriefFacts:
    """All that a brief may say: what Gatepost knows anyway."""

    who: tuple[Who, ...]
    sequence: str = ""
    steps_sent: int = 0
    first_sent: date | None = None
    replies: Sequence[Said] = ()
    promise: str = ""
    promise_words: str = ""
    earlier: Sequence[Before] = ()
    notes: str = ""
    weak: bool = False  # known by the company's domain only


ANSWERED = {"accepted": "accepted", MAYBE: "may come", NO: "declined", "organizer": "set it up"}


def brief_text(facts: BriefFacts) -> str:
    """The brief, as lines of plain text; what is not known has no line."""
    lines = [_who(each, "Who" if number == 0 else "Also") for number, each in enumerate(facts.who)]
    if facts.weak:
        lines.append("Not sure: only the company's domain was recognised among the attendees.")
    if facts.sequence:
        mails = "1 mail" if facts.steps_sent == 1 else f"{facts.steps_sent} mails"
        since = f" since {_day(facts.first_sent)}" if facts.first_sent else ""
        lines.append(f"How it came about: sequence “{facts.sequence}”, {mails} sent{since}")
    if not facts.replies:
        lines.append("No reply by mail: booked directly.")
    for number, reply in enumerate(reversed(facts.replies)):
        label = f", {reply.label.lower()}" if reply.label else ""
        lines += [
            "",
            f"{'Last reply' if number == 0 else 'Before that'} ({_day(reply.on)}{label}):",
            reply.text,
        ]
    if facts.promise:
        lines += ["", f"Open promise: {facts.promise}"]
        if facts.promise_words:
            lines.append(f"“{facts.promise_words}”")
    if facts.earlier:
        lines += ["", "Earlier meetings:"]
        lines += [
            f"- {_day(each.on)}: {each.rung.lower()}" + (f". {each.notes}" if each.notes else "")
            for each in facts.earlier
        ]
    if facts.notes:
        lines += ["", f"Notes: {facts.notes}"]
    return "\n".join(lines)


def brief_title(text: str) -> str:
    """What the event on the calendar is called: the one who comes first, without their answer."""
    first = text.partition("\n")[0].removeprefix("Who: ")
    for said in ANSWERED.values():
        first = first.removesuffix(f" ({said})")
    return f"Brief: {first}"


def _who(who: Who, word: str) -> str:
    said = ", ".join(part for part in (who.name, who.title, who.company) if part)
    return f"{word}: {said}" + (f" ({ANSWERED[who.answer]})" if who.answer in ANSWERED else "")


def _day(day: date | None) -> str:
    return f"{day:%d %B %Y}".lstrip("0") if day else ""
