"""What is going to happen, by the sandbox's clock; kept in the store, so that a restart forgets nothing."""

import asyncio
import heapq
from typing import Any

from m365_sandbox.entities import Action
from m365_sandbox.ids import key
from m365_sandbox.store import Store


class Schedule:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = 0
        self.woken = asyncio.Event()
        self.reload()

    def reload(self) -> None:
        self._heap: list[tuple[float, int, str]] = []
        for action in sorted(self._store.actions.values(), key=lambda action: action.due):
            self._push(action)

    def _push(self, action: Action) -> None:
        self._count += 1
        heapq.heappush(self._heap, (action.due, self._count, action.id))

    def add(self, due: float, kind: str, payload: dict[str, Any]) -> Action:
        action = Action(key(), due, kind, payload)
        self._store.save(action)
        self._push(action)
        self.woken.set()
        return action

    def again(self, action: Action, due: float) -> None:
        """Do it once more later."""
        action.due = due
        self._store.save(action)
        self._push(action)

    def take_due(self, now: float) -> Action | None:
        """The earliest action that is due; it stays in the store until `done`."""
        while self._heap and self._heap[0][0] <= now:
            _, _, name = heapq.heappop(self._heap)
            action = self._store.actions.get(name)
            if action is not None:
                return action
        return None

    def done(self, action: Action) -> None:
        self._store.remove(action)

    def next_due(self) -> float | None:
        while self._heap and self._heap[0][2] not in self._store.actions:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        return len(self._store.actions)
