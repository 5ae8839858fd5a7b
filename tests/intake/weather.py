"""A mailbox at Microsoft in bad weather, and what was delivered to it; for `test_weather.py` and `./dev soak sync`.

Mail arrives in three folders, and is moved between them, also while they are read. Notifications are lost, late, doubled and
out of order; positions are forgotten (410); mails are told as removed that are still there; answers break off; the worker
is killed at any request, or down for days; the rep has to sign in again. In the end every reply is stored exactly once, and
nothing else is.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connections

from gatepost import clock
from gatepost.conversations.models import Reply
from gatepost.graph.errors import NotThere, SyncStateLost, TryLater
from gatepost.graph.shapes import IN_REPLY_TO, REFERENCES
from gatepost.graph.wire import written
from gatepost.intake import actions, jobs
from gatepost.intake.models import Quarantine
from gatepost.isolation import inside
from gatepost.mailboxes import gaps
from gatepost.mailboxes.connection import needs_reconnect
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import due_for_sync, load
from gatepost.vault.sealing import index
from tests.at_once import at_once
from tests.makers import advance, fresh, rows

FOLDERS = ("inbox", "junkemail", "sentitems")
ON_A_PAGE = 5
# What comes, and what of it may be read.
KINDS = {
    "reply": 4, "someone else": 1, "unrelated": 12, "internal": 2, "conversation": 2, "our own": 1, "foreign reference": 3,
}  # fmt: skip
REPLIES = frozenset({"reply", "someone else"})


class Killed(Exception):
    """The worker is gone, whatever it was doing."""


class Microsoft:
    """The other side: folders with a log of changes, in pages, that may break."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.mails: dict[str, dict[str, Any]] = {}
        self.log: dict[str, list[tuple[str, bool]]] = {
            name: [] for name in FOLDERS
        }  # (mail, told as removed)
        self.walks: dict[str, list[str]] = {}
        self.forgotten_before = dict.fromkeys(FOLDERS, 0)  # positions up to here answer 410
        self.trouble = 0.0  # how often a request fails
        self.bustle = 0.0  # how often something happens in the mailbox while it is read
        self.meanwhile: Callable[[], None] = lambda: None
        self.unreadable: set[str] = set()  # folders
        self.walks_fail = 0  # so many that are begun
        self.asked: Counter[str] = Counter()
        self.texts: list[str] = []

    def arrives(self, folder: str, name: str, **mail: Any) -> None:
        self.mails[name] = {"folder": folder, "received": clock.now(), **mail}
        self.log[folder].append((name, False))

    async def ask(self, name: str, *, item: str = "", **values: str) -> dict[str, Any]:
        self._weather(name)
        if name == "envelopes":
            self._readable(values["folder"])
            if self.walks_fail:
                self.walks_fail -= 1
                raise TryLater("503")
            return self._walk(values["folder"], values["since"])
        mail = self.mails.get(values["id"])
        if mail is None:
            raise NotThere("404")
        match name:
            case "envelope":
                return self._envelope(values["id"])
            case "sender":
                return {"from": {"emailAddress": {"address": mail["sender"]}}, "isDraft": False}
            case "reply":
                self.texts.append(values["id"])
                return {
                    "uniqueBody": {"content": "Let us talk on Thursday."}, "subject": "Re: Quick question",
                    "receivedDateTime": written(mail["received"]),
                }  # fmt: skip
        raise AssertionError(f"the intake asked for {name}")

    async def follow(self, name: str, link: str) -> dict[str, Any]:
        self._weather(name)
        kind, folder, at = link.split("|")[:3]
        self._readable(folder)
        if kind == "walk":
            if link not in self.walks:
                raise SyncStateLost("410")
            return self._page(folder, [(each, False) for each in self.walks[link]], link)
        place = int(at)
        if place < self.forgotten_before[folder]:
            raise SyncStateLost("410")
        some = self.log[folder][place : place + ON_A_PAGE]
        return self._answer(
            some, f"delta|{folder}|{place + len(some)}", place + len(some) >= len(self.log[folder])
        )

    def _walk(self, folder: str, since: str) -> dict[str, Any]:
        here = [
            each for each, mail in self.mails.items()
            if mail["folder"] == folder and written(mail["received"]) >= since
        ]  # fmt: skip
        link = f"walk|{folder}|{len(self.log[folder])}|{self.chance.random()}"
        self.walks[link] = here
        return self._page(folder, [(each, False) for each in here], link)

    def _page(self, folder: str, left: list[tuple[str, bool]], link: str) -> dict[str, Any]:
        some, rest = left[:ON_A_PAGE], left[ON_A_PAGE:]
        _, _, at, *_ = link.split("|")
        if not rest:
            return self._answer(some, f"delta|{folder}|{at}", True)
        onward = f"walk|{folder}|{at}|{self.chance.random()}"
        self.walks[onward] = [each for each, _ in rest]
        return self._answer(some, onward, False)

    def _answer(self, some: list[tuple[str, bool]], link: str, done: bool) -> dict[str, Any]:
        value = [
            {"id": each, "@removed": {"reason": "deleted"}} if gone or each not in self.mails else self._envelope(each)
            for each, gone in some
        ]  # fmt: skip
        return {"value": value, "@odata.deltaLink" if done else "@odata.nextLink": link}

    def _envelope(self, name: str) -> dict[str, Any]:
        mail = self.mails[name]
        references = mail.get("references", "")
        values = [{"id": IN_REPLY_TO, "value": references}, {"id": REFERENCES, "value": references}]
        return {
            "id": name, "conversationId": mail.get("conversation", f"c-{name}"),
            "internetMessageId": mail.get("internet_id", f"<{name}@contoso.example>"),
            "receivedDateTime": written(mail["received"]),
            "singleValueExtendedProperties": values if references else [],
        }  # fmt: skip

    def _readable(self, folder: str) -> None:
        if folder in self.unreadable:
            raise TryLater("503")

    def _weather(self, name: str) -> None:
        self.asked[name] += 1
        luck = self.chance.random()
        if luck < self.trouble / 2:
            raise Killed
        if luck < self.trouble:
            raise TryLater("503")
        if self.chance.random() < self.bustle:
            self.meanwhile()


class Weather:
    """One mailbox with some mails of ours in it, and events one after another."""

    def __init__(self, story: Any, chance: random.Random, clock_file: Path) -> None:
        self.story, self.chance, self.clock_file = story, chance, clock_file
        self.microsoft = Microsoft(chance)
        self.ours = [story.write_to(f"petra{n}@contoso.example", f"c-ours-{n}") for n in range(4)]
        self.expected: set[str] = set()
        self.doubtful: set[str] = set()
        self.done: Counter[str] = Counter()
        self.count = 0
        self.post = 0  # notifications on their way; each says no more than that there is mail
        self.microsoft.meanwhile = self.something_happens
        self._set(sync_due_at=clock.now())

    def go(self, events: int) -> None:
        """So many events, each at random; then the weather clears and the timer comes round once more."""
        ways = {
            self.mail_arrives: 10, self.notified: 6, self.notified_twice: 1, self.worker_looks: 4, self.time_passes: 3,
            self.worker_is_down: 1, self.position_is_forgotten: 1, self.told_as_removed: 1, self.moves: 2,
            self.nothing_works: 1, self.must_sign_in: 1,
        }  # fmt: skip
        for _ in range(events):
            self._happens(ways)
        self.microsoft.trouble = self.microsoft.bustle = 0.0
        self.signs_in()
        advance(self.clock_file, timedelta(hours=1))
        self.worker_looks()

    def something_happens(self) -> None:
        """Between two requests of the worker."""
        self._happens({self.mail_arrives: 2, self.moves: 3, self.told_as_removed: 1})

    def _happens(self, ways: dict[Callable[[], None], int]) -> None:
        (way,) = self.chance.choices(list(ways), list(ways.values()))
        self.done[way.__name__] += 1
        way()

    def mail_arrives(self) -> None:
        """A burst of some; of each a notification is on its way, or lost."""
        for _ in range(self.chance.randint(1, 3)):
            self.count += 1
            (kind,) = self.chance.choices(list(KINDS), list(KINDS.values()))
            self.done[kind] += 1
            message, sent_id = self.chance.choice(self.ours)
            name = f"m{self.count}"
            mail: dict[str, Any] = {"sender": f"somebody{self.count}@elsewhere.example"}
            if kind in ("reply", "someone else", "internal"):
                mail["references"] = sent_id
            if kind == "internal":
                mail["sender"] = "ben@northwind.example"
            elif kind == "conversation":
                mail["conversation"] = f"c-ours-{self.ours.index((message, sent_id))}"
            elif kind == "our own":
                mail |= {"sender": "alice@northwind.example", "references": sent_id}
            elif kind == "foreign reference":
                mail["references"] = "<another@elsewhere.example>"
            self.microsoft.arrives(self.chance.choice(("inbox", "inbox", "junkemail")), name, **mail)
            self.post += (
                self.chance.random() < 0.8
            )  # https://github.com/microsoftgraph/microsoft-graph-docs/issues/14914
            if kind in REPLIES:
                self.expected.add(name)
            if kind == "conversation":
                self.doubtful.add(name)

    def notified(self) -> None:
        """By the oldest notification or the newest: they say the same. It comes twice, or hours after."""
        if self.post:
            self.post -= self.chance.random() < 0.7
            self._wake()
        self.worker_looks()

    def notified_twice(self) -> None:
        self._wake()
        self._wake()
        self.worker_looks()

    def worker_looks(self) -> None:
        """If something is due: its time has come, or a notification came. A round ends at the first thing that fails."""
        workspace_id, mailbox_id = self.story.mailbox.workspace_id, self.story.mailbox.pk
        if not any(found.id == mailbox_id for found in due_for_sync(clock.now())):
            return
        mailbox, started = load(workspace_id, mailbox_id), clock.now()
        assert mailbox is not None  # one that is not connected is not due
        try:
            at_once(jobs.read_folders(mailbox, self.microsoft, started))  # type: ignore[arg-type]
        except (Killed, TryLater, SyncStateLost):
            return
        actions.read_through(mailbox, started, next_sync=started + timedelta(minutes=5))

    def time_passes(self) -> None:
        advance(self.clock_file, timedelta(minutes=self.chance.choice((1, 10, 30, 600))))

    def worker_is_down(self) -> None:
        advance(self.clock_file, timedelta(minutes=self.chance.choice((300, 3000, 9000))))

    def must_sign_in(self) -> None:
        """Until then nothing is read."""
        if self.chance.random() < 0.5:
            needs_reconnect(self.story.mailbox.workspace_id, self.story.mailbox.pk, "AADSTS50173")
            advance(self.clock_file, timedelta(minutes=self.chance.choice((5, 3000))))
        else:
            self.signs_in()

    def signs_in(self) -> None:
        mailbox = fresh(self.story.mailbox)
        if mailbox.state != Mailbox.State.CONNECTED:
            with inside(mailbox.workspace_id):
                gaps.begin_at_reconnect(mailbox)
            self._set(state=Mailbox.State.CONNECTED, sync_due_at=clock.now())

    def position_is_forgotten(self, folder: str = "") -> None:
        folder = folder or self.chance.choice(FOLDERS)
        self.microsoft.forgotten_before[folder] = len(self.microsoft.log[folder]) + 1
        self.microsoft.log[folder].append(("nobody", True))
        self.microsoft.walks.clear()

    def told_as_removed(self) -> None:
        """Of a mail that is still there. (Removed means deleted or moved, and Microsoft has said it of neither.)"""
        if self.microsoft.mails:
            name = self.chance.choice(list(self.microsoft.mails))
            self.microsoft.log[self.microsoft.mails[name]["folder"]].append((name, True))

    def moves(self) -> None:
        """By a rule or by hand, from one folder to the other, whether it was seen there before or not."""
        if self.microsoft.mails:
            self.move(self.chance.choice(list(self.microsoft.mails)))

    def move(self, name: str) -> None:
        mail = self.microsoft.mails[name]
        self.microsoft.log[mail["folder"]].append((name, True))
        mail["folder"] = "junkemail" if mail["folder"] == "inbox" else "inbox"
        self.microsoft.log[mail["folder"]].append((name, False))

    def nothing_works(self) -> None:
        """Requests fail, workers are killed in the middle, and the rep tidies up meanwhile, some times over."""
        self.microsoft.trouble, self.microsoft.bustle = self.chance.choice(
            ((0.4, 0.0), (0.2, 0.2), (0.0, 0.5))
        )
        for _ in range(self.chance.randint(1, 4)):
            self._wake()
            self.worker_looks()
        self.microsoft.trouble = self.microsoft.bustle = 0.0

    def _wake(self) -> None:
        """As the hooks do it."""
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT wake_mailboxes(%s, 'mail', %s)", [[self.story.mailbox.pk], clock.now()])

    def _set(self, **columns: Any) -> None:
        with inside(self.story.mailbox.workspace_id):
            Mailbox.objects.filter(pk=self.story.mailbox.pk).update(**columns)

    def wrong(self) -> list[str]:
        """What is not as it must be now that the weather is fair."""
        workspace_id = self.story.mailbox.workspace_id

        def keys(names: set[str]) -> Counter[str]:
            return Counter(index(workspace_id, "message-id", f"<{name}@contoso.example>") for name in names)

        stored = Counter(each.internet_message_index for each in rows(Reply, workspace_id))
        kept = Counter(each.internet_message_index for each in rows(Quarantine, workspace_id))
        said = []
        for what, found, wanted in (
            ("replies", stored, keys(self.expected)),
            ("doubtful", kept, keys(self.doubtful)),
        ):
            if found != wanted:
                said.append(
                    f"{what}: {sum((wanted - found).values())} missing, {sum((found - wanted).values())} too many"
                )
        if more := set(self.microsoft.texts) - self.expected:
            said.append(f"the text of {len(more)} mails was asked for that are no replies")
        return said
