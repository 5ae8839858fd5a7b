"""The API as a program uses it: the same actions as the pages, in the same workspace, under the same rules."""

import json
from datetime import timedelta

from django.test import Client

from gatepost import clock
from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by
from gatepost.accounts.models import ApiToken, Member, Workspace
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Contact
from gatepost.sequences.models import Enrolment
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_meeting, make_message, make_reply


class Program:
    """A program with a member's token."""

    def __init__(self, member: Member) -> None:
        token = accounts.create_token(member, "test", actor=by(member))
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str):
        return self.client.get(f"/api/v1{path}")

    def post(self, path: str, value: object):
        return self.client.post(f"/api/v1{path}", json.dumps(value), content_type="application/json")

    def patch(self, path: str, value: object):
        return self.client.patch(f"/api/v1{path}", json.dumps(value), content_type="application/json")

    def put(self, path: str, value: object):
        return self.client.put(f"/api/v1{path}", json.dumps(value), content_type="application/json")


def test_without_a_token_nothing_is_told(db: None) -> None:
    for client in (Client(), Client(headers={"Authorization": "Bearer gatepost_unknown"})):
        answer = client.get("/api/v1/contacts")
        assert answer.status_code == 401


def test_a_revoked_token_opens_nothing(db: None) -> None:
    alice = make_member(make_workspace())
    program = Program(alice)
    assert program.get("/contacts").status_code == 200
    token = rows(ApiToken, alice.workspace_id)[0]
    accounts.revoke_token(token.pk, workspace_id=alice.workspace_id, actor=by(alice))
    assert program.get("/contacts").status_code == 401


def test_the_token_itself_is_not_stored(db: None) -> None:
    alice = make_member(make_workspace())
    token = accounts.create_token(alice, "test", actor=by(alice))
    kept = rows(ApiToken, alice.workspace_id)[0]
    assert token not in str(vars(kept))


def test_a_program_writes_a_sequence_and_enrols_a_contact(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    program = Program(alice)
    contact = program.post("/contacts", {"email": "petra@contoso.example", "first_name": "Petra"}).json()
    sequence = program.post(
        "/sequences",
        {"name": "By program", "steps": [{"subject": "Hello", "body": "Hi {{ first_name }},\n\nshall we?"}]},
    ).json()
    done = program.post(
        f"/sequences/{sequence['id']}/enrolments",
        {"contact_ids": [contact["id"]], "mailbox_id": str(mailbox.pk)},
    ).json()
    assert done == {"count": 1, "skipped": []}
    assert program.post(f"/sequences/{sequence['id']}/activate", {}).json()["state"] == "active"
    assert len(rows(Enrolment, alice.workspace_id, state="active")) == 1


def test_a_step_with_an_unknown_field_is_refused_with_what_to_change(db: None) -> None:
    alice = make_member(make_workspace())
    answer = Program(alice).post(
        "/sequences", {"name": "Wrong", "steps": [{"subject": "Hello", "body": "Hi {{ frist_name }}"}]}
    )
    assert answer.status_code == 400
    assert "first_name" in answer.json()["error"]["message"]


def test_a_second_contact_with_the_same_address_is_a_conflict(committed_db: None) -> None:
    alice = make_member(make_workspace())
    program = Program(alice)
    assert program.post("/contacts", {"email": "petra@contoso.example"}).status_code == 201
    assert program.post("/contacts", {"email": "Petra@contoso.example"}).status_code == 409
    assert len(rows(Contact, alice.workspace_id)) == 1


def test_things_of_another_workspace_are_not_there(committed_db: None) -> None:
    alice, charlie = make_member(make_workspace()), make_member(make_workspace("Fabrikam"), "Charlie")
    contact = make_contact(alice.workspace)
    sequence = make_sequence(alice)
    enrolment = make_enrolment(sequence, contact, make_mailbox(alice))
    theirs = Program(charlie)
    assert theirs.get("/contacts").json()["rows"] == []
    assert theirs.put(f"/sequences/{sequence.pk}/steps", [{"body": "x"}]).status_code == 404
    assert theirs.post(f"/enrolments/{enrolment.pk}/stop", {}).status_code == 404
    assert rows(Enrolment, alice.workspace_id)[0].state == "active"


def test_an_auditor_reads_and_changes_nothing(db: None) -> None:
    workspace = make_workspace()
    auditor = Program(make_member(workspace, "Audrey", role="auditor"))
    assert auditor.get("/contacts").status_code == 200
    assert auditor.post("/contacts", {"email": "petra@contoso.example"}).status_code == 403


def test_opening_a_conversation_leaves_an_entry_with_the_token(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    reply = make_reply(make_message(enrolment), text="Yes, let us talk.")
    program = Program(alice)
    listed = program.get("/conversations").json()["rows"][0]
    assert "letters" not in listed
    opened = program.get(f"/conversations/{listed['id']}").json()
    assert "Yes, let us talk." in [letter["text"] for letter in opened["letters"]]
    entries = rows(
        AuditEntry, alice.workspace_id, tag="content:read", subject_id=reply.pk, actor_kind="token"
    )
    assert len(entries) == 1


def test_a_program_opens_no_conversation_that_its_member_may_not_read(committed_db: None) -> None:
    workspace = make_workspace()
    alice = make_member(workspace)
    enrolment = make_enrolment(make_sequence(alice), make_contact(workspace), make_mailbox(alice))
    reply = make_reply(make_message(enrolment), text="Yes, let us talk.")
    for other in (
        make_member(workspace, "Ben", role="rep"),
        make_member(workspace, "Audrey", role="auditor"),
    ):
        answer = Program(other).get(f"/conversations/{reply.conversation_id}")
        assert answer.status_code == 403 and "let us talk" not in answer.content.decode()
    assert rows(AuditEntry, workspace.pk, tag="content:read", subject_id=reply.pk) == []


def test_the_contract_lists_every_endpoint(db: None) -> None:
    contract = Client().get("/api/v1/openapi.json").json()
    assert {"/api/v1/contacts", "/api/v1/sequences", "/api/v1/conversations", "/api/v1/mailboxes"} <= set(
        contract["paths"]
    )


def test_a_program_writes_reads_and_removes_a_snippet(committed_db: None) -> None:
    program = Program(make_member(make_workspace()))
    assert program.put("/snippets/case_study", {"body": "Like {{ company }}."}).json()["name"] == "case_study"
    assert [each["body"] for each in program.get("/snippets").json()] == ["Like {{ company }}."]
    refused = program.put("/snippets/case_study", {"body": "{{ frist_name }}"})
    assert refused.status_code == 400 and "Did you mean" in refused.json()["error"]["message"]
    assert program.get("/snippets/case_study").json()["body"] == "Like {{ company }}."
    stranger = Program(make_member(make_workspace("Other"), "Charlie"))
    assert stranger.get("/snippets/case_study").status_code == 404
    assert stranger.client.delete("/api/v1/snippets/case_study").status_code == 404
    assert program.client.delete("/api/v1/snippets/case_study").status_code == 204
    assert program.get("/snippets").json() == []


def test_a_program_sets_a_letterhead_and_gets_back_what_was_stored(committed_db: None) -> None:
    alice = make_member(make_workspace())
    path = f"/mailboxes/{make_mailbox(alice).pk}/letterhead"
    given = {
        "signature": "Alice",
        "signature_html": "<b>Alice</b><script>x</script>",
        "postal_address": "Harbour 1",
    }
    stored = {**given, "signature_html": "<b>Alice</b>", "sends_as": ""}
    assert Program(alice).put(path, given).json() == Program(alice).get(path).json() == stored
    ben = Program(make_member(alice.workspace, "Ben", role="rep"))
    assert ben.put(path, given).status_code == 403


def test_a_program_changes_the_limits_of_its_mailbox_and_what_it_leaves_out_stays(committed_db: None) -> None:
    alice = make_member(make_workspace())
    path = f"/mailboxes/{make_mailbox(alice).pk}/limits"
    before = Program(alice).get(path).json()
    answer = Program(alice).patch(path, {"hourly_limit": 12, "daily_limit": 40})
    assert (
        answer.json() == Program(alice).get(path).json() == {**before, "hourly_limit": 12, "daily_limit": 40}
    )
    assert Program(alice).patch(path, {"hourly_limit": None}).json()["hourly_limit"] is None
    refused = Program(alice).patch(path, {"daily_limit": 0})
    assert (refused.status_code, "between 1 and 10,000" in refused.json()["error"]["message"]) == (400, True)
    ben = Program(make_member(alice.workspace, "Ben", role="rep"))
    assert ben.patch(path, {"daily_limit": 400}).status_code == 403


def test_an_administrators_program_changes_the_limits_of_the_workspace(committed_db: None) -> None:
    alice = make_member(make_workspace())
    Workspace.objects.filter(pk=alice.workspace_id).update(sender_domains=["contoso.example"])
    answer = Program(alice).patch("/limits", {"company_daily_limit": 2})
    expected = {"daily_limit": None, "company_daily_limit": 2, "tenant_daily_limit": 10_000}
    assert answer.json() == Program(alice).get("/limits").json() == expected
    assert Workspace.objects.get(pk=alice.workspace_id).sender_domains == ["contoso.example"]
    assert Program(alice).patch("/limits", {"daily_limit": 0}).status_code == 400
    ben = Program(make_member(alice.workspace, "Ben", role="rep"))
    assert ben.patch("/limits", {"daily_limit": 5}).status_code == 403


def test_a_program_reads_meetings_and_says_what_a_member_says(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    meeting = make_meeting(
        enrolment, brief="Who: Petra", starts=clock.now() - timedelta(days=1), rung="took_place"
    )
    program = Program(alice)
    (listed,) = program.get("/meetings?rung=took_place").json()["rows"]
    assert (listed["id"], listed["rung"], "brief" in listed) == (str(meeting.pk), "took_place", False)
    assert program.put(f"/meetings/{meeting.pk}/no-show", {"no_show": True}).status_code == 204
    assert program.put(f"/meetings/{meeting.pk}/notes", {"notes": "Liked it."}).status_code == 204
    opened = program.get(f"/meetings/{meeting.pk}").json()
    assert (opened["brief"], opened["notes"]) == ("Who: Petra", "Liked it.")
    assert [each["rung"] for each in opened["rungs"]] == ["no_show"]
    assert program.put("/brief-time", {"by": "letter", "local_time": "07:30:00"}).status_code == 204
    refused = program.post(f"/meetings/{meeting.pk}/go-on", {"go_on": True})
    assert (refused.status_code, refused.json()["error"]["message"]) == (409, "This meeting is not off.")
