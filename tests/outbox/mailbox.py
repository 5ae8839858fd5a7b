"""A mailbox at Microsoft, in memory: what a gateway to it answers, and what can go wrong on the way."""

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gatepost.graph.errors import NotThere, Refused, TokenStale, TooLate, TryLater, Unclear
from gatepost.graph.shapes import SEND_GUARD, SEND_KEY, SEND_NUMBER


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Item:
    id: str
    key: str
    message_id: str
    conversation: str
    subject: str
    body: str = ""
    is_draft: bool = True
    version: int = 1
    number: str = ""
    guard: str = ""

    def edit(self, body: str) -> None:
        """As a person does in Outlook."""
        self.body, self.version = body, self.version + 1


@dataclass
class InMemoryMailbox:
    """Answers the shapes of `graph.drafts`. `deliveries` is what recipients got, by send key.

    `faults` are used up by the next writes: "lost" (nothing was done), "done" (done, and not told),
    "late" (done when `late()` is called), "crash" (done, and the process ends), "refused", "gone" (404).
    """

    id_changes_on_send: bool = False
    search_finds: bool = True
    seconds_to_leave: float = 0.0  # renewing a token, connecting
    items: dict[str, Item] = field(default_factory=dict)
    deliveries: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)  # something that happens meanwhile
    _late: list[Callable[[], Any]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def ask(
        self, name: str, *, item: str = "", body: Any = None, leaves_by: float | None = None, **values: str
    ) -> dict[str, Any]:
        self.before.pop(name, lambda: None)()
        if leaves_by is not None and leaves_by < time.monotonic() + self.seconds_to_leave:
            raise TooLate("as the gateway says it")
        self.requests.append(name)
        match name:
            case "draft.find":
                found = [i for i in self.items.values() if i.key == values["key"] and self.search_finds]
                return {"value": [_shown(i) for i in found]}
            case "draft.find-by-message-id":
                return {
                    "value": [_shown(i) for i in self.items.values() if i.message_id == values["message_id"]]
                }
            case "draft.ours":
                return {"value": [_read(i) for i in self.items.values() if i.key]}
            case "draft.look":
                return _shown(self._get(values["id"]))
            case "draft.read":
                return _read(self._get(values["id"]))
            case "draft.create":
                return self._write(lambda: self._create(body, f"conversation-{item}"))
            case "draft.create-follow-up":
                earlier = self._get(values["id"])
                return self._write(lambda: self._create(body["message"], earlier.conversation))
            case "draft.send":
                return self._write(lambda: self._send(values["id"]))
            case "send.at-once":
                return self._write(lambda: self._send_at_once(body["message"]))
            case "draft.delete":
                return self._write(lambda: self._delete(values["id"]))
        raise AssertionError(f"the outbox asked for {name}")

    def count(self, name: str) -> int:
        return self.requests.count(name)

    def drafts(self) -> list[Item]:
        return [item for item in self.items.values() if item.is_draft]

    def late(self) -> None:
        """What was on its way arrives now; nobody waits for its answer."""
        waiting, self._late = self._late, []
        for work in waiting:
            with suppress(NotThere, Refused):
                work()

    def _write(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        fault = self.faults.pop(0) if self.faults else "none"
        match fault:
            case "none":
                return work()
            case "lost":
                raise Unclear("no answer")
            case "done":
                work()
                raise Unclear("no answer")
            case "late":
                self._late.append(work)
                raise Unclear("no answer")
            case "crash":
                work()
                raise Crash
            case "unreachable":
                raise TryLater("no connection")
            case "stale token":
                raise TokenStale("401")
            case "gone":
                raise NotThere("404")
        raise Refused("refused", code=fault)

    def _create(self, content: dict[str, Any], conversation: str) -> dict[str, Any]:
        number = next(self._numbers)
        key, mark, guard = (each["value"] for each in content["singleValueExtendedProperties"])
        made = Item(
            f"id-{number}",
            key,
            f"<{number}.{key}@northwind.example>",
            conversation,
            content["subject"],
            content["body"]["content"],
            number=mark,
            guard=guard,
        )
        self.items[made.id] = made
        return _read(made)

    def _send(self, graph_id: str) -> dict[str, Any]:
        sent = self._get(graph_id)
        if not sent.is_draft:
            raise Refused("not a draft", code="ErrorInvalidOperation")
        sent.is_draft = False
        self.deliveries.append(sent.key)
        if self.id_changes_on_send:
            del self.items[graph_id]
            sent.id = f"{graph_id}-sent"
            self.items[sent.id] = sent
        return {}

    def _send_at_once(self, content: dict[str, Any]) -> dict[str, Any]:
        made = self._create(content, f"conversation-{content['singleValueExtendedProperties'][0]['value']}")
        return self._send(made["id"])

    def _delete(self, graph_id: str) -> dict[str, Any]:
        self._get(graph_id)
        del self.items[graph_id]
        return {}

    def _get(self, graph_id: str) -> Item:
        if graph_id not in self.items:
            raise NotThere("404")
        return self.items[graph_id]


def _shown(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "isDraft": item.is_draft,
        "internetMessageId": item.message_id,
        "conversationId": item.conversation,
        "changeKey": f"k-{item.version}",
    }


def _read(item: Item) -> dict[str, Any]:
    marks = {SEND_KEY: item.key, SEND_NUMBER: item.number, SEND_GUARD: item.guard}
    return {
        **_shown(item),
        "subject": item.subject,
        "body": {"content": item.body},
        "createdDateTime": "2027-01-11T09:00:00Z",
        "sentDateTime": "2027-01-11T09:00:00Z",
        "singleValueExtendedProperties": [{"id": k, "value": v} for k, v in marks.items() if v],
    }
