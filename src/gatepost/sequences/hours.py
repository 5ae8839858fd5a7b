"""When mail may reach whom, from what is stored: the sequence's window, the contact's place, the sender's days off."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gatepost import clock
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.sequences.models import Absence, Enrolment, Sequence
from gatepost.sequences.windows import Hours, Span, zone_of


def hours_of(enrolment: Enrolment) -> Hours:
    """Inside the workspace, as are all others here."""
    return hours_of_many([enrolment])[0]


def hours_of_many(
    enrolments: Iterable[Enrolment], away: dict[UUID, list[Absence]] | None = None
) -> list[Hours]:
    """The same for many, in one query; in none where it is known who is away."""
    enrolments = list(enrolments)
    if away is None:
        away = days_off({each.mailbox.member_id for each in enrolments})
    return [
        hours_for(each.sequence, each.contact, each.mailbox, away.get(each.mailbox.member_id, []))
        for each in enrolments
    ]


def hours_for(
    sequence: Sequence, contact: Contact, mailbox: Mailbox | None, away: Iterable[Absence] = ()
) -> Hours:
    return Hours(
        window=sequence.window,
        time_zone=zone_of(contact.time_zone, contact.country, sequence.time_zone),
        country=contact.country.upper() if sequence.skips_holidays else "",
        away=tuple(_span(each, mailbox.time_zone) for each in away) if mailbox else (),
    )


def days_off(member_ids: Iterable[UUID]) -> dict[UUID, list[Absence]]:
    """Absences that are not over, by member."""
    found: dict[UUID, list[Absence]] = {}
    for absence in Absence.objects.filter(member_id__in=member_ids, last_local_date__gte=_yesterday()):
        found.setdefault(absence.member_id, []).append(absence)
    return found


def _yesterday() -> date:
    return (clock.now() - timedelta(days=1)).date()  # whatever the zone


def stand_in_of(mailbox: Mailbox, now: datetime) -> Mailbox | None:
    """The mailbox that writes to new contacts while this one's member is away; None where he is not, or nobody does."""
    for absence in days_off({mailbox.member_id}).get(mailbox.member_id, []):
        start, end = _span(absence, mailbox.time_zone)
        if not start <= now < end or absence.stand_in_id in (None, mailbox.pk):
            continue
        stand_in = Mailbox.objects.select_related("workspace").get(pk=absence.stand_in_id)
        if stand_in.is_connected and "send" in stand_in.running and not _is_away(stand_in, now):
            return stand_in
    return None


def _is_away(mailbox: Mailbox, now: datetime) -> bool:
    absences = days_off({mailbox.member_id}).get(mailbox.member_id, [])
    spans = (_span(each, mailbox.time_zone) for each in absences)
    return any(start <= now < end for start, end in spans)


def _span(absence: Absence, time_zone: str) -> Span:
    zone = ZoneInfo(time_zone)
    after = absence.last_local_date + timedelta(days=1)
    return (
        datetime.combine(absence.first_local_date, time.min, zone).astimezone(UTC),
        datetime.combine(after, time.min, zone).astimezone(UTC),
    )
