"""Noticing that this database was restored from a backup, or is a copy. Then nothing leaves until somebody says go.

Mails that were sent after the backup are unknown to it, and a copy would mail real people. Three witnesses lie outside
what is restored: a *beat* in a file of this machine and in the keystore, which grows while a worker runs; the server's
own mark; and the mailboxes, whose mails of ours carry numbers (`outbox.comparing`). Why and how:
docs/decisions/0004-exactly-once-sends.md, for the operator docs/operate/run.md.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest

from gatepost import clock
from gatepost.accounts.models import Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.errors import Conflict, GatepostError
from gatepost.isolation import inside
from gatepost.jobs.ticks import at_start, tick
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.outbox import rules
from gatepost.outbox.models import Installation, Message, Recovery, Stray
from gatepost.outbox.rules import Stop, Witness
from gatepost.vault import keys

log = logging.getLogger(__name__)
BY_START = by_job("outbox.begin")
BEAT_SECONDS = 10.0

# The highest beat that this process has seen. A database whose beat falls below it was restored under our feet.
_seen = 0


class UnknownMachine(GatepostError):
    "This machine has no record of the installation; it may be a copy. It says how to make it a further worker."

    who = "operator"


@at_start
def begin() -> None:
    """A worker starts. Raises UnknownMachine; where the database was restored or copied, all sending is stopped."""
    global _seen
    with transaction.atomic():
        row = Installation.objects.select_for_update().get_or_create(pk=1)[0]
        ours = _of_this_machine(row)
        stop = rules.sees_a_restore(
            Witness(row.instance, row.beat), _outside(row, ours), mark=row.mark, mark_now=_mark()
        )
        if stop is not None:
            _stop_all(stop, known_until=row.beat_at or clock.now())
        beats = [row.beat, ours.beat if ours else 0, keys.noted_beat(row.instance)]
        row.beat = row.started_at_beat = max(beats) + 2  # beyond what a recovery has just noted
        row.beat_at, row.mark = clock.now(), _mark()
        row.save()
    _seen = row.beat
    _note(row.instance if ours is None else ours.instance, row)


@tick("outbox.beat", every_seconds=BEAT_SECONDS)
def beat() -> int:
    """The beat grows, first in the database and then outside it: what lies outside is never ahead of what was lost."""
    global _seen
    with transaction.atomic():
        row = Installation.objects.select_for_update().filter(pk=1).first()
        if row is None:
            return 0
        if row.beat < _seen:
            _stop_all(
                Stop("the database became older while a worker ran"), known_until=row.beat_at or clock.now()
            )
            row.refresh_from_db()
        row.beat, row.beat_at = max(row.beat, _seen) + 1, clock.now()
        row.save(update_fields=["beat", "beat_at"])
    _seen = row.beat
    if ours := _of_this_machine(row):
        _note(ours.instance, row)
    return 0


@dataclass(frozen=True, slots=True)
class Sending:
    """Whether a mailbox may send, as far as restored databases go."""

    recovery: str  # why all is stopped; "" while it is not
    compared: bool


def sending_of(mailbox: Mailbox) -> Sending:
    """Inside a transaction of its workspace."""
    return sending_of_each([mailbox])[0]


def sending_of_each(mailboxes: Iterable[Mailbox]) -> list[Sending]:
    """The same for several of one workspace."""
    global _seen
    seen = _seen  # before the row is read: another thread's beat in between is no database that became older
    row = Installation.objects.filter(pk=1).first()
    if row is None:
        return [Sending("", True) for _ in mailboxes]  # no worker ever started
    if row.beat < seen:
        _stop_all(
            Stop("the database became older while a worker ran"), known_until=row.beat_at or clock.now()
        )
    _seen = max(_seen, row.beat)
    recovery = reason_of_recovery()
    return [Sending(recovery, each.compared_at_beat >= row.started_at_beat) for each in mailboxes]


def can_be_compared(mailbox: Mailbox) -> bool:
    """Whether it may be looked what the mailbox sent. One that only sends keeps no marks that we may read."""
    with inside(mailbox.workspace_id):
        return "drafts" in mailbox.running


def may_have_left_before(message: Message, mailbox: Mailbox, *, known_since: datetime) -> bool:
    """Whether a message of an enrolment that began at `known_since` may have left before a restore, and nobody
    can look. Once a person has decided about it, its revision says so. Inside a transaction of its workspace."""
    if "drafts" in mailbox.running or message.revision > 0:
        return False
    return Recovery.objects.filter(began_at__gte=known_since).exists()


def reason_of_recovery() -> str:
    """Inside a transaction of a workspace."""
    found = Recovery.objects.filter(go_at__isnull=True).order_by("pk").first()
    return found.reason if found else ""


def sent_before(messages: Sequence[Message]) -> list[datetime | None]:
    """When a mailbox sent the step of each to its address, which the database had forgotten."""
    strays = list(Stray.objects.filter(guard__in={each.guard for each in messages}))
    return [
        max((each.sent_at for each in strays if each.guard == of.guard and each.key != of.key), default=None)
        for of in messages
    ]


def stop_all(reason: str) -> None:
    """A mailbox knows mails of ours that this database does not."""
    with transaction.atomic():
        row = Installation.objects.select_for_update().get_or_create(pk=1)[0]
        _stop_all(Stop(reason), known_until=row.beat_at or clock.now())


def replace_original(workspace_id: UUID, *, actor: Actor) -> None:
    """This copy takes the place of its original, which never runs again: only the operator can know that.

    From here on it is a restored database like any other. Until then it touches no mailbox: the drafts in them
    are its original's.
    """
    with inside(workspace_id):
        recovery = Recovery.objects.select_for_update().filter(go_at__isnull=True, copied=True).first()
        if recovery is None:
            raise Conflict("This is no copy of another installation.")
        recovery.copied, recovery.began_at = False, clock.now()
        recovery.save(update_fields=["copied", "began_at"])
        record(actor, tags.RECOVERY_GO, recovery, replaces_original=True)
    _replace_original()


def go(workspace_id: UUID, *, actor: Actor) -> None:
    """What waits may leave again. Raises Conflict while a connected mailbox was not compared, and on a copy."""
    with inside(workspace_id):
        recovery = Recovery.objects.select_for_update().filter(go_at__isnull=True).first()
        if recovery is None:
            raise Conflict("Sending is not stopped here.")
        if recovery.copied:
            raise Conflict(
                "This is a copy of another installation. If that one never runs again, the operator says so with: "
                "gatepost recovery go --replaces-original"
            )
        waiting = len(not_compared())
        if waiting:
            raise Conflict(
                f"{waiting} connected mailboxes were not compared yet. Wait for them, or disconnect those that "
                "cannot be reached; they are compared when they are connected again."
            )
        recovery.go_at = clock.now()
        recovery.save(update_fields=["go_at"])
        Mailbox.objects.update(sending_not_before=None)
        Message.objects.filter(reason__startswith="all sending is stopped").update(
            not_before=clock.now(), reason=""
        )
        record(actor, tags.RECOVERY_GO, recovery, replaces_original=False)


def open_recoveries() -> list[Recovery]:
    """One for each workspace whose sending is stopped, for the operator."""
    found = []
    for each in across_workspaces("open_recoveries"):
        with inside(each.workspace_id):
            found.append(Recovery.objects.select_related("workspace").get(pk=each.id))
    return found


def not_compared() -> list[Mailbox]:
    """The connected mailboxes that still have to be. Inside a transaction of their workspace."""
    started = Installation.objects.values_list("started_at_beat", flat=True).get(pk=1)
    return list(Mailbox.objects.filter(state=Mailbox.State.CONNECTED, compared_at_beat__lt=started))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recovery has come. Inside a transaction of its workspace."""

    mailboxes: int
    waiting: tuple[Mailbox, ...]
    compares_from: datetime  # not before: requests of old workers may still be under way

    @property
    def compared(self) -> int:
        return self.mailboxes - len(self.waiting)


def progress(recovery: Recovery) -> Progress:
    with inside(recovery.workspace_id):
        connected = Mailbox.objects.filter(state=Mailbox.State.CONNECTED).count()
        return Progress(connected, tuple(not_compared()), recovery.began_at + rules.RECOVERY_QUIET)


def banner(request: HttpRequest) -> dict[str, object]:
    """For every page of a member: why nothing leaves. A context processor; it asks only where a page shows it."""
    workspace: Workspace | None = getattr(request, "workspace", None)

    def reason() -> str:
        if workspace is None:
            return ""
        with inside(workspace.pk):
            return reason_of_recovery()

    return {"recovery_reason": reason}


# Witnesses


def _of_this_machine(row: Installation) -> Witness | None:
    """What this machine knows of the installation. Raises UnknownMachine where it knows nothing of a running one."""
    noted = _file()
    if noted.exists():
        told = json.loads(noted.read_text())
        return Witness(UUID(told["instance"]), int(told["beat"]))
    if settings.GATEPOST_INSTANCE:
        return Witness(settings.GATEPOST_INSTANCE, 0)
    if row.beat == 0:
        return None  # the first start of all
    raise UnknownMachine(
        f"{noted} is missing: this machine never ran a worker of this installation. If it is a further machine of the "
        f"same one, set GATEPOST_INSTANCE={row.instance}. If it is a copy for testing, docs/operate/run.md says how."
    )


def _outside(row: Installation, ours: Witness | None) -> list[Witness]:
    keystore = Witness(row.instance, keys.noted_beat(row.instance))
    return [keystore, *([ours] if ours else [])]


def _note(instance: UUID, row: Installation) -> None:
    keys.note_beat(row.instance, row.beat)
    draft = _file().with_suffix(".new")
    draft.write_text(json.dumps({"instance": str(instance), "beat": row.beat}))
    draft.replace(_file())


def _file() -> Path:
    return Path(settings.GATEPOST_DATA_DIR) / "installation.json"


def _mark() -> str:
    """Which server, which history of it (a new one begins when it was recovered to a moment), which tables.

    "" where the server does not tell.
    """
    with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), d.oid, "
            "'gatepost_message'::regclass::oid "
            "FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()"
        )
        return "/".join(str(part) for part in cursor.fetchone())
    return ""


def _stop_all(stop: Stop, *, known_until: datetime) -> None:
    """In every workspace: nothing leaves, and the record says why. A second time changes nothing."""
    log.warning("all sending is stopped", extra={"error": stop.reason})
    row = Installation.objects.get(pk=1)
    at_beat = max(row.beat, _seen) + 1
    for each in across_workspaces("workspace_ids"):
        with inside(each.workspace_id):
            recovery, new = Recovery.objects.get_or_create(
                workspace_id=each.workspace_id,
                go_at=None,
                defaults={
                    "began_at": clock.now(),
                    "reason": stop.reason,
                    "copied": stop.copied,
                    "known_until": known_until,
                    "at_beat": at_beat,
                },
            )
            if new:
                record(BY_START, tags.RECOVERY_BEGIN, recovery, reason=stop.reason)
                # Every mailbox is to be compared anew, whatever the older database says.
                Installation.objects.filter(pk=1).update(beat=at_beat, started_at_beat=at_beat)


def _replace_original() -> None:
    """From now on this is the installation that this machine's record, or its setting, names."""
    with transaction.atomic():
        row = Installation.objects.select_for_update().get(pk=1)
        ours = _of_this_machine(row)
        if ours is not None:
            row.instance = ours.instance
            row.save(update_fields=["instance"])
            _note(ours.instance, row)
