"""What members say of meetings, and when they are told of them."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction

import gatepost.mailboxes.letters  # noqa: F401
from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.contacts.actions import suppress
from gatepost.erasure import actions as erasure
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.models import Notice
from gatepost.meetings import actions, jobs
from gatepost.meetings.models import Brief, BriefTime, Guest, Meeting, Rung
from gatepost.meetings.rules import Rung as On
from gatepost.meetings.rules import Stands
from gatepost.post.letters import write
from gatepost.sequences import enrolments
from gatepost.sequences.models import Enrolment, Sequence
from gatepost.vault import content
from tests import makers
from tests.makers import MONDAY, clock_at, fresh, rows
from tests.pages import make_meeting, make_message

YESTERDAY = MONDAY - timedelta(days=1)


@pytest.fixture
def clock_file(tmp_path: Any) -> Any:
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def story(db: None, clock_file: Any) -> "Story":
    return Story()


class Story:
    """Alice has met, or will meet, somebody whose sequence has stopped for it."""

    def __init__(self) -> None:
        self.alice = makers.make_member(makers.make_workspace())
        self.sequence = makers.make_sequence(self.alice)
        self.contact = makers.make_contact(self.alice.workspace)
        self.mailbox = makers.make_mailbox(self.alice)
        self.enrolment = makers.make_enrolment(self.sequence, self.contact, self.mailbox)
        self.as_alice = {"workspace_id": self.alice.workspace_id, "actor": by(self.alice)}

    def meets(self, starts: datetime, **columns: Any) -> Meeting:
        meeting = make_meeting(self.enrolment, starts=starts, **columns)
        enrolments.stop(self.enrolment.pk, "meeting", "booked a meeting", **self.as_alice)
        return meeting

    def cancelled(self) -> Meeting:
        meeting = self.meets(MONDAY + timedelta(days=2))
        actions.cancel(meeting, Stands(On.CANCELLED, "the organiser called it off"))
        return fresh(meeting)


def test_a_no_show_is_marked_by_the_rep_and_can_be_taken_back(story: Story) -> None:
    meeting = story.meets(YESTERDAY, rung="took_place")
    actions.mark_no_show(meeting.pk, True, **story.as_alice)
    assert fresh(meeting).rung == "no_show"
    actions.mark_no_show(meeting.pk, False, **story.as_alice)
    assert fresh(meeting).rung == "took_place"
    assert [each.rung for each in rows(Rung, meeting.workspace_id)] == ["no_show", "took_place"]


def test_nobody_is_missing_at_a_meeting_that_is_ahead_or_off(story: Story) -> None:
    ahead = story.meets(MONDAY + timedelta(days=1))
    with pytest.raises(Conflict, match="ahead"), transaction.atomic():
        actions.mark_no_show(ahead.pk, True, **story.as_alice)
    off = make_meeting(story.enrolment, starts=YESTERDAY, rung="cancelled", state="cancelled")
    with pytest.raises(Conflict, match="off"), transaction.atomic():
        actions.mark_no_show(off.pk, True, **story.as_alice)


def test_after_a_meeting_that_is_off_the_sequence_goes_on_with_the_next_step(story: Story) -> None:
    make_message(story.enrolment, sent=YESTERDAY)
    with inside(story.alice.workspace_id):
        Enrolment.objects.filter(pk=story.enrolment.pk).update(next_position=2)
    meeting = story.cancelled()
    assert meeting.asks
    actions.go_on_after(meeting.pk, True, **story.as_alice)
    enrolment = fresh(story.enrolment)
    assert (enrolment.state, enrolment.next_position, enrolment.ended_at) == ("active", 2, None)
    assert enrolment.due_at is not None and not fresh(meeting).asks
    (notice,) = rows(Notice, meeting.workspace_id)
    assert notice.seen_at is not None


def test_a_step_that_was_called_off_with_the_meeting_is_left_out(story: Story) -> None:
    make_message(story.enrolment, state="planned")
    meeting = story.cancelled()
    actions.go_on_after(meeting.pk, True, **story.as_alice)
    assert fresh(story.enrolment).next_position == 2


def test_the_rep_may_leave_it_stopped(story: Story) -> None:
    meeting = story.cancelled()
    actions.go_on_after(meeting.pk, False, **story.as_alice)
    assert (fresh(story.enrolment).state, fresh(meeting).asks) == ("stopped", False)


@pytest.mark.parametrize("why", ["archived", "do-not-contact", "another sequence", "No step"])
def test_where_it_cannot_go_on_the_rep_is_told_why_and_nothing_changes(story: Story, why: str) -> None:
    meeting = story.cancelled()
    with inside(story.alice.workspace_id):
        match why:
            case "archived":
                Sequence.objects.update(state=Sequence.State.ARCHIVED)
            case "do-not-contact":
                suppress(
                    story.alice.workspace_id, "contoso.example", kind="domain", cause="by_hand", actor=by(story.alice)
                )  # fmt: skip
            case "another sequence":
                Enrolment.objects.update(ended_at=MONDAY - timedelta(days=90))
                makers.make_enrolment(makers.make_sequence(story.alice), story.contact, story.mailbox)
            case "No step":
                Enrolment.objects.update(next_position=4)
    with pytest.raises(Conflict, match=why), transaction.atomic():
        actions.go_on_after(meeting.pk, True, **story.as_alice)
    assert (fresh(story.enrolment).state, fresh(meeting).asks) == ("stopped", True)


def test_a_meeting_can_be_owed_to_another_mail_or_to_none(story: Story) -> None:
    mail = make_message(story.enrolment, position=2, sent=YESTERDAY)
    meeting = story.meets(MONDAY + timedelta(days=1))
    actions.attribute(meeting.pk, mail.pk, **story.as_alice)
    owed = fresh(meeting)
    assert (owed.message_id, owed.step_id, owed.attributed_by_hand) == (mail.pk, mail.step_id, True)
    actions.attribute(meeting.pk, None, **story.as_alice)
    assert fresh(meeting).enrolment_id is None
    elsewhere = makers.make_enrolment(
        makers.make_sequence(story.alice), makers.make_contact(story.alice.workspace), story.mailbox
    )
    with pytest.raises(BadInput, match="one of those who come"):
        actions.attribute(meeting.pk, make_message(elsewhere).pk, **story.as_alice)


def test_notes_are_sealed_and_have_a_length(story: Story) -> None:
    meeting = story.meets(MONDAY + timedelta(days=1))
    actions.write_notes(meeting.pk, " Bring the price list. ", **story.as_alice)
    assert content.open(fresh(meeting), "notes") == "Bring the price list."
    with pytest.raises(BadInput, match="4,000"):
        actions.write_notes(meeting.pk, "x" * 4001, **story.as_alice)


def test_a_brief_forgets_a_guest_who_is_erased(story: Story) -> None:
    karl = makers.make_contact(story.alice.workspace, "karl@contoso.example", first_name="Karl")
    meeting = make_meeting(story.enrolment, brief="Who: Petra Quandt\nAlso: Karl Quandt")
    with inside(meeting.workspace_id):
        Guest.objects.create(
            workspace_id=meeting.workspace_id,
            meeting=meeting,
            contact=karl,
            match="address",
            answer="accepted",
        )
    ordered = erasure.erase_contact(karl.pk, confirm="karl@contoso.example", **story.as_alice)
    erasure.begin(ordered, [])
    while erasure.remove_some(ordered):
        pass
    (brief,) = rows(Brief, meeting.workspace_id)
    assert brief.text is None and len(rows(Guest, meeting.workspace_id)) == 1
    assert fresh(meeting).contact_id == story.contact.pk


class TestBeingTold:
    def chosen(self, story: Story, **choice: Any) -> BriefTime:
        usual: dict[str, Any] = {"by": "note", "day": "before", "local_time": time(17, 0)}
        return actions.choose_brief_time(story.alice, **{**usual, **choice}, actor=by(story.alice))

    def test_in_the_evening_the_rep_is_told_of_tomorrow(self, story: Story, clock_file: Any) -> None:
        self.chosen(story)
        story.meets(MONDAY + timedelta(days=1, hours=2))
        make_meeting(story.enrolment, starts=MONDAY + timedelta(days=2))
        assert jobs.tell_of_meetings() == 0, "it is ten in the morning in Berlin"
        makers.advance(clock_file, timedelta(hours=7))
        jobs.tell_of_meetings()
        (notice,) = rows(Notice, story.alice.workspace_id)
        assert (notice.kind, notice.about) == ("briefs", "1 before")
        assert jobs.tell_of_meetings() == 0, "once"

    def test_by_mail_in_the_morning_without_a_name(
        self, story: Story, clock_file: Any, settings: Any
    ) -> None:
        settings.GATEPOST_SMTP_URL = "smtp://127.0.0.1:9"
        self.chosen(story, by="letter", day="same", local_time=time(11, 0))
        story.meets(MONDAY + timedelta(hours=5))
        makers.advance(clock_file, timedelta(hours=1, minutes=1))
        jobs.tell_of_meetings()
        (notice,) = rows(Notice, story.alice.workspace_id)
        with inside(story.alice.workspace_id):
            letter = write("mailboxes.notice", notice.pk)
        assert letter is not None and letter.subject == "1 meeting today"
        assert "Petra" not in letter.text and "Contoso" not in letter.text and "/meetings/" in letter.text

    def test_without_a_meeting_there_is_nothing_to_tell(self, story: Story, clock_file: Any) -> None:
        self.chosen(story)
        makers.advance(clock_file, timedelta(hours=8))
        jobs.tell_of_meetings()
        assert rows(Notice, story.alice.workspace_id) == []
        (chosen,) = rows(BriefTime, story.alice.workspace_id)
        assert chosen.due_at > clock.now()

    def test_whoever_wants_to_hear_nothing_is_told_nothing(self, story: Story, clock_file: Any) -> None:
        assert self.chosen(story, by="nothing").due_at is None
        with pytest.raises(BadInput):
            self.chosen(story, by="pigeon")
