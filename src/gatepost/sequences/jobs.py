"""Sending what is due: one job for each mailbox, one message in flight."""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import Error as DatabaseError

from gatepost import clock
from gatepost.errors import GatepostError
from gatepost.graph.gateway import Gateway
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, enqueue_each, job
from gatepost.jobs.rounds import Script, alone, each, in_rounds, outside, read
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces, load_each
from gatepost.outbox import comparing, send_only
from gatepost.outbox import rules as gate_rules
from gatepost.outbox.actions import hold
from gatepost.outbox.models import Message
from gatepost.outbox.sending import carry_on
from gatepost.sequences import actions, enrolments, queries, rules, steps, tallies, waiting

log = logging.getLogger(__name__)

# A job gives its place to others after so long, and puts itself at the end of the queue.
LONGEST_SECONDS = 30.0
# A wait shorter than this is waited out in the job; a longer one is left to the tick.
SHORT_SECONDS = 3.0
# After an answer that means waiting, the mailbox is left alone for so long.
TRY_AGAIN = timedelta(seconds=30)
REAL_PAUSE = timedelta(seconds=1)


@tick("sequences.plan", every_seconds=0.25)
def find_due_work() -> int:
    """One job for each mailbox that has something due. Due times are data; the queue holds only what is due now."""
    now = clock.now()
    for back in queries.returned(now):
        enrolments.resume(back.id, workspace_id=back.workspace_id, actor=actions.BY_SENDING)
    found = queries.mailboxes_with_work(now)
    enqueue_each(
        "sequences.send",
        once_for="mailbox",
        each=[{"workspace": str(box.workspace_id), "mailbox": str(box.id)} for box in found],
    )
    return len(found)


@tick("sequences.sum-up", every_seconds=30)
def sum_up_tallies() -> int:
    return sum(tallies.sum_up(each.workspace_id) for each in across_workspaces("workspace_ids"))


@job("sequences.send")
async def send_due_steps(workspace: str, mailbox: str) -> None:
    """What is due in this mailbox left, waits with a reason, or is on its way.

    1. messages begun before come first: a crash leaves them in a committed state ·
    2. then enrolments that are due: decide, plan, carry on · 3. until nothing is due or the mailbox must wait.
    """
    box = await in_rounds(UUID(workspace), _begin(UUID(mailbox)))
    if box is None:
        return
    stop_at = time.monotonic() + LONGEST_SECONDS
    try:
        async with gateway_for(box, reason="sending") as gateway:
            if not await comparing.may_go_on(box, gateway):
                await in_thread(
                    waiting.mailbox_waits, box, clock.now() + clock.at_least(TRY_AGAIN, real=REAL_PAUSE)
                )
                return
            await in_rounds(box.workspace_id, _send_what_is_due(box, gateway, stop_at))
    except GatepostError:
        # The states are committed. Without a pause the tick would come back at once, and again, and again.
        await in_thread(waiting.mailbox_waits, box, clock.now() + clock.at_least(TRY_AGAIN, real=REAL_PAUSE))
        return
    except Exception:
        await in_thread(waiting.mailbox_waits, box, clock.now() + clock.at_least(TRY_AGAIN, real=REAL_PAUSE))
        raise  # an error of ours: for the log and the operator


@job("sequences.return")
async def send_again(workspace: str, mailbox: str, spread: str = "") -> None:
    """A mailbox that was not read, or was paused, sends again; what waited is spread out."""
    await in_thread(waiting.send_again, UUID(mailbox), workspace_id=UUID(workspace), spread=bool(spread))


@job("sequences.after-message", try_again=True)
async def after_message(workspace: str, message: str) -> None:
    """The enrolment goes on from a message that left, and ends with one that never will."""
    found = await in_thread(queries.load_message, UUID(workspace), UUID(message))
    if found is not None:
        await in_rounds(found.workspace_id, each(_go_on, found))


@job("sequences.opted-out", try_again=True)
async def opted_out(workspace: str, contact: str) -> None:
    """No enrolment of a contact who opted out by the link in a mail goes on."""
    await in_thread(enrolments.stop_all_of, UUID(contact), workspace_id=UUID(workspace))


@job("sequences.archived", try_again=True)
async def stop_archived(workspace: str, sequence: str) -> None:
    """Nobody is in an archived sequence any more."""
    while await in_thread(enrolments.stop_some_of_archived, UUID(sequence), workspace_id=UUID(workspace)):
        pass


def _begin(mailbox_id: UUID) -> Script[Mailbox | None]:
    """The mailbox, as `load` gives it."""
    box = yield from read(load_each, mailbox_id)
    if box is not None and box.sending_not_before is None:
        yield from each(waiting.limits_changed, box)
    return box


def _send_what_is_due(box: Mailbox, gateway: Gateway, stop_at: float) -> Script[None]:
    """One message after another, until nothing is due, the mailbox must wait, or it is the turn of others."""
    while time.monotonic() < stop_at:
        message = yield from _next_message(box)
        if message is None:
            return
        wait = yield from _carry_on(message, gateway)
        if wait is not None and wait.whole_mailbox and not (yield from outside(_short_wait, wait)):
            yield from alone(waiting.mailbox_waits, box, wait.until)
            return
    yield from alone(_again, box)


def _next_message(box: Mailbox) -> Script[Message | None]:
    """A message to carry on now, planned anew where an enrolment is due."""
    while True:
        message = yield from read(queries.open_messages, box)
        if message is not None:
            return message
        due = yield from read(queries.due_enrolments, box)
        if due is None:
            return None
        enrolment, facts = due
        decision = rules.decide_next(facts, now=clock.now())
        message = yield from each(steps.act_on_each, (enrolment, decision))
        if message is not None:
            return message


def _carry_on(message: Message, gateway: Gateway) -> Script[gate_rules.Wait | None]:
    try:
        route = send_only.carry_on if send_only.takes(message) else carry_on
        wait = yield from route(message, gateway, _gate)
    except (GatepostError, DatabaseError):
        raise  # it is not the message: Microsoft, the keystore or the database must be waited for
    except Exception as error:
        # One message that trips over an error of ours must not block the mailbox for all others.
        log.exception(
            "a message is held", extra={"mailbox": message.mailbox_id, "error": type(error).__name__}
        )
        why = f"an error of Gatepost's own ({type(error).__name__}): tell its operator"
        yield from alone(hold, message, why)
        return None
    yield from each(_go_on, message)
    if wait is not None and wait.read_first:
        yield from alone(_read_first, message)
    return wait


def _go_on(messages: Sequence[Message]) -> list[None]:
    """Each enrolment follows its message: to the next step, or to its end. With an erased one it is gone itself."""
    steps.steps_left([message for message in messages if message.has_left])
    for message in messages:
        if message.state == Message.State.CANCELLED:
            steps.step_cancelled(message)
    return [None] * len(messages)


def _gate(message: Message) -> Script[gate_rules.Verdict]:
    facts = yield from read(queries.gate_facts, message)
    return gate_rules.may_send(facts, now=clock.now())


async def _short_wait(wait: gate_rules.Wait) -> bool:
    """Wait here when it takes a moment only; False when the tick should come back instead."""
    seconds = clock.seconds_until(wait.until)
    if wait.read_first or seconds > SHORT_SECONDS:
        return False
    await asyncio.sleep(seconds)
    return True


def _read_first(message: Message) -> None:
    """Reading mail lies above this concept: it is asked for by name, and wakes the sending when it is done."""
    with inside(message.workspace_id):
        enqueue(
            "intake.sync", once_for=message.mailbox_id,
            workspace=str(message.workspace_id), mailbox=str(message.mailbox_id),
        )  # fmt: skip


def _again(box: Mailbox) -> None:
    with inside(box.workspace_id):
        enqueue("sequences.send", once_for=box.id, workspace=str(box.workspace_id), mailbox=str(box.id))
