"""Everything that is kept of a person, to hand it out: one readable JSON. Each text that is opened leaves an audit entry."""

import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO, Any
from uuid import UUID

from django.db.models import Q

from gatepost.accounts.models import Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.reveal import reveal
from gatepost.contacts.models import Contact, Suppression
from gatepost.contacts.queries import further_fields, is_suppressed, merge_fields
from gatepost.conversations.models import Promise, Reply
from gatepost.isolation import inside
from gatepost.meetings.models import Brief, Meeting, Rung
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment, Sequence
from gatepost.vault import names

REASON = "all about a person, to hand it out"


def export_contact(contact_id: UUID, *, workspace_id: UUID, actor: Actor) -> bytes:
    """All that this workspace keeps of a person, as readable JSON. That it was handed out stands in the record."""
    with inside(workspace_id):
        contact = Contact.objects.select_related("company").get(pk=contact_id)
        record(actor, tags.CONTACT_EXPORT, contact)
        return _readable(_person(contact, actor))


def export_workspace(file: IO[bytes], *, workspace_id: UUID, actor: Actor) -> None:
    """Everything of a workspace as a ZIP: a JSON for each person, the sequences, and the do-not-contact list."""
    with inside(workspace_id):
        workspace = Workspace.objects.get(pk=workspace_id)
        record(actor, tags.WORKSPACE_EXPORT, workspace, workspace_id=workspace_id)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("sequences.json", _readable(list(_sequences())))
            archive.writestr("do-not-contact.json", _readable(list(_suppressions())))
            for contact in Contact.objects.select_related("company").iterator(chunk_size=200):
                archive.writestr(f"people/{contact.pk}.json", _readable(_person(contact, actor)))


def _person(contact: Contact, actor: Actor) -> dict[str, Any]:
    suppression = is_suppressed(contact.workspace_id, names.open(contact, "email") or "")
    return {
        "person": {
            **{name: value for name, value in merge_fields(contact).items() if value},
            "phone": names.open(contact, "phone"),
            "time_zone": contact.time_zone,
            "country": contact.country,
            "further": further_fields(contact),
            "came_from": contact.source,
            "added_at": contact.created_at,
        },
        "do_not_contact": {"since": suppression.created_at, "why": suppression.get_cause_display()}
        if suppression
        else None,
        "enrolments": [
            {
                "sequence": each.sequence.name,
                "state": each.get_state_display(),
                "why": each.reason,
                "since": each.created_at,
                "ended_at": each.ended_at,
            }
            for each in Enrolment.objects.filter(contact=contact).select_related("sequence").order_by("created_at")
        ],
        "mails_to_them": [_message(each, actor) for each in Message.objects.filter(contact=contact).order_by("planned_at")],
        "replies": [_reply(each, actor) for each in _replies(contact)],
        "meetings": [
            _meeting(each, actor)
            for each in Meeting.objects.filter(Q(contact=contact) | Q(guests__contact=contact)).distinct().select_related("brief").order_by("starts_at")
        ],
    }  # fmt: skip


def _message(message: Message, actor: Actor) -> dict[str, Any]:
    texts = reveal(actor, message, "subject", "body", reason=REASON)
    return {
        "state": message.get_state_display(),
        "planned_at": message.planned_at,
        "sent_at": message.accepted_at,
        "came_back_at": message.bounced_at,
        "subject": texts["subject"],
        "text": texts["body"],
    }


def _replies(contact: Contact) -> Any:
    return (
        Reply.objects.filter(conversation__contact=contact)
        .order_by("received_at")
        .prefetch_related("promise")
    )


def _reply(reply: Reply, actor: Actor) -> dict[str, Any]:
    texts = reveal(actor, reply, "subject", "text", "third_party", reason=REASON)
    promise = Promise.objects.filter(reply=reply).first()
    return {
        "received_at": reply.received_at,
        "from": names.open(reply, "sender"),
        "subject": texts["subject"],
        "text": texts["text"],
        "label": reply.label,
        "label_of_the_program": reply.corrected_from or reply.label,
        "back_on": reply.return_local_date,
        "somebody_else_named": json.loads(texts["third_party"]) if texts["third_party"] else None,
        "asked_to_be_written_to_on": promise.due_local_date if promise else None,
    }


def _meeting(meeting: Meeting, actor: Actor) -> dict[str, Any]:
    brief = Brief.objects.filter(meeting=meeting).first()
    return {
        "starts_at": meeting.starts_at,
        "ends_at": meeting.ends_at,
        "state": meeting.get_state_display(),
        "history": [
            {"rung": each.get_rung_display(), "why": each.reason, "since": each.at}
            for each in Rung.objects.filter(meeting=meeting)
        ],
        "recognised": meeting.get_match_display(),
        **reveal(actor, meeting, "subject", "notes", reason=REASON),
        "brief": reveal(actor, brief, "text", reason=REASON)["text"] if brief else None,
    }


def _sequences() -> Iterator[dict[str, Any]]:
    for sequence in Sequence.objects.prefetch_related("steps__variants").order_by("created_at"):
        yield {
            "name": sequence.name,
            "state": sequence.get_state_display(),
            "time_zone": sequence.time_zone,
            "window": sequence.window,
            "steps": [
                {
                    "kind": step.get_kind_display(),
                    "delay_minutes": step.delay_minutes,
                    "business_days": step.business_days,
                    "conditions": step.conditions,
                    "variants": [
                        {"subject": names.open(each, "subject"), "text": names.open(each, "body")}
                        for each in step.variants.all()
                    ],
                }
                for step in sequence.steps.all()
                if step.edition == sequence.edition
            ],
        }


def _suppressions() -> Iterator[dict[str, Any]]:
    """Of somebody who was erased only the hash: it says how many, since when and why."""
    for each in Suppression.objects.filter(lifted_at__isnull=True).order_by("created_at"):
        yield {
            "kind": each.kind,
            "since": each.created_at,
            "why": each.get_cause_display(),
            "value": names.open(each, "value"),
            "keyed_hash": each.index,
        }


def _readable(said: Any) -> bytes:
    return json.dumps(said, indent=2, ensure_ascii=False, default=_written).encode()


def _written(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
