"""Looking at a mailbox's new mail. Notification, timer, reconnect and a waiting send all call the same sync."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from gatepost import clock
from gatepost.conversations.actions import Incoming
from gatepost.graph import messages
from gatepost.graph.errors import GraphError, NotThere, Refused, SyncStateLost, Unreadable
from gatepost.graph.gateway import Gateway
from gatepost.graph.messages import Envelope, FolderSeen, Page
from gatepost.intake import actions, matching, queries, rules
from gatepost.intake.actions import Found
from gatepost.intake.reader import NotRead, reader
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.rounds import Script, each, in_rounds, read
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import at_start, tick
from gatepost.mailboxes import gaps
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Folder, Mailbox
from gatepost.mailboxes.queries import due_for_sync, load, rest
from gatepost.mailboxes.watch import cannot_be_read
from gatepost.outbox.models import Message
from gatepost.outbox.queries import texts_sent_to
from gatepost.sequences.windows import zone_called, zone_of
from gatepost.text.tone import ReplyInput, Tone

log = logging.getLogger(__name__)

# A sync that failed is tried again after this, whatever the timer's interval.
TRY_AGAIN = timedelta(minutes=1)
REAL_PAUSE = timedelta(seconds=1)

# A reply that cannot be read or labelled: it stops the sequence, and a person looks at it.
UNREADABLE = Tone(
    label="unsure", labels=(), score=0.0, evidence=(), new_text="", return_date=None, return_precision=None,
    third_party=None, bounce=None, version="unread",
)  # fmt: skip
KEPT_UNLABELLED = 20_000  # characters of a text that could not be cut into new and quoted


@at_start
def load_reader() -> None:
    """The first reply after a start does not wait seconds for the model, and the worker does not wait for it either."""
    threading.Thread(target=reader.be_ready, name="reader", daemon=True).start()


@tick("intake.find-due", every_seconds=0.25)
def find_due_syncs() -> int:
    """The timer: it alone must serve where no notification can reach us."""
    found = due_for_sync(clock.now())
    for box in found:
        with inside(box.workspace_id):
            enqueue("intake.sync", once_for=box.id, workspace=str(box.workspace_id), mailbox=str(box.id))
    return len(found)


@job("intake.sync")
async def sync_mailbox(workspace: str, mailbox: str) -> None:
    """Every folder is read up to now, and the mailbox says so; or its page says what is in the way."""
    box = await in_thread(load, UUID(workspace), UUID(mailbox))
    if box is None:
        return
    if "replies" not in box.running:
        await in_thread(rest, box, "sync_due_at")
        return
    started = clock.now()
    try:
        async with gateway_for(box, reason="looking for replies") as gateway:
            await read_folders(box, gateway, started)
    except GraphError as error:
        again = clock.now() + clock.at_least(TRY_AGAIN, real=REAL_PAUSE)
        await in_thread(cannot_be_read, box, error, again_at=again)
        return
    except Exception as error:
        # An error of ours is for the log and the operator; the mailbox is looked at again in a while.
        again = clock.now() + clock.at_least(TRY_AGAIN, real=REAL_PAUSE)
        await in_thread(cannot_be_read, box, error, again_at=again)
        raise
    interval = clock.at_least(timedelta(seconds=settings.GATEPOST_SYNC_EVERY), real=REAL_PAUSE)
    await in_thread(actions.read_through, box, started, next_sync=clock.now() + interval)


async def read_folders(mailbox: Mailbox, gateway: Gateway, started: datetime) -> None:
    """One round: what a member called ours, then the folders; what came before `started` is stored.

    The others are counted only after the inbox was read: what a rule or the rep moved from there before we looked stands
    in the count of the folder where it lies now.
    """
    await in_thread(gaps.begin_if_unread, mailbox, started)
    await _read_confirmed(mailbox, gateway)
    known = await in_thread(queries.folders, mailbox)
    for folder in sorted(
        (f for f in known if f.name in rules.FIRST), key=lambda f: rules.FIRST.index(f.name)
    ):
        await sync_folder(mailbox, folder, gateway)
    tree = {each.graph_id: each for each in await messages.all_folders(gateway)}
    known = await _known_folders(mailbox, known, tree, gateway)
    for folder, seen in queries.due_folders(mailbox, known, tree, clock.now()):
        try:
            await sync_folder(mailbox, folder, gateway)
        except NotThere:
            continue  # deleted since it was counted: the next round forgets it
        except Refused as error:
            if folder.position:
                raise  # it could be read before
            log.warning("a folder cannot be read", extra={"mailbox": mailbox.id, "error": error.message})
            await in_thread(actions.cannot_be_read, folder)
            continue
        if seen is not None and (folder.total, folder.unread) != (seen.total, seen.unread):
            await in_thread(actions.folder_was_read, folder, seen)


async def _known_folders(
    mailbox: Mailbox, known: list[Folder], tree: dict[str, FolderSeen], gateway: Gateway
) -> list[Folder]:
    """The folders, with what was made, moved or deleted since the last round."""
    names = queries.named(known)
    decided = rules.decide_folders(tree, names)
    ids = {each.microsoft_id for each in known}
    if not all(graph_id in ids or isinstance(each, rules.LeaveOut) for graph_id, each in decided.items()):
        # One is new. It may have a well-known name: some folders are made when they are first needed.
        for name in rules.NAMED:
            if name not in names.values():
                with suppress(NotThere):
                    names[await messages.folder_id(gateway, name)] = name
        return await in_thread(actions.keep_folders, mailbox, known, names, rules.decide_folders(tree, names))
    if any(
        queries.left_out(f, decided) != f.left_out or not (f.name or f.microsoft_id in tree) for f in known
    ):
        return await in_thread(actions.keep_folders, mailbox, known, names, decided)
    return known


async def _read_confirmed(mailbox: Mailbox, gateway: Gateway) -> None:
    """Doubtful mails that a member called answers to ours are read and stored, like any reply."""
    for doubtful in await in_thread(queries.confirmed_unread, mailbox):
        found = Found()
        try:
            envelope = await messages.one_envelope(gateway, doubtful.graph_id)
            await _look_closer(mailbox, doubtful.message_id, envelope, found, gateway)
        except NotThere:
            pass  # moved or deleted meanwhile
        await in_thread(actions.confirmed_read, doubtful, found)


async def sync_folder(mailbox: Mailbox, folder: Folder, gateway: Gateway) -> None:
    """The folder's changes since its position are stored, page by page.

    The position moves on only with the page that it follows. A lost position starts the walk again, from the folder's
    anchor; what was judged before is not judged twice.
    """
    async for page in pages(folder, gateway):
        await _take(mailbox, folder, page, gateway)
    if folder.walking:
        await _reconcile(mailbox, folder, gateway)


async def pages(folder: Folder, gateway: Gateway) -> AsyncIterator[Page]:
    """What Microsoft tells from the folder's position on, up to now. Whoever takes a page stores it before the next."""
    position = folder.position
    while True:
        try:
            page = await _page(gateway, folder, position)
        except SyncStateLost:
            if not position:
                raise  # a walk that only begins has no position to lose
            await in_thread(actions.start_again, folder)
            position = ""
            continue
        yield page
        folder.position = position = page.position
        if page.done:
            return


async def _page(gateway: Gateway, folder: Folder, position: str) -> Page:
    if position:
        return await messages.next_page(gateway, position)
    return await messages.first_page(gateway, folder.place, since=folder.anchored_at)


async def _reconcile(mailbox: Mailbox, folder: Folder, gateway: Gateway) -> None:
    """A walk that told of fewer mails than there are is made good by a list of all of them.

    One that is narrowed by time tells 5,000 at most (https://learn.microsoft.com/graph/api/message-delta). A mail that came
    since its end is counted and not told: then the list is read for nothing.
    """
    there = await messages.how_many(gateway, folder.place, since=folder.anchored_at)
    if there is not None and folder.told < there:
        log.warning("a walk told of fewer mails than there are", extra={"mailbox": mailbox.id})
        async for envelopes in messages.all_of(gateway, folder.place, since=folder.anchored_at):
            await _take(mailbox, folder, Page(envelopes, folder.position, done=False), gateway)
    await in_thread(actions.walked, folder)


async def _take(mailbox: Mailbox, folder: Folder, page: Page, gateway: Gateway) -> None:
    """The page is judged and stored; what may be ours is looked at more closely in between: sender, then text."""
    judged, candidates = await triage(mailbox, folder, page, gateway)
    for message_id, envelope in candidates:
        await _look_closer(mailbox, message_id, envelope, judged.found, gateway)
    if candidates:
        await store(judged)


async def triage(
    mailbox: Mailbox, folder: Folder, page: Page, gateway: Gateway
) -> tuple[actions.Judged, list[tuple[UUID, Envelope]]]:
    """Stage 1. The page as judged, and what of it must be looked at more closely; without such it is stored already."""
    found = Found(references_came=any(e.references for e in page.envelopes))
    envelopes = [await _with_references(mailbox, folder, e, found, gateway) for e in page.envelopes]
    if folder.walking:
        folder.told += sum(not e.removed for e in page.envelopes)
    judged = actions.Judged(folder, found, page.position, page.done, folder.told)
    look = queries.Look(mailbox, folder.name == "sentitems", envelopes)
    return judged, await in_rounds(mailbox.workspace_id, _triage(look, judged))


async def store(judged: actions.Judged) -> None:
    """Pages go through the rounds of their workspace, but for those that bring a reply: what follows from one takes its time."""
    if judged.found.incoming:
        await in_thread(actions.store_page, judged)
    else:
        await in_rounds(judged.folder.workspace_id, each(actions.store_pages, judged))


def _triage(look: queries.Look, judged: actions.Judged) -> Script[list[tuple[UUID, Envelope]]]:
    """The candidates; a page without any is stored at once."""
    candidates: list[tuple[UUID, Envelope]] = []
    found = judged.found
    for envelope, facts in zip(look.envelopes, (yield from read(queries.facts_of, look)), strict=True):
        match rules.decide_envelope(facts):
            case rules.Drop(reason):
                found.dropped[reason] += 1
            case rules.OwnSent(message_id):
                found.sent.append((message_id, envelope.graph_id))
            case rules.Doubtful(message_id):
                found.doubtful.append((message_id, envelope))
            case rules.Candidate(message_id):
                candidates.append((message_id, envelope))
    if not candidates:
        yield from each(actions.store_pages, judged)
    return candidates


async def _with_references(
    mailbox: Mailbox, folder: Folder, envelope: Envelope, found: Found, gateway: Gateway
) -> Envelope:
    """The envelope with its references, asked for by id where the list does not carry them."""
    lists_carry = mailbox.references_in_delta or found.references_came
    if envelope.references is not None or envelope.removed or lists_carry or folder.name == "sentitems":
        return envelope
    try:
        return await messages.one_envelope(gateway, envelope.graph_id)
    except NotThere:
        return envelope


async def _look_closer(
    mailbox: Mailbox, message_id: UUID, envelope: Envelope, found: Found, gateway: Gateway
) -> None:
    """Sender, then text. What is ours but cannot be read is kept without its text, for a person to look at."""
    message = await in_thread(queries.message, mailbox.workspace_id, message_id)
    try:
        sender = await messages.sender_of(gateway, envelope.graph_id)
        matched = await in_thread(matching.match, message.mailbox, message, envelope, sender)
        if isinstance(matched, rules.Drop):
            found.dropped[matched.reason] += 1
            return
        allowed, kind = matched
        body = await messages.read_reply(gateway, allowed)
    except NotThere:
        found.dropped["gone before it was read"] += 1
        return
    except (Unreadable, Refused) as error:
        log.warning("a reply cannot be read", extra={"mailbox": mailbox.id, "error": error.message})
        received = envelope.received or clock.now()
        found.incoming.append(_incoming(message, envelope, received, "", False, "", UNREADABLE))
        return
    tone = await in_thread(_label, message, envelope, sender.address, body)
    someone_else = kind.someone_else and kind.kind == "reply"
    found.incoming.append(
        _incoming(message, envelope, body.received, sender.address, someone_else, body.subject, tone)
    )


def _incoming(
    message: Message,
    envelope: Envelope,
    received: datetime,
    sender: str,
    someone_else: bool,
    subject: str,
    tone: Tone,
) -> Incoming:
    return Incoming(
        message=message,
        graph_id=envelope.graph_id,
        internet_message_id=envelope.internet_message_id,
        received=received,
        sender=sender,
        someone_else=someone_else,
        subject=subject,
        tone=tone,
    )


def _label(message: Message, envelope: Envelope, sender: str, body: messages.ReplyBody) -> Tone:
    """What the reply says and means: local, without any network. What trips our own code is for a person."""
    reply = ReplyInput(
        id=envelope.graph_id,
        text=body.text,
        html=body.html,
        subject=body.subject,
        headers=body.headers,
        received=body.received.astimezone(_zone_of(message)),
        sent=tuple(texts_sent_to(message)),
        sender=sender,
        cc=(),
    )
    try:
        return reader.read(reply)
    except NotRead as error:
        # A sender must not be able to stop the mailbox with a mail that is made to.
        say = log.error if error.is_ours else log.warning
        say("a reply cannot be read safely", extra={"mailbox": message.mailbox_id, "error": error.reason})
        kept = body.text if body.text is not None else _bare(body.html or "")
        return replace(UNREADABLE, new_text=kept[:KEPT_UNLABELLED], cut=True)


def _zone_of(message: Message) -> ZoneInfo:
    """Where the contact lives, as far as is known: when "tomorrow" is, for whoever wrote."""
    contact, workspace = message.contact, message.mailbox.workspace
    try:
        return zone_called(zone_of(contact.time_zone, contact.country, workspace.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")  # a name that was known once: no reason not to read a mail


def _bare(html: str) -> str:
    """The HTML without what stands in angle brackets, by the simplest means there are: no parser sees it."""
    first, *rest = html.split("<")
    return first + " ".join(part.partition(">")[2] for part in rest)
