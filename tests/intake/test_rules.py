from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.ids import uuid7
from gatepost.intake.rules import (
    MAX_REFERENCES,
    Candidate,
    Doubtful,
    Drop,
    EnvelopeFacts,
    Matched,
    OwnSent,
    SenderFacts,
    decide_envelope,
    decide_sender,
    references,
)

OURS, OTHER = uuid7(), uuid7()
UNRELATED = EnvelopeFacts(
    removed=False,
    in_sent_items=False,
    own_message=None,
    stored=False,
    answers=None,
    answers_colleague=False,
    conversation_of=None,
)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        ({}, Drop("unrelated")),
        ({"answers": OURS}, Candidate(OURS)),
        ({"answers": OURS, "answers_colleague": True}, Candidate(OURS)),
        ({"answers": OURS, "conversation_of": OTHER}, Candidate(OURS)),
        ({"answers_colleague": True}, Drop("answers a colleague's mailbox")),
        ({"conversation_of": OURS}, Doubtful(OURS)),
        ({"removed": True, "answers": OURS}, Drop("removed")),
        ({"stored": True, "answers": OURS}, Drop("seen before")),
        ({"stored": True, "conversation_of": OURS}, Drop("seen before")),
        # Our own mail: seen as sent it is confirmed; in the inbox (a copy to oneself) it is no reply.
        ({"own_message": OURS, "in_sent_items": True}, OwnSent(OURS)),
        ({"own_message": OURS, "in_sent_items": True, "answers": OTHER}, OwnSent(OURS)),
        ({"own_message": OURS, "answers": OTHER}, Drop("our own mail")),
        # What the rep writes by hand in the same thread is his and stays unread.
        ({"in_sent_items": True, "answers": OURS}, Drop("sent by hand")),
        ({"in_sent_items": True, "conversation_of": OURS}, Drop("sent by hand")),
        ({"in_sent_items": True}, Drop("sent by hand")),
    ],
)
def test_what_an_envelope_means(facts, decision):
    assert decide_envelope(replace(UNRELATED, **facts)) == decision


CONTACT = SenderFacts(
    address="petra@contoso.example", is_draft=False, is_own_address=False, is_internal=False, is_contact=True
)
REPORT = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@northwind.example"


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        ({}, Matched("reply", someone_else=False)),
        ({"address": "assistant@contoso.example", "is_contact": False}, Matched("reply", someone_else=True)),
        ({"address": "friend@elsewhere.example", "is_contact": False}, Matched("reply", someone_else=True)),
        (
            {"address": "ben@northwind.example", "is_contact": False, "is_internal": True},
            Drop("internal sender"),
        ),
        ({"is_internal": True}, Drop("internal sender")),
        ({"is_own_address": True, "is_internal": True}, Drop("our own mail")),
        ({"is_draft": True}, Drop("a draft")),
        ({"address": "", "is_contact": False}, Drop("no sender")),
        ({"address": REPORT, "is_internal": True, "is_contact": False}, Matched("bounce", someone_else=True)),
        (
            {"address": "MAILER-DAEMON@contoso.example", "is_contact": False},
            Matched("bounce", someone_else=True),
        ),
        (
            {"address": "postmaster@contoso.example", "is_contact": False},
            Matched("bounce", someone_else=True),
        ),
        ({"address": "postmaster.jones@contoso.example"}, Matched("reply", someone_else=False)),
        ({"address": REPORT, "is_draft": True}, Drop("a draft")),
    ],
)
def test_what_the_sender_of_a_candidate_means(facts, decision):
    assert decide_sender(replace(CONTACT, **facts)) == decision


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("<a@x>", ("<a@x>",)),
        ("<a@x> <b@x>", ("<a@x>", "<b@x>")),
        ("<a@x>\r\n\t<b@x>,<c@x>", ("<a@x>", "<b@x>", "<c@x>")),
        ("<a@x> <a@x>", ("<a@x>",)),
        ('Your message of Monday "Hello" <a@x>', ("<a@x>",)),
        ("a@x", ()),
        ("<>", ()),
        ("<a b@x>", ()),
        ("<<a@x>>", ("<a@x>",)),
    ],
)
def test_message_ids_are_found_however_they_are_written(text, found):
    assert references(text) == found


def test_of_very_many_references_the_newest_are_looked_at():
    text = " ".join(f"<{number}@x>" for number in range(5000))
    assert references(text) == tuple(f"<{number}@x>" for number in range(5000 - MAX_REFERENCES, 5000))


@given(st.text())
def test_no_text_makes_more_of_references_than_it_holds(text):
    found = references(text)
    assert len(found) <= MAX_REFERENCES
    assert all(each in text for each in found)
