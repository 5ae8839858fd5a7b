"""Delta: what changed in a folder since last time."""

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from m365_sandbox.entities import Folder, Gone, Message
from m365_sandbox.errors import GraphError, malformed, unsupported
from m365_sandbox.graph.folders import the_folder
from m365_sandbox.graph.odata import parse_expand, parse_filter, parse_select, required, whole_number
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.graph.shape import MessageShape

DEFAULT_PAGE = 10
MOST_FILTERED = 5000
"""A first round that is filtered by time tells no more: https://learn.microsoft.com/graph/api/message-delta"""
_ALLOWED = {"$select", "$top", "$expand", "$filter", "$orderby", "changetype", "$deltatoken", "$skiptoken"}


def pack(state: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(state)).decode().rstrip("=")


def unpack(token: str) -> dict[str, Any] | None:
    try:
        state = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, orjson.JSONDecodeError, UnicodeDecodeError):
        return None
    return state if isinstance(state, dict) else None


def expired(request: Request) -> GraphError:
    """Graph documentation, delta query: 410 with a Location that starts anew."""
    return GraphError(
        410, "SyncStateNotFound",
        "The sync state generation is not found; generation=1;[highest=2].",
        {"Location": request.link(**{"$deltatoken": ""})},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    """What a round is about: one folder, or the whole mailbox, whose `folder` is empty."""

    folder: str
    generation: int
    changes: Callable[[int], Iterator[tuple[int, Message | Gone]]]


def _fresh(request: Request, place: _Place) -> dict[str, Any]:
    """The options of a new round; they are frozen into the token from here on."""
    query = request.query
    unknown = [name for name in query if name.lower() not in _ALLOWED]
    if unknown:
        raise unsupported(f"The query option {unknown[0]} is not supported with delta.")
    since = 0.0
    if query.get("$filter"):
        condition = parse_filter(query["$filter"])
        parts = required(condition)
        if len(parts) != 1 or parts[0].field != "receiveddatetime" or parts[0].op not in ("ge", "gt"):
            raise unsupported("Delta can be filtered by receivedDateTime ge or gt only.")
        since = parts[0].value
    if query.get("$orderby") and query["$orderby"].lower() != "receiveddatetime desc":
        raise unsupported("Delta can be ordered by receivedDateTime desc only.")
    if query.get("$expand") and request.sandbox.switches.delta_expand == "refused":
        raise malformed("$expand is not supported with delta.", request.sandbox.switches)
    parse_select(query.get("$select"))
    parse_expand(query.get("$expand"))
    return {
        "folder": place.folder, "generation": place.generation, "after": 0, "round": 0, "since": since,
        "select": query.get("$select"), "expand": query.get("$expand"), "change": query.get("changeType"),
        "initial": True, "top": query.get("$top"), "told": 0,
    }  # fmt: skip


def _state(request: Request, place: _Place) -> dict[str, Any]:
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken")
    if token == "latest":  # documented for directory objects only
        state = _fresh(request, place)
        if request.sandbox.switches.delta_latest == "honoured":
            state |= {"after": request.sandbox.store.seq(request.user.id), "initial": False}
        return state
    if not token:
        return _fresh(request, place)
    known = unpack(token)
    if known is None or known.get("folder") != place.folder or known.get("generation") != place.generation:
        raise expired(request)
    return known


@operation("GET", "/me/mailfolders/{id}/messages/delta")
def messages_delta(request: Request) -> Answer:
    folder = the_folder(request, request.params[0])
    store = request.sandbox.store
    return _round(request, _Place(folder.id, folder.generation, partial(store.changes, folder.id)))


@operation("GET", "/me/messages/delta", needs="GET /me/mailfolders/{id}/messages/delta")
def mailbox_delta(request: Request) -> Answer:
    """Of the whole mailbox. The CSDL knows it, Microsoft's pages do not."""
    store, mailbox = request.sandbox.store, request.user.id
    generation = sum(folder.generation for folder in store.folders_of(mailbox))
    return _round(request, _Place("", generation, partial(store.changes_of_mailbox, mailbox)))


def _round(request: Request, place: _Place) -> Answer:
    store = request.sandbox.store
    state = _state(request, place)
    size = whole_number(
        request.preference("odata.maxpagesize") or state.get("top"),
        "odata.maxpagesize",
        DEFAULT_PAGE,
        most=1000,
    )
    if request.preference("odata.maxpagesize"):
        request.applied.append(f"odata.maxpagesize={size}")
    expand = parse_expand(state["expand"]) if request.sandbox.switches.delta_expand == "honoured" else None
    shape = MessageShape(request, parse_select(state["select"]), expand, in_list=True)
    first_of_round = state["round"] == 0
    if first_of_round:
        # What left the folder before this round began was never shown to a client that starts anew.
        state["round"] = store.seq(request.user.id)
    value: list[dict[str, Any]] = []
    reached, more = state["after"], False
    for seq, item in place.changes(state["after"]):
        if len(value) == size:
            more = True
            break
        reached = seq
        if state["initial"] and state["since"] and state["told"] + len(value) == MOST_FILTERED:
            reached = state["round"]
            break
        shown = _shown(request, shape, item, state)
        if shown is not None:
            value.append(shown)
    body: dict[str, Any] = {"@odata.context": request.context("messages") + "/$delta", "value": value}
    if more:
        body["@odata.nextLink"] = request.link(
            **{"$skiptoken": pack({**state, "after": reached, "told": state["told"] + len(value)})}
        )
        return Answer(body=body)
    again = request.sandbox.switches.delta_replays == "last_page" and value
    after = max(reached - 1, 0) if again else reached
    finished = {**state, "after": after, "round": 0, "initial": False}
    body["@odata.deltaLink"] = request.link(**{"$deltatoken": pack(finished)})
    return Answer(body=body)


def _shown(
    request: Request, shape: MessageShape, item: Message | Gone, state: dict[str, Any]
) -> dict[str, Any] | None:
    change = state["change"]
    if isinstance(item, Gone):
        if (state["initial"] and item.seq <= state["round"]) or change not in (None, "deleted"):
            return None
        if not state["folder"] and item.reason == "changed" and request.immutable:
            return None  # it was moved, and is told under the same id from where it is now
        name = item.immutable_id if request.immutable else item.message_id
        return {
            "@odata.type": "#microsoft.graph.message", "id": name, "@removed": {"reason": item.reason},
        }  # fmt: skip
    kind = "created" if item.created_seq > state["after"] else "updated"
    if (change is not None and change != kind) or item.received < state["since"]:
        return None
    shown = shape.show(item)
    shown.setdefault("@odata.type", "#microsoft.graph.message")
    return shown


def expire_tokens(folder: Folder) -> None:
    """Every delta link of this folder answers 410 from now on."""
    folder.generation += 1
