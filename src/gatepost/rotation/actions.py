"""Beginning a newer generation of a key, sealing anew what former ones made, destroying those."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from gatepost import rows
from gatepost.accounts.models import Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.rotation import queries, rules
from gatepost.rotation.queries import Owner
from gatepost.vault import generations
from gatepost.vault.generations import Generation, Sealer
from gatepost.vault.sealing import reseal

BY_ROTATION = by_job("rotation.reseal")
BATCH = 500


def change(owner: Owner, *, keep_former: timedelta, actor: Actor) -> bool:
    """A newer generation of the owner's key seals from now on. False where it is being changed already, or has none yet.

    `keep_former`: for how long backups of the main database are kept, which may need the former one.
    """
    with inside(owner.workspace_id):
        if owner.kind == queries.INDEX:
            begun = generations.begin_cover(owner.id, keep_former=keep_former)
        else:
            begun = generations.begin(owner.key, keep_former=keep_former)
        if begun:
            _record(actor, tags.KEY_CHANGE, owner, former_kept_days=keep_former.days)
    return begun


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some rows of a table. `last`: the next begins behind it; None: these were the last."""

    last: UUID | None
    resealed: int
    unreadable: tuple[UUID, ...]


def reseal_some(owner: Owner, model: type[Any], sealer: Sealer, *, after: UUID | None) -> Batch:
    """Some rows of this table hold nothing any more that a former generation made.

    A row that somebody else is changing is left to the next look: whoever waits while holding rows may meet another who does.
    """
    columns = generations.sealed_columns(model)
    with inside(owner.workspace_id):
        found = queries.of_former(owner, model, sealer.former).order_by("pk")
        if after is not None:
            found = found.filter(pk__gt=after)
        some = list(found.select_for_update(skip_locked=True, no_key=True, of=("self",))[:BATCH])
        wanted, unreadable = [], []
        for row in some:
            anew = {
                column: reseal(row, column, sealer.key)
                for column in columns
                if bytes(getattr(row, column) or b"").startswith(sealer.former)
            }
            if None in anew.values():
                unreadable.append(row.pk)
            wanted.append(({"id": row.pk}, {column: text for column, text in anew.items() if text}))
        rows.change(model, [each for each in wanted if each[1]])
    return Batch(some[-1].pk if len(some) == BATCH else None, len(some) - len(unreadable), tuple(unreadable))


def anything_left(owner: Owner, model: type[Any], sealer: Sealer, *, but: Collection[UUID]) -> bool:
    """Whether a row of this table is left that a former generation made, besides those that nothing opens."""
    with inside(owner.workspace_id):
        return queries.of_former(owner, model, sealer.former).exclude(pk__in=but).exists()


def looked_through(owner: Owner, known: Generation, looked: rules.Looked) -> bool:
    """After a look through all tables: what came of it is noted, and former generations whose time has come are destroyed.

    True where no further look is needed until then.
    """
    after = note(known, looked)
    if after.destroyed:
        with inside(owner.workspace_id):
            _record(BY_ROTATION, tags.KEY_DESTROY_FORMER, owner, generation=known.generation)
    return after.done


@dataclass(frozen=True, slots=True)
class After:
    done: bool  # no further look is needed until former generations may be destroyed
    destroyed: bool


def note(known: Generation, looked: rules.Looked) -> After:
    """What a look came to stands in the keystore, and former generations whose time has come are gone."""
    if looked.found:
        generations.note_found(known)
    if not isinstance(rules.after_a_look(looked), rules.Done):
        return After(done=False, destroyed=False)
    generations.note_resealed(known)
    later = rules.after_a_look(looked, settled_after=rules.DESTROYED_AFTER)
    destroyed = isinstance(later, rules.Done) and generations.destroy_former(known)
    return After(done=destroyed or bool(known.keep_former), destroyed=destroyed)


def _record(actor: Actor, tag: str, owner: Owner, **detail: object) -> None:
    subject = (Mailbox if owner.kind == "mailbox" else Workspace)(pk=owner.id)
    mailbox_id = owner.id if owner.kind == "mailbox" else None
    record(
        actor, tag, subject, workspace_id=owner.workspace_id, mailbox_id=mailbox_id, of=owner.kind, **detail
    )
