"""What the calendar shows of meetings, what members say of them, and writing briefs."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.reveal import reveal
from gatepost.contacts.models import Contact
from gatepost.contacts.rules import domain_of
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import gaps, notices
from gatepost.mailboxes.models import Mailbox, Notice
from gatepost.meetings import queries, rules
from gatepost.meetings.models import Brief, BriefTime, CalendarCount, Guest, Meeting, Rung
from gatepost.meetings.queries import BY_SYNC, Judged
from gatepost.meetings.rules import Stands
from gatepost.outbox.models import Message
from gatepost.sequences import enrolments
from gatepost.sequences.models import Enrolment
from gatepost.vault import names
from gatepost.vault.sealing import index, seal

# Why an enrolment waits while a meeting is only by its domain with the contact's company.
UNSURE = "a meeting with somebody of their company stands in the calendar: say whether it is with them"
NOTES_LENGTH = 4000
_STATES = {
    rules.Rung.CANCELLED: Meeting.State.CANCELLED,
    rules.Rung.DECLINED: Meeting.State.DECLINED,
    rules.Rung.DISMISSED: Meeting.State.CANCELLED,
}


# As the calendar shows it


def book(mailbox: Mailbox, judged: Judged, subject: str, stands: Stands) -> Meeting:
    """The meeting is known, and its contacts get no further step, in one transaction.

    Where only their company's domain is known, the next step waits until a member says whether it is with them.
    """
    event = judged.event
    with inside(mailbox.workspace_id):
        new = judged.meeting is None
        meeting = judged.meeting or Meeting(
            workspace_id=mailbox.workspace_id,
            mailbox=mailbox,
            ical_uid_index=judged.uid_index,
            series_index=judged.series_index,
            in_series=event.in_series,
            found_at=clock.now(),
            booked_at=min(event.created or clock.now(), clock.now()),
        )
        if judged.facts.guests:
            _name_guests(meeting, judged.facts.guests)
        meeting.booked_by = judged.facts.booked_by
        meeting.booked_by_contact = meeting.booked_by in (
            Meeting.BookedBy.CONTACT,
            Meeting.BookedBy.BOOKING_PAGE,
        )
        if new or (judged.facts.guests and not meeting.attributed_by_hand):
            _attribute(meeting, judged)
        _set_time(meeting, judged)
        seal(meeting, "subject", subject or None)
        meeting.asks = meeting.is_weak
        _stand(meeting, stands)
        _save_guests(meeting, judged)
        _count_once(meeting)
        record(BY_SYNC, tags.MEETING_BOOK, meeting, mailbox_id=mailbox.id, rung=meeting.rung)
        _tell_of_briefs(mailbox)
        _stop(meeting, judged.enrolments.values())
    return meeting


def change(judged: Judged, decision: rules.Change) -> None:
    """The meeting is as the calendar has it now: time, answers, guests. Its brief follows."""
    meeting = judged.meeting
    assert meeting is not None
    with inside(meeting.workspace_id):
        before = meeting.starts_at
        _set_time(meeting, judged)
        if decision.moved:
            reason = f"from {before:%d %b %Y, %H:%M} to {meeting.starts_at:%d %b %Y, %H:%M} UTC"
            _note(meeting, Stands(rules.Rung.MOVED, reason))
        if judged.facts.guests:
            was_weak = meeting.is_weak
            _name_guests(meeting, judged.facts.guests)
            meeting.asks = meeting.asks and meeting.is_weak
            if was_weak and not meeting.is_weak and not meeting.attributed_by_hand:
                _attribute(meeting, judged)
        if meeting.is_private:
            seal(meeting, "subject", None)
        _stand(meeting, decision.stands)
        _save_guests(meeting, judged)
        _count_once(meeting)
        record(
            BY_SYNC, tags.MEETING_MOVE if decision.moved else tags.MEETING_RUNG, meeting, rung=meeting.rung
        )
        # Only what is new stops: whoever was enrolled again since they booked is meant to be.
        known = judged.facts.known.guests if judged.facts.known else frozenset()
        new = [
            each.contact_id for each in judged.facts.guests if (each.contact_id, each.is_sure) not in known
        ]
        _stop(meeting, [judged.enrolments[contact_id] for contact_id in new])


def cancel(meeting: Meeting, stands: Stands) -> None:
    """The meeting is off. What it stopped stays stopped, and its rep is asked whether to go on."""
    with inside(meeting.workspace_id):
        stopped = Enrolment.objects.filter(
            pk__in=Guest.objects.filter(meeting=meeting).values("enrolment_id"),
            state=Enrolment.State.STOPPED,
            cause=Enrolment.Cause.MEETING,
        )
        if meeting.is_weak:
            _let_go(meeting, BY_SYNC)
        meeting.asks = stopped.exists() and not _another_stands(meeting)
        _stand(meeting, stands)
        _count_once(meeting)
        record(BY_SYNC, tags.MEETING_CANCEL, meeting, reason=stands.reason, rung=meeting.rung)
        if meeting.asks:
            member = Mailbox.objects.select_related("member__user").get(pk=meeting.mailbox_id).member
            notices.tell(member, Notice.Kind.MEETING_OFF, about=str(meeting.pk))


def took_place(meeting: Meeting, *, read_at: datetime) -> bool:
    """Its time passed in a calendar that still showed it. False where that says nothing."""
    stands = rules.is_over(meeting.rung, meeting.ends_at, read_at=read_at)
    if stands is None:
        return False
    with inside(meeting.workspace_id):
        _stand(meeting, stands, at=meeting.ends_at)
        record(BY_SYNC, tags.MEETING_RUNG, meeting, rung=meeting.rung)
    return True


def _stand(meeting: Meeting, stands: Stands | None, *, at: datetime | None = None) -> None:
    """The meeting stands on this rung, and the history says so. None: on the same as before."""
    if stands is not None:
        meeting.rung = stands.rung.value
        meeting.state = _STATES.get(stands.rung, Meeting.State.BOOKED)
    meeting.save()
    if stands is not None:
        _note(meeting, stands, at=at)


def _note(meeting: Meeting, stands: Stands, *, at: datetime | None = None) -> None:
    Rung.objects.create(
        workspace_id=meeting.workspace_id, meeting=meeting, rung=stands.rung.value, reason=stands.reason[:200],
        at=at or clock.now(),
    )  # fmt: skip


def _set_time(meeting: Meeting, judged: Judged) -> None:
    event = judged.event
    meeting.graph_id, meeting.change_key, meeting.is_private = (
        event.graph_id,
        event.change_key,
        event.is_private,
    )
    meeting.starts_at, meeting.ends_at = event.starts, event.ends
    meeting.first_local_date, meeting.last_local_date = judged.days or (None, None)


def _name_guests(meeting: Meeting, guests: tuple[rules.Guest, ...]) -> None:
    """Who comes first in it: the one known best."""
    order = list(rules.Match)
    best = min(guests, key=lambda each: (order.index(each.match), str(each.contact_id)))
    known = {each.contact_id: each for each in guests}
    chosen = known.get(meeting.contact_id) if meeting.contact_id else None
    if chosen is None or (best.is_sure and not chosen.is_sure):
        chosen = best
    meeting.contact_id, meeting.match = chosen.contact_id, chosen.match.value


def _save_guests(meeting: Meeting, judged: Judged) -> None:
    if not judged.facts.guests:
        return
    Guest.objects.filter(meeting=meeting).delete()
    Guest.objects.bulk_create(
        Guest(
            workspace_id=meeting.workspace_id, meeting=meeting, contact_id=each.contact_id,
            enrolment=judged.enrolments[each.contact_id], match=each.match.value, answer=each.answer,
        )
        for each in judged.facts.guests
    )  # fmt: skip


def _attribute(meeting: Meeting, judged: Judged) -> None:
    sure = [each.contact_id for each in judged.facts.guests if each.is_sure]
    assert meeting.booked_at is not None
    owed = queries.owed_to(sure, meeting.booked_at)
    _owe(meeting, owed)


def _owe(meeting: Meeting, owed: Message | None) -> None:
    meeting.message = owed
    meeting.enrolment_id = owed.enrolment_id if owed else None
    meeting.step_id = owed.step_id if owed else None


def _stop(meeting: Meeting, those: Iterable[Enrolment]) -> None:
    for enrolment in those:
        if not rules.stops(enrolled_at=enrolment.created_at, ends=meeting.ends_at):
            continue
        if not meeting.is_weak:
            enrolments.stop(
                enrolment.pk, Enrolment.Cause.MEETING, "booked a meeting", workspace_id=meeting.workspace_id, actor=BY_SYNC
            )  # fmt: skip
        elif enrolment.state == Enrolment.State.ACTIVE:
            enrolments.pause_until(
                enrolment.pk, None, UNSURE, workspace_id=meeting.workspace_id, actor=BY_SYNC
            )


def _let_go(meeting: Meeting, actor: Actor) -> None:
    """What waited for the meeting goes on."""
    waiting = Enrolment.objects.filter(
        pk__in=Guest.objects.filter(meeting=meeting).values("enrolment_id"),
        state=Enrolment.State.PAUSED,
        reason=UNSURE,
    )
    for enrolment_id in waiting.values_list("pk", flat=True):
        enrolments.resume(enrolment_id, workspace_id=meeting.workspace_id, actor=actor)


def _another_stands(meeting: Meeting) -> bool:
    """Another meeting with one of the guests is on, so that nobody need be asked."""
    contacts = Guest.objects.filter(meeting=meeting).values("contact_id")
    others = Meeting.objects.filter(guests__contact_id__in=contacts, ends_at__gt=clock.now())
    return others.filter(rung__in=queries.STANDING).exclude(pk=meeting.pk).exists()


def _count_once(meeting: Meeting) -> None:
    """Of several reps' rows of a meeting, and of the dates of a series, one counts in reports."""
    with connection.cursor() as cursor:  # two calendars may bring the same meeting at the same moment
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"meeting {meeting.series_index}"]
        )
    same = Meeting.objects.filter(series_index=meeting.series_index) if meeting.series_index else None
    rows = list(same if same is not None else Meeting.objects.filter(pk=meeting.pk))
    chosen = rules.counting(
        rules.Row(
            each.pk,
            each.found_at,
            each.state == Meeting.State.BOOKED,
            not each.is_weak and each.rung != Meeting.Rung.DISMISSED,
        )
        for each in rows
    )
    for each in rows:
        counts = each.pk == chosen
        if each.counts != counts:
            Meeting.objects.filter(pk=each.pk).update(counts=counts)
        if each.pk == meeting.pk:
            meeting.counts = counts


def know_domains(contacts: list[Contact]) -> None:
    """The domain of each is kept as a hash, so that colleagues of theirs are recognised."""
    for contact in contacts:
        with inside(contact.workspace_id):
            domain = domain_of(names.open(contact, "email") or "")
            Contact.objects.filter(pk=contact.pk).update(
                domain_index=index(contact.workspace_id, "domain", domain)
            )


# As members say


def mark_no_show(meeting_id: UUID, no_show: bool, *, workspace_id: UUID, actor: Actor) -> None:
    """Nobody came to a meeting that is over, or it took place after all. Raises Conflict before its time."""
    with inside(workspace_id):
        meeting = Meeting.objects.select_for_update().get(pk=meeting_id)
        if meeting.starts_at > clock.now():
            raise Conflict("This meeting is still ahead.")
        if meeting.rung in (*rules.OFF, rules.Rung.DISMISSED):
            raise Conflict("This meeting was off: nobody was expected.")
        rung = rules.Rung.NO_SHOW if no_show else rules.Rung.TOOK_PLACE
        if meeting.rung != rung:
            _stand(meeting, Stands(rung, "a member said that nobody came" if no_show else "a member said so"))
            record(actor, tags.MEETING_RUNG, meeting, rung=meeting.rung)


def say_whether_theirs(meeting_id: UUID, theirs: bool, *, workspace_id: UUID, actor: Actor) -> None:
    """A meeting known by the company's domain is with the contact, which stops the sequence; or it is not: nothing of
    it is kept but its time, and what waited goes on. Raises Conflict where that is known already."""
    with inside(workspace_id):
        meeting = Meeting.objects.select_for_update().get(pk=meeting_id)
        if not meeting.is_weak or meeting.rung == Meeting.Rung.DISMISSED:
            raise Conflict("Nothing is unsure about this meeting any more.")
        meeting.asks = False
        guests = Guest.objects.filter(meeting=meeting)
        if theirs:
            meeting.match = Meeting.Match.BY_HAND
            guests.update(match=Meeting.Match.BY_HAND)
            assert meeting.booked_at is not None
            _owe(meeting, queries.owed_to(guests.values_list("contact_id", flat=True), meeting.booked_at))
            meeting.save()
            if meeting.rung in rules.STANDING:
                found = Enrolment.objects.filter(pk__in=guests.values("enrolment_id"))
                _stop(meeting, list(found))
        else:
            _let_go(meeting, actor)
            seal(meeting, "subject", None)
            seal(meeting, "notes", None)
            _stand(meeting, Stands(rules.Rung.DISMISSED, "a member said that it is not with them"))
        _count_once(meeting)
        record(actor, tags.MEETING_THEIRS, meeting, theirs=theirs)
        _look_soon(meeting)


def go_on_after(meeting_id: UUID, go_on: bool, *, workspace_id: UUID, actor: Actor) -> None:
    """After a meeting that is off: what it stopped goes on, or stays stopped. Raises Conflict where it cannot go on."""
    with inside(workspace_id):
        meeting = Meeting.objects.select_for_update().get(pk=meeting_id)
        if meeting.rung not in rules.OFF:
            raise Conflict("This meeting is not off.")
        if go_on:
            guests = Guest.objects.filter(meeting=meeting, enrolment__isnull=False)
            stopped = Enrolment.objects.filter(
                pk__in=guests.values("enrolment_id"),
                state=Enrolment.State.STOPPED,
                cause=Enrolment.Cause.MEETING,
            )
            found = list(stopped.values_list("pk", flat=True))
            if not found:
                raise Conflict("No sequence was stopped by this meeting.")
            for enrolment_id in found:
                enrolments.go_on(enrolment_id, workspace_id=workspace_id, actor=actor)
        meeting.asks = False
        meeting.save(update_fields=["asks"])
        Notice.objects.filter(
            kind=Notice.Kind.MEETING_OFF, about=str(meeting.pk), seen_at__isnull=True
        ).update(seen_at=clock.now())
        record(actor, tags.MEETING_GO_ON, meeting, go_on=go_on)


def attribute(meeting_id: UUID, message_id: UUID | None, *, workspace_id: UUID, actor: Actor) -> None:
    """The meeting is owed to this mail, or to none, whatever the calendar shows later. Raises BadInput."""
    with inside(workspace_id):
        meeting = Meeting.objects.select_for_update().get(pk=meeting_id)
        owed = None
        if message_id is not None:
            contacts = [
                meeting.contact_id,
                *Guest.objects.filter(meeting=meeting).values_list("contact_id", flat=True),
            ]
            owed = Message.objects.filter(
                pk=message_id, contact_id__in=contacts, accepted_at__isnull=False
            ).first()
            if owed is None:
                raise BadInput("Choose a mail that was sent to one of those who come.")
        _owe(meeting, owed)
        meeting.attributed_by_hand = True
        meeting.save()
        record(actor, tags.MEETING_ATTRIBUTE, meeting, message=str(message_id or ""))


def write_notes(meeting_id: UUID, notes: str, *, workspace_id: UUID, actor: Actor) -> None:
    """The rep's notes, which stand in the brief of this meeting and of later ones. Raises BadInput."""
    notes = notes.replace("\r\n", "\n").strip()
    if len(notes) > NOTES_LENGTH:
        raise BadInput(f"Notes are at most {NOTES_LENGTH:,} characters long. Nothing was changed.")
    with inside(workspace_id):
        meeting = Meeting.objects.select_for_update().get(pk=meeting_id)
        seal(meeting, "notes", notes or None)
        meeting.noted_at = clock.now()
        meeting.save(update_fields=["notes", "noted_at"])
        record(actor, tags.MEETING_NOTES, meeting)
        _look_soon(meeting)


def show_brief(meeting_id: UUID, on_calendar: bool, *, workspace_id: UUID, actor: Actor) -> None:
    """The brief of this meeting may stand on the calendar, or leaves it."""
    with inside(workspace_id):
        meeting = Meeting.objects.select_for_update().get(pk=meeting_id)
        if meeting.brief_on_calendar != on_calendar:
            meeting.brief_on_calendar = on_calendar
            meeting.save(update_fields=["brief_on_calendar"])
            record(actor, tags.BRIEF_SWITCH, meeting, on=on_calendar)
            _look_soon(meeting)


def _look_soon(meeting: Meeting) -> None:
    """The calendar follows. Inside the caller's transaction."""
    Mailbox.objects.filter(pk=meeting.mailbox_id, state=Mailbox.State.CONNECTED).update(
        calendar_due_at=clock.now()
    )
    enqueue(
        "meetings.sync", once_for=meeting.mailbox_id, workspace=str(meeting.workspace_id), mailbox=str(meeting.mailbox_id)
    )  # fmt: skip


# Briefs


def write_briefs(meetings: Iterable[Meeting]) -> list[tuple[Brief, str | None]]:
    """The brief of each says what is known now, one after another."""
    return [write_brief(each) for each in meetings]


def write_brief(meeting: Meeting) -> tuple[Brief, str | None]:
    """The brief says what is known now. Returns it with its text; None where nothing changed and nothing was opened."""
    with inside(meeting.workspace_id):
        sources = queries.brief_sources(meeting)
        brief = Brief.objects.filter(meeting=meeting).first() or Brief(
            workspace_id=meeting.workspace_id, mailbox_id=meeting.mailbox_id, meeting=meeting
        )
        if brief.facts_hash == sources.digest:
            return brief, None
        text = rules.brief_text(queries.brief_facts(meeting, sources))
        digest = hashlib.sha256(text.encode()).hexdigest()
        changed, brief.facts_hash = brief.content_hash != digest, sources.digest
        if changed:
            brief.content_hash, brief.written_at = digest, clock.now()
            seal(brief, "text", text)
        brief.save()
        if changed:
            record(BY_SYNC, tags.BRIEF_WRITE, brief)
    return brief, text


def open_brief(brief: Brief) -> str:
    """The brief's text, to show it in the calendar. Opening it leaves an audit entry."""
    with inside(brief.workspace_id):
        return reveal(BY_SYNC, brief, "text", reason="brief on the calendar")["text"] or ""


def brief_shown(brief: Brief, event_id: str, event_hash: str) -> None:
    """The rep's calendar shows the brief as this event; "" when it was removed."""
    with inside(brief.workspace_id):
        Brief.objects.filter(pk=brief.pk).update(event_id=event_id, event_hash=event_hash)
        if not event_id:
            record(BY_SYNC, tags.BRIEF_REMOVE, brief)


def choose_brief_time(member: Member, *, by: str, day: str, local_time: time, actor: Actor) -> BriefTime:
    """The member is told of coming meetings so, at that time of day in the zone of their mailbox. Raises BadInput."""
    if by not in BriefTime.By.values or day not in BriefTime.Day.values:
        raise BadInput("Choose how and for which day you are told.")
    with inside(member.workspace_id):
        chosen, _ = BriefTime.objects.update_or_create(
            member=member,
            defaults={"workspace_id": member.workspace_id, "by": by, "day": day, "local_time": local_time},
        )
        _next_telling(chosen)
        record(actor, tags.BRIEF_TIME, chosen, by=by, day=day, at=local_time.isoformat("minutes"))
    return chosen


def _tell_of_briefs(mailbox: Mailbox) -> None:
    """Whoever has a meeting ahead and never chose is told in Gatepost, the evening before."""
    chosen, new = BriefTime.objects.get_or_create(
        member_id=mailbox.member_id, defaults={"workspace_id": mailbox.workspace_id}
    )
    if new:
        _next_telling(chosen)


def tell_of_briefs(brief_time_id: UUID, *, workspace_id: UUID) -> int:
    """The member was told of the day's meetings, and is told next at the time of their choice. How many they are."""
    with inside(workspace_id):
        chosen = BriefTime.objects.select_for_update().filter(pk=brief_time_id).first()
        now = clock.now()
        if chosen is None or chosen.due_at is None or chosen.due_at > now:
            return 0
        _next_telling(chosen)
        if chosen.by == BriefTime.By.NOTHING:
            return 0
        member = Member.objects.select_related("user").get(pk=chosen.member_id)
        coming = queries.told_of(member, chosen.day, now)
        Notice.objects.filter(member=member, kind=Notice.Kind.BRIEFS, seen_at__isnull=True).update(
            seen_at=now
        )
        if coming:
            notices.tell(
                member, Notice.Kind.BRIEFS, about=f"{len(coming)} {chosen.day}",
                by_letter=chosen.by == BriefTime.By.LETTER,
            )  # fmt: skip
    return len(coming)


def _next_telling(chosen: BriefTime) -> None:
    off = chosen.by == BriefTime.By.NOTHING
    zone = queries.zone_of_member(chosen.member_id)
    chosen.due_at = None if off else rules.next_telling(chosen.local_time, zone, after=clock.now())
    chosen.save(update_fields=["due_at"])


# The look itself


def calendar_read(mailbox: Mailbox, started: datetime, without_contact: int, *, next_sync: datetime) -> None:
    """The window was read. Of the events without a contact only their number stays: the day's latest, not a sum."""
    today = clock.now().astimezone(ZoneInfo(mailbox.time_zone)).date()
    with inside(mailbox.workspace_id):
        CalendarCount.objects.update_or_create(
            mailbox=mailbox,
            local_date=today,
            defaults={"workspace_id": mailbox.workspace_id, "without_contact": without_contact},
        )
        before = Mailbox.objects.select_for_update().get(pk=mailbox.pk)
        changes: dict[str, object] = {"calendar_read_through": started, "calendar_problem": ""}
        # A notification that came while we read has set the time anew: it must not be pushed away.
        if before.calendar_due_at is None or not started < before.calendar_due_at <= clock.now():
            changes["calendar_due_at"] = next_sync
        if before.calendar_problem:
            changes["tell_at"] = clock.now()
        Mailbox.objects.filter(pk=mailbox.pk).update(**changes)
        if before.calendar_read_through is None:
            gap = gaps.open_gap(before)
            found = Meeting.objects.filter(mailbox=mailbox, found_at__gte=gap.ended_at).count() if gap else 0
            gaps.calendar_is_in(before, meetings=found)


def try_again(mailbox: Mailbox, *, next_sync: datetime, refused: str = "") -> None:
    """The calendar could not be read. `refused` is Microsoft's code of a definite no: nothing waits for it then."""
    with inside(mailbox.workspace_id):
        this = Mailbox.objects.filter(pk=mailbox.pk)
        this.update(calendar_due_at=next_sync)
        if refused and this.exclude(calendar_problem=refused).update(
            calendar_problem=refused[:60], tell_at=clock.now()
        ):
            gaps.calendar_is_in(mailbox, meetings=0)
