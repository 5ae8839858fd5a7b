"""Meetings over the API. Opening the texts of one leaves an audit entry with the token's name."""

from datetime import time
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status

from gatepost import clock
from gatepost.accounts.tokens import Caller, caller, reads, writer
from gatepost.mailboxes.queries import require_may_read
from gatepost.meetings import actions, lists
from gatepost.meetings.models import Meeting
from gatepost.web.api import Listing, listing

router = Router(tags=["meetings"])


class MeetingOut(Schema):
    id: UUID
    contact_id: UUID
    mailbox_id: UUID
    starts_at: str
    ends_at: str
    first_local_date: str = ""  # of an all-day meeting
    last_local_date: str = ""
    rung: str
    booked_by: str
    match: str  # by what the contact was recognised
    counts: bool  # in reports: one of several reps, one date of a series
    asks: bool  # whether a member is asked something about it
    sequence_id: UUID | None = None
    step_id: UUID | None = None
    message_id: UUID | None = None  # the mail that it is owed to


class RungOut(Schema):
    rung: str
    reason: str
    at: str


class MeetingWithTexts(MeetingOut):
    subject: str
    brief: str
    notes: str
    rungs: list[RungOut]


class NotesIn(Schema):
    notes: str


class AttributionIn(Schema):
    message_id: UUID | None = None


class NoShowIn(Schema):
    no_show: bool


class TheirsIn(Schema):
    theirs: bool


class GoOnIn(Schema):
    go_on: bool


class BriefIn(Schema):
    on_calendar: bool


class BriefTimeIn(Schema):
    by: str  # note, letter or nothing
    day: str = "before"  # before or same
    local_time: time = time(17, 0)


@router.get("/meetings", response=Listing[MeetingOut], summary="List meetings, latest first")
@reads
def meetings(request: HttpRequest, part: str = "all", rung: str = "", after: str = "") -> dict[str, Any]:
    member = caller(request).member
    known = rung if rung in Meeting.Rung.values else ""
    chosen = lists.Chosen(part=part if part in lists.PARTS else "all", rung=known)
    found = lists.listed(lists.chosen_meetings(chosen, now=clock.now(), member=member), member)
    return listing(found, by="starts_at", after=after, shown=_shown)


@router.get("/meetings/{uuid:meeting_id}", response=MeetingWithTexts, summary="Open one, with its brief")
@reads
def meeting(request: HttpRequest, meeting_id: UUID) -> dict[str, Any]:
    who = caller(request)
    found = _found(who, meeting_id)
    whole = lists.whole(found, who.actor, reason="API", now=clock.now())
    return {
        **_shown(found),
        "subject": whole.subject,
        "brief": whole.brief or "",
        "notes": whole.notes,
        "rungs": [
            {"rung": each.rung, "reason": each.reason, "at": each.at.isoformat()} for each in whole.rungs
        ],
    }


@router.put("/meetings/{uuid:meeting_id}/notes", response={204: None}, summary="Write its notes")
def notes(request: HttpRequest, meeting_id: UUID, given: NotesIn) -> Status[None]:
    who = _changer(request, meeting_id)
    actions.write_notes(meeting_id, given.notes, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.put(
    "/meetings/{uuid:meeting_id}/attribution", response={204: None}, summary="Say which mail it is owed to"
)
def attribution(request: HttpRequest, meeting_id: UUID, given: AttributionIn) -> Status[None]:
    who = _changer(request, meeting_id)
    actions.attribute(meeting_id, given.message_id, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.put("/meetings/{uuid:meeting_id}/no-show", response={204: None}, summary="Say whether anybody came")
def no_show(request: HttpRequest, meeting_id: UUID, given: NoShowIn) -> Status[None]:
    who = _changer(request, meeting_id)
    actions.mark_no_show(meeting_id, given.no_show, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.put(
    "/meetings/{uuid:meeting_id}/theirs",
    response={204: None},
    summary="Say whether one that was recognised by the company's domain is with the contact",
)
def theirs(request: HttpRequest, meeting_id: UUID, given: TheirsIn) -> Status[None]:
    who = _changer(request, meeting_id)
    actions.say_whether_theirs(meeting_id, given.theirs, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.post(
    "/meetings/{uuid:meeting_id}/go-on",
    response={204: None},
    summary="Say whether the sequence goes on after a meeting that is off",
)
def go_on(request: HttpRequest, meeting_id: UUID, given: GoOnIn) -> Status[None]:
    who = _changer(request, meeting_id)
    actions.go_on_after(meeting_id, given.go_on, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.put(
    "/meetings/{uuid:meeting_id}/brief",
    response={204: None},
    summary="Let its brief stand on the calendar, or keep it off",
)
def brief(request: HttpRequest, meeting_id: UUID, given: BriefIn) -> Status[None]:
    who = _changer(request, meeting_id)
    actions.show_brief(meeting_id, given.on_calendar, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.put("/brief-time", response={204: None}, summary="Choose when you are told of the meetings ahead")
def brief_time(request: HttpRequest, given: BriefTimeIn) -> Status[None]:
    who = writer(request)
    actions.choose_brief_time(
        who.member, by=given.by, day=given.day, local_time=given.local_time, actor=who.actor
    )
    return Status(204, None)


def _changer(request: HttpRequest, meeting_id: UUID) -> Caller:
    who = writer(request)
    reads(lambda request: _found(who, meeting_id))(request)
    return who


def _found(who: Caller, meeting_id: UUID) -> Meeting:
    found = get_object_or_404(lists.listed(Meeting.objects.all(), who.member), pk=meeting_id)
    require_may_read(who.member, found.mailbox)
    return found


def _shown(found: Meeting) -> dict[str, Any]:
    return {
        "id": found.pk,
        "contact_id": found.contact_id,
        "mailbox_id": found.mailbox_id,
        "starts_at": found.starts_at.isoformat(),
        "ends_at": found.ends_at.isoformat(),
        "first_local_date": str(found.first_local_date or ""),
        "last_local_date": str(found.last_local_date or ""),
        "rung": found.rung,
        "booked_by": found.booked_by,
        "match": found.match,
        "counts": found.counts,
        "asks": found.asks,
        "sequence_id": found.enrolment.sequence_id if found.enrolment else None,
        "step_id": found.step_id,
        "message_id": found.message_id,
    }
