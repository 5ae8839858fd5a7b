"""Carrying a message on: what `protocol.step` yields is done with Microsoft and the database.

Between two writes to Microsoft stands always a commit. Whoever resumes after a crash begins at the committed state,
and a worker that was overtaken finds that its commit fails (docs/decisions/0004-exactly-once-sends.md). What lies between
two requests is done in rounds, with that of other mailboxes (docs/decisions/0016-sends-in-rounds.md).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gatepost import clock
from gatepost.audit.reveal import reveal_each
from gatepost.contacts.queries import display_name
from gatepost.graph import drafts, errors
from gatepost.graph.drafts import Draft, Letter
from gatepost.graph.gateway import Gateway
from gatepost.isolation import inside
from gatepost.jobs.rounds import Script, alone, each, outside
from gatepost.jobs.threads import in_thread
from gatepost.mailboxes import letterhead
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions, optout, rules
from gatepost.outbox import protocol as p
from gatepost.outbox.models import Message
from gatepost.text.bodies import text_to_html
from gatepost.vault import names
from gatepost.vault.sealing import installation_index

State = Message.State
Gate = Callable[[Message], Script[rules.Verdict]]


def carry_on(message: Message, gateway: Gateway, gate: Gate) -> Script[rules.Wait | None]:
    """Bring the message as far as it can go now. A Wait says that it, or its mailbox, must wait.

    `message` as it was just read; afterwards it holds what was committed here.
    """
    if message.state == State.DRAFTED:
        yield from alone(actions.plan_again, message)
    visit = _Visit(message, gateway, gate)
    before = message.state
    wait = yield from visit.run()
    if (before, message.state) == (State.PLANNED, State.DRAFTED):
        wait = yield from visit.run()
    return wait


async def remove_drafts(message: Message, gateway: Gateway) -> int:
    """The drafts with the message's key that it does not need are gone; what was sent stays. Returns how many."""
    keep = message.graph_id if message.state != State.CANCELLED else ""
    found = [each for each in await drafts.find(gateway, message.key) if each.is_draft]
    if message.route == p.Route.MIME:
        found += [
            each
            for each in await drafts.find_by_message_id(gateway, own_message_id(message))
            if each.is_draft and each.graph_id not in {known.graph_id for known in found}
        ]
    surplus = [each for each in found if each.graph_id != keep]
    for draft in surplus:
        with suppress(errors.NotThere):
            await drafts.delete(gateway, draft.graph_id)
    return len(surplus)


@dataclass
class _Visit:
    """One worker carrying one message on."""

    message: Message
    gateway: Gateway
    gate: Gate
    leaves_by: float = 0.0
    letter: Letter | None = None

    def run(self) -> Script[rules.Wait | None]:
        step, message = p.step(_row(self.message)), self.message
        answer: Any = None
        while True:
            try:
                effect = step.send(answer)
            except StopIteration as done:
                return done.value
            match effect:
                case p.Gate():
                    answer = yield from self.gate(message)
                case p.Commit():
                    if effect.event == p.Event.TRY:
                        # From before the commit: whoever looks at the row later may count on it.
                        self.leaves_by = time.monotonic() + rules.SEND_DEADLINE_SECONDS
                    answer = yield from each(actions.commit_each, (message, effect))
                case p.PutOff():
                    answer = yield from alone(actions.put_off, message, effect)
                case _:
                    if isinstance(effect, p.Create | p.Stamp) and self.letter is None:
                        self.letter = as_planned((yield from each(letters_of, message)))
                    answer = yield from outside(self._ask, effect)

    async def _ask(self, effect: p.Effect) -> Any:
        message, gateway = self.message, self.gateway
        match effect:
            case p.FindByKey():
                return tuple(item_of(found) for found in await drafts.find(gateway, message.key))
            case p.FindByMessageId():
                return await self._find_by_message_id()
            case p.Look(graph_id):
                with suppress(errors.NotThere):
                    return item_of(await drafts.look(gateway, graph_id))
                return None
            case p.Read(graph_id):
                with suppress(errors.NotThere):
                    found = await drafts.read(gateway, graph_id)
                    return item_of(found, stamped=found.key.casefold() == message.key)
                return None
            case p.Create():
                return await self._create()
            case p.Stamp(graph_id):
                return await self._stamp(graph_id)
            case p.SendDraft(graph_id):
                return await self._send(graph_id)
            case p.Sweep():
                return await self._sweep()

    async def _find_by_message_id(self) -> tuple[p.Item, ...]:
        message_id = await in_thread(own_message_id, self.message)
        if not message_id:
            return ()
        # Whether they carry our key is not known: they are stamped anew where it matters.
        stamped = self.message.state != State.PLANNED
        found = await drafts.find_by_message_id(self.gateway, message_id)
        return tuple(item_of(each, stamped=stamped) for each in found)

    async def _create(self) -> p.Item | p.Unclear | p.Refused:
        letter = self.letter
        assert letter is not None  # `run` opened it
        try:
            if self.message.route == p.Route.MIME:
                return item_of(await drafts.create_mime(self.gateway, letter), stamped=False)
            return item_of(await self._create_in_thread(letter))
        except (errors.Unclear, errors.NotThere, errors.TokenStale):
            return p.Unclear()
        except errors.Refused as error:
            return p.Refused(error.code)

    async def _create_in_thread(self, letter: Letter) -> Draft:
        """An answer answers the contact's reply, a follow-up our own earlier mail. Where the reply is gone, an answer
        is a follow-up; where that mail is gone too, it opens a new thread."""
        if self.message.answers_graph_id:
            with suppress(errors.NotThere):  # a definite no: nothing was made
                return await drafts.create_follow_up(self.gateway, letter, to=self.message.answers_graph_id)
        previous = self.message.previous
        earlier = await self._sent_copy(previous) if previous is not None else None
        if earlier is None:
            return await drafts.create(self.gateway, letter)
        return await drafts.create_follow_up(self.gateway, letter, to=earlier)

    async def _sent_copy(self, message: Message) -> str | None:
        """The graph id of our own earlier mail now; it may have changed when the draft was sent."""
        if not message.graph_id:  # sent at once, while the mailbox could do no more
            sent = [item for item in await drafts.find(self.gateway, message.key) if not item.is_draft]
            return sent[0].graph_id if sent else None
        with suppress(errors.NotThere):
            return (await drafts.look(self.gateway, message.graph_id)).graph_id
        message_id = await in_thread(own_message_id, message)
        found = await drafts.find_by_message_id(self.gateway, message_id) if message_id else []
        return next((item.graph_id for item in found if not item.is_draft), None)

    async def _stamp(self, graph_id: str) -> bool:
        assert self.letter is not None
        try:
            await drafts.stamp(self.gateway, graph_id, self.letter)
        except (errors.Unclear, errors.NotThere):
            return False
        return True

    async def _send(self, graph_id: str) -> p.Taken | p.NotTaken | p.Unclear | p.Refused:
        try:
            await drafts.send(self.gateway, graph_id, leaves_by=self.leaves_by)
        except (errors.TooLate, errors.TokenStale, errors.TryLater):
            return p.NotTaken()  # TryLater, of a write: no connection was made
        except errors.Refused as error:
            return p.Refused(error.code)
        except (errors.Unclear, errors.NotThere):
            return p.Unclear()
        return p.Taken()

    async def _sweep(self) -> None:
        """At once where the message has its draft or needs none; and later, for what is still under way."""
        now = await in_thread(_load, self.message)
        if now is not None and now.state != State.PLANNED:
            await remove_drafts(now, self.gateway)
        await in_thread(actions.sweep_later, self.message)


def own_message_id(message: Message) -> str:
    """The Message-ID as Microsoft gave it; that of a MIME draft is chosen by us, the same whenever it is computed."""
    known = names.open(message, "internet_message_id")
    if known or message.route != p.Route.MIME:
        return known or ""
    with inside(message.workspace_id):
        address = names.open(Mailbox.objects.get(pk=message.mailbox_id), "address") or ""
    return f"<{installation_index('message-id', message.key)}@{address.rpartition('@')[2]}>"


def _row(message: Message) -> p.Row:
    return p.Row(
        state=p.State(message.state),
        now=clock.now(),
        route=p.Route(message.route),
        graph_id=message.graph_id,
        change_key=message.change_key,
        draft_hash=message.draft_hash,
        drafted_at=message.drafted_at,
        sending_at=message.sending_at,
        attempts=message.attempts,
        looks=message.looks,
        bounced=message.bounced_at is not None,
    )


def item_of(draft: Draft, *, stamped: bool = True) -> p.Item:
    return p.Item(
        graph_id=draft.graph_id,
        is_draft=draft.is_draft,
        submitted=draft.submitted,
        stamped=stamped,
        change_key=draft.change_key,
        content=draft.content,
        created=draft.created,
        internet_message_id=draft.internet_message_id,
        conversation_id=draft.conversation_id,
    )


def letters_of(messages: Sequence[Message]) -> list[Letter | None]:
    """What each mail says; None where the text is not the one that was planned. Of one workspace, inside it. Reads the
    mailbox and the contact of each."""
    opened = reveal_each(actions.BY_SENDING, messages, "subject", "body", "html", reason="to write the draft")
    return [
        _letter(message, {part: text or "" for part, text in content.items()})
        for message, content in zip(messages, opened, strict=True)
    ]


def _letter(message: Message, content: dict[str, str]) -> Letter | None:
    mailbox = message.mailbox
    if actions.content_hash(content["subject"], content["body"], content["html"]) != message.content_hash:
        return None
    letter: dict[str, Any] = {
        "to_address": names.open(message.contact, "email") or "",
        "to_name": display_name(message.contact),
        "subject": content["subject"],
        "html": content["html"] or text_to_html(content["body"]),
        "key": message.key,
        "number": message.number,
        "guard": message.guard,
        "from_address": letterhead.sender_address(mailbox),
        "from_name": names.open(mailbox, "name") or "",
        "is_alias": mailbox.sends_as is not None,
    }
    if message.route == p.Route.MIME:
        letter |= _of_mime(message, content["body"])
    return Letter(**letter)


def as_planned(letter: Letter | None) -> Letter:
    """After the round: the entry that the text was opened must stay, whatever comes of it."""
    if letter is None:
        raise ValueError("the text is not the one that was planned")
    return letter


def _of_mime(message: Message, body: str) -> dict[str, Any]:
    """What a MIME draft says besides: its text part, its thread, and how to opt out with one click."""
    return {
        "text": body,
        "message_id": own_message_id(message),
        "answers": _thread_of(message),
        "headers": optout.headers(message.pk),
    }


def _thread_of(message: Message) -> tuple[str, ...]:
    """The Message-IDs of our mails that it follows up, the oldest first."""
    ids: list[str] = []
    earlier = message.previous
    while earlier is not None:
        if earlier.sending_at is not None and (known := names.open(earlier, "internet_message_id")):
            ids.append(known)
        earlier = earlier.previous
    return tuple(reversed(ids))


def _load(message: Message) -> Message | None:
    with inside(message.workspace_id):
        return Message.objects.filter(pk=message.pk).first()
