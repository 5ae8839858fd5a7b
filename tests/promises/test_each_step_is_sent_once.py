"""Each step is sent once. The faults are in tests/faults/test_faults.py, the long proof in tests/soak/sends.py."""

import pytest
from django.db import IntegrityError, transaction

from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.outbox.actions import send_key
from gatepost.outbox.models import Message
from gatepost.vault.sealing import seal

from .conftest import Told


def test_no_recipient_got_a_mail_twice(told: Told) -> None:
    truth = told.truth()
    assert len(truth["deliveries"]) > 24
    assert truth["duplicates"] == [] and truth["duplicates_by_property"] == []


def test_what_was_delivered_is_what_the_outbox_says_was_sent_key_by_key(told: Told) -> None:
    left = {each.key for each in told.rows(Message) if each.has_left}
    assert {row["value"] for row in told.truth()["by_property"] if row["value"] in left} == left
    delivered = [row for row in told.truth()["deliveries"] if row["from"] in told.addresses()]
    assert len(delivered) == len(left)


def test_the_key_of_a_step_is_the_same_whenever_it_is_computed(told: Told) -> None:
    for message in told.rows(Message):
        assert message.key == send_key(message.mailbox_id, message.enrolment_id, message.step_id)


@pytest.mark.parametrize("same", ["key", "address and step"])
def test_the_database_refuses_a_second_message_for_a_step(told: Told, same: str) -> None:
    sent = told.rows(Message, state=Message.State.CONFIRMED)[0]
    another = Message(
        **{
            field.attname: getattr(sent, field.attname)
            for field in Message._meta.local_fields
            if field.name != "id"
        }
    )
    another.pk = uuid7()
    if same == "key":
        another.guard = uuid7().hex
    else:
        another.key = uuid7().hex
    seal(another, "subject", "Again")
    with inside(told.workspace.id), pytest.raises(IntegrityError), transaction.atomic():
        another.save(force_insert=True)
