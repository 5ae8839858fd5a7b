"""One message, its mailbox, the network and two workers; and everything that can happen next.

As pessimistic as section "Evidence" of docs/decisions/0004-exactly-once-sends.md says: no mutual exclusion, workers
that end or sleep anywhere, requests that are lost, answered, answered into the void or carried out late, a search
that lags, ids that change, a second send that is accepted, one restored database.

Taken as true, and nothing else: the quiet time is longer than any late request and than Exchange's own delivery; a
worker does not send after its deadline; after a restore no worker of before lives.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gatepost.outbox import protocol as p
from gatepost.outbox import rules

NOW = datetime(2027, 1, 11, 9, 0, tzinfo=UTC)
AGES = (NOW, NOW - p.QUIESCENCE, NOW - p.GIVE_UP)
LONG_AGO = NOW - p.GIVE_UP

DRAFT, SUBMITTED, SENT, GONE = "draft", "submitted", "sent", "gone"
Step = Callable[[p.Row], Any]


@dataclass(frozen=True)
class Bounds:
    """What is assumed of Microsoft, and how much may go wrong."""

    route: p.Route = p.Route.JSON
    second_send_accepted: bool = False  # A2; else A1: a submitted mail refuses to be sent again
    search_lags: bool = False
    ids_change: bool = False
    flag_readable: bool = False
    may_stay: bool = False  # 202, and it stays among the drafts (once)
    may_stop: bool = False  # the gate may say never, and Microsoft may refuse for good
    deleted_by_hand: bool = False  # the draft may be (once)
    person: bool = False  # may say "send it now" of what is held (once)
    restore: bool = False  # the database may be (once)
    workers: int = 2
    crashes: int = 2
    in_flight: int = 3
    items: int = 2
    attempts: int = p.MAX_ATTEMPTS


@dataclass(frozen=True)
class Design:
    """What is explored: the product's own, or one that is known to be bad."""

    step: Step = p.step
    waits: bool = True  # a draft is sent again only after the quiet time
    has_deadline: bool = True
    compares_revision: bool = True  # else only the state
    recovers: bool = True  # after a restore the mailboxes are compared first
    repeats: bool = False  # an unclear send is made again by the HTTP layer


OURS = Design()


class Db(NamedTuple):
    """The message's row."""

    state: p.State = p.State.PLANNED
    item: int = -1  # the draft whose id is committed
    attempts: int = 0
    age: int = 0  # of the last try: 0 just now, 1 the quiet time is over, 2 an hour


class Item(NamedTuple):
    status: str
    indexed: bool
    stamped: bool


class Worker(NamedTuple):
    node: int  # how far it is in its step
    current: bool = True  # nobody changed the row since it was read: its revision is the row's
    phase: int = (
        0  # 0: about to do the next thing · 1: waits for the answer of a write · 2: its deadline has passed
    )


class World(NamedTuple):
    db: Db = Db()
    items: tuple[Item, ...] = ()
    late: tuple[tuple[str, int], ...] = ()  # writes on their way, whose answer nobody awaits any more
    workers: tuple[Worker, ...] = ()  # those at work
    deliveries: int = 0
    crashes: int = 0
    stayed: bool = False
    deleted: bool = False
    decided: bool = False
    backup: Db | None = None
    restored: int = 0  # 0 no · 1 sending is stopped · 2 it goes on


def _stale(workers: tuple[Worker, ...]) -> tuple[Worker, ...]:
    """The row was changed by somebody else."""
    return tuple(worker._replace(current=False) for worker in workers)


class Model:
    """The successors of a world, each with the words for what happened."""

    def __init__(self, bounds: Bounds, design: Design = OURS) -> None:
        self.bounds, self.design = bounds, design
        self._ids: dict[Any, int] = {}
        self._nodes: list[tuple[p.Row, tuple[Any, ...], Any]] = []

    # A worker's place in its step: the row that it read and the answers that it got, by number

    def _node(self, row: p.Row, answers: tuple[Any, ...] = ()) -> int:
        known = self._ids.get((row, answers))
        if known is None:
            known = self._ids[row, answers] = len(self._nodes)
            self._nodes.append((row, answers, self._effect(row, answers)))
        return known

    def _effect(self, row: p.Row, answers: tuple[Any, ...]) -> Any:
        """What comes next; None at the step's end. The generator is run again from its beginning: it is pure."""
        step = self.design.step(row)
        try:
            effect = step.send(None)
            for answer in answers:
                effect = step.send(answer)
        except StopIteration:
            return None
        return effect

    def next(self, world: World) -> Iterator[tuple[str, World]]:
        yield from self._microsoft(world)
        yield from self._time(world)
        yield from self._people(world)
        yield from self._disasters(world)
        if world.restored == 1:
            return  # sending is stopped
        if len(world.workers) < self.bounds.workers and world.db.state in p.OPEN:
            for row in self._rows(world):
                for node in self._onwards(self._node(row)):
                    yield "a worker begins", self._with(world, *world.workers, Worker(node))
        seen = set()
        for place, worker in enumerate(world.workers):
            if worker not in seen:
                seen.add(worker)
                others = world.workers[:place] + world.workers[place + 1 :]
                yield from self._work(world, worker, others)

    def _onwards(self, node: int) -> tuple[int, ...]:
        """The node at which something can be seen of outside; what a worker does all for itself takes no time.

        Empty at the end of the step.
        """
        row, answers, effect = self._nodes[node]
        while effect is not None:
            if isinstance(effect, p.PutOff):
                answer: Any = True
            elif isinstance(effect, p.Gate) and not self.bounds.may_stop:
                answer = rules.Send()
            else:
                return (node,)
            node = self._node(row, (*answers, answer))
            row, answers, effect = self._nodes[node]
        return ()

    def _rows(self, world: World) -> Iterator[p.Row]:
        """The row as it is read. What depends on moments only may be either way."""
        db, bounds = world.db, self.bounds
        drafted = db.state == p.State.DRAFTED
        may_be_lost = drafted and (bounds.deleted_by_hand or bounds.ids_change or bounds.restore)
        for looks in (0, p.LOOKS_FOR_A_LOST_DRAFT) if may_be_lost else (0,):
            for drafted_at in (NOW, LONG_AGO) if drafted and db.attempts == 0 else (LONG_AGO,):
                yield p.Row(
                    db.state, NOW, self.bounds.route, str(db.item) if db.item >= 0 else "", drafted_at=drafted_at,
                    sending_at=AGES[db.age if self.design.waits else max(db.age, 1)], attempts=db.attempts,
                    looks=looks,
                )  # fmt: skip

    @staticmethod
    def _with(world: World, *workers: Worker, **changes: Any) -> World:
        return world._replace(workers=tuple(sorted(workers)), **changes)

    # One step of a worker

    def _work(self, world: World, worker: Worker, others: tuple[Worker, ...]) -> Iterator[tuple[str, World]]:
        row, answers, effect = self._nodes[worker.node]

        def told(answer: Any, into: World = world, others: tuple[Worker, ...] = others) -> World:
            (node,) = self._onwards(self._node(row, (*answers, answer))) or (-1,)
            if node < 0:
                return self._with(into, *others)
            return self._with(into, *others, Worker(node, worker.current))

        match effect:
            case p.Gate():
                yield "gate: send", told(rules.Send())
                yield "gate: never", told(rules.Cancel("stopped"))
            case p.FindByKey():
                yield "finds by key", told(self._found(world, by_key=True))
            case p.FindByMessageId():
                yield "finds by Message-ID", told(self._found(world, by_key=False))
            case p.Look(graph_id):
                yield "looks by id", told(self._by_id(world, int(graph_id)))
            case p.Read(graph_id):
                yield "reads its draft", told(self._by_id(world, int(graph_id)))
            case p.Commit():
                mine = worker.current or not self.design.compares_revision
                db = self._committed(world.db, effect) if mine else None
                if db is None:
                    yield f"may not commit {effect.event.name}", told(False)
                else:
                    yield f"commits {effect.event.name}", told(True, world._replace(db=db), _stale(others))
            case p.Sweep():
                yield "sweeps", told(None, self._swept(world))
            case p.SendDraft() if worker.phase == 2:
                yield "is too late to send", told(p.NotTaken())
            case _ if worker.phase == 1:
                yield from self._answers(world, effect, told)
            case _:
                if len(world.late) + sum(w.phase == 1 for w in world.workers) < self.bounds.in_flight:
                    asks = self._with(world, *others, worker._replace(phase=1))
                    yield f"asks: {type(effect).__name__}", asks
        if world.crashes < self.bounds.crashes:
            crashed = self._with(world, *others, crashes=world.crashes + 1)
            yield "a worker ends", crashed
            if worker.phase == 1:
                yield (
                    "a worker ends, its request is on its way",
                    crashed._replace(late=self._later(world, effect)),
                )

    def _answers(self, world: World, effect: Any, told: Callable[..., World]) -> Iterator[tuple[str, World]]:
        """What may come of a write that a worker waits for."""
        unclear: Any = False if isinstance(effect, p.Stamp) else p.Unclear()
        yield "the request is lost", told(unclear)
        for after, answer, word in self._done(world, effect):
            yield word, told(answer, after)
            yield f"{word}, the answer is lost", told(unclear, after)
        if isinstance(effect, p.SendDraft):
            yield "refused before anything was done", told(p.NotTaken())
        late = world._replace(late=self._later(world, effect))
        if self.design.repeats and isinstance(effect, p.SendDraft):
            yield "no answer: the HTTP layer asks once more", late
        yield "no answer, the request is on its way", told(unclear, late)

    def _later(self, world: World, effect: Any) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((*world.late, (type(effect).__name__, int(getattr(effect, "graph_id", -1))))))

    # Microsoft

    def _done(self, world: World, effect: Any) -> Iterator[tuple[World, Any, str]]:
        return self._carried_out(world, type(effect).__name__, int(getattr(effect, "graph_id", -1)))

    def _carried_out(self, world: World, kind: str, place: int) -> Iterator[tuple[World, Any, str]]:
        if kind == "Create":
            if len(world.items) < self.bounds.items:
                made = Item(DRAFT, not self.bounds.search_lags, self.bounds.route == p.Route.JSON)
                after = world._replace(items=(*world.items, made))
                yield after, self._shown(after, len(world.items)), "the draft is made"
            if self.bounds.may_stop:
                yield world, p.Refused("ErrorQuotaExceeded"), "the draft is refused"
            return
        item = world.items[place]
        if kind == "Stamp":
            if item.status in (DRAFT, SUBMITTED):
                yield self._changed(world, place, stamped=True), True, "the draft is stamped"
            return
        again = item.status == SUBMITTED and self.bounds.second_send_accepted
        if item.status == DRAFT and self.bounds.may_stop:
            yield world, p.Refused("ErrorSendAsDenied"), "refused for good"
        if item.status == DRAFT or again:
            sent = self._changed(world, place, status=SUBMITTED)._replace(deliveries=world.deliveries + 1)
            yield sent, p.Taken(), "it is sent"
            if self.bounds.may_stay and not world.stayed and not again:
                yield world._replace(stayed=True), p.Taken(), "202, and it stays a draft"
        elif item.status == GONE:
            yield world, p.Unclear(), "404"
        else:
            yield world, p.Refused("ErrorInvalidRequest"), "refused: it is no draft"

    def _microsoft(self, world: World) -> Iterator[tuple[str, World]]:
        for place, (kind, item) in enumerate(world.late):
            if place and world.late[place - 1] == (kind, item):
                continue
            rest = world._replace(late=world.late[:place] + world.late[place + 1 :])
            yield "a late request is lost", rest
            for after, _, word in self._carried_out(rest, kind, item):
                yield f"late: {word}", after
        for place, item in enumerate(world.items):
            if item.status == SUBMITTED:
                yield "Exchange moves it to Sent Items", self._changed(world, place, status=SENT)
            if not item.indexed:
                yield "the search finds it from now on", self._changed(world, place, indexed=True)

    def _shown(self, world: World, place: int) -> p.Item:
        item = world.items[place]
        flag = item.status in (SUBMITTED, SENT) if self.bounds.flag_readable else None
        return p.Item(
            str(place), is_draft=item.status in (DRAFT, SUBMITTED), submitted=flag, stamped=item.stamped,
            content="as it was", created=str(place),
        )  # fmt: skip

    def _by_id(self, world: World, place: int) -> p.Item | None:
        status = world.items[place].status
        if status == GONE or (status == SENT and self.bounds.ids_change):
            return None
        return self._shown(world, place)

    def _found(self, world: World, *, by_key: bool) -> tuple[p.Item, ...]:
        """What a search shows. After a send whose id changed, the item has another one."""
        found = []
        for place, item in enumerate(world.items):
            if item.status == GONE or not item.indexed or (by_key and not item.stamped):
                continue
            shown = self._shown(world, place)
            if item.status == SENT and self.bounds.ids_change:
                shown = p.Item(f"{place} moved", is_draft=False, stamped=item.stamped, created=shown.created)
            found.append(shown)
        return tuple(found)

    @staticmethod
    def _changed(world: World, place: int, **changes: Any) -> World:
        items = list(world.items)
        items[place] = items[place]._replace(**changes)
        return world._replace(items=tuple(items))

    def _swept(self, world: World) -> World:
        """As outbox.sending.remove_drafts: not while the message may still choose one of them."""
        if world.db.state == p.State.PLANNED:
            return world
        keep = world.db.item if world.db.state != p.State.CANCELLED else -1
        items = [
            each._replace(status=GONE) if each.status == DRAFT and each.indexed and place != keep else each
            for place, each in enumerate(world.items)
        ]
        return world._replace(items=tuple(items))

    # The database

    @staticmethod
    def _committed(db: Db, commit: p.Commit) -> Db | None:
        """The row after the change, by the table; None where it knows no such change."""
        transition = p.TRANSITIONS[commit.event]
        if db.state not in transition.before:
            return None
        changed = db._replace(state=transition.after)
        match commit.event:
            case p.Event.DRAFT:
                assert commit.item is not None
                changed = changed._replace(item=int(commit.item.graph_id))
            case p.Event.TRY:
                changed = changed._replace(attempts=db.attempts + 1, age=0)
            case p.Event.NOT_TAKEN:
                changed = changed._replace(attempts=max(0, db.attempts - 1))
            case p.Event.SEND_NOW | p.Event.WRITE_NOW:
                changed = changed._replace(attempts=0)
            case p.Event.RESTORED:
                changed = changed._replace(item=-1, attempts=0, age=0)
        return changed

    # Time, people, disasters

    def _time(self, world: World) -> Iterator[tuple[str, World]]:
        """The quiet time passes: what was on its way has arrived or is lost, and no old deadline is open."""
        tried = world.db.state in (p.State.SENDING, p.State.ACCEPTED)
        if not tried or world.db.age == len(AGES) - 1 or not self._is_quiet(world):
            return
        workers = [
            w._replace(phase=2)
            if self.design.has_deadline and isinstance(self._nodes[w.node][2], p.SendDraft)
            else w
            for w in world.workers
        ]
        items = tuple(item._replace(indexed=True) for item in world.items)
        db = world.db._replace(age=world.db.age + 1)
        yield "the quiet time passes", self._with(world, *workers, db=db, items=items)

    @staticmethod
    def _is_quiet(world: World) -> bool:
        return (
            not world.late
            and not any(worker.phase == 1 for worker in world.workers)
            and not any(item.status == SUBMITTED for item in world.items)
        )

    def _people(self, world: World) -> Iterator[tuple[str, World]]:
        if self.bounds.deleted_by_hand and not world.deleted:
            for place, item in enumerate(world.items):
                if item.status == DRAFT:
                    gone = self._changed(world, place, status=GONE)._replace(deleted=True)
                    yield "the rep deletes the draft", gone
        if (
            self.bounds.person
            and not world.decided
            and world.db.state == p.State.HELD
            and world.restored != 1
        ):
            event = p.Event.SEND_NOW if world.db.item >= 0 else p.Event.WRITE_NOW
            db = self._committed(world.db, p.Commit(event))
            assert db is not None
            workers = _stale(world.workers)
            yield f"a person decides {event.name}", self._with(world, *workers, db=db, decided=True)

    def _disasters(self, world: World) -> Iterator[tuple[str, World]]:
        if not self.bounds.restore:
            return
        if world.backup is None and not world.restored:
            yield "a backup is made", world._replace(backup=world.db)
        if world.backup is not None:
            late = world.late
            for worker in world.workers:
                if worker.phase == 1:
                    late = self._later(world._replace(late=late), self._nodes[worker.node][2])
            yield (
                "the backup is restored",
                world._replace(
                    db=world.backup,
                    backup=None,
                    workers=(),
                    late=late,
                    restored=1 if self.design.recovers else 2,
                ),
            )
        if world.restored == 1 and self._is_quiet(world):
            yield from self._compared(world)

    def _compared(self, world: World) -> Iterator[tuple[str, World]]:
        """As outbox.comparing: what was sent is confirmed, every draft is removed, the rest begins anew."""
        db = world.db
        was_sent = any(item.status == SENT for item in world.items)
        event = p.Event.SEEN if was_sent else p.Event.RESTORED
        db = self._committed(db, p.Commit(event)) or db
        if not was_sent and db.state == p.State.HELD:
            db = db._replace(item=-1)
        items = tuple(
            item._replace(indexed=True, status=GONE if item.status == DRAFT else item.status)
            for item in world.items
        )
        word = f"the mailbox is compared: {event.name if db != world.db else 'nothing'}; a person says go"
        yield word, world._replace(db=db, items=items, restored=2)
