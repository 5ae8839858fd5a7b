"""Sequences and enrolments over the API."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status

from gatepost.accounts.tokens import reads, writer
from gatepost.sequences import actions, lists
from gatepost.sequences.models import Enrolment, Sequence
from gatepost.web.api import Listing, listing

router = Router(tags=["sequences"])


class StepIn(Schema):
    delay_minutes: int = 0
    subject: str = ""
    body: str


class NewSequence(Schema):
    name: str
    steps: list[StepIn] = []


class SequenceOut(Schema):
    id: UUID
    name: str
    state: str
    steps: list[StepIn]


class NewEnrolments(Schema):
    contact_ids: list[UUID]
    mailbox_id: UUID


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
def save_steps(request: HttpRequest, sequence_id: UUID, steps: list[StepIn]) -> dict[str, Any]:
    who = writer(request)
    reads(lambda request: lists.require_may_change(who.member, sequence_id))(request)
    actions.save_steps(sequence_id, _drafts(steps), workspace_id=who.workspace_id, actor=who.actor)
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
    who = writer(request)
    _one(request, sequence_id)
    reads(lambda request: lists.require_may_enrol(who.member, new.mailbox_id))(request)
    done = actions.enrol(
        sequence_id, new.contact_ids, new.mailbox_id, workspace_id=who.workspace_id, actor=who.actor
    )
    skipped = [{"contact_id": contact, "reason": reason} for contact, reason in done.skipped]
    return {"count": done.count, "skipped": skipped}


@router.get(
    "/sequences/{uuid:sequence_id}/enrolments", response=Listing[EnrolmentOut], summary="Who is in it"
)
@reads
def enrolments(request: HttpRequest, sequence_id: UUID, state: str = "", after: str = "") -> dict[str, Any]:
    sequence = get_object_or_404(Sequence, pk=sequence_id)
    return listing(lists.enrolments(sequence, state), by="created_at", after=after, shown=_enrolment)


@router.post("/enrolments/{uuid:enrolment_id}/stop", response={204: None}, summary="Stop an enrolment")
def stop(request: HttpRequest, enrolment_id: UUID, given: StopIn) -> Status[None]:
    who = writer(request)
    reads(lambda request: get_object_or_404(Enrolment, pk=enrolment_id))(request)
    actions.stop(
        enrolment_id, Enrolment.Cause.BY_HAND, given.reason, workspace_id=who.workspace_id, actor=who.actor
    )
    return Status(204, None)


@reads
def _one(request: HttpRequest, sequence_id: UUID) -> dict[str, Any]:
    """The sequence as it is now; 404 for one of another workspace."""
    return _shown(get_object_or_404(Sequence, pk=sequence_id))


def _shown(sequence: Sequence) -> dict[str, Any]:
    steps = [
        {"delay_minutes": draft.delay_minutes, "subject": draft.subject, "body": draft.body}
        for draft in lists.drafts_of(sequence)
    ]
    return {"id": sequence.pk, "name": sequence.name, "state": sequence.state, "steps": steps}


def _drafts(steps: list[StepIn]) -> list[actions.StepDraft]:
    return [actions.StepDraft(step.delay_minutes, step.subject, step.body) for step in steps]


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
