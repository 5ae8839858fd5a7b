"""What is known about the events of a calendar window, and what a brief may say."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Min, Q

from gatepost.accounts.models import Member
from gatepost.audit.record import job as by_job
from gatepost.audit.reveal import reveal
from gatepost.contacts.models import Contact, OtherAddress
from gatepost.contacts.queries import display_name
from gatepost.conversations.models import Promise, Reply
from gatepost.conversations.rules import AUTOMATIC, LABELS
from gatepost.graph.calendar import Event
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import Found, across_workspaces
from gatepost.mailboxes.rules import granted
from gatepost.meetings import rules
from gatepost.meetings.models import Brief, CalendarCount, Guest, Meeting
from gatepost.meetings.rules import Before, BriefFacts, EventFacts, Known, Match, Said, Who
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.vault import names
from gatepost.vault.sealing import index, indexer

BY_SYNC = by_job("meetings.sync")
REPLIES_IN_BRIEF, REPLY_LENGTH, EARLIER_IN_BRIEF = 3, 2000, 5
# Names of the rungs whose meetings are on.
STANDING = tuple(each.value for each in rules.STANDING)


@dataclass(frozen=True, slots=True)
class Judged:
    """An event with what we know of it."""

    event: Event
    uid_index: str
    series_index: str
    facts: EventFacts
    enrolments: dict[UUID, Enrolment]  # the latest of each guest
    meeting: Meeting | None
    days: tuple[date, date] | None = None  # the first and the last, of an all-day event


@dataclass(frozen=True, slots=True)
class _Attendees:
    """An event's people as keyed hashes, without the rep: that is all that is looked up."""

    addresses: dict[str, str]  # with the answer of each
    domains: frozenset[str]


def judge(mailbox: Mailbox, events: list[Event], *, now: datetime) -> list[Judged]:
    """Each event with its facts. An event without an enrolled contact is known by its attendees' hashes only."""
    workspace_id, zone = mailbox.workspace_id, ZoneInfo(mailbox.time_zone)
    days = {
        each.graph_id: rules.whole_days(each.starts, each.ends, zone) for each in events if each.is_all_day
    }
    events = [_as_dates(each, days.get(each.graph_id), zone) for each in events]
    hash_uid, hash_address = indexer(workspace_id, "ical-uid"), _remembering(indexer(workspace_id, "address"))
    hash_domain = _remembering(indexer(workspace_id, "domain"))
    uids = [hash_uid(each.ical_uid) for each in events]
    people = [_attendees(each, mailbox, hash_address, hash_domain) for each in events]
    with inside(workspace_id):
        found = Meeting.objects.filter(mailbox=mailbox, ical_uid_index__in=uids).prefetch_related("guests")
        meetings = {each.ical_uid_index: each for each in found}
        by_address = _known_addresses({key for each in people for key in each.addresses})
        unknown = [each for each in people if not each.addresses.keys() & by_address.keys()]
        by_domain = _known_domains(mailbox, {key for each in unknown for key in each.domains}, now)
        contacts = {key for key, _ in by_address.values()} | set(by_domain.values())
        enrolments = _enrolments(contacts)
    judged = []
    for event, uid, attendees in zip(events, uids, people, strict=True):
        meeting = meetings.get(uid)
        guests = _guests(attendees, by_address, by_domain, enrolments, meeting)
        organizer = hash_address(event.organizer)
        domain = hash_domain(event.organizer.rpartition("@")[2])
        facts = EventFacts(
            starts=event.starts,
            ends=event.ends,
            guests=guests,
            booked_by=rules.booked_by(
                event.organizer,
                is_contact=organizer in by_address and by_address[organizer][0] in enrolments,
                is_rep=organizer in mailbox.own_address_indexes,
                is_internal=domain in mailbox.domain_indexes,
            ),
            rep_answer=event.answer,
            is_cancelled=event.is_cancelled,
            is_tentative=event.is_tentative,
            is_private=event.is_private,
            is_uninvited=meeting is not None and not meeting.is_weak and not guests and bool(event.attendees),
            known=_known(meeting) if meeting else None,
        )
        series = hash_uid(rules.series_of(event.ical_uid)) if event.in_series else uid
        of_guests = {each.contact_id: enrolments[each.contact_id] for each in guests}
        judged.append(Judged(event, uid, series, facts, of_guests, meeting, days.get(event.graph_id)))
    return judged


def _as_dates(event: Event, days: tuple[date, date] | None, zone: ZoneInfo) -> Event:
    """An all-day event lasts from midnight to midnight of the rep's own zone, whoever made it wherever."""
    if days is None:
        return event
    starts, ends = rules.moments_of(*days, zone)
    return replace(event, starts=starts, ends=ends)


def _remembering(compute: Callable[[str], str]) -> Callable[[str], str]:
    """The same few colleagues stand in thousands of events."""
    known: dict[str, str] = {}

    def hashed(text: str) -> str:
        if text not in known:
            known[text] = compute(text)
        return known[text]

    return hashed


def _attendees(
    event: Event, mailbox: Mailbox, hash_address: Callable[[str], str], hash_domain: Callable[[str], str]
) -> _Attendees:
    answers = {address.casefold(): answer for address, answer in event.attendees if address}
    if event.organizer and answers.get(event.organizer.casefold()) != rules.NO:
        answers[event.organizer.casefold()] = "organizer"
    own = set(mailbox.own_address_indexes)
    addresses = {
        key: answer for address, answer in answers.items() if (key := hash_address(address)) not in own
    }
    domains = {address.rpartition("@")[2] for address in answers} - rules.MAIL_PROVIDERS
    return _Attendees(addresses, frozenset(map(hash_domain, domains)) - set(mailbox.domain_indexes))


def _known_addresses(address_indexes: set[str]) -> dict[str, tuple[UUID, Match]]:
    """Whose addresses these are, as far as they are contacts'."""
    own = Contact.objects.filter(email_index__in=address_indexes).values_list("email_index", "pk")
    other = OtherAddress.objects.filter(address_index__in=address_indexes)
    return {
        **{key: (pk, Match.OTHER_ADDRESS) for key, pk in other.values_list("address_index", "contact_id")},
        **{key: (pk, Match.ADDRESS) for key, pk in own},
    }


def _known_domains(mailbox: Mailbox, domain_indexes: set[str], now: datetime) -> dict[str, UUID]:
    """For each of these domains the contact there to whom this mailbox has written last, if that was lately."""
    recent = Q(accepted_at__gte=now - rules.ATTRIBUTED_WITHIN, accepted_at__lte=now)
    sent = Message.objects.filter(recent, mailbox=mailbox, contact__domain_index__in=domain_indexes)
    return dict(sent.order_by("accepted_at").values_list("contact__domain_index", "contact_id"))


def _enrolments(contact_ids: set[UUID]) -> dict[UUID, Enrolment]:
    """The latest enrolment of each of these contacts, running or ended."""
    rows = Enrolment.objects.filter(contact_id__in=contact_ids).order_by("created_at")
    return {row.contact_id: row for row in rows}


def _guests(
    attendees: _Attendees,
    by_address: dict[str, tuple[UUID, Match]],
    by_domain: dict[str, UUID],
    enrolments: dict[UUID, Enrolment],
    meeting: Meeting | None,
) -> tuple[rules.Guest, ...]:
    found: dict[UUID, rules.Guest] = {}
    for key, answer in attendees.addresses.items():
        contact_id, match = by_address.get(key, (None, Match.ADDRESS))
        if contact_id in enrolments and (contact_id not in found or match == Match.ADDRESS):
            found[contact_id] = rules.Guest(contact_id, match, answer)
    if not found:
        said = meeting is not None and meeting.match == Match.BY_HAND
        for contact_id in sorted({by_domain[key] for key in attendees.domains if key in by_domain}):
            match = Match.BY_HAND if said else Match.COMPANY
            found[contact_id] = rules.Guest(contact_id, match, _best(attendees.addresses.values()))
    return tuple(found.values())


def _best(answers: Iterable[str]) -> str:
    order = ("accepted", "organizer", rules.MAYBE)
    given = set(answers)
    return next((each for each in order if each in given), "none")


def _known(meeting: Meeting) -> Known:
    return Known(
        meeting.starts_at,
        meeting.ends_at,
        rules.Rung(meeting.rung),
        meeting.is_private,
        frozenset((each.contact_id, each.match != Match.COMPANY) for each in meeting.guests.all()),
    )


def contacts_without_domain(mailbox: Mailbox) -> list[Contact]:
    """Contacts of this mailbox's sequences from before their domain was kept as a hash."""
    with inside(mailbox.workspace_id):
        return list(Contact.objects.filter(domain_index="", enrolments__mailbox=mailbox).distinct()[:500])


def vanished(mailbox: Mailbox, start: datetime, end: datetime, seen: set[str]) -> list[Meeting]:
    """Meetings that are on and that the calendar's window no longer lists. What was only proposed is given up
    with the window."""
    with inside(mailbox.workspace_id):
        on = Meeting.objects.filter(mailbox=mailbox, rung__in=STANDING, starts_at__lt=end)
        on = on.exclude(rung=Meeting.Rung.PROPOSED, ends_at__lt=start)
        return [meeting for meeting in on if meeting.ical_uid_index not in seen]


def over(mailbox: Mailbox, read_at: datetime) -> list[Meeting]:
    """Meetings that were on, more than proposed, and whose time had passed when the calendar was read."""
    with inside(mailbox.workspace_id):
        on = Meeting.objects.filter(mailbox=mailbox, rung__in=STANDING, ends_at__lte=read_at)
        return list(on.exclude(rung=Meeting.Rung.PROPOSED))


def owed_to(contact_ids: Iterable[UUID], booked_at: datetime) -> Message | None:
    """The mail that a meeting with these contacts is attributed to. Inside the caller's transaction."""
    since = booked_at - rules.ATTRIBUTED_WITHIN
    sent = Message.objects.filter(
        contact_id__in=list(contact_ids), accepted_at__gte=since, accepted_at__lte=booked_at
    )
    rows = {each.pk: each for each in sent.order_by("-accepted_at")[:20]}
    owed = rules.owed_to(
        (rules.Sent(each.pk, each.accepted_at) for each in rows.values() if each.accepted_at), booked_at
    )
    return rows[owed.message_id] if owed else None


def briefs_to_show(mailbox: Mailbox, now: datetime) -> list[Meeting]:
    """Coming meetings whose brief is wanted, with what they need."""
    with inside(mailbox.workspace_id):
        meetings = Meeting.objects.filter(mailbox=mailbox, rung__in=STANDING, ends_at__gte=now)
        return list(
            meetings.select_related("contact__company", "enrolment__sequence", "brief", "mailbox").order_by(
                "starts_at"
            )
        )


def is_shown(meeting: Meeting) -> bool:
    """Whether its brief may stand on the calendar, as far as the meeting is concerned."""
    return meeting.rung in rules.STANDING and meeting.brief_on_calendar


def briefs_to_remove(mailbox: Mailbox, *, on_calendar: bool) -> list[Brief]:
    """Briefs whose event must leave the calendar: of meetings that are off, or all where it is switched off."""
    with inside(mailbox.workspace_id):
        shown = Brief.objects.filter(mailbox=mailbox).exclude(event_id="").select_related("meeting")
        return [
            brief
            for brief in shown
            if not on_calendar or not (is_shown(brief.meeting) or brief.meeting.rung in rules.OVER)
        ]


def brief_keys(mailbox: Mailbox) -> frozenset[str]:
    """The keys of our own events that have a right to be in this calendar."""
    with inside(mailbox.workspace_id):
        found = Brief.objects.filter(mailbox=mailbox).values_list("pk", flat=True)
        return frozenset(str(pk) for pk in found)


def own_events(mailbox: Mailbox) -> frozenset[str]:
    """The ids of our own events in this calendar: nobody's meetings, and no strangers' to be counted."""
    with inside(mailbox.workspace_id):
        shown = Brief.objects.filter(mailbox=mailbox).exclude(event_id="")
        return frozenset(shown.values_list("event_id", flat=True))


def first_look_today(mailbox: Mailbox, now: datetime) -> bool:
    """Whether the calendar was not read yet today, by its own clock, and may be written."""
    today = now.astimezone(ZoneInfo(mailbox.time_zone)).date()
    with inside(mailbox.workspace_id):
        looked = CalendarCount.objects.filter(mailbox=mailbox, local_date=today).exists()
    return not looked and granted("Calendars.ReadWrite", mailbox.scopes)


def on_calendar(mailbox: Mailbox) -> bool:
    """Whether briefs go into this calendar: switched on for workspace and mailbox, and granted."""
    with inside(mailbox.workspace_id):
        return "briefs" in Mailbox.objects.select_related("workspace").get(pk=mailbox.pk).running


def brief_times_due(now: datetime) -> list[Found]:
    """Members who are to be told of the meetings ahead."""
    return across_workspaces("brief_times_due", now)


def told_of(member: Member, day: str, now: datetime) -> list[Meeting]:
    """The meetings of the day that the member is told of, soonest first."""
    start, end = rules.told_span(day, zone_of_member(member.pk), now=now)
    own = Meeting.objects.filter(mailbox__member=member, rung__in=STANDING)
    return list(
        own.filter(starts_at__gte=start, starts_at__lt=end)
        .order_by("starts_at")
        .select_related("contact__company")
    )


def zone_of_member(member_id: UUID) -> ZoneInfo:
    """That of their first connected mailbox, else the workspace's. Inside the workspace."""
    member = Member.objects.select_related("workspace").get(pk=member_id)
    mailbox = (
        Mailbox.objects.filter(member=member, state=Mailbox.State.CONNECTED).order_by("connected_at").first()
    )
    return ZoneInfo(mailbox.time_zone if mailbox else member.workspace.time_zone)


@dataclass(frozen=True, slots=True)
class BriefSources:
    """What a brief is written from, its texts still closed. `digest` is the same as long as they are."""

    replies: tuple[Reply, ...]  # newest first
    promise: Promise | None
    who: tuple[Who, ...]
    sequence: str
    steps_sent: int
    first_sent: datetime | None
    earlier: tuple[Meeting, ...]
    digest: str


def brief_sources(meeting: Meeting) -> BriefSources:
    guests = list(Guest.objects.filter(meeting=meeting).select_related("contact__company").order_by("id"))
    guests.sort(key=lambda each: each.contact_id != meeting.contact_id)
    # Where only the company is recognised, the answer is somebody else's.
    people = [(each.contact, "" if each.match == Match.COMPANY else each.answer) for each in guests] or [
        (meeting.contact, "")
    ]
    contact_ids = [contact.pk for contact, _ in people]
    # Texts of one mailbox are sealed with its key and are its rep's to read: those of others stay closed.
    theirs = Reply.objects.filter(
        conversation__contact_id__in=contact_ids, conversation__mailbox_id=meeting.mailbox_id
    ).exclude(label__in=AUTOMATIC)
    replies = tuple(theirs.order_by("-received_at")[:REPLIES_IN_BRIEF])
    promises = Promise.objects.filter(
        conversation__contact_id__in=contact_ids, mailbox_id=meeting.mailbox_id, done=False
    )
    promise = promises.order_by("due_local_date").first()
    who = tuple(
        Who(
            display_name(contact),
            names.open(contact, "title") or "",
            (names.open(contact.company, "name") or "") if contact.company else "",
            answer,
        )
        for contact, answer in people
    )
    sent = Message.objects.filter(
        contact_id__in=contact_ids, accepted_at__isnull=False, reply_id__isnull=True
    )
    steps_sent, first_sent = sent.count(), sent.aggregate(at=Min("accepted_at"))["at"]
    sequence = meeting.enrolment.sequence.name if meeting.enrolment else ""
    before = Meeting.objects.filter(contact_id__in=contact_ids, mailbox_id=meeting.mailbox_id)
    before = before.filter(starts_at__lt=meeting.starts_at, ends_at__lte=meeting.starts_at)
    earlier = tuple(
        before.exclude(pk=meeting.pk)
        .exclude(rung__in=[Meeting.Rung.DISMISSED, Meeting.Rung.PROPOSED])
        .order_by("-starts_at")[:EARLIER_IN_BRIEF]
    )
    parts = [
        *((str(each.pk), each.label) for each in replies),
        *((str(promise.pk), str(promise.due_local_date), promise.precision) if promise else ()),
        *((each.name, each.title, each.company, each.answer) for each in who),
        *((str(each.pk), each.rung, str(each.noted_at)) for each in earlier),
        meeting.starts_at.isoformat(), meeting.match, sequence, str(steps_sent), str(meeting.noted_at),
    ]  # fmt: skip
    digest = index(meeting.workspace_id, "brief", json.dumps(parts))
    return BriefSources(replies, promise, who, sequence, steps_sent, first_sent, earlier, digest)


def brief_facts(meeting: Meeting, sources: BriefSources) -> BriefFacts:
    """What the brief may say. The texts are opened for it, each of which leaves an audit entry."""
    zone = ZoneInfo(meeting.mailbox.time_zone)
    promise = sources.promise
    return BriefFacts(
        who=sources.who,
        sequence=sources.sequence,
        steps_sent=sources.steps_sent,
        first_sent=sources.first_sent.astimezone(zone).date() if sources.first_sent else None,
        replies=[
            Said(
                each.received_at.astimezone(zone).date(),
                LABELS.get(each.label, each.label),
                _opened(each, "text").strip()[:REPLY_LENGTH],
            )
            for each in reversed(sources.replies)
        ],
        promise=f"{promise.due_local_date:%d %B %Y} ({promise.precision})" if promise else "",
        promise_words=_opened(promise, "quote") if promise else "",
        earlier=[
            Before(each.starts_at.astimezone(zone).date(), each.get_rung_display(), _opened(each, "notes"))
            for each in sources.earlier
        ],
        notes=_opened(meeting, "notes"),
        weak=meeting.is_weak,
    )


def _opened(row: Reply | Promise | Meeting, column: str) -> str:
    if getattr(row, column) is None:
        return ""
    return (reveal(BY_SYNC, row, column, reason="brief")[column] or "").strip()
