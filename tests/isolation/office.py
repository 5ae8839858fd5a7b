"""A workspace with a row in every table, each text of it with a mark: whoever sees the mark from elsewhere has seen too much."""

import io
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost import clock
from gatepost.accounts.models import InWorkspace, Member, Workspace
from gatepost.accounts.rules import ROLES
from gatepost.isolation import inside
from gatepost.outbox.models import Installation
from gatepost.vault.fields import SealedField
from gatepost.vault.sealing import seal
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_meeting, make_message, make_reply

# What an address calls differently than its table.
CALLED = {"import": "contactimport", "attempt": "connectattempt", "view": "savedview", "owner": "member", "heir": "member",
          "imported": "contactimport", "first": "variant", "second": "variant", "other": "contact", "person": "contact",
          "token": "apitoken", "stand_in": "member", "assigned_to": "member", "subject": "contact", "compose": "reply"}  # fmt: skip
SNIPPET = "theirs"  # an address names it, so it must not be a mark


@dataclass
class Office:
    workspace: Workspace
    mark: str
    members: dict[str, Member]
    rows: dict[str, models.Model] = field(default_factory=dict)  # by the name of their model

    def row(self, name: str) -> models.Model:
        """The row that `contact_id`, or a form's `contact`, would name. KeyError: tell it here, so that it is tried."""
        name = name.removesuffix("_id").removesuffix("_ids")
        return self.rows[CALLED.get(name, name)]


def an_office(mark: str) -> Office:
    workspace = make_workspace(mark)
    members = {role: make_member(workspace, f"{mark} {role}", role=role) for role in ROLES}
    office = Office(workspace, mark, members)
    owner = members["owner"]
    mailbox = make_mailbox(owner, f"{mark}@{mark}.example")
    contact = make_contact(workspace, f"petra@{mark}.test", first_name=mark, last_name=mark, company=mark)
    sequence = make_sequence(owner)
    enrolment = make_enrolment(sequence, contact, mailbox)
    message = make_message(enrolment)
    reply = make_reply(message, text=f"Yes, {mark}.")
    meeting = make_meeting(enrolment, brief=mark)
    made = (mailbox, contact, sequence, enrolment, message, reply, meeting)
    office.rows = {each._meta.model_name: each for each in made}
    office.rows["member"] = make_member(workspace, f"{mark} somebody", role="rep")
    Installation.objects.get_or_create(pk=1)  # as any worker's start makes it
    with inside(workspace.id):
        for model in apps.get_app_config("gatepost").get_models():
            if issubclass(model, InWorkspace):
                _one_of(model, office)
        for row, values in (
            (office.rows["snippet"], {"name": SNIPPET}),
            (office.rows["erasure"], {"receipt": f'"{mark}"'}),
        ):
            type(row).objects.filter(pk=row.pk).update(**values)  # type: ignore[attr-defined]
    return office


def _one_of(model: Any, office: Office) -> Any:
    """The office's row of this table; made where there is none yet, with what it needs."""
    name = model._meta.model_name
    if name not in office.rows:
        found = model.objects.first()
        office.rows[name] = found if found is not None else _make(model, office)
    return office.rows[name]


def _make(model: Any, office: Office) -> Any:
    row = model(workspace=office.workspace)
    for each in model._meta.local_fields:
        if each.name in ("id", "workspace") or isinstance(each, SealedField):
            continue
        if isinstance(each, models.ForeignKey):
            if not each.null or each.related_model is Member:
                setattr(row, each.name, _one_of(each.related_model, office))
        elif not each.has_default() and not each.null:
            setattr(row, each.name, _value(each, office.mark))
    for each in model._meta.local_fields:
        if isinstance(each, SealedField):
            seal(row, each.name, office.mark)
    row.save(force_insert=True)
    return row


def _value(each: "models.Field[Any, Any]", mark: str) -> Any:
    if each.choices:
        return each.choices[0][0]
    kinds: tuple[tuple[Any, Any], ...] = (
        (ArrayField, []), (models.JSONField, {}), (models.BooleanField, True), (models.DateTimeField, clock.now()),
        (models.DateField, date(2027, 1, 11)), (models.TimeField, datetime(2027, 1, 11, 9).time()),
        (models.DurationField, timedelta(hours=1)), (models.UUIDField, uuid4()), (models.BinaryField, b""),
        (models.FloatField, 0.5), (models.IntegerField, 1),
    )  # fmt: skip
    for kind, value in kinds:
        if isinstance(each, kind):
            return value
    return mark[: each.max_length]


def said(response: Any) -> str:
    """All that an answer says, also packed into a workbook or an archive."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"\n".join(archive.read(each) for each in archive.namelist())
    return content.decode(errors="replace").casefold()
