"""Where replies lie: rules move them. Which folders are looked at, when, and that looking stays cheap."""

import random
from datetime import timedelta

import pytest

from gatepost import clock
from gatepost.conversations.models import Reply
from gatepost.graph.errors import Refused
from gatepost.graph.messages import FolderSeen
from gatepost.intake import actions, jobs, rules
from gatepost.intake.rules import FolderFacts, LeaveOut, Look, LookLater, Receives
from gatepost.isolation import inside
from gatepost.mailboxes.models import Folder, Mailbox
from gatepost.outbox.models import Message
from tests.at_once import without_threads
from tests.intake.test_sync import Story
from tests.intake.weather import Weather
from tests.makers import MONDAY, advance, clock_at, fresh, rows

NAMED = {name: name for name in rules.NAMED}


def folder(graph_id, parent="root", **more):
    return FolderSeen(
        graph_id, parent, **{"hidden": False, "is_search": False, "total": 0, "unread": 0, **more}
    )


@pytest.mark.parametrize(
    ("seen", "decision"),
    [
        (folder("inbox"), Receives()),
        (folder("archive"), Receives()),
        (folder("own"), Receives()),
        (folder("own", parent="inbox"), Receives()),
        (folder("own", parent="own"), Receives()),  # whatever Microsoft says, it ends
        (folder("drafts"), LeaveOut("nothing in it was received")),
        (folder("deleteditems"), LeaveOut("the rep threw it away")),
        (folder("own", parent="deleteditems"), LeaveOut("the rep threw it away")),
        (folder("own", parent="syncissues"), LeaveOut("Outlook's own reports")),
        (folder("own", hidden=True), LeaveOut("hidden")),
        (folder("own", is_search=True), LeaveOut("a search, of mails that lie elsewhere")),
    ],
)
def test_which_folders_are_looked_at(seen, decision):
    tree = {each: folder(each) for each in rules.NAMED} | {seen.graph_id: seen}
    assert rules.decide_folders(tree, NAMED)[seen.graph_id] == decision


NOW = MONDAY
READ = FolderFacts(
    False, False, False, synced_at=NOW - timedelta(hours=2), changed_at=NOW - timedelta(days=1)
)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        ({"unfinished": True}, Look("not read to its end")),
        ({"count_changed": True}, Look("the number of its mails changed")),
        ({"catching_up": True}, Look("the mailbox reads before it speaks")),
        ({}, Look("its number may stand still while mails come and go", may_wait=True)),
        ({"synced_at": NOW}, LookLater(NOW + timedelta(hours=1), "nothing came or went")),
        ({"changed_at": None}, LookLater(NOW + timedelta(hours=22), "nothing came or went")),
        ({"changed_at": NOW - timedelta(days=15)}, LookLater(NOW + timedelta(hours=22), "nothing came or went")),
    ],
)  # fmt: skip
def test_when_a_folder_is_looked_at(facts, decision):
    values = {name: getattr(READ, name) for name in FolderFacts.__dataclass_fields__}
    assert rules.decide_look(FolderFacts(**{**values, **facts}), NOW) == decision


@pytest.fixture
def weather(db, tmp_path, monkeypatch):
    """Fair, in a mailbox whose rep has made folders."""
    without_threads(monkeypatch, jobs)
    with clock_at(MONDAY, tmp_path) as clock_file:
        yield Fair(Story(), random.Random(1), clock_file)


class Fair(Weather):
    """A mailbox in which only what a test says happens."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        for each in self.microsoft.own():
            del self.microsoft.parents[each]

    def answer_comes(self, folder, name="reply", **more):
        sender, references = "petra0@contoso.example", self.ours[0][1]
        self.microsoft.arrives(folder, name, sender=sender, references=references, **more)

    def looks(self, after=timedelta(minutes=5)):
        """The timer comes round; which folders were read."""
        advance(self.clock_file, after)
        self.microsoft.read.clear()
        self.microsoft.asked.clear()
        self.worker_looks()
        return {each.removeprefix("f-") for each in self.microsoft.read}

    def replies(self):
        return len(rows(Reply, self.story.mailbox.workspace_id))

    def folders(self, **conditions):
        return rows(Folder, self.story.mailbox.workspace_id, **conditions)


EVERY_ROUND = {"sentitems", "inbox", "junkemail"}


def test_a_reply_that_a_rule_put_into_a_folder_below_another_is_found_in_the_next_round(weather):
    own = weather.microsoft.make(below=weather.microsoft.make(below="f-inbox"))
    weather.looks()
    weather.answer_comes(own)
    assert weather.looks() == EVERY_ROUND | {own.removeprefix("f-")}
    assert weather.replies() == 1
    assert weather.looks() == EVERY_ROUND


def test_a_reply_that_was_moved_out_of_the_inbox_before_we_looked_is_found_where_it_lies_now(weather):
    own = weather.microsoft.make()
    weather.looks()
    for number, place in enumerate((own, "f-archive")):
        weather.answer_comes("f-inbox", f"reply-{number}")
        weather.move(f"reply-{number}", place)
        weather.looks()
        assert weather.replies() == number + 1


def test_a_reply_that_a_rule_copied_is_one_reply(weather):
    weather.answer_comes("f-inbox")
    weather.answer_comes(weather.microsoft.make(), "copy", internet_id="<reply@contoso.example>")
    weather.looks()
    assert weather.replies() == 1 and len(weather.microsoft.texts) == 1


def test_drafts_deleted_items_and_chats_are_not_looked_at_not_even_when_they_come_later(weather):
    weather.answer_comes("f-drafts", "draft")
    weather.answer_comes(weather.microsoft.make(below="f-deleteditems"), "thrown-away")
    weather.looks()
    weather.answer_comes(weather.microsoft.make(name="conversationhistory"), "chat")
    assert weather.looks() & {"drafts", "deleteditems", "own-1"} == set()
    weather.answer_comes("f-conversationhistory", "another-chat")
    assert weather.looks() == EVERY_ROUND
    assert weather.replies() == 0 and weather.microsoft.texts == []


def test_where_one_mail_came_and_another_went_the_number_stands_still_and_the_folder_is_read_all_the_same(
    weather,
):
    own = weather.microsoft.make()
    weather.looks()
    weather.microsoft.arrives(own, "old", sender="somebody@elsewhere.example")
    weather.looks()
    weather.answer_comes(own)
    del weather.microsoft.mails["old"]
    weather.microsoft.log[own].append(("old", True))
    for _ in range(11):
        assert weather.looks() == EVERY_ROUND
    for _ in range(2):
        weather.looks()
    assert weather.replies() == 1


def test_hundreds_of_folders_cost_a_quiet_round_no_more_than_their_list(weather):
    for _ in range(120):
        weather.microsoft.make()
    weather.looks()
    assert len(weather.folders(name="")) == 120
    assert weather.looks() == EVERY_ROUND
    pages = -(-len(weather.microsoft.parents) // 20)
    assert sum(weather.microsoft.asked.values()) == len(EVERY_ROUND) + pages
    with inside(weather.story.mailbox.workspace_id):
        Folder.objects.filter(name="").update(synced_at=clock.now() - timedelta(days=2))
    assert len(weather.looks() - EVERY_ROUND) == rules.AGAIN_AT_ONCE


def test_after_a_gap_every_folder_is_read_before_anything_is_sent(weather):
    own = {weather.microsoft.make().removeprefix("f-") for _ in range(15)}
    weather.looks()
    assert weather.looks(after=timedelta(hours=2)) == EVERY_ROUND | {"archive"} | own


def test_a_folder_that_was_thrown_away_and_taken_back_goes_on_where_it_was(weather):
    own = weather.microsoft.make()
    weather.looks()
    weather.microsoft.parents[own] = "f-deleteditems"
    weather.answer_comes(own)
    assert weather.looks() == EVERY_ROUND
    (kept,) = weather.folders(name="")
    assert kept.left_out == "the rep threw it away" and kept.position

    weather.microsoft.parents[own] = "f-inbox"
    weather.microsoft.walks.clear()
    weather.looks()
    assert weather.replies() == 1
    assert weather.microsoft.walks == {}, "it was walked anew"


def test_a_folder_that_is_gone_is_forgotten_and_one_that_is_deleted_while_we_look_holds_nothing_up(weather):
    own, other = weather.microsoft.make(), weather.microsoft.make()
    weather.looks()
    weather.answer_comes(other)
    weather.microsoft.arrives(own, "last", sender="somebody@elsewhere.example")
    readable = weather.microsoft._readable

    def deleted_now(name):
        if name == own:
            weather.microsoft.parents.pop(own, None)
        readable(name)

    weather.microsoft._readable = deleted_now
    weather.looks()
    assert weather.replies() == 1
    weather.looks()
    assert [each.microsoft_id for each in weather.folders(name="")] == [other]


def test_a_folder_that_microsoft_refuses_to_list_holds_nothing_up_and_is_not_asked_for_again(weather):
    own, other = weather.microsoft.make(), weather.microsoft.make()
    readable = weather.microsoft._readable

    def refuses(name):
        readable(name)
        if name == own:
            raise Refused("400")

    weather.microsoft._readable = refuses
    weather.answer_comes(other)
    weather.looks()
    assert weather.replies() == 1
    weather.looks()
    assert weather.looks(after=timedelta(hours=3)) == EVERY_ROUND | {"archive", other.removeprefix("f-")}
    assert weather.folders(microsoft_id=own)[0].left_out == rules.REFUSED


def test_a_mailbox_of_the_version_before_is_read_from_its_first_mail_in_the_folders_that_are_new_to_us(
    weather,
):
    own = weather.microsoft.make()
    with inside(weather.story.mailbox.workspace_id):
        Message.objects.update(accepted_at=clock.now())
    weather.answer_comes(own)
    for _ in range(3):  # nobody looked into that folder for days
        advance(weather.clock_file, timedelta(days=1))
    with inside(weather.story.mailbox.workspace_id):
        Folder.objects.update(anchored_at=clock.now())
    weather.looks()
    assert weather.replies() == 1


def test_a_folder_that_lay_among_what_was_thrown_away_is_read_from_our_first_mail_when_it_comes_back(weather):
    with inside(weather.story.mailbox.workspace_id):
        Message.objects.update(accepted_at=clock.now())
    own = weather.microsoft.make(below="f-deleteditems")
    weather.answer_comes(own)
    for _ in range(10):  # all walks begin days after that reply
        weather.looks(after=timedelta(days=1))
    assert weather.replies() == 0
    weather.microsoft.parents[own] = "root"
    weather.looks()
    assert weather.replies() == 1


def test_walks_begin_later_only_after_every_folder_was_read_twice_over(weather):
    weather.microsoft.make()
    weather.looks()
    before = {each.anchored_at for each in weather.folders(left_out="")}
    began = clock.now()
    weather.looks(after=actions.SWEEP_TAKES)  # after a gap: every folder
    assert {each.anchored_at for each in weather.folders(left_out="")} == before
    weather.looks(after=actions.SWEEP_TAKES)
    moved = {each.anchored_at for each in weather.folders(left_out="")}
    assert moved == {began - actions.OVERLAP} and moved != before


def test_one_folder_that_is_not_read_keeps_all_walks_where_they_began(weather):
    weather.looks()
    before = fresh(weather.story.mailbox).sweeping_since
    advance(weather.clock_file, timedelta(days=2))
    with inside(weather.story.mailbox.workspace_id):
        Folder.objects.exclude(name="archive").filter(left_out="").update(synced_at=clock.now())
    actions.read_through(fresh(weather.story.mailbox), clock.now(), next_sync=clock.now())
    box = rows(Mailbox, weather.story.mailbox.workspace_id)[0]
    assert (box.sweeping_since, box.swept_since) == (before, None)
