"""Every world that can be reached, breadth first: the first bad one is reached by the shortest way."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from gatepost.outbox.protocol import CLOSED, State

from .world import OURS, Bounds, Design, Model, World


@dataclass
class Searched:
    """How many worlds there are; where one is bad, what is wrong and how it comes to that."""

    states: int = 0
    wrong: str = ""
    trace: list[str] = field(default_factory=list)


def wrong_with(world: World) -> str:
    """What must never be true."""
    if world.deliveries > 1:
        return "sent twice"
    if world.db.state == State.CONFIRMED and world.deliveries == 0:
        return "recorded as sent, and nothing left"
    if world.db.state == State.CANCELLED and world.deliveries:
        return "recorded as cancelled, and it left"
    return ""


def search(
    bounds: Bounds,
    design: Design = OURS,
    *,
    most: int = 10_000_000,
    watch: Callable[[str], None] = lambda word: None,
) -> Searched:
    """`watch` hears what happened, once for each new world."""
    model, first = Model(bounds, design), World()
    came_from: dict[World, tuple[World, str] | None] = {first: None}
    waiting = deque([first])
    while waiting:
        world = waiting.popleft()
        ends = True
        for word, after in model.next(world):
            ends = False
            if after in came_from:
                continue
            came_from[after] = (world, word)
            watch(word)
            if wrong := wrong_with(after):
                return Searched(len(came_from), wrong, _way(came_from, after))
            if len(came_from) > most:
                raise MemoryError(f"more than {most:,} states")
            waiting.append(after)
        if ends and world.db.state not in (*CLOSED, State.HELD):
            return Searched(len(came_from), "stuck", _way(came_from, world))
    return Searched(len(came_from))


def _way(came_from: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    way = []
    while (before := came_from[world]) is not None:
        world, word = before
        way.append(word)
    return way[::-1]
