from datetime import timedelta

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.meetings.models import BriefTime
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_meeting, make_message, rows_in, signed_in, text_of


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


def test_the_page_asks_and_its_answers_are_followed(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    meeting = make_meeting(enrolment, match="company", asks=True)
    client = signed_in(alice)
    assert "Asks you (1)" in text_of(client.get("/meetings/"))
    assert rows_in(client.get("/meetings/", {"part": "asks"})) == 1
    assert "Is this with Petra Quandt?" in text_of(client.get(f"/meetings/{meeting.pk}/"))
    client.post(f"/meetings/{meeting.pk}/theirs/", {"theirs": "yes"})
    assert (fresh(meeting).match, fresh(enrolment).cause) == ("by_hand", "meeting")


def test_whatever_is_said_of_a_meeting_stands_on_its_page(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    mail = make_message(enrolment)
    meeting = make_meeting(enrolment, starts=clock.now() - timedelta(days=1), rung="took_place")
    client = signed_in(alice)
    client.post(f"/meetings/{meeting.pk}/notes/", {"notes": "Liked the demo."})
    client.post(f"/meetings/{meeting.pk}/attribution/", {"message": str(mail.pk)})
    client.post(f"/meetings/{meeting.pk}/brief/", {"on": "no"})
    client.post(f"/meetings/{meeting.pk}/no-show/", {"no_show": "yes"})
    shown = text_of(client.get(f"/meetings/{meeting.pk}/"))
    for words in ("Liked the demo.", "No-show", "a member said that nobody came", "step 1 of"):
        assert words in shown
    assert (fresh(meeting).message_id, fresh(meeting).brief_on_calendar) == (mail.pk, False)


def test_a_member_chooses_when_to_be_told(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    client.post("/meetings/brief-time/", {"by": "letter", "day": "same", "local_time": "07:30"})
    (chosen,) = rows(BriefTime, alice.workspace_id)
    assert "by mail, the same day, 07:30" in text_of(client.get("/meetings/"))
    assert (chosen.by, chosen.day, f"{chosen.local_time:%H:%M}") == ("letter", "same", "07:30")
    refused = client.post("/meetings/brief-time/", {"by": "note", "day": "same", "local_time": "soon"})
    assert refused.status_code == 400 and "no time of day" in text_of(refused)


def test_an_auditor_and_another_workspace_change_nothing(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    meeting = make_meeting(enrolment, starts=clock.now() - timedelta(days=1), rung="took_place")
    auditor = signed_in(make_member(alice.workspace, "Audra", role="auditor"))
    charlie = signed_in(make_member(make_workspace("Elsewhere"), "Charlie"))
    assert auditor.post(f"/meetings/{meeting.pk}/no-show/", {"no_show": "yes"}).status_code == 403
    assert charlie.post(f"/meetings/{meeting.pk}/no-show/", {"no_show": "yes"}).status_code == 404
