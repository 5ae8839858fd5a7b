"""What breaks in mid-run: afterwards each step was delivered once, nothing is held and nothing is lost."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections

from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Folder
from gatepost.outbox.models import Message
from gatepost.sequences.edits import StepDraft
from tests.journeys.standing import Standing, until
from tests.journeys.story import TWO_DAYS, Story

ONE_STEP = (StepDraft(0, "Quick question, {{ first_name }}", "Hi {{ first_name }},\n\nshall we talk?"),)
SEND, CREATE, REPLY = r"/messages/[^/]+/send$", r"/me/messages$", r"/createReply$"


def delivered_once(story: Story, contacts: list[Contact], *, steps: int = 1) -> None:
    """By the sandbox's record, and the outbox knows it."""
    rows = story.deliveries()
    assert {row["to"] for row in rows} == {story.address_of(each) for each in contacts}
    assert [row["count"] for row in rows] == [1] * (steps * len(contacts))
    states = {message.state for each in contacts for message in story.messages(each)}
    assert states == {Message.State.CONFIRMED}


def prospects(story: Story, number: int) -> list[Contact]:
    return [story.prospect(name=f"Prospect Number{n}") for n in range(number)]


def until_asked(stand: Standing, further: int) -> None:
    """So many more requests have reached the sandbox."""
    goal = stand.last_request() + further
    until(lambda: stand.last_request() >= goal, f"{further} more requests come")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", ["429", "500", "503", "504", "reset", "html"])
def test_a_send_that_fails_on_the_way_is_delivered_once(story: Story, action: str, when: str) -> None:
    contacts = prospects(story, 2)
    story.stand.fault(SEND, action, when=when, count=2)
    before = story.stand.struck()
    story.enrol(*contacts, steps=ONE_STEP)
    story.come_through(*contacts)
    assert story.stand.struck() == before + 2
    delivered_once(story, contacts)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", ["503", "504", "reset", "truncate"])
def test_a_draft_whose_making_fails_on_the_way_becomes_one_mail(story: Story, action: str, when: str) -> None:
    contacts = prospects(story, 2)
    story.stand.fault(CREATE, action, method="POST", when=when, count=2)
    story.stand.fault(REPLY, action, method="POST", when=when, count=1)
    before = story.stand.struck()
    story.enrol(*contacts)
    story.come_through(*contacts)
    story.wait(TWO_DAYS)
    story.come_through(*contacts, steps=2)
    assert story.stand.struck() == before + 3
    delivered_once(story, contacts, steps=2)


def test_the_worst_mix_of_faults_delivers_each_step_once(story: Story) -> None:
    contacts = prospects(story, 6)
    for action, when in (
        ("reset", "before"),
        ("504", "after"),
        ("503", "before"),
        ("429", "after"),
        ("reset", "after"),
    ):
        story.stand.fault("/me/messages", action, when=when, probability=0.12, retry_after=1)
    story.enrol(*contacts, steps=ONE_STEP)
    story.come_through(*contacts)
    delivered_once(story, contacts)


@pytest.fixture
def three_reps(stand: Standing) -> Iterator[list[Story]]:
    begun = [Story.begin(stand) for _ in range(3)]
    yield begun
    for each in begun:
        each.end()


def test_a_worker_that_is_killed_again_and_again_delivers_each_step_once(three_reps: list[Story]) -> None:
    stand, chance = three_reps[0].stand, random.Random(7)
    people = {each.number: prospects(each, 9) for each in three_reps}
    for each in three_reps:
        each.enrol(*people[each.number], steps=ONE_STEP)
    for _ in range(10):
        until_asked(stand, chance.randint(1, 9))
        stand.kill("worker")
        stand.start()
    for each in three_reps:
        each.come_through(*people[each.number])
        delivered_once(each, people[each.number])


def test_a_killed_workers_job_does_not_block_the_one_that_waits_behind_it(story: Story) -> None:
    contacts = prospects(story, 12)
    story.enrol(*contacts, steps=ONE_STEP)
    until(lambda: one_runs_and_one_waits(story), "a second job for the mailbox waits behind the first")
    story.stand.kill("worker")
    assert one_runs_and_one_waits(story)
    story.stand.start()
    story.come_through(*contacts)
    delivered_once(story, contacts)


def one_runs_and_one_waits(story: Story) -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(status::text ORDER BY status::text) FROM procrastinate_jobs WHERE queueing_lock = %s",
            [f"sequences.send:{story.mailbox.pk}"],
        )
        return cursor.fetchone()[0] == ["doing", "todo"]


@pytest.mark.parametrize("part", ["sandbox", "database", "web"])
def test_a_part_that_is_killed_in_mid_run_and_started_again_loses_and_doubles_nothing(
    story: Story, part: str
) -> None:
    contacts = prospects(story, 12)
    story.enrol(*contacts, steps=ONE_STEP)
    until_asked(story.stand, 9)
    story.stand.kill(part)
    story.stand.start()
    story.come_through(*contacts)
    delivered_once(story, contacts)


def test_a_database_that_stays_away_is_waited_for_and_pages_say_so(story: Story) -> None:
    contacts = prospects(story, 6)
    story.enrol(*contacts, steps=ONE_STEP)
    until_asked(story.stand, 6)
    known = len(story.stand.log_of("worker"))
    story.stand.kill("database")
    until(lambda: misses_its_database(story.stand.log_of("worker")[known:]), "the worker misses its database")
    page = story.browser.open(f"{story.stand.url}/inbox/")
    assert page.status >= 500 and "Traceback" not in page.text
    story.stand.start()
    story.come_through(*contacts)
    delivered_once(story, contacts)
    assert story.browser.open(f"{story.stand.url}/inbox/").status == 200


def misses_its_database(log: str) -> bool:
    return "tick failed" in log or "does not answer" in log


def test_a_sandbox_that_stays_away_is_waited_for_and_replies_are_found_afterwards(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.answer(petra, "Yes, I am interested.")
    story.stand.kill("sandbox")
    until(
        lambda: "cannot be reached" in story.mailbox.sync_problem,
        "the mailbox's page says what is in the way",
    )
    page = story.browser.open(f"{story.stand.url}/mailboxes/{story.mailbox.pk}/")
    assert "cannot be reached" in page.text
    story.stand.start()
    story.wait(timedelta(minutes=10))
    assert [reply.label for reply in story.replies(petra)] == ["interested"]
    assert story.mailbox.sync_problem == ""


def test_with_every_notification_lost_the_timer_alone_finds_the_reply(story: Story) -> None:
    story.stand.switch(notifications_lost=1.0)
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.answer(petra, "Yes, I am interested.")
    story.wait(timedelta(minutes=6))
    assert len(story.replies(petra)) == 1
    story.wait(TWO_DAYS)
    assert len(story.sent_to(petra)) == 1


def test_with_the_door_for_notifications_killed_the_reply_is_found_too(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.stand.kill("hooks")
    story.answer(petra, "Yes, I am interested.")
    until(lambda: len(story.replies(petra)) == 1, "the timer finds the reply")
    story.stand.start()
    story.settle()
    assert len(story.replies(petra)) == 1


def test_a_position_that_microsoft_forgot_is_walked_again_and_nothing_is_stored_twice(story: Story) -> None:
    petra, quirin = story.prospect(), story.prospect(name="Quirin Roth")
    story.enrol(petra, quirin)
    story.settle()
    story.answer(petra, "Yes, I am interested.")
    story.settle()
    story.stand.tell("expire-delta", mailbox=story.address)
    story.answer(quirin, "Please send me prices.")
    story.wait(timedelta(minutes=6))
    assert len(story.replies(petra)) == len(story.replies(quirin)) == 1
    assert all(folder.position and not folder.walking for folder in story.rows(Folder, left_out=""))
    story.come_through(petra, quirin)
    delivered_once(story, [petra, quirin])


def test_a_reply_whose_reading_fails_for_a_while_is_read_later(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.stand.fault(r"/v1\.0/me/messages/[^/]+$", "503", method="GET", count=3, retry_after=2)
    story.answer(petra, "Yes, I am interested.")
    until(lambda: len(story.replies(petra)) == 1, "the reply is read")
    assert story.enrolment(petra).cause == "reply"
