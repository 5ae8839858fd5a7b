"""What Microsoft's documentation leaves open: the product works under both, told as one short story."""

import json
from datetime import timedelta
from typing import Any

import pytest

from gatepost.meetings.models import Meeting
from gatepost.sequences.models import Enrolment
from tests.journeys.story import TWO_DAYS, Story

# The sandbox's own behaviour is the other position of each; all other journeys run under it.
SWITCHES: list[dict[str, Any]] = [
    {"immutable_id_on_send": "changes"},
    {"delta_expand": "ignored"},
    {"delta_expand": "refused"},
    {"delta_replays": "last_page"},
    {"create_reply_status": 200},
    {"reply_conversation": "different"},
    {"submitted_is_draft": False, "send_seconds": 30.0},
    {"second_send": "accepted", "send_seconds": 30.0},
    {"search_lag_seconds": 60.0},
    {"error_member": "innererror", "malformed_code": "UnableToDeserializePostBody"},
    {"list_headers": "omitted", "mapi_headers": "ignored"},
    {"automatic_reply_headers": "absent"},
    {"notifications_doubled": 1.0},
    {"notification_seconds": 120.0},
    {"token_scope": "resource_only", "error_trailer": "lines"},
    {"key_syntax": "refused"},
    {"concurrency": 1, "retry_after": "fractional"},
    {"organizer_delete": "silent", "organizer_small_patch": "notifies"},
]


@pytest.mark.parametrize("switches", SWITCHES, ids=json.dumps)
def test_a_sequence_a_reply_an_absence_and_a_meeting_come_out_the_same(
    unconnected: Story, switches: dict[str, Any]
) -> None:
    story = unconnected
    story.stand.switch(**switches)
    story.connect()
    silent, answers = story.prospect(), story.prospect(name="Anna Brandt")
    away = story.prospect("out_of_office", name="Olaf Weber", reply_id="en-ooo-exchange")
    books = story.prospect("books_meeting", name="Berta Klein")
    everybody = [silent, answers, away, books]
    story.enrol(*everybody)
    story.come_through(*everybody)
    story.answer(answers, "Yes, this sounds interesting. Can we talk on Tuesday?")
    story.wait(timedelta(hours=3))
    story.wait(TWO_DAYS)
    story.come_through(silent, steps=2)
    assert {story.enrolment(each).state for each in (answers, books)} == {Enrolment.State.STOPPED}
    assert [reply.label for reply in story.replies(answers)] == ["interested"]
    assert story.enrolment(away).state == Enrolment.State.PAUSED
    assert len(story.rows(Meeting)) == 1
    assert sorted(row["count"] for row in story.deliveries()) == [1] * 5
