"""The closed list itself: each request says which fields it wants, and few want what somebody wrote."""

import re

import pytest

from gatepost.graph.shapes import SHAPES

READS = [shape for shape in SHAPES.values() if not shape.is_write]
# What people wrote, and who they are. What a request may have of it is said here a second time, on purpose.
WORDS = re.compile(
    r"subject|body|preview|categor|attach|location|from|sender|recipient|header|name|description", re.I
)
MAY_ASK = {
    "sender": {"from", "sender", "toRecipients"},
    "reply": {"uniqueBody", "subject", "internetMessageHeaders"},
    "draft.read": {"subject", "body", "toRecipients"},
    "event.details": {"subject"},
    "profile": {"displayName", "userPrincipalName"},
    "outlook-contacts": {"givenName", "surname", "companyName"},
    "people": {"givenName", "surname", "companyName"},
}


@pytest.mark.parametrize("shape", READS, ids=lambda shape: shape.name)
def test_each_request_that_reads_names_its_fields_and_asks_for_no_words_that_it_may_not(shape):
    fields = dict(shape.query).get("$select", "").split(",")
    assert fields != [""], "without $select everything comes"
    assert {field for field in fields if WORDS.search(field)} == MAY_ASK.get(shape.name, set())


def test_properties_that_are_asked_for_are_references_and_our_own_marks():
    asked = {
        found
        for shape in READS
        for key, value in shape.query
        if key == "$expand"
        for found in re.findall(r"id eq '(.*?)'", value)
    }
    ours = {found for found in asked if "8a3f7a52-51c5-4b0e-9f0e-6a1d3c9b7e24" in found}
    assert asked - ours == {"String 0x1042", "String 0x1039", "Integer 0x0E07"}


def test_a_notification_is_asked_to_tell_that_something_came_and_not_what():
    for shape in SHAPES.values():
        assert not {field for field in shape.body if re.search("resourcedata|encryption", field, re.I)}
        assert shape.path != "/subscriptions" or "$select" not in dict(shape.query)
