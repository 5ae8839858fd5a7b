"""Sequences and enrolments over the API."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import AwareDatetime

from gatepost import clock
from gatepost.accounts.tokens import caller, reads, writer
from gatepost.contacts.models import Contact
from gatepost.isolation import inside
from gatepost.mailboxes.queries import require_may_send_from
from gatepost.sequences import absences, actions, lists
from gatepost.sequences import enrolments as enrolling
from gatepost.sequences import upcoming as to_come
from gatepost.sequences.edits import EVERYBODY, StepDraft, Wording, difference
from gatepost.sequences.models import Absence, Enrolment, Sequence, Task
from gatepost.sequences.tasks import end_task
from gatepost.web.api import Listing, listing, one_of

router = Router(tags=["sequences"])


class WordingIn(Schema):
    subject: str = ""
    body: str
    weight: int = 1


class StepIn(Schema):
    """`kind`: mail, approval, call, linkedin or task. Either `delay_minutes` or `business_days` after the step before."""

    delay_minutes: int = 0
    subject: str = ""
    body: str
    kind: str = "mail"
    business_days: int = 0
    conditions: list[str] = []
    task_days: int = 1
    weight: int = 1
    others: list[WordingIn] = []


class NewSequence(Schema):
    name: str
    steps: list[StepIn] = []


class ChangeOut(Schema):
    step: int
    what: str
    lines: list[str]


class Settings(Schema):
    """When mail may leave, when the sequence waits and pauses, and whom it leaves alone. What is left out stays."""

    window: dict[str, list[list[str]]] | None = None
    time_zone: str | None = None
    skips_holidays: bool | None = None
    spintax: bool | None = None
    absence_buffer_days: int | None = None
    cool_off_days: int | None = None
    hold_company_days: int | None = None
    bounce_limit: int | None = None
    complaint_limit: int | None = None


class SequenceOut(Schema):
    id: UUID
    name: str
    state: str
    pause_reason: str
    settings: Settings
    steps: list[StepIn]


class RunOut(Schema):
    """One step of one contact in a dry run: at the earliest then, or skipped; with the reason."""

    contact_id: UUID
    step: int
    kind: str
    at: str
    time_zone: str
    skipped: bool
    reason: str


class TaskOut(Schema):
    id: UUID
    kind: str
    state: str
    contact_id: UUID
    enrolment_id: UUID
    step: int
    due_at: str | None


class NewDaysOff(Schema):
    first: date
    last: date
    stand_in: UUID | None = None


class DaysOffOut(Schema):
    id: UUID
    member_id: UUID
    first: date
    last: date
    stand_in: UUID | None


class NewEnrolments(Schema):
    contact_ids: list[UUID]
    mailbox_id: UUID
    in_spite: str = ""


class LeftOut(Schema):
    contact_id: UUID
    reason: str


class Enrolled(Schema):
    count: int
    skipped: list[LeftOut]


class EnrolmentOut(Schema):
    id: UUID
    contact_id: UUID
    state: str
    cause: str
    reason: str
    next_step: int
    due_at: str | None


class Until(Schema):
    until: AwareDatetime


class StopIn(Schema):
    reason: str = "stopped through the API"


@router.get("/sequences", response=Listing[SequenceOut], summary="List sequences, newest first")
@reads
def sequences(request: HttpRequest, after: str = "") -> dict[str, Any]:
    return listing(Sequence.objects.all(), by="created_at", after=after, shown=_shown)


@router.post("/sequences", response={201: SequenceOut}, summary="Write a sequence")
def create(request: HttpRequest, new: NewSequence) -> Status[dict[str, Any]]:
    who = writer(request)
    made = actions.create_sequence(who.workspace_id, new.name, member=who.member)
    if new.steps:
        actions.save_steps(made.pk, _drafts(new.steps), workspace_id=who.workspace_id, actor=who.actor)
    return Status(201, _one(request, made.pk))


@router.put("/sequences/{uuid:sequence_id}/steps", response=SequenceOut, summary="Replace the steps")
def save_steps(
    request: HttpRequest, sequence_id: UUID, steps: list[StepIn], gets_it: str = EVERYBODY
) -> dict[str, Any]:
    """`gets_it`: "everybody" from their next step on, or "new": only those who are enrolled from now on."""
    who = writer(request)
    reads(lambda request: lists.require_may_change(who.member, sequence_id))(request)
    actions.save_steps(
        sequence_id, _drafts(steps), workspace_id=who.workspace_id, actor=who.actor, who=gets_it
    )
    return _one(request, sequence_id)


@router.post(
    "/sequences/{uuid:sequence_id}/difference",
    response=list[ChangeOut],
    summary="What these steps would change; nothing is stored",
)
@reads
def changes(request: HttpRequest, sequence_id: UUID, steps: list[StepIn]) -> list[dict[str, Any]]:
    found = get_object_or_404(Sequence, pk=sequence_id)
    return [
        {"step": each.step, "what": each.what, "lines": list(each.lines)}
        for each in difference(lists.drafts_of(found), _drafts(steps))
    ]


@router.patch("/sequences/{uuid:sequence_id}", response=SequenceOut, summary="Change its hours and its life")
def change(request: HttpRequest, sequence_id: UUID, given: Settings) -> dict[str, Any]:
    who = writer(request)
    reads(lambda request: lists.require_may_change(who.member, sequence_id))(request)
    settings = given.dict(exclude_none=True)
    window, zone = settings.pop("window", None), settings.pop("time_zone", None)
    if settings:
        actions.change_life(sequence_id, workspace_id=who.workspace_id, actor=who.actor, **settings)
    if window is not None or zone is not None:
        now = _one(request, sequence_id)["settings"]
        actions.change_schedule(
            sequence_id,
            window if window is not None else now["window"],
            zone or now["time_zone"],
            workspace_id=who.workspace_id,
            actor=who.actor,
        )
    return _one(request, sequence_id)


@router.get(
    "/sequences/{uuid:sequence_id}/dry-run",
    response=list[RunOut],
    summary="What would go when, for a contact or for a sample of those who can be enrolled",
)
@reads
def dry_run(request: HttpRequest, sequence_id: UUID, contact_id: UUID | None = None) -> list[dict[str, Any]]:
    found = get_object_or_404(Sequence, pk=sequence_id)
    if contact_id is not None:
        contacts = [get_object_or_404(Contact, pk=contact_id)]
    else:
        contacts = list(lists.may_be_enrolled(found.workspace_id, found)[: lists.MOST_IN_A_RUN])
    days = lists.dry_run_of(found, contacts, lists.mailbox_of(caller(request).member), start=clock.now())
    return [
        {
            "contact_id": entry.contact_id,
            "step": entry.planned.position,
            "kind": entry.planned.kind,
            "at": entry.planned.at.isoformat(),
            "time_zone": entry.time_zone,
            "skipped": entry.planned.skipped,
            "reason": entry.planned.reason,
        }
        for _day, entries in days
        for entry in entries
    ]


@router.post(
    "/sequences/{uuid:sequence_id}/archive",
    response=SequenceOut,
    summary="Put it away; who is in it is stopped",
)
def archive(request: HttpRequest, sequence_id: UUID) -> dict[str, Any]:
    who = writer(request)
    reads(lambda request: lists.require_may_change(who.member, sequence_id))(request)
    actions.archive(sequence_id, workspace_id=who.workspace_id, actor=who.actor)
    return _one(request, sequence_id)


@router.post("/sequences/{uuid:sequence_id}/activate", response=SequenceOut, summary="Let its steps go out")
def activate(request: HttpRequest, sequence_id: UUID) -> dict[str, Any]:
    who = writer(request)
    reads(lambda request: lists.require_may_change(who.member, sequence_id))(request)
    actions.activate(sequence_id, workspace_id=who.workspace_id, actor=who.actor)
    return _one(request, sequence_id)


@router.post("/sequences/{uuid:sequence_id}/pause", response=SequenceOut, summary="Let nothing of it go out")
def pause(request: HttpRequest, sequence_id: UUID) -> dict[str, Any]:
    who = writer(request)
    reads(lambda request: lists.require_may_change(who.member, sequence_id))(request)
    actions.pause(sequence_id, workspace_id=who.workspace_id, actor=who.actor)
    return _one(request, sequence_id)


@router.post("/sequences/{uuid:sequence_id}/enrolments", response=Enrolled, summary="Enrol contacts")
def enrol(request: HttpRequest, sequence_id: UUID, new: NewEnrolments) -> dict[str, Any]:
    """`in_spite`: why, where they are in another sequence (which they leave) or were a short while ago."""
    who = writer(request)
    if new.in_spite:
        lists.require_may_override(who.member)
    _one(request, sequence_id)
    reads(lambda request: lists.require_may_enrol(who.member, new.mailbox_id))(request)
    done = enrolling.enrol(
        sequence_id,
        new.contact_ids,
        new.mailbox_id,
        workspace_id=who.workspace_id,
        actor=who.actor,
        in_spite=new.in_spite,
    )
    skipped = [{"contact_id": contact, "reason": reason} for contact, reason in done.skipped]
    return {"count": done.count, "skipped": skipped}


@router.get(
    "/sequences/{uuid:sequence_id}/enrolments", response=Listing[EnrolmentOut], summary="Who is in it"
)
@reads
def enrolments(request: HttpRequest, sequence_id: UUID, state: str = "", after: str = "") -> dict[str, Any]:
    sequence = get_object_or_404(Sequence, pk=sequence_id)
    one_of(state, Enrolment.State.values, "state")
    return listing(lists.enrolments(sequence, state), by="created_at", after=after, shown=_enrolment)


@router.post("/enrolments/{uuid:enrolment_id}/stop", response={204: None}, summary="Stop an enrolment")
def stop(request: HttpRequest, enrolment_id: UUID, given: StopIn) -> Status[None]:
    who = writer(request)
    reads(lambda request: get_object_or_404(Enrolment, pk=enrolment_id))(request)
    enrolling.stop(
        enrolment_id, Enrolment.Cause.BY_HAND, given.reason, workspace_id=who.workspace_id, actor=who.actor
    )
    return Status(204, None)


@router.get(
    "/upcoming", response=Listing[EnrolmentOut], summary="Steps whose time has not come, the next one first"
)
@reads
def upcoming(request: HttpRequest, after: str = "") -> dict[str, Any]:
    found = to_come.upcoming(caller(request).member)
    return listing(found, by="due_at", after=after, shown=_enrolment, newest_first=False)


@router.post("/enrolments/{uuid:enrolment_id}/now", response=EnrolmentOut, summary="Its next step is due now")
def due_now(request: HttpRequest, enrolment_id: UUID) -> dict[str, Any]:
    return _change_upcoming(request, enrolment_id, "now")


@router.post(
    "/enrolments/{uuid:enrolment_id}/postpone", response=EnrolmentOut, summary="Its next step is due later"
)
def postpone(request: HttpRequest, enrolment_id: UUID, given: Until) -> dict[str, Any]:
    return _change_upcoming(request, enrolment_id, "postpone", given.until)


@router.post("/enrolments/{uuid:enrolment_id}/skip", response=EnrolmentOut, summary="Leave its next step out")
def skip(request: HttpRequest, enrolment_id: UUID) -> dict[str, Any]:
    return _change_upcoming(request, enrolment_id, "skip")


def _change_upcoming(
    request: HttpRequest, enrolment_id: UUID, name: str, until: datetime | None = None
) -> dict[str, Any]:
    who = writer(request)
    with inside(who.workspace_id):
        found = get_object_or_404(Enrolment.objects.select_related("mailbox"), pk=enrolment_id)
        require_may_send_from(who.member, found.mailbox)
    to_come.change(enrolment_id, name, until, workspace_id=who.workspace_id, actor=who.actor)
    with inside(who.workspace_id):
        return _enrolment(Enrolment.objects.get(pk=enrolment_id))


@router.get("/tasks", response=Listing[TaskOut], summary="What a person is to do; texts stay closed")
@reads
def tasks(request: HttpRequest, state: str = "open", after: str = "") -> dict[str, Any]:
    found = lists.tasks_of(caller(request).member, one_of(state, Task.State.values, "state"))
    return listing(found, by="created_at", after=after, shown=_task)


@router.post("/tasks/{uuid:task_id}/done", response={204: None}, summary="Done; of a mail: approved")
def task_done(request: HttpRequest, task_id: UUID) -> Status[None]:
    return _end_task(request, task_id, done=True)


@router.post("/tasks/{uuid:task_id}/skip", response={204: None}, summary="Leave this step out")
def task_skip(request: HttpRequest, task_id: UUID) -> Status[None]:
    return _end_task(request, task_id, done=False)


def _end_task(request: HttpRequest, task_id: UUID, *, done: bool) -> Status[None]:
    who = writer(request)
    reads(lambda request: require_may_send_from(who.member, get_object_or_404(Task, pk=task_id).mailbox))(
        request
    )
    end_task(task_id, done, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.get("/days-off", response=Listing[DaysOffOut], summary="Days off that are not over")
@reads
def days_off(request: HttpRequest, after: str = "") -> dict[str, Any]:
    return listing(lists.absences(caller(request).member), by="created_at", after=after, shown=_days_off)


@router.post("/days-off", response={201: DaysOffOut}, summary="Take days off")
def take_days_off(request: HttpRequest, new: NewDaysOff) -> Status[dict[str, Any]]:
    who = writer(request)
    made = absences.take_days_off(who.member, new.first, new.last, stand_in_id=new.stand_in, actor=who.actor)
    return Status(201, _days_off(made))


@router.delete("/days-off/{uuid:absence_id}", response={204: None}, summary="Give days off back")
def give_back(request: HttpRequest, absence_id: UUID) -> Status[None]:
    who = writer(request)
    reads(lambda request: get_object_or_404(lists.absences(who.member), pk=absence_id))(request)
    absences.give_back_days_off(absence_id, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@reads
def _one(request: HttpRequest, sequence_id: UUID) -> dict[str, Any]:
    """The sequence as it is now; 404 for one of another workspace."""
    return _shown(get_object_or_404(Sequence, pk=sequence_id))


def _shown(sequence: Sequence) -> dict[str, Any]:
    settings = {name: getattr(sequence, name) for name in Settings.__annotations__}
    return {
        "id": sequence.pk,
        "name": sequence.name,
        "state": sequence.state,
        "pause_reason": sequence.pause_reason,
        "settings": settings,
        "steps": [asdict(draft) for draft in lists.drafts_of(sequence)],
    }


def _drafts(steps: list[StepIn]) -> list[StepDraft]:
    return [
        StepDraft(
            step.delay_minutes,
            step.subject,
            step.body,
            kind=step.kind,
            business_days=step.business_days,
            conditions=tuple(step.conditions),
            task_days=step.task_days,
            weight=step.weight,
            others=tuple(Wording(each.subject, each.body, each.weight) for each in step.others),
        )
        for step in steps
    ]


def _task(task: Task) -> dict[str, Any]:
    return {
        "id": task.pk,
        "kind": task.kind,
        "state": task.state,
        "contact_id": task.contact_id,
        "enrolment_id": task.enrolment_id,
        "step": task.position,
        "due_at": task.due_at.isoformat() if task.due_at else None,
    }


def _days_off(absence: Absence) -> dict[str, Any]:
    return {
        "id": absence.pk,
        "member_id": absence.member_id,
        "first": absence.first_local_date,
        "last": absence.last_local_date,
        "stand_in": absence.stand_in_id,
    }


def _enrolment(enrolment: Enrolment) -> dict[str, Any]:
    return {
        "id": enrolment.pk,
        "contact_id": enrolment.contact_id,
        "state": enrolment.state,
        "cause": enrolment.cause,
        "reason": enrolment.reason,
        "next_step": enrolment.next_position,
        "due_at": enrolment.due_at.isoformat() if enrolment.due_at else None,
    }
