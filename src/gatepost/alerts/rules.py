"""What is unusual about somebody's opening of texts. Pure: a value with its reason comes out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

AT_ONCE = timedelta(hours=1)
MANY, NIGHT, PLACE, TOKEN = "many", "night", "place", "token"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workspace calls usual. A conversation of ten mails is ten texts; who works fast opens some dozens an hour."""

    texts_an_hour: int = 200
    night_begins: time = time(22)
    night_ends: time = time(6)  # the same as `night_begins`: no hour is unusual

    @classmethod
    def chosen(cls, values: Mapping[str, str | int]) -> "Limits":
        """The usual ones, with what the workspace chose in their place."""
        usual = cls()
        return cls(
            int(values.get("texts_an_hour", usual.texts_an_hour)),
            time.fromisoformat(str(values.get("night_begins", usual.night_begins))),
            time.fromisoformat(str(values.get("night_ends", usual.night_ends))),
        )


@dataclass(frozen=True, slots=True)
class Read:
    """One text that was opened. `place`: a keyed hash of the network it was asked from, "" where that is not known."""

    at: datetime
    text: UUID
    mailbox: UUID | None
    place: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opened them, and what is known of him from before."""

    is_program: bool
    zone: ZoneInfo
    lately: tuple[Read, ...] = ()  # in the hour before
    places: frozenset[str] = frozenset()  # of the new ones, those that he was at before
    was_anywhere: bool = False  # he has opened a text from some known place
    has_read: bool = False


@dataclass(frozen=True, slots=True)
class Unusual:
    """One reason to tell of it. `key`: the same again is not told again."""

    cause: str
    reason: str
    key: str
    at: datetime
    texts: int
    mailboxes: tuple[UUID, ...]


def unusual(reads: Sequence[Read], reader: Reader, limits: Limits) -> list[Unusual]:
    """What is unusual about these reads of one reader, given oldest first."""
    if not reads:
        return []
    found = [*_many(reads, reader, limits), *_from_a_new_place(reads, reader)]
    if reader.is_program:
        # Programs have no night, and one that begins to read is new once.
        if not reader.has_read:
            found.append(_told(TOKEN, "by an API token that had opened no text before", "first", reads))
    else:
        found += _at_night(reads, reader, limits)
    return found


def _many(reads: Sequence[Read], reader: Reader, limits: Limits) -> Iterator[Unusual]:
    """More texts within an hour than usual; once a day."""
    told: set[date] = set()
    window: list[Read] = []
    for each in sorted((*reader.lately, *reads), key=lambda read: read.at):
        window = [read for read in window if read.at > each.at - AT_ONCE] + [each]
        day = each.at.astimezone(reader.zone).date()
        if each.at < reads[0].at or day in told or len(window) <= limits.texts_an_hour:
            continue
        texts = len({read.text for read in window})
        if texts > limits.texts_an_hour:
            told.add(day)
            reason = f"{texts} texts within an hour, where up to {limits.texts_an_hour} are usual"
            yield _told(MANY, reason, day.isoformat(), window)


def _from_a_new_place(reads: Sequence[Read], reader: Reader) -> Iterator[Unusual]:
    """From a network that this reader was never at. The very first one tells nothing: everybody begins somewhere."""
    known, was_anywhere = set(reader.places), reader.was_anywhere
    for each in reads:
        if not each.place or each.place in known:
            continue
        if was_anywhere:
            there = [read for read in reads if read.place == each.place]
            yield _told(PLACE, "from a network that no text was opened from before", each.place, there)
        known.add(each.place)
        was_anywhere = True


def _at_night(reads: Sequence[Read], reader: Reader, limits: Limits) -> Iterator[Unusual]:
    """In the reader's own night; once a night."""
    nights: dict[date, list[Read]] = {}
    for each in reads:
        night = night_of(each.at.astimezone(reader.zone), limits)
        if night is not None:
            nights.setdefault(night, []).append(each)
    for night, those in nights.items():
        first = those[0].at.astimezone(reader.zone)
        reason = f"at {first:%H:%M} in {reader.zone.key}, between {limits.night_begins:%H:%M} and {limits.night_ends:%H:%M}"
        yield _told(NIGHT, reason, night.isoformat(), those)


def night_of(local: datetime, limits: Limits) -> date | None:
    """The day on which the night began that this local time belongs to, or None by day."""
    at, begins, ends = local.time(), limits.night_begins, limits.night_ends
    if begins <= ends:  # a "night" within one day, or none
        return local.date() if begins <= at < ends else None
    if at >= begins:
        return local.date()
    return local.date() - timedelta(days=1) if at < ends else None


def _told(cause: str, reason: str, key: str, reads: Sequence[Read]) -> Unusual:
    mailboxes = tuple(dict.fromkeys(read.mailbox for read in reads if read.mailbox is not None))
    return Unusual(
        cause, reason, key, reads[-1 if cause == MANY else 0].at, len({r.text for r in reads}), mailboxes
    )


LEAST_TEXTS, MOST_TEXTS = 10, 10_000


def problem_with(limits: Limits) -> str:
    """What is wrong with chosen limits, or ""."""
    if not LEAST_TEXTS <= limits.texts_an_hour <= MOST_TEXTS:
        return f"Choose from {LEAST_TEXTS} to {MOST_TEXTS} texts within an hour."
    return ""
