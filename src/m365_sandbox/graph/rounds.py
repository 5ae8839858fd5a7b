"""Delta rounds over small collections: events of a window, contacts, folders.

What a client has been told of is kept under its delta link: `{id: version}`. The next round is the difference
between that and what there is now, so nothing needs to be noted when things change. Like Outlook's own
(https://learn.microsoft.com/graph/delta-query-overview, token duration), these links die when too many others come.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from m365_sandbox.entities import Thing
from m365_sandbox.errors import unsupported
from m365_sandbox.graph.delta import expired, pack, unpack
from m365_sandbox.graph.odata import whole_number
from m365_sandbox.graph.routes import Answer, Request
from m365_sandbox.store import Store

KIND = "delta"
MOST_FOR_A_MAILBOX = 60

Items = Mapping[str, tuple[str, Callable[[], dict[str, Any]]]]
"""id → (version, how it looks), in the order in which they are told."""


def begun(request: Request, refused: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """What the link carries; None where a new round begins. Options are given once, when it begins."""
    for name in refused:
        if name in request.query:
            raise unsupported(f"The query parameter {name} is not supported with delta here.")
    token = request.query.get("$deltatoken") or request.query.get("$skiptoken")
    if not token or token == "latest":
        return None
    state = unpack(token)
    if state is None or state.get("for") != request.user.id or state.get("known") is None:
        raise expired(request)
    return state


def answer(
    request: Request, items: Items, options: dict[str, Any] | None, *, context: str, kind: str
) -> Answer:
    """The next page of the round. `options` is what stands in the link from here on."""
    state = {"for": request.user.id, **(options or {})}
    known = _known(request, state.get("known"))
    preferred = request.preference("odata.maxpagesize")
    size = whole_number(preferred or state.get("top") or request.query.get("$top"), "$top", 10, most=1000)
    if preferred:
        request.applied.append(f"odata.maxpagesize={size}")
    changed = [name for name, (version, _) in items.items() if known.get(name) != version]
    gone = [name for name in known if name not in items]
    told = changed[:size]
    value = [{"@odata.type": f"#microsoft.graph.{kind}", **items[name][1]()} for name in told]
    left = gone[: size - len(told)]
    value += [
        {"@odata.type": f"#microsoft.graph.{kind}", "id": name, "@removed": {"reason": "deleted"}}
        for name in left
    ]
    known = {name: version for name, version in known.items() if name not in left}
    known |= {name: items[name][0] for name in told}
    token = pack(
        {**state, "known": _keep(request, known), "top": state.get("top") or request.query.get("$top")}
    )
    more = len(told) + len(left) < len(changed) + len(gone)
    link = {"@odata.nextLink" if more else "@odata.deltaLink": "$skiptoken" if more else "$deltatoken"}
    body: dict[str, Any] = {"@odata.context": request.context(context) + "/$delta", "value": value}
    for member, parameter in link.items():
        body[member] = request.link(**{parameter: token})
    return Answer(body=body)


def _known(request: Request, name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    thing = request.sandbox.store.things.get(name)
    if thing is None:
        raise expired(request)
    return thing.fields


def _keep(request: Request, known: dict[str, str]) -> str:
    """Its name: the same for the same content, so that idle polling adds nothing."""
    store, mailbox = request.sandbox.store, request.user.id
    digest = hashlib.sha256(mailbox.encode() + orjson.dumps(known, option=orjson.OPT_SORT_KEYS)).hexdigest()[
        :24
    ]
    earlier = store.things.get(digest)
    if earlier is not None:
        store.remove(earlier)  # and again at the end: the youngest
    store.save(Thing(digest, mailbox, KIND, known))
    for thing in store.things_of(mailbox, KIND)[:-MOST_FOR_A_MAILBOX]:
        store.remove(thing)
    return digest


def expire(store: Store, mailbox: str) -> None:
    """Every such link of the mailbox answers 410 from now on."""
    for thing in store.things_of(mailbox, KIND):
        store.remove(thing)
