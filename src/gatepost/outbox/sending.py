"""Carrying a message on, one state at a time: the protocol of docs/decisions/0004-exactly-once-sends.md.

Between two calls to Microsoft stands always a commit. Whoever resumes after a crash begins at the committed state,
and a worker that was overtaken finds that its compare-and-set no longer holds.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gatepost import clock
from gatepost.audit.reveal import reveal
from gatepost.contacts.queries import display_name
from gatepost.graph import drafts
from gatepost.graph.drafts import Draft, Letter
from gatepost.graph.errors import NotThere, Refused, TooLate, Unclear
from gatepost.graph.gateway import Gateway
from gatepost.isolation import inside
from gatepost.jobs.threads import in_thread
from gatepost.outbox import actions, rules
from gatepost.outbox.models import Message
from gatepost.text.bodies import text_to_html
from gatepost.vault import names

State = Message.State
Gate = Callable[[Message], Awaitable[rules.Send | rules.Wait | rules.Cancel]]


async def carry_on(message: Message, gateway: Gateway, gate: Gate) -> rules.Wait | None:
    """Bring the message as far as it can go now. A Wait says that it, or its mailbox, must wait.

    1. PLANNED: gate, then find or create the draft, commit its id.
    2. DRAFTED: gate again, commit SENDING, send that id, commit the answer.
    3. SENDING, ACCEPTED: look what became of it.
    """
    message = await in_thread(_reload, message)
    if message.state == State.DRAFTED and await in_thread(actions.plan_again, message):
        message = await in_thread(_reload, message)
    if message.state == State.PLANNED:
        verdict = await _pass(message, gate)
        if verdict is not None:
            return verdict if isinstance(verdict, rules.Wait) else None
        if not await _draft(message, gateway):
            return None
        message = await in_thread(_reload, message)
    if message.state == State.DRAFTED:
        verdict = await _pass(message, gate)
        if verdict is not None:
            return verdict if isinstance(verdict, rules.Wait) else None
        return await _send(message, gateway)
    if message.state in (State.SENDING, State.ACCEPTED):
        await look(message, gateway)
    return None


async def look(message: Message, gateway: Gateway) -> None:
    """Find out what became of a send, and act on it: by id, by our key, by Message-ID, in this order."""
    seen = [rules.Seen(d.graph_id, d.is_draft) for d in await _look_everywhere(message, gateway)]
    found = rules.resolve(
        seen,
        sending_at=message.sending_at or message.planned_at,
        looks=message.looks,
        attempts=message.attempts,
        now=clock.now(),
    )
    match found:
        case rules.Sent(graph_id):
            await in_thread(actions.confirmed, message, graph_id=graph_id)
        case rules.SendAgain():
            await in_thread(actions.back_to_draft, message)
        case rules.LookAgain(until):
            await in_thread(actions.wait, message, until, "finding out whether it was sent", looked=True)
        case rules.Hold(reason):
            await in_thread(actions.hold, message, reason)


async def remove_draft(message: Message, gateway: Gateway) -> int:
    """Every draft with the message's key is gone from the mailbox; what was sent stays. Returns how many."""
    found = [draft for draft in await drafts.find(gateway, message.key) if draft.is_draft]
    for draft in found:
        with suppress(NotThere):
            await drafts.delete(gateway, draft.graph_id)
    return len(found)


async def _pass(message: Message, gate: Gate) -> rules.Wait | rules.Cancel | None:
    """None when the gate is open; otherwise what was recorded."""
    verdict = await gate(message)
    match verdict:
        case rules.Wait(until, reason):
            await in_thread(actions.wait, message, until, reason)
            return verdict
        case rules.Cancel(reason):
            await in_thread(actions.cancel, message, reason)
            return verdict
    return None


async def _draft(message: Message, gateway: Gateway) -> bool:
    """The message's one draft exists and its id is committed."""
    existing = await drafts.find(gateway, message.key)
    sent = next((draft for draft in existing if not draft.is_draft), None)
    if sent is not None:
        # The mailbox remembers what our database does not: it was sent already.
        await in_thread(actions.drafted, message, sent)
        await in_thread(actions.sending, message)
        await in_thread(actions.confirmed, message, graph_id=sent.graph_id)
        return False
    try:
        draft = existing[0] if existing else await _create(message, gateway)
    except (Unclear, NotThere):
        # It may exist: the next try looks by key first. Nothing was sent.
        await in_thread(
            actions.wait, message, clock.now() + rules.LOOKS[1], "finding out whether the draft exists"
        )
        return False
    except Refused as error:
        await in_thread(actions.hold, message, f"Microsoft refused the draft: {error.code}")
        return False
    if await in_thread(actions.drafted, message, draft):
        return True
    if (await in_thread(_reload, message)).state == State.CANCELLED:
        await remove_draft(message, gateway)  # it was cancelled while the draft was made
    return False


async def _create(message: Message, gateway: Gateway) -> Draft:
    letter = await in_thread(letter_of, message)
    if message.previous is None:
        return await drafts.create(gateway, letter)
    earlier = await _sent_copy(message.previous, gateway)
    if earlier is None:
        return await drafts.create(gateway, letter)  # the thread is gone from the mailbox: open a new one
    return await drafts.create_follow_up(gateway, letter, to=earlier)


async def _sent_copy(message: Message, gateway: Gateway) -> str | None:
    """The graph id of our own earlier mail now; it may have changed when the draft was sent."""
    if not message.graph_id:  # sent at once, while the mailbox could do no more
        sent = [item for item in await drafts.find(gateway, message.key) if not item.is_draft]
        return sent[0].graph_id if sent else None
    try:
        return (await drafts.look(gateway, message.graph_id)).graph_id
    except NotThere:
        pass
    message_id = await in_thread(_message_id, message)
    found = await drafts.find_by_message_id(gateway, message_id) if message_id else []
    return next((item.graph_id for item in found if not item.is_draft), None)


async def _send(message: Message, gateway: Gateway) -> rules.Wait | None:
    """The one draft is sent, once. A Wait says that the whole mailbox must wait after a refusal."""
    leaves_by = time.monotonic() + rules.SEND_DEADLINE_SECONDS
    if not await in_thread(actions.sending, message):
        return None  # another worker has it
    message = await in_thread(_reload, message)
    try:
        await drafts.send(gateway, message.graph_id, leaves_by=leaves_by)
    except TooLate:
        return None  # the next look finds a draft that did not leave
    except Refused as error:
        return await _refused(message, error.code, gateway)
    except (Unclear, NotThere):
        await in_thread(
            actions.wait, message, clock.now() + rules.LOOKS[0], "finding out whether it was sent"
        )
    else:
        await in_thread(actions.accepted, message)
    return None


async def _refused(message: Message, code: str, gateway: Gateway) -> rules.Wait | None:
    match rules.after_refusal(code, now=clock.now()):
        case rules.Wait(until, reason) as wait:
            await in_thread(actions.back_to_draft, message)
            await in_thread(actions.wait, message, until, reason)
            return wait
        case rules.Hold(reason):
            # An earlier try may have been carried out late: what was sent cannot be sent again.
            sent = next(
                (each for each in await _look_everywhere(message, gateway) if not each.is_draft), None
            )
            if sent is not None:
                await in_thread(actions.confirmed, message, graph_id=sent.graph_id)
                return None
            await in_thread(actions.hold, message, reason)
    if code in rules.MAILBOX_REFUSALS:
        return rules.Wait(
            clock.now() + rules.GIVE_UP, f"Microsoft lets this mailbox send nothing: {code}", True
        )
    return None


async def _look_everywhere(message: Message, gateway: Gateway) -> list[Draft]:
    try:
        by_id = await drafts.look(gateway, message.graph_id)
        if not by_id.is_draft:
            return [by_id]
    except NotThere:
        by_id = None
    found = await drafts.find(gateway, message.key)
    if not found:
        message_id = await in_thread(_message_id, message)
        found = await drafts.find_by_message_id(gateway, message_id) if message_id else []
    return found or ([by_id] if by_id else [])


def letter_of(message: Message) -> Letter:
    """What the mail says. Raises ValueError when the text is not the one that was planned."""
    with inside(message.workspace_id):
        content = reveal(actions.BY_SENDING, message, "subject", "body", reason="to write the draft")
        contact = message.contact
        letter = Letter(
            to_address=names.open(contact, "email") or "",
            to_name=display_name(contact),
            subject=content["subject"] or "",
            html=text_to_html(content["body"] or ""),
            key=message.key,
        )
    # After the transaction: the entry that the text was opened must stay, whatever comes of it.
    if actions.content_hash(content["subject"] or "", content["body"] or "") != message.content_hash:
        raise ValueError("the text is not the one that was planned")
    return letter


def _message_id(message: Message) -> str:
    return names.open(message, "internet_message_id") or ""


def _reload(message: Message) -> Message:
    with inside(message.workspace_id):
        return Message.objects.select_related("contact", "contact__company", "previous").get(pk=message.pk)
