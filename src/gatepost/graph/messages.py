"""Reading mail (Mail.Read), in three stages. Only `intake` imports this."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatepost.graph import errors
from gatepost.graph.gateway import Gateway
from gatepost.graph.shapes import IN_REPLY_TO, REFERENCES
from gatepost.graph.wire import moment, person, written


@dataclass(frozen=True, slots=True)
class Envelope:
    """Stage 1. All that is known of unmatched mail: no sender, subject or text."""

    graph_id: str
    conversation_id: str
    internet_message_id: str
    received: datetime | None
    references: str | None  # In-Reply-To and References as they came; None where Microsoft did not say
    removed: bool = False


@dataclass(frozen=True, slots=True)
class FolderSeen:
    """All that is known of a folder: where it stands and how many mails lie in it, not what it is called."""

    graph_id: str
    parent_id: str
    hidden: bool
    is_search: bool  # mails that lie elsewhere
    total: int
    unread: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a folder's changes. `position` is where to go on; `done` when no more pages follow now."""

    envelopes: tuple[Envelope, ...]
    position: str
    done: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """Stage 1b."""

    address: str
    name: str
    submitted_by: str  # the address in `sender`, where it differs from `from`
    to: tuple[str, ...]
    is_draft: bool


class MatchedReply:
    """The right to read one reply. Only the matcher can make one (intake.matching), from a match that it made."""

    __slots__ = ("graph_id", "reason")
    _maker: object = None

    def __init__(self, graph_id: str, reason: str, *, made_by: object) -> None:
        if MatchedReply._maker is None or made_by is not MatchedReply._maker:
            raise errors.ShapeUnknown("only the matcher may allow reading a reply")
        self.graph_id = graph_id
        self.reason = reason


def only_matcher(maker: object) -> None:
    """Names the one object that may make a MatchedReply; a second call is refused."""
    if MatchedReply._maker is not None and MatchedReply._maker is not maker:
        raise errors.ShapeUnknown("there is a matcher already")
    MatchedReply._maker = maker


@dataclass(frozen=True, slots=True)
class ReplyBody:
    """Stage 2, of a matched reply only: its new part as text or as HTML, as Microsoft has it."""

    text: str | None
    html: str | None
    subject: str
    received: datetime
    headers: tuple[tuple[str, str], ...]


async def all_folders(gateway: Gateway) -> list[FolderSeen]:
    """Every folder of the mailbox at whatever depth, and how many mails lie in each.

    Asked anew each time. Whether a link that goes on tells of a count that changed is not documented.
    """
    body = await gateway.ask("folders")
    found = {each["id"]: _folder(each) for each in body.get("value") or ()}
    while "@odata.nextLink" in body:
        body = await gateway.follow("folders", body["@odata.nextLink"])
        found |= {each["id"]: _folder(each) for each in body.get("value") or ()}
    if "@odata.deltaLink" not in body:
        raise errors.TryLater("folders: a page without a link to go on")
    return list(found.values())


async def folder_id(gateway: Gateway, name: str) -> str:
    """The id of the folder with this well-known name. Raises NotThere; some are made when they are first needed."""
    return str((await gateway.ask("folder.check", folder=name))["id"])


async def first_page(gateway: Gateway, folder: str, *, since: datetime) -> Page:
    """The first page of a walk over mail received since then."""
    try:
        return _page(await gateway.ask("envelopes", folder=folder, since=written(since)))
    except errors.Refused:
        # Whether delta takes $expand is not documented: without it, each new mail is asked for by id.
        return _page(await gateway.ask("envelopes.plain", folder=folder, since=written(since)))


async def next_page(gateway: Gateway, position: str) -> Page:
    """The page at a nextLink or deltaLink. Raises SyncStateLost when Microsoft forgot the position."""
    return _page(await gateway.follow("envelopes", position))


async def how_many(gateway: Gateway, folder: str, *, since: datetime) -> int | None:
    """How many mails received since then lie in the folder. None where Microsoft does not say."""
    try:
        body = await gateway.ask("envelopes.count", folder=folder, since=written(since))
    except errors.Refused:
        return None
    count = body.get("@odata.count")
    return count if isinstance(count, int) else None


async def all_of(gateway: Gateway, folder: str, *, since: datetime) -> AsyncIterator[tuple[Envelope, ...]]:
    """Page by page the mails received since then that lie in the folder, whatever a walk told."""
    body = await gateway.ask("envelopes.all", folder=folder, since=written(since))
    while True:
        yield tuple(_envelope(each) for each in body.get("value") or ())
        if "@odata.nextLink" not in body:
            return
        body = await gateway.follow("envelopes.all", body["@odata.nextLink"])


async def one_envelope(gateway: Gateway, graph_id: str) -> Envelope:
    """Stage 1 for one mail, with its references. Raises NotThere."""
    return _envelope(await gateway.ask("envelope", id=graph_id), asked_alone=True)


async def sender_of(gateway: Gateway, graph_id: str) -> Sender:
    """Stage 1b. Raises NotThere."""
    body = await gateway.ask("sender", id=graph_id)
    name, address = person(body.get("from"))
    return Sender(
        address=address,
        name=name,
        submitted_by=person(body.get("sender"))[1],
        to=tuple(person(each)[1] for each in body.get("toRecipients") or ()),
        is_draft=bool(body.get("isDraft")),
    )


async def read_reply(gateway: Gateway, matched: MatchedReply) -> ReplyBody:
    """Stage 2: the text of a matched reply, and nothing of any other mail. Raises NotThere."""
    body = await gateway.ask("reply", id=matched.graph_id)
    headers = tuple(
        (str(h.get("name", "")), str(h.get("value", ""))) for h in body.get("internetMessageHeaders") or ()
    )
    unique = body.get("uniqueBody") or {}
    content, is_html = str(unique.get("content") or ""), str(unique.get("contentType")).lower() == "html"
    return ReplyBody(
        text=None if is_html else content,
        html=content if is_html else None,
        subject=str(body.get("subject") or ""),
        received=moment(body["receivedDateTime"]),
        headers=headers,
    )


def _folder(item: dict[str, Any]) -> FolderSeen:
    return FolderSeen(
        graph_id=item["id"],
        parent_id=str(item.get("parentFolderId") or ""),
        hidden=bool(item.get("isHidden")),
        is_search=str(item.get("@odata.type") or "").endswith("mailSearchFolder"),
        total=int(item.get("totalItemCount") or 0),
        unread=int(item.get("unreadItemCount") or 0),
    )


def _page(body: dict[str, Any]) -> Page:
    envelopes = tuple(_envelope(each) for each in body.get("value") or ())
    if "@odata.deltaLink" in body:
        return Page(envelopes, body["@odata.deltaLink"], done=True)
    if "@odata.nextLink" in body:
        return Page(envelopes, body["@odata.nextLink"], done=False)
    # A walk is done when a deltaLink came, and by nothing else.
    raise errors.TryLater("envelopes: a page without a link to go on")


_CITES = (IN_REPLY_TO.casefold(), REFERENCES.casefold())


def _envelope(item: dict[str, Any], *, asked_alone: bool = False) -> Envelope:
    properties = item.get("singleValueExtendedProperties")
    # A mail without references may come without the member; only a GET by id makes that certain.
    references = None if properties is None and not asked_alone else ""
    if properties:
        values = {p.get("id", "").casefold(): p.get("value", "") for p in properties}
        references = " ".join([value for name in _CITES if (value := values.get(name))])
    received = item.get("receivedDateTime")
    return Envelope(
        item["id"],
        item.get("conversationId") or "",
        item.get("internetMessageId") or "",
        moment(received) if received else None,
        references,
        "@removed" in item,
    )
