"""A mailbox at Microsoft in bad weather, and what was delivered to it; for `test_weather.py` and `./dev soak sync`.

Mail arrives in the inbox, in junk, and by rules in folders of the rep's own, sometimes with a copy; it is moved between them and
to the archive, also while they are read. Folders are made, nested, moved, emptied and deleted, thrown away and taken back.
Notifications are lost, late, doubled and out of order; positions are forgotten (410); walks tell of less than there is; mails
are told as removed that are still there; answers break off; the worker is killed at any request, or down for days; the rep
has to sign in again. In the end every reply is stored exactly once, and nothing else is.
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

# Folders with a well-known name; one more is made later. The rep's own come and go.
FOLDERS = ("inbox", "junkemail", "sentitems", "archive", "drafts", "outbox", "deleteditems", "syncissues")
LATER = "conversationhistory"
NEVER_READ = ("drafts", "outbox", "deleteditems", "syncissues", LATER)
ON_A_PAGE = 5
A_WALK_TELLS = 12  # Microsoft's tells 5,000 where it is narrowed by time
# What comes, and what of it may be read.
KINDS = {
    "reply": 4, "someone else": 1, "unrelated": 12, "internal": 2, "conversation": 2, "our own": 1, "foreign reference": 3,
}  # fmt: skip
REPLIES = frozenset({"reply", "someone else"})


def _id(name: str) -> str:
    """Of a folder with this well-known name, or the rep's own of this number."""
    return f"f-{name}"


class Killed(Exception):
    """The worker is gone, whatever it was doing."""


class Microsoft:
    """The other side: folders with a log of changes, in pages, that may break."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.mails: dict[str, dict[str, Any]] = {}
        self.parents = dict.fromkeys(map(_id, FOLDERS), "root")  # by folder
        self.log: dict[str, list[tuple[str, bool]]] = {
            each: [] for each in self.parents
        }  # (mail, told as removed)
        self.walks: dict[str, list[str]] = {}
        self.forgotten_before: Counter[str] = Counter()  # positions up to here answer 410
        self.trouble = 0.0  # how often a request fails
        self.bustle = 0.0  # how often something happens in the mailbox while it is read
        self.meanwhile: Callable[[], None] = lambda: None
        self.unreadable: set[str] = set()  # folders
        self.walks_fail = 0  # so many that are begun
        self.made = 0
        self.asked: Counter[str] = Counter()
        self.read: Counter[str] = Counter()  # folders
        self.texts: list[str] = []

    def arrives(self, folder: str, name: str, **mail: Any) -> None:
        self.mails[name] = {"folder": folder, "received": clock.now(), "unread": True, **mail}
        self.log[folder].append((name, False))

    def make(self, below: str = "root", name: str = "") -> str:
        self.made += 1
        folder = _id(name or f"own-{self.made}")
        self.parents[folder], self.log[folder] = below, []
        return folder

    def lies_below(self, folder: str, above: str) -> bool:
        while folder in self.parents and folder != above:
            folder = self.parents[folder]
        return folder == above

    def receiving(self) -> list[str]:
        never = [_id(name) for name in (*NEVER_READ, "sentitems")]
        return [each for each in self.parents if not any(self.lies_below(each, one) for one in never)]

    def own(self) -> list[str]:
        """Folders that the rep made, and that are not thrown away."""
        return [each for each in self.receiving() if each.startswith("f-own-")]

    def in_folder(self, folder: str, since: str = "") -> list[str]:
        return [
            each for each, mail in self.mails.items()
            if mail["folder"] == folder and written(mail["received"]) >= since
        ]  # fmt: skip

    async def ask(self, name: str, *, item: str = "", **values: str) -> dict[str, Any]:
        self._weather(name)
        if name == "folders":
            return self._tree(0)
        if "folder" in values:
            return self._of_folder(name, **values)
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

    def _of_folder(self, name: str, folder: str, since: str = "") -> dict[str, Any]:
        folder = folder if folder in self.parents else _id(folder)
        self._readable(folder)
        if name == "folder.check":
            return {"id": folder}
        here = self.in_folder(folder, since)
        if name == "envelopes.count":
            return {"@odata.count": len(here), "value": []}
        if name == "envelopes.all":
            return {"value": [self._envelope(each) for each in here]}
        if self.walks_fail:
            self.walks_fail -= 1
            raise TryLater("503")
        return self._walk(folder, here[:A_WALK_TELLS])

    def _tree(self, at: int) -> dict[str, Any]:
        """Every folder at whatever depth. One that is made or deleted meanwhile may shift the pages."""
        some = list(self.parents)[at : at + 4 * ON_A_PAGE]
        value = [
            {
                "id": each, "parentFolderId": self.parents[each], "totalItemCount": len(self.in_folder(each)),
                "unreadItemCount": sum(self.mails[mail]["unread"] for mail in self.in_folder(each)),
            }
            for each in some
        ]  # fmt: skip
        at += len(some)
        link = {"@odata.nextLink": f"tree|{at}|"} if at < len(self.parents) else {"@odata.deltaLink": "tree"}
        return {"value": value, **link}

    async def follow(self, name: str, link: str) -> dict[str, Any]:
        self._weather(name)
        if name == "folders":
            return self._tree(int(link.split("|")[1]))
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

    def _walk(self, folder: str, here: list[str]) -> dict[str, Any]:
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
        if folder not in self.parents:
            raise NotThere("404")
        self.read[folder] += 1
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
        for _ in range(chance.choice((0, 3, 14))):
            self.microsoft.make()
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
            self.nothing_works: 1, self.must_sign_in: 1, self.folder_is_made: 2, self.folder_is_deleted: 1,
            self.folder_is_moved: 1, self.folder_is_thrown_away: 1, self.folder_comes_back: 2, self.rep_reads: 2,
            self.rep_deletes: 3, self.one_comes_as_another_goes: 3,
        }  # fmt: skip
        for _ in range(events):
            self._happens(ways)
        self.worker_looks()
        self.one_comes_as_another_goes()
        self.clears()

    def clears(self) -> None:
        """The last thrown away comes back. Then the timer comes round: once after a gap, or for a day as ever."""
        self.microsoft.trouble = self.microsoft.bustle = 0.0
        self.signs_in()
        for each in self.thrown_away():
            self.microsoft.parents[each] = "root"
        if self.chance.random() < 0.8:
            advance(self.clock_file, timedelta(hours=1))
            self.worker_looks()
            return
        self.done["a_quiet_day"] += 1
        for _ in range(25 * 4):
            advance(self.clock_file, timedelta(minutes=15))
            self.worker_looks()

    def something_happens(self) -> None:
        """Between two requests of the worker."""
        self._happens(
            {self.mail_arrives: 2, self.moves: 3, self.told_as_removed: 1, self.rep_deletes: 1, self.folder_is_made: 1,
             self.folder_is_deleted: 1}
        )  # fmt: skip

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
            self.microsoft.arrives(self._where_rules_put_it(), name, **mail)
            if self.chance.random() < 0.1:  # a rule makes a copy, which is another item
                internet_id = f"<{name}@contoso.example>"
                self.microsoft.arrives(
                    self._where_rules_put_it(), f"{name}-copy", internet_id=internet_id, **mail
                )
            self.post += (
                self.chance.random() < 0.8
            )  # https://github.com/microsoftgraph/microsoft-graph-docs/issues/14914
            if kind in REPLIES:
                self.expected.add(name)
            if kind == "conversation":
                self.doubtful.add(name)

    def _where_rules_put_it(self) -> str:
        return self.chance.choice(["f-inbox"] * 3 + ["f-junkemail", *self.microsoft.own()[-3:]])

    def draft_is_begun(self, folder: str) -> None:
        """It refers to our mail; where it lies nothing is read."""
        self.count += 1
        references = self.chance.choice(self.ours)[1]
        self.microsoft.arrives(
            folder, f"m{self.count}", sender="somebody@elsewhere.example", references=references
        )

    def folder_is_made(self) -> None:
        """By the rep at the top or below another; one by Microsoft, for chats."""
        if _id(LATER) not in self.microsoft.parents and self.chance.random() < 0.2:
            self.microsoft.make(name=LATER)
        elif self.microsoft.made < 40:
            self.microsoft.make(below=self.chance.choice(["root", "f-inbox", *self.microsoft.own()]))
        never = [_id(each) for each in NEVER_READ if _id(each) in self.microsoft.parents]
        self.draft_is_begun(self.chance.choice(never))

    def folder_is_deleted(self) -> None:
        """The rep first puts what lies in it somewhere else."""
        own = self.microsoft.own()
        empty = [each for each in own if each not in self.microsoft.parents.values()]
        if not empty:
            return
        folder = self.chance.choice(empty)
        for each in self.microsoft.in_folder(folder):
            self.move(each, self.chance.choice([f for f in self.microsoft.receiving() if f != folder]))
        del self.microsoft.parents[folder]

    def folder_is_moved(self) -> None:
        own = self.microsoft.own()
        if len(own) > 1:
            folder, below = self.chance.sample(own, 2)
            if not self.microsoft.lies_below(below, folder):
                self.microsoft.parents[folder] = below

    def folder_is_thrown_away(self) -> None:
        if own := self.microsoft.own():
            self.microsoft.parents[self.chance.choice(own)] = "f-deleteditems"

    def thrown_away(self) -> list[str]:
        return [each for each, above in self.microsoft.parents.items() if above == "f-deleteditems"]

    def folder_comes_back(self) -> None:
        if thrown_away := self.thrown_away():
            self.microsoft.parents[self.chance.choice(thrown_away)] = "root"

    def rep_reads(self) -> None:
        if self.microsoft.mails:
            name = self.chance.choice(list(self.microsoft.mails))
            self.microsoft.mails[name]["unread"] = False
            self.microsoft.log[self.microsoft.mails[name]["folder"]].append((name, False))

    def rep_deletes(self) -> None:
        """Anything but a reply: the number of mails in a folder stands still where one came."""
        if spare := [each for each in self.microsoft.mails if each not in self.expected | self.doubtful]:
            name = self.chance.choice(spare)
            self.microsoft.log[self.microsoft.mails.pop(name)["folder"]].append((name, True))

    def one_comes_as_another_goes(self) -> None:
        """A reply, by a rule, while the rep deletes another mail: the folder's numbers stand still."""
        own = self.microsoft.own()
        spare = [
            each for each, mail in self.microsoft.mails.items()
            if mail["folder"] in own and mail["unread"] and each not in self.expected | self.doubtful
        ]  # fmt: skip
        if spare:
            name = self.chance.choice(spare)
            folder = self.microsoft.mails.pop(name)["folder"]
            self.microsoft.log[folder].append((name, True))
            self.count += 1
            self.expected.add(f"m{self.count}")
            self.microsoft.arrives(
                folder, f"m{self.count}", sender="somebody@elsewhere.example", references=self.ours[0][1]
            )

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
        folder = folder or self.chance.choice(list(self.microsoft.parents))
        self.microsoft.forgotten_before[folder] = len(self.microsoft.log[folder]) + 1
        self.microsoft.log[folder].append(("nobody", True))
        self.microsoft.walks.clear()

    def told_as_removed(self) -> None:
        """Of a mail that is still there. (Removed means deleted or moved, and Microsoft has said it of neither.)"""
        if self.microsoft.mails:
            name = self.chance.choice(list(self.microsoft.mails))
            self.microsoft.log[self.microsoft.mails[name]["folder"]].append((name, True))

    def moves(self) -> None:
        """By a rule or by hand, from one folder to another, whether it was seen there before or not."""
        receiving = self.microsoft.receiving()
        mails = [each for each, mail in self.microsoft.mails.items() if mail["folder"] in receiving]
        if mails:
            name = self.chance.choice(mails)
            self.move(name, self.chance.choice(receiving))

    def move(self, name: str, folder: str) -> None:
        mail = self.microsoft.mails[name]
        self.microsoft.log[mail["folder"]].append((name, True))
        mail["folder"] = folder
        self.microsoft.log[folder].append((name, False))

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
        if more := {each.removesuffix("-copy") for each in self.microsoft.texts} - self.expected:
            said.append(f"the text of {len(more)} mails was asked for that are no replies")
        return said
