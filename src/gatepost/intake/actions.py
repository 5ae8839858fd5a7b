"""Storing what a page of envelopes brought, with the position behind it, in one transaction."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections
from django.db.models import Min, Q

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.conversations.actions import Incoming, record_reply
from gatepost.conversations.models import Reply
from gatepost.errors import Conflict
from gatepost.graph.messages import Envelope, FolderSeen
from gatepost.ids import uuid7
from gatepost.intake import queries, rules
from gatepost.intake.models import Quarantine
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import gaps
from gatepost.mailboxes.models import Folder, Gap, Mailbox
from gatepost.mailboxes.queries import require_connected
from gatepost.outbox.actions import confirmed
from gatepost.outbox.models import Message
from gatepost.rows import change
from gatepost.vault.sealing import index

# A walk after a lost position looks so much further back than it must: a mail's time is not that of its arrival.
OVERLAP = timedelta(days=1)
# All folders are read once more in a time no shorter than this, so that a quiet round need not look whether they were.
SWEEP_TAKES = timedelta(hours=6)


@dataclass(slots=True)
class Found:
    """What came of one page."""

    dropped: Counter[str] = field(default_factory=Counter)
    incoming: list[Incoming] = field(default_factory=list)
    sent: list[tuple[UUID, str]] = field(default_factory=list)  # (message, its graph id now)
    doubtful: list[tuple[UUID, Envelope]] = field(default_factory=list)
    references_came: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A page of a folder that was judged, about to be stored with the position behind it."""

    folder: Folder
    found: Found
    position: str
    done: bool
    told: int  # by the walk so far


def store_page(page: Judged) -> None:
    """Replies, confirmations, counts and the position are stored together, or not at all.

    A crash before this brings the same page again, and each of these is stored once.
    """
    with inside(page.folder.workspace_id):
        store_pages([page])


def store_pages(pages: list[Judged]) -> list[None]:
    """The same for a page each of several folders of a workspace. Inside the transaction."""
    require_connected(page.folder.mailbox_id for page in pages)
    for page in pages:
        for incoming in page.found.incoming:
            record_reply(incoming)
        for message_id, graph_id in page.found.sent:
            confirmed(Message.objects.get(pk=message_id), graph_id=graph_id)
        for message_id, envelope in page.found.doubtful:
            _quarantine(page.folder, message_id, envelope)
    _count(pages)
    learnt = {page.folder.mailbox_id for page in pages if page.found.references_came}
    if learnt:
        Mailbox.objects.filter(pk__in=learnt).exclude(references_in_delta=True).update(
            references_in_delta=True
        )
    now = clock.now()
    change(
        Folder,
        [
            (
                {"id": page.folder.pk},
                {"position": page.position, "told": page.told} | ({"synced_at": now} if page.done else {}),
            )
            for page in pages
        ],
    )  # fmt: skip
    return [None] * len(pages)


def decide(quarantine_id: UUID, ours: bool, *, workspace_id: UUID, actor: Actor) -> None:
    """A member says whether a doubtful mail answers us. Only then, and only if it does, it is read."""
    with inside(workspace_id):
        doubtful = Quarantine.objects.select_for_update().get(pk=quarantine_id)
        if doubtful.decided:
            raise Conflict("Somebody decided about this mail already.")
        doubtful.decided = "ours" if ours else "not_ours"
        doubtful.save(update_fields=["decided"])
        record(actor, tags.QUARANTINE_DECIDE, doubtful, ours=ours)
        if ours:
            _wake(doubtful.mailbox_id, workspace_id)


def confirmed_read(doubtful: Quarantine, found: Found) -> None:
    """What a member called ours is stored as a reply, or was gone: it is not looked at again."""
    with inside(doubtful.workspace_id):
        for incoming in found.incoming:
            record_reply(incoming)
        Quarantine.objects.filter(pk=doubtful.pk).update(decided="read")


def _enqueue(name: str, mailbox: Mailbox) -> None:
    enqueue(name, once_for=mailbox.pk, workspace=str(mailbox.workspace_id), mailbox=str(mailbox.pk))


def _wake(mailbox_id: UUID, workspace_id: UUID) -> None:
    enqueue("intake.sync", once_for=mailbox_id, workspace=str(workspace_id), mailbox=str(mailbox_id))


def start_again(folder: Folder) -> None:
    """Microsoft forgot our position: the next walk begins at the folder's anchor."""
    with inside(folder.workspace_id):
        gaps.begin(
            folder.mailbox,
            Gap.Cause.POSITION_LOST,
            began_at=folder.synced_at or folder.anchored_at,
            code="410",
        )
        Folder.objects.filter(pk=folder.pk).update(position="", walking=True, told=0)
    folder.walking, folder.told = True, 0


def walked(folder: Folder) -> None:
    """The walk is over: it told of as many mails as there are, or what it left out was looked at too."""
    with inside(folder.workspace_id):
        Folder.objects.filter(pk=folder.pk).update(walking=False)
    folder.walking = False


def keep_folders(
    mailbox: Mailbox,
    known: list[Folder],
    named: Mapping[str, str],
    decided: Mapping[str, rules.Receives | rules.LeaveOut],
) -> list[Folder]:
    """Folders are known as they are now: those that receive mail, and why others do not. All rows that there are.

    `named` and `decided`: by Microsoft's id. A mail in a new folder may have come at any time, also while the folder lay
    among what the rep threw away, where nobody looks: it is read from our first mail on. One that is thrown away keeps
    its position and its anchor; it may come back.
    """
    receive = {graph_id for graph_id, each in decided.items() if isinstance(each, rules.Receives)}
    with inside(mailbox.workspace_id):
        anchor = min(each.anchored_at for each in known if not each.left_out)
        first = Message.objects.filter(mailbox=mailbox).aggregate(first=Min("accepted_at"))["first"]
        anchor = min(anchor, first or anchor)
        by_name = {each.name: each for each in known if each.name}
        by_id = {each.microsoft_id: each for each in known if each.microsoft_id}
        for graph_id, name in named.items():
            if name not in by_name:
                _add_folder(mailbox, graph_id, anchor, name)
            elif by_name[name].microsoft_id != graph_id:
                mailbox.folders.filter(name=name).update(microsoft_id=graph_id)
        for graph_id in receive - by_id.keys() - named.keys():
            _add_folder(mailbox, graph_id, anchor)
        mailbox.folders.filter(name="").exclude(microsoft_id__in=decided).delete()
        for folder in by_id.values():
            if (reason := queries.left_out(folder, decided)) != folder.left_out:
                mailbox.folders.filter(pk=folder.pk).update(left_out=reason)
    return queries.folders(mailbox)


def _add_folder(mailbox: Mailbox, graph_id: str, anchored_at: datetime, name: str = "") -> None:
    kind = {"name": name, "left_out": rules.LEFT_OUT.get(name, "")}
    Folder.objects.update_or_create(
        mailbox=mailbox,
        microsoft_id=graph_id,
        defaults=kind,
        create_defaults={"workspace_id": mailbox.workspace_id, "anchored_at": anchored_at, **kind},
    )


def folder_was_read(folder: Folder, seen: FolderSeen) -> None:
    """So many mails lay in it before it was read; it is read again when there are more or fewer."""
    changes: dict[str, object] = {"total": seen.total, "unread": seen.unread}
    if folder.total is not None:
        changes["changed_at"] = clock.now()
    with inside(folder.workspace_id):
        Folder.objects.filter(pk=folder.pk).update(**changes)


def cannot_be_read(folder: Folder) -> None:
    """Microsoft refuses to list this one: it holds up no other."""
    with inside(folder.workspace_id):
        Folder.objects.filter(pk=folder.pk).update(left_out=rules.REFUSED)


def read_through(mailbox: Mailbox, started: datetime, *, next_sync: datetime) -> None:
    """All mail that arrived before `started` was looked at; sending that waited for it goes on."""
    with inside(mailbox.workspace_id):
        before = Mailbox.objects.select_for_update().get(pk=mailbox.pk)
        changes: dict[str, object] = {"read_through": started, "sync_problem": "", "not_before": None}
        # A notification that came while we read has set the time anew: it must not be pushed away.
        if before.sync_due_at is None or not started < before.sync_due_at <= clock.now():
            changes["sync_due_at"] = next_sync
        if before.problem_since is not None:
            changes |= {"problem_since": None, "problem_who": "", "problem_code": "", "tell_at": clock.now()}
        changes |= _swept(before)
        Mailbox.objects.filter(pk=mailbox.pk).update(**changes)
        if before.read_through is None:
            gaps.mail_is_in(before, **_found_in_gap(before))
        waiting = Message.objects.filter(
            mailbox=mailbox,
            state__in=(Message.State.PLANNED, Message.State.DRAFTED),
            reason="reading the mailbox first",
        )
        if waiting.update(not_before=clock.now()):
            Mailbox.objects.filter(pk=mailbox.pk).update(sending_not_before=None)
            _enqueue("sequences.send", mailbox)


def _swept(mailbox: Mailbox) -> dict[str, object]:
    """Where all folders were read twice over, walks begin at what came before. What changes of the mailbox by it.

    Once is not enough. A mail that is moved between two folders while they are read one after the other lies, each
    time, where nobody looks; and a position may be lost before the next look finds it.
    """
    now = clock.now()
    if mailbox.sweeping_since is None:
        # Notifications of the folders that were found now, where there were some of others before.
        _enqueue("mailboxes.subscribe", mailbox)
        return {"sweeping_since": now}
    if now - mailbox.sweeping_since < SWEEP_TAKES:
        return {}
    unread = Q(synced_at__isnull=True) | Q(synced_at__lte=mailbox.sweeping_since)
    if mailbox.folders.filter(unread, left_out="").exists():
        return {}
    if mailbox.swept_since is not None:
        anchor = mailbox.swept_since - OVERLAP
        mailbox.folders.filter(left_out="", anchored_at__lt=anchor).update(anchored_at=anchor)
    return {"swept_since": mailbox.sweeping_since, "sweeping_since": now}


def _found_in_gap(mailbox: Mailbox) -> dict[str, int]:
    """How many replies and delivery reports the gap that is open had in it, and how many mails begun before it wait."""
    gap = gaps.open_gap(mailbox)
    if gap is None:
        return {"replies": 0, "bounces": 0, "begun": 0}
    begun = Message.objects.filter(mailbox=mailbox, state__in=(Message.State.PLANNED, Message.State.DRAFTED))
    found = Reply.objects.filter(mailbox=mailbox, created_at__gte=gap.ended_at)
    bounces = found.filter(label="bounce").count()
    return {"replies": found.count() - bounces, "bounces": bounces, "begun": begun.count()}


def _quarantine(folder: Folder, message_id: UUID, envelope: Envelope) -> None:
    Quarantine.objects.get_or_create(
        mailbox_id=folder.mailbox_id,
        internet_message_index=index(folder.workspace_id, "message-id", envelope.internet_message_id),
        defaults={
            "workspace_id": folder.workspace_id,
            "graph_id": envelope.graph_id,
            "message_id": message_id,
            "received_at": envelope.received or clock.now(),
        },
    )


def _count(pages: list[Judged]) -> None:
    """What was dropped is added to the counts of the day, in the mailbox's time zone."""
    now = clock.now()
    counts: Counter[tuple[UUID, date, str]] = Counter()
    for page in pages:
        mailbox = page.folder.mailbox
        today = now.astimezone(ZoneInfo(mailbox.time_zone)).date()
        for reason, number in page.found.dropped.items():
            counts[mailbox.pk, today, reason] += number
    if not counts:
        return
    mailboxes, days, reasons = zip(*sorted(counts), strict=True)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO gatepost_dropcount (id, workspace_id, mailbox_id, local_date, reason, count) "
            "SELECT id, %s, mailbox, day, reason, number "
            "FROM unnest(%s::uuid[], %s::uuid[], %s::date[], %s::text[], %s::int[]) AS new (id, mailbox, day, reason, number) "
            "ON CONFLICT (mailbox_id, local_date, reason) "
            "DO UPDATE SET count = gatepost_dropcount.count + excluded.count",
            [
                pages[0].folder.workspace_id,
                [uuid7() for _ in counts],
                list(mailboxes),
                list(days),
                list(reasons),
                [counts[key] for key in sorted(counts)],
            ],
        )
