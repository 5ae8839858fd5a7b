from gatepost.audit import tags
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.outbox.models import Message
from gatepost.vault.sealing import index
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
from tests.pages import make_message, rows_in, signed_in, text_of

WHY = "Microsoft did not say whether it was sent"


def test_each_part_of_the_outbox_shows_its_own_messages(db: None) -> None:
    alice = make_member(make_workspace())
    sequence, mailbox = make_sequence(alice), make_mailbox(alice)
    for state in ("planned", "held", "confirmed", "accepted", "cancelled"):
        make_message(make_enrolment(sequence, make_contact(alice.workspace), mailbox), state=state)
    client = signed_in(alice)
    shown = {
        part: rows_in(client.get("/outbox/", {"part": part}))
        for part in ("", "waiting", "held", "sent", "cancelled")
    }
    assert shown == {"": 5, "waiting": 1, "held": 1, "sent": 2, "cancelled": 1}


def test_the_outbox_is_narrowed_to_what_came_back_whenever_that_was(db: None) -> None:
    alice = make_member(make_workspace())
    sequence, mailbox = make_sequence(alice), make_mailbox(alice)
    _sent, came_back = (
        make_message(make_enrolment(sequence, make_contact(alice.workspace), mailbox), state="confirmed")
        for _ in range(2)
    )
    with inside(alice.workspace_id):
        Message.objects.filter(pk=came_back.pk).update(bounced_at=came_back.planned_at)
    client = signed_in(alice)
    assert rows_in(client.get("/outbox/", {"part": "sent"})) == 2
    page = client.get("/outbox/", {"part": "sent", "bounced": ""})
    assert rows_in(page) == 1 and "Not delivered" in text_of(page)


def test_what_is_held_says_why_and_offers_the_three_decisions(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    make_message(enrolment, state="held", reason=WHY)
    page = text_of(signed_in(alice).get("/outbox/", {"part": "held"}))
    assert WHY in page
    assert "It was sent Send it now Drop it" in page


def test_a_decision_is_taken_once(committed_db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    held = make_message(enrolment, state="held", reason=WHY)
    client, path = signed_in(alice), f"/outbox/{held.pk}/decide/"
    assert client.post(path, {"decision": "burn it"}).status_code == 400
    assert client.post(path, {"decision": "was_sent"}).status_code == 302
    assert fresh(held).state == Message.State.CONFIRMED
    again = client.post(path, {"decision": "drop"})
    assert again.status_code == 409
    assert "needs no decision any more" in text_of(again)


def test_a_list_opens_no_text_and_a_page_that_does_is_recorded(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    message = make_message(enrolment)
    client = signed_in(alice)
    client.get("/outbox/")
    assert rows(AuditEntry, alice.workspace_id, tag=tags.CONTENT_READ) == []
    assert "shall we talk?" in text_of(client.get(f"/outbox/{message.pk}/"))
    entry = rows(AuditEntry, alice.workspace_id, tag=tags.CONTENT_READ)[0]
    assert (entry.actor_id, entry.subject_id) == (str(alice.pk), message.pk)


def test_an_auditor_opens_no_text(committed_db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    message = make_message(enrolment)
    otto = signed_in(make_member(alice.workspace, "Otto", role="auditor"))
    assert rows_in(otto.get("/outbox/")) == 1
    assert otto.get(f"/outbox/{message.pk}/").status_code == 403


def test_the_page_of_a_mail_tells_what_we_asked_microsoft_about_it(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    message = make_message(make_enrolment(make_sequence(alice), make_contact(alice.workspace), mailbox))
    with inside(alice.workspace_id):
        for shape, status in (("draft.send", 202), ("draft.look", 0)):
            LedgerRow.objects.create(
                workspace_id=alice.workspace_id, mailbox_id=mailbox.pk, at=message.planned_at, shape=shape,
                item_hash=index(alice.workspace_id, "item", message.key), client_request_id=uuid7(), status=status,
                bytes=0, milliseconds=1.0, reason="step 1",
            )  # fmt: skip
    page = text_of(signed_in(alice).get(f"/outbox/{message.pk}/"))
    assert "Asked Microsoft to send it: answer 202" in page
    assert "Looked at it: no answer came" in page


def test_a_rep_decides_about_no_mail_of_a_colleague(committed_db: None) -> None:
    alice = make_member(make_workspace())
    ben = make_member(alice.workspace, "Ben", role="rep")
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    held = make_message(enrolment, state="held", reason=WHY)
    answer = signed_in(ben).post(f"/outbox/{held.pk}/decide/", {"decision": "send_now"})
    assert answer.status_code == 403
    assert fresh(held).state == Message.State.HELD
