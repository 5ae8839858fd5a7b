from typing import Any

import pytest

from gatepost.accounts.membership import by
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Contact
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.sequences import actions as sequences
from gatepost.sequences import enrolments
from gatepost.sequences.edits import StepDraft
from gatepost.sequences.preview import compose
from gatepost.sequences.rules import Send
from gatepost.sequences.steps import act_on_due
from gatepost.snippets import actions
from gatepost.snippets.models import Snippet
from tests import makers
from tests.makers import fresh, rows
from tests.pages import signed_in, text_of


@pytest.fixture
def alice(committed_db: None) -> Any:
    return makers.make_member(makers.make_workspace())


def save(member: Any, name: str = "case_study", body: str = "Like {{ company }}.", **more: Any) -> Snippet:
    return actions.save(member.workspace_id, name, body, actor=by(member), **more)


def test_a_snippet_stands_in_a_mail_with_its_fields_filled_and_a_change_reaches_the_next_one(alice):
    save(alice)
    contact = makers.make_contact(alice.workspace)
    with inside(alice.workspace_id):
        contact = Contact.objects.select_related("company").get(pk=contact.pk)
        assert compose("Hi", "{{ snippet.case_study }}", contact, None).body.startswith("Like Contoso.")
    save(alice, body="Unlike {{ company }}.")
    with inside(alice.workspace_id):
        assert compose("Hi", "{{ snippet.case_study }}", contact, None).body.startswith("Unlike Contoso.")


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("Case", "x", "small letters"), ("1case", "x", "small letters"), ("a" * 41, "x", "small letters"),
        ("case", " ", "is empty"), ("case", "x" * 10_001, "Shorten"), ("case", "{{ frist_name }}", "Did you mean"),
        ("case", "{% if company %}x", "Line 1"), ("case", "{{ snippet.other }}", "another snippet"),
        ("case", "One\n{{ first_name", "Line 2"), ("case", "{a|b", "Close these"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_words_and_nothing_is_stored(alice, name, body, reason):
    with pytest.raises(BadInput, match=reason):
        save(alice, name, body)
    assert rows(Snippet, alice.workspace_id) == []


def test_a_new_snippet_does_not_overwrite_one_of_its_name(alice):
    save(alice)
    with pytest.raises(Conflict, match="already"):
        save(alice, body="x", new=True)


def test_writing_and_removing_stand_in_the_record_without_the_text(alice):
    save(alice)
    actions.remove("case_study", workspace_id=alice.workspace_id, actor=by(alice))
    found = [each for each in rows(AuditEntry, alice.workspace_id) if each.tag.startswith("snippet:")]
    assert {each.tag for each in found} == {tags.SNIPPET_SAVE, tags.SNIPPET_REMOVE}
    assert all("Like" not in str(each.detail) for each in found)


def test_the_text_is_sealed_in_the_database(alice):
    assert b"Like" not in bytes(fresh(save(alice)).body)


def test_a_step_with_a_snippet_that_was_removed_waits_with_that_reason_and_goes_on_when_it_is_back(alice):
    save(alice)
    steps = (StepDraft(0, "Hi {{ first_name }}", "{{ snippet.case_study }}"),)
    sequence = makers.make_sequence(alice, steps=steps)
    enrolment = makers.make_enrolment(
        sequence, makers.make_contact(alice.workspace), makers.make_mailbox(alice)
    )
    actions.remove("case_study", workspace_id=alice.workspace_id, actor=by(alice))
    assert act_on_due(enrolment, Send(1)) is None
    assert (fresh(enrolment).state, "no snippet “case_study”" in fresh(enrolment).reason) == ("paused", True)
    save(alice)
    enrolments.resume(enrolment.pk, workspace_id=alice.workspace_id, actor=by(alice))
    assert act_on_due(enrolment, Send(1)) is not None


def test_a_step_that_names_no_snippet_of_ours_is_refused_with_its_line(alice):
    with pytest.raises(sequences.BadTemplate, match="Step 1, text, line 2: There is no snippet “x”"):
        makers.make_sequence(alice, steps=(StepDraft(0, "Hi", "a\n{{ snippet.x }}"),))


def test_the_pages_write_show_change_and_remove_a_snippet(alice):
    browser = signed_in(alice)
    assert "No snippets yet" in text_of(browser.get("/snippets/"))
    posted = browser.post("/snippets/new/", {"name": "case_study", "body": "Like {{ company }}."})
    assert posted.headers["Location"] == "/snippets/called/case_study/"
    makers.make_sequence(alice, steps=(StepDraft(0, "Hi", "{{ snippet.case_study }}"),))
    assert "{{ snippet.case_study }}" in text_of(browser.get("/snippets/"))
    assert "Fewer empty appointments" in text_of(browser.get("/sequences/naming/case_study/"))
    assert "No sequence names it" in text_of(browser.get("/sequences/naming/other/"))
    browser.post("/snippets/called/case_study/", {"body": "Unlike {{ company }}."})
    assert "Unlike" in text_of(browser.get("/snippets/called/case_study/"))
    wrong = text_of(browser.post("/snippets/called/case_study/", {"body": "{{ frist_name }}"}))
    assert "Did you mean {{ first_name }}" in wrong and "frist_name" in wrong
    browser.post("/snippets/called/case_study/", {"do": "remove"})
    assert rows(Snippet, alice.workspace_id) == []


def test_an_auditor_reads_snippets_and_changes_none_and_another_workspace_sees_none(alice):
    save(alice)
    auditor = signed_in(makers.make_member(alice.workspace, "Ada", role="auditor"))
    assert "case_study" in text_of(auditor.get("/snippets/"))
    assert auditor.post("/snippets/called/case_study/", {"body": "x"}).status_code == 403
    charlie = signed_in(makers.make_member(makers.make_workspace("Other"), "Charlie"))
    assert "case_study" not in text_of(charlie.get("/snippets/"))
    for answer in (
        charlie.get("/snippets/called/case_study/"),
        charlie.post("/snippets/called/case_study/", {"do": "remove"}),
    ):
        assert answer.status_code == 404
    assert len(rows(Snippet, alice.workspace_id)) == 1
