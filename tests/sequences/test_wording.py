"""How a step becomes a mail: alternatives, holes, what stands below, what is approved."""

from typing import Any

import pytest

from gatepost.accounts.membership import by
from gatepost.audit.reveal import reveal
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.letterhead import Letterhead, change
from gatepost.outbox.models import Message
from gatepost.sequences import actions, steps
from gatepost.sequences.edits import StepDraft
from gatepost.sequences.models import Task
from gatepost.sequences.rules import Ask, Send
from tests import makers
from tests.makers import fresh, rows
from tests.pages import signed_in, text_of

SPUN = StepDraft(0, "{Hello|Good day}, {{ first_name }}", "{Shall we talk|Any interest|Worth a call}?")


@pytest.fixture
def alice(committed_db: None) -> Any:
    return makers.make_member(makers.make_workspace())


def switched(member: Any, on: bool, sequence: Any) -> None:
    actions.change_life(sequence.pk, workspace_id=member.workspace_id, actor=by(member), spintax=on)


def spun_sequence(member: Any) -> Any:
    sequence = makers.make_sequence(member)
    switched(member, True, sequence)
    actions.save_steps(sequence.pk, (SPUN,), workspace_id=member.workspace_id, actor=by(member))
    return sequence


def said(message: Message) -> dict[str, str | None]:
    with inside(message.workspace_id):
        return reveal(actions.BY_SENDING, message, "subject", "body", "html", reason="test")


def test_alternatives_are_refused_until_the_sequence_chooses_among_them(alice):
    with pytest.raises(actions.BadTemplate, match="offers alternatives, and this sequence does not choose"):
        makers.make_sequence(alice, steps=(SPUN,))
    sequence = spun_sequence(alice)
    with pytest.raises(BadInput, match="Step 1 offers alternatives"):
        switched(alice, False, sequence)
    assert fresh(sequence).spintax is True


def test_a_contact_gets_what_the_preview_showed_and_contacts_get_different_ones(alice):
    sequence, mailbox = spun_sequence(alice), makers.make_mailbox(alice)
    subjects = set()
    for _ in range(12):
        contact = makers.make_contact(alice.workspace)
        posted = {
            "delay-0": "0",
            "unit-0": "days",
            "subject-0": SPUN.subject,
            "body-0": SPUN.body,
            "contact": contact.pk,
        }
        page = text_of(signed_in(alice).post(f"/sequences/{sequence.pk}/preview/", posted))
        mail = said(steps.act_on_due(makers.make_enrolment(sequence, contact, mailbox), Send(1)))
        assert mail["subject"] in page and mail["body"].partition("\n")[0] in page
        assert "{" not in mail["subject"] + mail["body"]
        subjects.add(mail["subject"])
    assert subjects == {"Hello, Petra", "Good day, Petra"}


def test_braces_in_a_value_are_never_chosen_among(alice):
    sequence, mailbox = spun_sequence(alice), makers.make_mailbox(alice)
    contact = makers.make_contact(alice.workspace, first_name="{A|B}")
    mail = said(steps.act_on_due(makers.make_enrolment(sequence, contact, mailbox), Send(1)))
    assert mail["subject"].endswith(", {A|B}")


@pytest.mark.parametrize("name", ["", "\u200b", "\u3164"])
def test_a_name_that_shows_nothing_stops_that_mail_with_a_reason_and_never_sends_hi_comma(alice, name):
    sequence = makers.make_sequence(alice)
    contact = makers.make_contact(alice.workspace, first_name=name)
    enrolment = makers.make_enrolment(sequence, contact, makers.make_mailbox(alice))
    assert steps.act_on_due(enrolment, Send(1)) is None
    assert fresh(enrolment).reason == "No value for first_name: complete the contact, then resume."
    assert rows(Message, alice.workspace_id) == []


def test_a_mail_of_which_nothing_is_left_for_a_contact_is_not_sent(alice):
    sequence = makers.make_sequence(alice, steps=(StepDraft(0, "Hi", "{% if title %}x{% endif %}"),))
    enrolment = makers.make_enrolment(
        sequence, makers.make_contact(alice.workspace), makers.make_mailbox(alice)
    )
    assert steps.act_on_due(enrolment, Send(1)) is None
    assert "Nothing is left of the text" in fresh(enrolment).reason


def test_an_approved_mail_is_signed_in_both_parts_when_it_leaves(alice):
    mailbox = makers.make_mailbox(alice)
    change(
        mailbox.pk, Letterhead("Alice\nNorthwind", "<p><b>Alice</b></p>", "Harbour 1"),
        workspace_id=alice.workspace_id, actor=by(alice),
    )  # fmt: skip
    sequence = makers.make_sequence(
        alice, steps=(StepDraft(0, "Hi", "So **good**:\n- a\n- b", kind="approval"),)
    )
    enrolment = makers.make_enrolment(sequence, makers.make_contact(alice.workspace), mailbox)
    steps.act_on_due(enrolment, Ask(1, "approval"))
    (task,) = rows(Task, alice.workspace_id)
    with inside(alice.workspace_id):
        text = reveal(actions.BY_SENDING, task, "body", reason="test")["body"]
    assert text == "So **good**:\n- a\n- b"  # what a person changes has no signature in it
    page = signed_in(alice).post(
        f"/sequences/tasks/{task.pk}/", {"do": "done", "subject": "Hi", "body": text}
    )
    assert page.status_code == 302
    mail = said(steps.act_on_due(fresh(enrolment), Send(1)))
    assert mail["body"].startswith(
        "So good:\n- a\n- b\n\nAlice\nNorthwind\n\nHarbour 1\n\nIf you would rather not"
    )
    assert (
        "<p>So <b>good</b>:</p>\n<ul><li>a</li><li>b</li></ul>\n<p><b>Alice</b></p>\n<p>Harbour 1</p>"
        in mail["html"]
    )


def test_the_editor_says_that_attachments_are_not_sent_and_that_opening_is_not_tracked(alice):
    page = text_of(signed_in(alice).get(f"/sequences/{makers.make_sequence(alice).pk}/edit/"))
    assert "Attachments are not sent" in page and "no tracking pixel" in page
