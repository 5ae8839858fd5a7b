"""Comparing a mailbox with this database: at each start, after a restore, and whenever somebody wants to know.

The mailbox remembers every mail of ours by its key, its number and its guard, whatever happens to the database.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Min

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import job as by_job
from gatepost.audit.record import record
from gatepost.graph import drafts
from gatepost.graph.drafts import Draft
from gatepost.graph.errors import GraphError, NotThere
from gatepost.graph.gateway import Gateway
from gatepost.graph.wire import moment
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.rounds import in_rounds, read
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces, load
from gatepost.outbox import actions, restored, rules
from gatepost.outbox.models import Installation, Message, Recovery, Stray
from gatepost.outbox.protocol import CLOSED, QUIESCENCE, Commit, Event, Item, State

BY_COMPARING = by_job("outbox.reconcile")


async def may_go_on(box: Mailbox, gateway: Gateway) -> bool:
    """Whether this mailbox may send: it knows no mail of ours that the database does not.

    Looked at once after each start. What it does know stops all sending, in every mailbox.
    """
    what = await in_rounds(box.workspace_id, read(_what_to_do, box))
    if what == "reconcile":
        await reconcile(box, gateway)
        return True
    if what == "compare" and not await in_thread(restored.can_be_compared, box):
        await in_thread(_take_on_trust, box)
        return True
    if what == "compare":
        since = (box.last_sent_at or box.connected_at) - rules.OVERLAP
        ours = [each async for each in drafts.ours_since(gateway, since)]
        return await in_thread(_judge, box, ours)
    return what == "go on"


def _what_to_do(boxes: Sequence[Mailbox]) -> list[str]:
    return [
        "wait" if each.recovery else "go on" if each.compared else _how_to_compare(box)
        for box, each in zip(boxes, restored.sending_of_each(boxes), strict=True)
    ]


def _how_to_compare(box: Mailbox) -> str:
    missed = Recovery.objects.filter(at_beat__gt=box.compared_at_beat, go_at__isnull=False).exists()
    return "reconcile" if missed else "compare"


def _take_on_trust(box: Mailbox) -> None:
    with inside(box.workspace_id):
        _compared(box, [])


def _judge(box: Mailbox, ours: list[Draft]) -> bool:
    with inside(box.workspace_id):
        known = _messages(box, ours)
        forgotten = [
            each for each in ours if each.key.casefold() not in known or each.number > box.last_number
        ]
        if not forgotten:
            _compared(box, ours)
            return True
    restored.stop_all(f"a mailbox holds {len(forgotten)} mails of ours that the database does not know")
    return False


def _messages(box: Mailbox, ours: list[Draft]) -> dict[str, Message]:
    keys = {each.key.casefold() for each in ours}
    found = Message.objects.select_related("contact").filter(mailbox=box, key__in=keys)
    return {message.key: message for message in found}


def _compared(box: Mailbox, ours: list[Draft]) -> None:
    started = Installation.objects.values_list("started_at_beat", flat=True).filter(pk=1).first() or 0
    highest = max((each.number for each in ours), default=0)
    mailbox = Mailbox.objects.select_for_update().get(pk=box.pk)
    mailbox.compared_at_beat = box.compared_at_beat = started
    mailbox.last_number = box.last_number = max(mailbox.last_number, highest)
    mailbox.save(update_fields=["compared_at_beat", "last_number"])


# After a restore


@tick("outbox.find-to-reconcile", every_seconds=5)
def find_to_reconcile() -> int:
    """Mailboxes of a restored database, once no request of an old worker can still be under way."""
    now = clock.now()
    found = across_workspaces("mailboxes_to_reconcile", now - rules.RECOVERY_QUIET, now)
    for each in found:
        with inside(each.workspace_id):
            enqueue(
                "outbox.reconcile", once_for=each.id, workspace=str(each.workspace_id), mailbox=str(each.id)
            )
    return len(found)


@job("outbox.reconcile")
async def reconcile_mailbox(workspace: str, mailbox: str) -> None:
    """The restored database knows what this mailbox sent, and no draft of ours is left in it."""
    box = await in_thread(load, UUID(workspace), UUID(mailbox))
    if box is None:
        return
    try:
        async with gateway_for(box, reason="comparing after a restore") as gateway:
            await reconcile(box, gateway)
    except GraphError:
        return  # the page shows that it is missing; the tick comes back


async def reconcile(box: Mailbox, gateway: Gateway) -> None:
    """What was sent is confirmed, or kept as a stray; every draft of ours is removed; the rest begins anew.

    Removing the drafts also stops what an old worker may still have under way: its send meets nothing.
    Where the mailbox only sends, nothing can be looked for: what may have left is held for a person.
    """
    if not await in_thread(restored.can_be_compared, box):
        await in_thread(_hold_all, box)
        return
    since = await in_thread(_since, box)
    ours = [each async for each in drafts.ours_since(gateway, since)]
    seen = {each.graph_id for each in ours}
    for message in await in_thread(_open_messages, box):
        # What a search by key finds shows no marks.
        found = await drafts.find(gateway, message.key)
        ours += [replace(each, key=message.key) for each in found if each.graph_id not in seen]
    removed = 0
    for draft in [each for each in ours if each.is_draft]:
        try:
            await drafts.delete(gateway, draft.graph_id)
            removed += 1
        except NotThere:
            pass
    await in_thread(_take_over, box, ours, removed)


def _since(box: Mailbox) -> datetime:
    """From when on the mailbox may know more than the database."""
    with inside(box.workspace_id):
        known = Recovery.objects.filter(at_beat__gt=box.compared_at_beat).aggregate(first=Min("known_until"))
    moments = [known["first"], box.last_sent_at or box.connected_at]
    return min(each for each in moments if each) - rules.OVERLAP


def _open_messages(box: Mailbox) -> list[Message]:
    with inside(box.workspace_id):
        return list(Message.objects.filter(mailbox=box).exclude(state__in=CLOSED))


def _take_over(box: Mailbox, ours: list[Draft], removed: int) -> None:
    sent = {each.key.casefold(): each for each in ours if each.key and not each.is_draft}
    with inside(box.workspace_id):
        for message in (
            Message.objects.select_related("contact").filter(mailbox=box).exclude(state__in=CLOSED)
        ):
            copy = sent.pop(message.key, None)
            if copy is not None:
                actions.commit(message, Commit(Event.SEEN, _item(copy)), actor=BY_COMPARING)
            elif message.state in (State.DRAFTED, State.SENDING, State.ACCEPTED):
                actions.commit(message, Commit(Event.RESTORED), actor=BY_COMPARING)
            elif message.state == State.HELD:
                Message.objects.filter(pk=message.pk).update(graph_id="", change_key="", draft_hash="")
        known = set(Message.objects.filter(mailbox=box, key__in=sent).values_list("key", flat=True))
        strays = [copy for key, copy in sent.items() if key not in known]
        for copy in strays:
            Stray.objects.get_or_create(
                mailbox=box,
                key=copy.key.casefold(),
                defaults={
                    "workspace_id": box.workspace_id,
                    "guard": copy.guard.casefold(),
                    "sent_at": moment(copy.sent or copy.created),
                },
            )
        _compared(box, ours)
        record(
            BY_COMPARING, tags.RECOVERY_COMPARE, box, mailbox_id=box.pk,
            found=len(ours), strays=len(strays), drafts_removed=removed,
        )  # fmt: skip


def _hold_all(box: Mailbox) -> None:
    with inside(box.workspace_id):
        may_have_left = (State.PLANNED, State.DRAFTED, State.SENDING)
        for message in Message.objects.filter(mailbox=box, state__in=may_have_left):
            actions.commit(message, Commit(Event.HOLD, reason=rules.NOT_COMPARABLE), actor=BY_COMPARING)
        _compared(box, [])
        record(
            BY_COMPARING, tags.RECOVERY_COMPARE, box, mailbox_id=box.pk, found=0, strays=0, drafts_removed=0
        )  # fmt: skip


def _item(draft: Draft) -> Item:
    return Item(
        draft.graph_id,
        is_draft=draft.is_draft,
        change_key=draft.change_key,
        internet_message_id=draft.internet_message_id,
        conversation_id=draft.conversation_id,
    )


# `gatepost verify sends`


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a mailbox and the records do not agree."""

    what: str
    mailbox_id: UUID
    message_id: UUID | None
    key: str
    evidence: str


async def differences(box: Mailbox, gateway: Gateway) -> list[Difference]:
    """Every difference between what the mailbox holds of ours and what the records say."""
    first = await in_thread(_first_planned, box)
    if first is None:
        return []
    ours = [each async for each in drafts.ours_since(gateway, first - rules.OVERLAP)]
    return await in_thread(_differences, box, ours)


def _first_planned(box: Mailbox) -> datetime | None:
    with inside(box.workspace_id):
        return Message.objects.filter(mailbox=box).aggregate(first=Min("planned_at"))["first"]


def _differences(box: Mailbox, ours: list[Draft]) -> list[Difference]:
    items = defaultdict(list)
    for each in ours:
        items[each.key.casefold()].append(each)
    found = []
    with inside(box.workspace_id):
        strays = set(Stray.objects.filter(mailbox=box).values_list("key", flat=True))
        for message in Message.objects.filter(mailbox=box).iterator():
            here = items.pop(message.key, [])
            sent = [each for each in here if not each.is_draft]
            surplus = [each for each in here if each.is_draft and each.graph_id != message.graph_id]
            evidence = f"{message.state}, attempts: {message.attempts}; in the mailbox: {_told(here)}"
            for what in _wrong(message, sent, surplus):
                found.append(Difference(what, box.pk, message.pk, message.key, evidence))
    for key, here in items.items():
        if key not in strays:
            found.append(Difference("in the mailbox, and not in the records", box.pk, None, key, _told(here)))
    return found


def _wrong(message: Message, sent: list[Draft], surplus: list[Draft]) -> list[str]:
    wrong = []
    left = message.state in (State.ACCEPTED, State.CONFIRMED)
    settled = message.sending_at is None or message.sending_at < clock.now() - QUIESCENCE
    if len(sent) > 1:
        wrong.append("sent more than once")
    if sent and message.state in (State.PLANNED, State.DRAFTED, State.CANCELLED):
        wrong.append("sent, and the records say that it was not")
    if message.state == State.CONFIRMED and not sent:
        wrong.append("recorded as sent, and not in the mailbox (deleted there by hand?)")
    if message.state == State.ACCEPTED and not sent and settled:
        wrong.append("accepted by Microsoft, and still not among the sent mails")
    if surplus and (left or message.state == State.CANCELLED) and message.sweep_at is None:
        wrong.append("a draft that no message needs")
    return wrong


def _told(items: list[Draft]) -> str:
    return ", ".join(f"{'draft' if each.is_draft else 'sent'} {each.created}" for each in items) or "nothing"
