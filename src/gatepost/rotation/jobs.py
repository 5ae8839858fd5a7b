"""Going on with keys that are being changed, until nothing is left that a former generation made."""

import logging
import time
from asyncio import sleep
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.rotation import actions, covers, factors, queries, rules
from gatepost.rotation.queries import Owner
from gatepost.vault import generations
from gatepost.vault.indexes import IndexesField

log = logging.getLogger(__name__)

T = TypeVar("T")
# A workspace in which each transaction lasts longer than others should wait is left alone until the next look.
BUSY_TRIES = 10


@tick("rotation.find-unfinished", every_seconds=60)
def find_unfinished() -> int:
    """Whatever key is being changed is gone on with, also after a crash."""
    unfinished = {each.name for each in generations.unfinished()}
    found = [owner for owner in queries.all_owners() if owner.key in unfinished] if unfinished else []
    for owner in found:
        with inside(owner.workspace_id):
            enqueue(
                "rotation.reseal",
                once_for=owner.key,
                workspace=str(owner.workspace_id),
                kind=owner.kind,
                owner=str(owner.id),
            )
    if factors.KEY in unfinished:
        enqueue("rotation.reseal-factors", once_for=factors.KEY)
    return len(found)


@job("rotation.reseal")
async def reseal(workspace: str, kind: str, owner: str) -> None:
    await carry_on(Owner(kind, UUID(owner), UUID(workspace)))


@job("rotation.reseal-factors")
async def reseal_factors() -> None:
    await carry_on_with_factors()


async def carry_on_with_factors(*, told: Callable[[int], None] = lambda resealed: None) -> bool:
    """`carry_on` for the secrets of second factors, which are few."""
    known = await in_thread(generations.sealer, factors.KEY)
    if known is None or not known[1].former:
        return True
    state, sealer = known
    oldest = await in_thread(queries.oldest_transaction)
    done = await in_thread(factors.reseal_all, sealer)
    told(done.rows)
    if done.unreadable:
        log.warning("secrets of second factors do not open", extra={"count": done.unreadable})
    looked = rules.Looked(age=state.age, found=bool(done.rows) or done.left, oldest_transaction=oldest)
    return (await in_thread(actions.note, state, looked)).done


async def carry_on(owner: Owner, *, told: Callable[[int], None] = lambda resealed: None) -> bool:
    """One look through everything that the owner's key seals: what a former generation made is sealed anew.

    In batches of a transaction each, so that a crash anywhere costs one batch. True when no further look is needed until
    the former generations may be destroyed; the tick comes again where it is. `told` hears how much each batch came to.
    """
    if owner.kind == queries.INDEX:
        return await _carry_on_with_cover(owner, told)
    known = await in_thread(generations.sealer, owner.key)
    if known is None or not known[1].former:
        return True
    state, sealer = known
    oldest = await in_thread(queries.oldest_transaction)
    resealed, is_left = 0, False
    for model in queries.sealed_models(owner.kind):
        unreadable: list[UUID] = []
        after: UUID | None = None
        while True:
            batch = await in_thread(actions.reseal_some, owner, model, sealer, after=after)
            resealed += batch.resealed
            unreadable += batch.unreadable
            after = batch.last
            told(batch.resealed)
            if after is None:
                break
        is_left |= await in_thread(actions.anything_left, owner, model, sealer, but=unreadable)
        if unreadable:
            log.warning(
                "values do not open with the key that should have made them, and were left as they are",
                extra={"workspace": str(owner.workspace_id), "count": len(unreadable)},
            )
    looked = rules.Looked(age=state.age, found=bool(resealed) or is_left, oldest_transaction=oldest)
    return await in_thread(actions.looked_through, owner, state, looked)


async def _carry_on_with_cover(owner: Owner, told: Callable[[int], None]) -> bool:
    """`carry_on` for what covers blind indexes."""
    known = await in_thread(generations.covering, owner.id)
    if known is None or not known[0].keeps_former:
        return True
    state, keys = known
    oldest = await in_thread(queries.oldest_transaction)
    found = await in_thread(covers.found, owner.id)
    if found.next is None and found.now == keys.newest:
        looked = rules.Looked(age=state.age, found=False, oldest_transaction=oldest)
        return await in_thread(actions.looked_through, owner, state, looked)
    if found.next is None:
        await in_thread(covers.take_over, owner.id, keys.newest)
        await in_thread(covers.announced, owner.id)
    elif found.age is None:  # killed between the two
        await in_thread(covers.announced, owner.id)
    elif isinstance(rules.before_moving(found.age, oldest), rules.Move):
        try:
            await _move(owner, told)
        except covers.Busy:  # the rest comes with the next look
            log.info("the workspace was not free", extra={"workspace": str(owner.workspace_id)})
    looked = rules.Looked(age=state.age, found=True, oldest_transaction=oldest)
    return await in_thread(actions.looked_through, owner, state, looked)


async def _move(owner: Owner, told: Callable[[int], None]) -> None:
    """All hashes lie under the key that takes over, or somebody stood in the way again and again."""
    moved: int | None = 0
    while moved is not None:
        began = time.monotonic()
        moved = await _as_soon_as_free(covers.move_slice, owner)
        told(moved or 0)
        await sleep(time.monotonic() - began)  # the workspace is everybody's again for as long
    for model, column in covers.columns(IndexesField):
        while moved := await in_thread(covers.move_some_lists, owner.id, model, column):
            told(moved)
    await _as_soon_as_free(covers.finish, owner)


async def _as_soon_as_free(action: Callable[[UUID], T], owner: Owner) -> T:
    for _ in range(BUSY_TRIES - 1):
        try:
            return await in_thread(action, owner.id)
        except covers.Busy:
            await sleep(1)
    return await in_thread(action, owner.id)
