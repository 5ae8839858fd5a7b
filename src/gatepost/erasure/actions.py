"""Ordering an erasure and carrying it out, batch by batch; what has been kept long enough goes."""

import json
from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q

from gatepost import clock
from gatepost.accounts.models import Member, User, Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.contacts.actions import suppress
from gatepost.contacts.imports import stop as stop_import
from gatepost.contacts.models import Company, Contact, ContactImport, ImportPart, Suppression
from gatepost.contacts.queries import suppression_indexes
from gatepost.conversations.models import Promise, Reply
from gatepost.erasure import queries, rules
from gatepost.erasure.models import Erasure, KeptFigures
from gatepost.erasure.tables import tables_below
from gatepost.errors import BadInput, NotAllowed
from gatepost.intake.models import DropCount, Quarantine
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import actions as mailboxes
from gatepost.mailboxes.models import ConnectAttempt, Mailbox
from gatepost.mailboxes.rules import CLEAN_UP_BEFORE_ERASING_FOR
from gatepost.meetings.models import Brief, CalendarCount, Meeting
from gatepost.outbox.models import Message
from gatepost.sequences import enrolments
from gatepost.sequences.models import Enrolment
from gatepost.vault import names
from gatepost.vault.sealing import NotReadable
from gatepost.vault.signing import public_key, sign

BY_RETENTION = by_job("erasure.expire")
BY_ERASURE = by_job("erasure.carry-on")
RECEIPTS = "receipts"  # what the signing key is for
BATCH = 500
ROOTS = {Erasure.Kind.MAILBOX: Mailbox, Erasure.Kind.CONTACT: Contact, Erasure.Kind.WORKSPACE: Workspace}

# Ordering


def erase_mailbox(mailbox_id: UUID, *, workspace_id: UUID, confirm: str, actor: Actor) -> Erasure:
    """The mailbox is disconnected, and a job destroys its key and rows. `confirm`: its address, typed.

    A second order changes nothing.
    """
    with inside(workspace_id):
        asked = what_confirms(Mailbox.objects.get(pk=mailbox_id))
    _require_same(confirm, *asked)
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        return _order_mailbox(mailbox, actor)


def erase_contact(contact_id: UUID, *, workspace_id: UUID, confirm: str, actor: Actor) -> Erasure:
    """Nobody writes to this person again, and a job removes all that is kept of them. `confirm`: their address."""
    with inside(workspace_id):
        address = names.open(Contact.objects.get(pk=contact_id), "email") or ""
    _require_same(confirm, address)
    with inside(workspace_id):
        contact = Contact.objects.select_for_update().get(pk=contact_id)
        suppress(workspace_id, address, cause=Suppression.Cause.ERASED, actor=actor, source="erased")
        for enrolment in Enrolment.objects.filter(contact=contact, state__in=queries.RUNNING):
            enrolments.stop(
                enrolment.pk, Enrolment.Cause.SUPPRESSED, "erased", workspace_id=workspace_id, actor=actor
            )
        return _order(Erasure.Kind.CONTACT, contact_id, workspace_id, [], actor)


def close_workspace(workspace_id: UUID, *, confirm: str, actor: Actor) -> Erasure:
    """Nobody can sign in any more, each mailbox is disconnected, and a job erases everything. `confirm`: its name."""
    _require_same(confirm, Workspace.objects.get(pk=workspace_id).name)
    with inside(workspace_id):
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        workspace.closed_at = workspace.closed_at or clock.now()
        workspace.save(update_fields=["closed_at"])
        keys = [f"workspace:{workspace_id}"]
        for mailbox in Mailbox.objects.select_for_update().filter(workspace_id=workspace_id):
            _disconnect(mailbox, actor)
            keys.append(f"mailbox:{mailbox.pk}")
        return _order(Erasure.Kind.WORKSPACE, workspace_id, workspace_id, keys, actor)


def _order_mailbox(mailbox: Mailbox, actor: Actor) -> Erasure:
    _disconnect(mailbox, actor)
    keys = [f"mailbox:{mailbox.pk}"]
    return _order(Erasure.Kind.MAILBOX, mailbox.pk, mailbox.workspace_id, keys, actor)


def _disconnect(mailbox: Mailbox, actor: Actor) -> None:
    mailboxes.disconnect(
        mailbox.pk, workspace_id=mailbox.workspace_id, actor=actor, clean_up_for=CLEAN_UP_BEFORE_ERASING_FOR
    )
    Mailbox.objects.filter(pk=mailbox.pk).update(is_being_erased=True)


def _order(kind: str, subject_id: UUID, workspace_id: UUID, keys: list[str], actor: Actor) -> Erasure:
    erasure, new = Erasure.objects.get_or_create(
        kind=kind,
        subject_id=subject_id,
        defaults={
            "workspace_id": workspace_id,
            "ordered_at": clock.now(),
            "ordered_by": _who(actor),
            "keys": keys,
        },
    )
    if new:
        record(actor, tags.ERASURE_ORDER, erasure, kind=kind, mailbox_id=_mailbox_id(erasure))
    return erasure


def what_confirms(mailbox: Mailbox) -> list[str]:
    """What may be typed to confirm: its address or id. One whose key is gone, after a restore, has its id only."""
    try:
        return [mailboxes.own_address(mailbox), str(mailbox.pk)]
    except NotReadable:
        return [str(mailbox.pk)]


def _require_same(typed: str, *asked: str) -> None:
    if typed.strip().casefold() not in [each.strip().casefold() for each in asked]:
        raise BadInput("Nothing was erased. Type exactly what is to be erased, to confirm it.")


def _who(actor: Actor) -> str:
    if actor == BY_RETENTION:
        return "retention"
    if actor.kind == "operator":
        return "the operator"
    member = Member.objects.filter(pk=actor.id).first() if actor.kind == "member" else None
    return f"{member.role} {actor.id}" if member else f"{actor.kind} {actor.id}"


def _mailbox_id(erasure: Erasure) -> UUID | None:
    return erasure.subject_id if erasure.kind == Erasure.Kind.MAILBOX else None


# Carrying out: each of these may be repeated after a crash, and goes on where it was


def begin(erasure: Erasure, left: list[str]) -> None:
    """The keys are destroyed. `left`: what of ours may still be at Microsoft. From now on rows go."""
    with inside(erasure.workspace_id):
        fresh = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if fresh.began_at is not None:
            return
        # Whatever still cleans up has had its time.
        for mailbox in queries.mailboxes_of(fresh):
            left_behind = ["notifications", "drafts", "briefs"]
            mailboxes.cleaned_up(mailbox.pk, left_behind, workspace_id=fresh.workspace_id)
        of_mailboxes = queries.mailboxes_of(fresh).values_list("left_at_microsoft", flat=True)
        fresh.left_at_microsoft = sorted({*left, *(each for those in of_mailboxes for each in those)})
        fresh.began_at = clock.now()
        fresh.keys_destroyed_at = fresh.began_at if fresh.keys else None
        counts: Counter[str] = Counter()
        if fresh.kind == Erasure.Kind.CONTACT:
            counts = _forget_traces([fresh.subject_id])
        if fresh.kind != Erasure.Kind.WORKSPACE:
            which = (
                Q(contact_id=fresh.subject_id)
                if fresh.kind == Erasure.Kind.CONTACT
                else Q(mailbox_id=fresh.subject_id)
            )
            _keep_figures(which, fresh.workspace_id, fresh)
        fresh.counts = dict(counts)
        fresh.save()


def remove_some(erasure: Erasure) -> bool:
    """A batch of rows is gone, and counted. False when none was left."""
    with inside(erasure.workspace_id):
        fresh = Erasure.objects.select_for_update().get(pk=erasure.pk)
        root = ROOTS[Erasure.Kind(fresh.kind)]
        for table in tables_below(root):
            some = list(table.rows([fresh.subject_id]).order_by("-pk").values_list("pk", flat=True)[:BATCH])
            if some:
                removed = _remove_members(some) if table.model is Member else _remove(table.model, some)
                fresh.counts = dict(Counter(fresh.counts) + removed)
                fresh.save(update_fields=["counts"])
                return True
    return False


def finish(erasure: Erasure) -> None:
    """The last row is gone, and the receipt is signed."""
    key = public_key(RECEIPTS)  # looked up before the transaction: the keystore is another database
    with inside(erasure.workspace_id):
        fresh = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if fresh.finished_at is not None:
            return
        counts = Counter(fresh.counts)
        if fresh.kind == Erasure.Kind.WORKSPACE:
            counts += _leave_an_empty_workspace(fresh.workspace_id)
        else:
            counts += _remove(ROOTS[Erasure.Kind(fresh.kind)], [fresh.subject_id])
        fresh.counts, fresh.finished_at = dict(counts), clock.now()
        said = rules.receipt(_facts(fresh))
        signed = {"receipt": said, "signature": sign(said, purpose=RECEIPTS), "public_key": key}
        fresh.receipt = json.dumps(signed, indent=2, ensure_ascii=False)
        fresh.save()
        record(
            by_job("erasure.carry-on"),
            tags.ERASURE_FINISH,
            fresh,
            mailbox_id=_mailbox_id(fresh),
            kind=fresh.kind,
            rows=sum(counts.values()),
            left=fresh.left_at_microsoft,
        )


def _facts(erasure: Erasure) -> rules.ErasureFacts:
    assert erasure.finished_at is not None  # finish() set it
    return rules.ErasureFacts(
        id=str(erasure.pk),
        kind=erasure.kind,
        subject=str(erasure.subject_id),
        workspace=str(erasure.workspace_id),
        ordered_at=erasure.ordered_at,
        ordered_by=erasure.ordered_by,
        finished_at=erasure.finished_at,
        counts=erasure.counts,
        keys=tuple(erasure.keys),
        keys_destroyed_at=erasure.keys_destroyed_at,
        left_at_microsoft=tuple(erasure.left_at_microsoft),
        public_url=settings.GATEPOST_PUBLIC_URL,
        backup_days=settings.GATEPOST_BACKUP_DAYS,
        keystore_backup_days=settings.GATEPOST_KEYSTORE_BACKUP_DAYS,
    )


def _remove(model: Any, ids: list[UUID]) -> Counter[str]:
    """These rows are gone, and what cannot be without them. How many of each kind."""
    _sum, by_label = model._default_manager.filter(pk__in=ids).delete()
    counts: Counter[str] = Counter()
    for label, number in by_label.items():
        counts[_word(label)] += number
    return +counts


def _word(label: str) -> str:
    from django.apps import apps

    return str(apps.get_model(label)._meta.verbose_name_plural)


def _remove_members(ids: list[UUID]) -> Counter[str]:
    """These members are gone, and the sign-in of everybody who belongs to no other workspace."""
    users = list(Member.objects.filter(pk__in=ids).values_list("user_id", flat=True))
    counts = _remove(Member, ids)
    for user in users:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM workspaces_of_user(%s))", [user])
            elsewhere = cursor.fetchone()[0]
        if not elsewhere:
            counts += _remove(User, [user])
    return counts


def _leave_an_empty_workspace(workspace_id: UUID) -> Counter[str]:
    """Of the workspace an id stays, for its receipts. Its records go, which only a closed one's can."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT entries, requests FROM remove_records(%s)", [workspace_id])
        entries, requests = cursor.fetchone()
    workspace = Workspace.objects.get(pk=workspace_id)
    workspace.name, workspace.internal_domains, workspace.retention = "", [], {}
    workspace.save(update_fields=["name", "internal_domains", "retention"])
    return Counter({"audit entries": entries, "requests in the ledger": requests})


def _forget_traces(contact_ids: list[UUID]) -> Counter[str]:
    """What names these people without hanging on them is gone: doubtful mail, rejected rows, briefs, their own company."""
    counts: Counter[str] = Counter()
    contacts = list(Contact.objects.filter(pk__in=contact_ids))
    ours = Message.objects.filter(contact__in=contact_ids).values("pk")
    counts += _remove(
        Quarantine, list(Quarantine.objects.filter(message_id__in=ours).values_list("pk", flat=True))
    )
    # A brief names everybody who comes; one of a meeting ahead is written anew without them.
    Brief.objects.filter(meeting__guests__contact_id__in=contact_ids).update(
        text=None, content_hash="", facts_hash=""
    )
    for contact in contacts:
        address = names.open(contact, "email") or ""
        for imported in queries.imports_naming(address):
            ContactImport.objects.filter(pk=imported.pk).update(rejected_rows=None)
            counts["rejected rows of an import"] += 1
        for part in queries.parts_naming(address):
            if part.kind == ImportPart.Kind.FILE:
                stop_import(part.imported_id, workspace_id=part.workspace_id, actor=BY_ERASURE)
            part.delete()
            counts["rejected rows of an import"] += 1
        # The keyed hash stays, and goes on forbidding to write.
        Suppression.objects.filter(
            index__in=suppression_indexes(contact.workspace_id, address), kind="address"
        ).update(value=None)
    theirs = Company.objects.filter(contacts__in=contact_ids).exclude(
        pk__in=Contact.objects.exclude(pk__in=contact_ids).filter(company__isnull=False).values("company")
    )
    counts += _remove(Company, list(theirs.values_list("pk", flat=True).distinct()))
    return counts


def _keep_figures(which: Q, workspace_id: UUID, erasure: Erasure | None = None) -> None:
    """What reports go on counting of these rows."""
    zone = ZoneInfo(Workspace.objects.get(pk=workspace_id).time_zone)
    KeptFigures.objects.bulk_create(
        KeptFigures(
            workspace_id=workspace_id, erasure=erasure, week_local_date=week, sequence_id=sequence, step_id=step, **counts
        )
        for (week, sequence, step), counts in queries.figures_of(which, zone).items()
    )  # fmt: skip


# Retention


def choose_retention(workspace_id: UUID, chosen: dict[str, int], *, actor: Actor) -> None:
    """These kinds are kept for so many days, from the next look on. Raises BadInput; then nothing is changed."""
    for kind, days in chosen.items():
        problem = rules.problem_with(kind, days)
        if problem:
            raise BadInput(problem)
    with inside(workspace_id):
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        workspace.retention = {**workspace.retention, **chosen}
        workspace.retention_due_at = None
        workspace.save(update_fields=["retention", "retention_due_at"])
        record(actor, tags.RETENTION_CHANGE, workspace, workspace_id=workspace_id, days=chosen)


def looked_through(workspace_id: UUID, removed: dict[str, int], *, next_look: datetime) -> None:
    """What had been kept long enough is gone; the record says how much."""
    with inside(workspace_id):
        Workspace.objects.filter(pk=workspace_id).update(retention_due_at=next_look)
        if removed:
            workspace = Workspace.objects.get(pk=workspace_id)
            record(BY_RETENTION, tags.RETENTION_EXPIRE, workspace, workspace_id=workspace_id, removed=removed)


def expire_some(workspace_id: UUID, kind: str, since: datetime) -> int:
    """A batch of one kind that is older than `since` is gone. Returns how many rows: 0 when none was left."""
    with inside(workspace_id):
        return EXPIRE[kind](workspace_id, since)


def _expire_disconnected(workspace_id: UUID, since: datetime) -> int:
    found = queries.forgotten_mailboxes(since)
    for mailbox in Mailbox.objects.select_for_update().filter(pk__in=found):
        _order_mailbox(mailbox, BY_RETENTION)
    return len(found)


def _expire_contacts(workspace_id: UUID, since: datetime) -> int:
    found = queries.forgotten_contacts(since, most=BATCH)
    if not found:
        return 0
    _keep_figures(Q(contact_id__in=found), workspace_id)
    _forget_traces(found)
    for table in tables_below(Contact):
        _remove(table.model, list(table.rows(found).values_list("pk", flat=True)))
    _remove(Contact, found)
    return len(found)


def _expire_texts(workspace_id: UUID, since: datetime) -> int:
    """Subjects and texts are gone; that there was a mail, when, and its label stay."""
    ended = Enrolment.objects.exclude(state__in=queries.RUNNING).values("pk")
    old = Message.objects.filter(planned_at__lt=since, enrolment_id__in=ended)
    old = old.exclude(state__in=(Message.State.SENDING, Message.State.HELD))
    return (
        _empty(old, "subject", "body", content_hash="")
        + _empty(Promise.objects.filter(reply__received_at__lt=since), "quote")
        + _empty(Reply.objects.filter(received_at__lt=since), "text", "subject", "evidence", "third_party")
        + _empty(Brief.objects.filter(meeting__ends_at__lt=since), "text")
        + _empty(Meeting.objects.filter(ends_at__lt=since), "subject", "notes")
    )


def _empty(rows: Any, *columns: str, **more: object) -> int:
    """The sealed columns of a batch of rows hold nothing any more."""
    some_left = Q()
    for column in columns:
        some_left |= Q((f"{column}__isnull", False))
    ids = list(rows.filter(some_left).values_list("pk", flat=True)[:BATCH])
    return int(rows.model.objects.filter(pk__in=ids).update(**dict.fromkeys(columns), **more)) if ids else 0


def _expire_rejected(workspace_id: UUID, since: datetime) -> int:
    old = ContactImport.objects.filter(created_at__lt=since)
    return _empty(old, "rejected_rows") + _batch(
        ImportPart.objects.filter(imported__in=old, kind=ImportPart.Kind.REJECTED)
    )


def _expire_doubtful(workspace_id: UUID, since: datetime) -> int:
    return _batch(Quarantine.objects.filter(received_at__lt=since))


def _expire_attempts(workspace_id: UUID, since: datetime) -> int:
    return _batch(ConnectAttempt.objects.filter(created_at__lt=since))


def _expire_counts(workspace_id: UUID, since: datetime) -> int:
    day = since.date()
    return _batch(DropCount.objects.filter(local_date__lt=day)) + _batch(
        CalendarCount.objects.filter(local_date__lt=day)
    )


def _batch(rows: Any) -> int:
    return sum(_remove(rows.model, list(rows.values_list("pk", flat=True)[:BATCH])).values())


def _expire_requests(workspace_id: UUID, since: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT expire_ledger(%s, %s, %s)", [workspace_id, since, 10 * BATCH])
        removed = int(cursor.fetchone()[0])
    if removed:
        # With the rows, so that whoever checks the chain of the records knows which may be missing.
        workspace = Workspace.objects.get(pk=workspace_id)
        record(
            BY_RETENTION, tags.RETENTION_LEDGER, workspace, workspace_id=workspace_id, removed=removed,
            before=since.isoformat(),
        )  # fmt: skip
    return removed


EXPIRE = {
    "disconnected": _expire_disconnected,
    "texts": _expire_texts,
    "contacts": _expire_contacts,
    "rejected": _expire_rejected,
    "doubtful": _expire_doubtful,
    "attempts": _expire_attempts,
    "counts": _expire_counts,
    "requests": _expire_requests,
}


def woken(workspace_id: UUID, erasure_id: UUID) -> None:
    with inside(workspace_id):
        enqueue("erasure.carry-on", once_for=erasure_id, workspace=str(workspace_id), erasure=str(erasure_id))


def require_administrator(member: Member) -> None:
    if not member.may_administer:
        raise NotAllowed("Only an owner or administrator of the workspace can do this.")


def require_owner(member: Member) -> None:
    if member.role != Member.Role.OWNER:
        raise NotAllowed("Only an owner of the workspace may close it.")
