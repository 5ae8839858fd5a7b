"""$batch: up to twenty requests in one, each throttled and refused on its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from m365_sandbox.errors import malformed

PATH, MOST = "/v1.0/$batch", 20
AT_A_TIME = 4
"""Graph runs at most four requests to one mailbox at the same time (throttling limits, Outlook)."""

AnswerOne = Callable[[str, str, str, dict[str, str], bytes], Awaitable[tuple[Any, bytes]]]


async def run(answer: AnswerOne, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """The answers to all; what depends on a failed one fails with 424."""
    requests = _read(body)
    room = asyncio.Semaphore(AT_A_TIME)
    done: dict[str, dict[str, Any]] = {}
    waiting = list(requests)
    while waiting:
        ready = [r for r in waiting if all(name in done for name in r.get("dependsOn") or [])]
        if not ready:
            raise malformed("The requests depend on each other in a circle, or on one that is not there.")

        async def one(request: dict[str, Any]) -> None:
            async with room:
                done[request["id"]] = await _one(answer, headers, request, done)

        await asyncio.gather(*(one(request) for request in ready))
        waiting = [request for request in waiting if request["id"] not in done]
    return {"responses": [done[request["id"]] for request in requests]}


def _read(body: bytes) -> list[dict[str, Any]]:
    try:
        requests = orjson.loads(body)["requests"]
        names = [request["id"].lower() for request in requests]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise malformed("Invalid batch payload format.") from None
    if not 1 <= len(requests) <= MOST:
        raise malformed(f"Number of batch request steps must be between 1 and {MOST}.")
    if len(set(names)) != len(names):
        raise malformed("Request ids must be unique.")
    for request in requests:
        own = {name.lower() for name in request.get("headers") or {}}
        if request.get("body") is not None and "content-type" not in own:
            raise malformed(f"Write request id : {request['id']} does not contain Content-Type header.")
    return requests


async def _one(
    answer: AnswerOne, outer: dict[str, str], request: dict[str, Any], done: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    if any(done[name]["status"] >= 400 for name in request.get("dependsOn") or []):
        error = {"code": "FailedDependency", "message": "A request that this one depends on failed."}
        return {"id": request["id"], "status": 424, "headers": {}, "body": {"error": error}}
    headers = {"authorization": outer.get("authorization", "")}
    headers.update({name.lower(): value for name, value in (request.get("headers") or {}).items()})
    path, _, query = str(request.get("url", "")).partition("?")
    content = b"" if request.get("body") is None else orjson.dumps(request["body"])
    got, text = await answer(
        request.get("method", "GET").upper(), f"/v1.0/{path.lstrip('/')}", query, headers, content
    )
    shown = {"id": request["id"], "status": got.status, "headers": got.headers}
    if text:
        shown["body"] = orjson.loads(text) if got.media_type == "application/json" else text.decode()
    return shown
