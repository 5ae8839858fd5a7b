from datetime import timedelta

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_meeting, rows_in, signed_in, text_of


def test_what_is_coming_and_what_was_stand_apart(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    make_meeting(enrolment)
    make_meeting(enrolment, starts=clock.now() - timedelta(days=3))
    make_meeting(enrolment, starts=clock.now() - timedelta(days=4))
    client = signed_in(alice)
    shown = [rows_in(client.get("/meetings/", {"part": part})) for part in ("", "past", "all")]
    assert shown == [1, 2, 3]


def test_a_meeting_shows_its_brief_and_opening_it_is_recorded(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    meeting = make_meeting(enrolment, brief="Petra Quandt, Contoso: asked for prices")
    client = signed_in(alice)
    assert "asked for prices" not in text_of(client.get("/meetings/"))
    assert "asked for prices" in text_of(client.get(f"/meetings/{meeting.pk}/"))
    opened = rows(AuditEntry, alice.workspace_id, tag=tags.CONTENT_READ)
    assert sorted(entry.detail["what"] for entry in opened) == ["brief", "meeting"]


def test_a_rep_does_not_find_a_colleagues_meeting(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    meeting = make_meeting(enrolment)
    ben = signed_in(make_member(alice.workspace, "Ben", role="rep"))
    assert rows_in(ben.get("/meetings/")) == 0
    assert ben.get(f"/meetings/{meeting.pk}/").status_code == 404
