from datetime import timedelta

from gatepost import clock
from gatepost.intake.models import Quarantine
from gatepost.isolation import inside
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, signed_in, text_of


def _doubtful(alice):
    mailbox = make_mailbox(alice)
    message = make_message(make_enrolment(make_sequence(alice), make_contact(alice.workspace), mailbox))
    with inside(alice.workspace_id):
        return Quarantine.objects.create(
            workspace_id=alice.workspace_id,
            mailbox=mailbox,
            graph_id="item",
            internet_message_index="0" * 32,
            message_id=message.pk,
            received_at=clock.now() - timedelta(hours=1),
        )


def test_the_inbox_says_that_a_mail_may_be_an_answer_and_was_not_read(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    assert "may be an answer" not in text_of(client.get("/quarantine/count/"))
    _doubtful(alice)
    assert "1 mail may be an answer to yours. It was not read." in text_of(client.get("/quarantine/count/"))


def test_a_mail_that_is_no_answer_stays_unread_and_is_asked_about_once(db: None) -> None:
    alice = make_member(make_workspace())
    doubtful, client = _doubtful(alice), signed_in(alice)
    assert "Petra Quandt" in text_of(client.get("/quarantine/"))
    client.post("/quarantine/decide/", {"quarantine": str(doubtful.pk), "ours": "no"})
    assert rows(Quarantine, alice.workspace_id)[0].decided == "not_ours"
    assert "Nothing is in doubt" in text_of(client.get("/quarantine/"))


def test_somebody_elses_mailbox_is_not_decided_about(committed_db: None) -> None:
    alice = make_member(make_workspace())
    ben = make_member(alice.workspace, "Ben", role="rep")
    doubtful = _doubtful(alice)
    answer = signed_in(ben).post("/quarantine/decide/", {"quarantine": str(doubtful.pk), "ours": "yes"})
    assert answer.status_code == 403
    assert rows(Quarantine, alice.workspace_id)[0].decided == ""
