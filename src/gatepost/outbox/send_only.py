"""Sending from a mailbox without drafts: one request that creates and sends, made at most once.

PLANNED → SENDING (committed) → ACCEPTED on a 202. Nothing can be looked for afterwards, so whatever is neither a 202
nor a definite no is HELD for a person; it is never sent again by itself and never called sent by looking.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from gatepost import clock
from gatepost.graph import drafts
from gatepost.graph.drafts import Draft
from gatepost.graph.errors import GraphError, NotThere, Refused, TokenStale, TooLate, TryLater, Unclear
from gatepost.graph.gateway import Gateway
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.rounds import Script, alone, each, outside
from gatepost.jobs.threads import in_thread
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.features import look_again
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import load
from gatepost.outbox import actions, rules
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import GIVE_UP, Commit, Event, PutOff
from gatepost.outbox.sending import as_planned, item_of, letters_of

State = Message.State
Gate = Callable[[Message], Script[rules.Verdict]]

# Longer than a request is given: until then the worker that made it may still hear the answer.
ANSWER_COMES_WITHIN = timedelta(minutes=2)
REAL_ANSWER_COMES_WITHIN = timedelta(seconds=70)

UNCLEAR = "Microsoft's answer was lost: perhaps it was sent. Look into the mailbox's sent mails and decide"
NEEDS_DRAFTS = "a follow-up needs the permission to write drafts, which this mailbox no longer has"


def takes(message: Message) -> bool:
    """Whether it leaves by this route: no draft of it exists, and none can be made, or it was begun so. Reads its
    mailbox."""
    if message.graph_id:
        return False
    return message.state != State.PLANNED or "drafts" not in message.mailbox.running


def carry_on(message: Message, gateway: Gateway, gate: Gate) -> Script[rules.Wait | None]:
    """Bring the message as far as it can go now. A Wait says that it, or its mailbox, must wait.

    `message` as it was just read; afterwards it holds what was committed here.
    """
    if message.state == State.SENDING:
        yield from alone(actions.hold, message, UNCLEAR)  # who tried it was killed
        return None
    if message.state != State.PLANNED:
        return None
    verdict = yield from gate(message)
    if isinstance(verdict, rules.Send) and message.previous_id is not None:
        verdict = rules.Wait(clock.now() + timedelta(hours=1), NEEDS_DRAFTS)
    match verdict:
        case rules.Wait(until, reason):
            yield from alone(actions.put_off, message, PutOff(until, reason))
            return verdict
        case rules.Cancel(reason):
            yield from alone(actions.cancel, message, reason)
            return None
        case rules.Hold(reason):
            yield from alone(actions.hold, message, reason)
            return None
    return (yield from _send(message, gateway))


def _send(message: Message, gateway: Gateway) -> Script[rules.Wait | None]:
    letter = as_planned((yield from each(letters_of, message)))
    leaves_by = time.monotonic() + rules.SEND_DEADLINE_SECONDS
    if not (yield from alone(begun, message)):
        return None  # another worker has it
    try:
        yield from outside(partial(drafts.send_at_once, leaves_by=leaves_by), gateway, letter)
    except (Unclear, NotThere):
        yield from alone(actions.hold, message, UNCLEAR)
    except Refused as error:
        return (yield from _refused(message, error.code))
    except (TooLate, TokenStale):
        yield from alone(never_left, message, clock.now(), "")
    except GraphError:
        # No connection, no token, no permission: it certainly did not leave.
        yield from alone(never_left, message, clock.now(), "")
        raise
    else:
        yield from alone(accepted, message)
    return None


def _refused(message: Message, code: str) -> Script[rules.Wait | None]:
    match rules.after_refusal(code, now=clock.now()):
        case rules.Wait(until, reason) as wait:
            yield from alone(never_left, message, until, reason)
            return wait
        case rules.Hold(reason):
            yield from alone(actions.hold, message, reason)
    if code in rules.MAILBOX_REFUSALS:
        return rules.Wait(clock.now() + GIVE_UP, f"Microsoft lets this mailbox send nothing: {code}", True)
    return None


def begun(message: Message) -> bool:
    """It is committed that the one request is about to be made. Only who gets True may make it."""
    until = clock.now() + clock.at_least(ANSWER_COMES_WITHIN, real=REAL_ANSWER_COMES_WITHIN)
    return actions.commit(message, Commit(Event.TRY_AT_ONCE, until=until))


def accepted(message: Message) -> bool:
    """Microsoft took it (202), and that is the last that is known of it. The enrolment goes on."""
    with inside(message.workspace_id):
        taken = actions.commit(message, Commit(Event.TAKEN))
        if taken:
            enqueue("sequences.after-message", workspace=str(message.workspace_id), message=str(message.pk))
    return taken


def never_left(message: Message, until: datetime, reason: str) -> bool:
    """The request certainly sent nothing: the message is planned as before, and goes through the gate again."""
    return actions.commit(message, Commit(Event.NEVER_LEFT, reason=reason, until=until))


@job("outbox.find-sent", try_again=True)
async def find_sent(workspace: str, mailbox: str) -> None:
    """After a send-only mailbox was allowed more: what it sent before is found by its key, so that replies to it
    are known and follow-ups stand in its thread. Only then is the mailbox read."""
    box = await in_thread(load, UUID(workspace), UUID(mailbox))
    if box is None or "drafts" not in box.running:
        return
    try:
        async with gateway_for(box, reason="finding what was sent before") as gateway:
            for message in await in_thread(_not_seen, box):
                sent = [each for each in await drafts.find(gateway, message.key) if not each.is_draft]
                if sent:
                    await in_thread(_seen, message, sent[0])
    except TryLater:
        raise  # the job is tried again
    except GraphError:
        pass  # what is not found stays as it was; reading must begin all the same
    await in_thread(_read_on, box)


def _not_seen(mailbox: Mailbox) -> list[Message]:
    with inside(mailbox.workspace_id):
        return list(
            Message.objects.filter(
                mailbox=mailbox, state__in=(State.ACCEPTED, State.CONFIRMED, State.HELD), graph_id=""
            )
        )


def _seen(message: Message, sent: Draft) -> None:
    """It lies among the sent mails: confirmed, with all by which an answer to it is known."""
    item = item_of(sent)
    with inside(message.workspace_id):
        fresh = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
        if fresh.state == State.CONFIRMED:  # a person said so before
            Message.objects.filter(pk=fresh.pk).update(**actions.identity(fresh, item))
        else:
            actions.commit(fresh, Commit(Event.SEEN, item))


def _read_on(mailbox: Mailbox) -> None:
    with inside(mailbox.workspace_id):
        look_again(mailbox)
