"""Drafts: how they are made and changed, what they may hold, and what is refused."""

from typing import Any

import pytest

from .conftest import Mailbox, Served, to_address


def delivered(sandbox: Served, mailbox: Mailbox, **mail: Any) -> str:
    return sandbox.control("deliver", {"mailbox": mailbox.address, "from": "a@b.example", **mail})["id"]


def test_mime_that_is_no_base64_is_refused(alice: Mailbox) -> None:
    """Learn: Send Outlook messages using MIME format."""
    refused = alice.call("POST", "/me/messages", body=b"!!", headers={"Content-Type": "text/plain"})

    assert (refused.status, refused.json["error"]["code"]) == (400, "ErrorMimeContentInvalidBase64String")


@pytest.mark.parametrize("status", [201, 200])
def test_create_reply_answers_201_or_200(sandbox: Served, alice: Mailbox, status: int) -> None:
    """Learn, message: createReply: the prose says 201, the sample 200."""
    sandbox.control("switches", {"create_reply_status": status})

    assert alice.post(f"/me/messages/{delivered(sandbox, alice)}/createReply").status == status


def test_a_reply_goes_where_reply_to_says(sandbox: Served, alice: Mailbox) -> None:
    """Learn, message: createReply: per RFC 2822, replyTo is where replies go."""
    alice_to_carol = alice.write(
        "carol@contoso.example", "Plan", replyTo=[to_address("desk@northwind.example")]
    )
    carol = sandbox.sign_in("carol@contoso.example")
    [got] = [m for m in carol.inbox() if m["internetMessageId"] == alice_to_carol["internetMessageId"]]
    reply = carol.post(f"/me/messages/{got['id']}/createReply").json

    assert [to["emailAddress"]["address"] for to in reply["toRecipients"]] == ["desk@northwind.example"]
    assert reply["subject"].upper() == "RE: PLAN"


@pytest.mark.parametrize("names", [("message", "saveToSentItems"), ("Message", "SaveToSentItems")])
def test_the_parameters_of_send_mail_may_be_written_in_any_case(
    sandbox: Served, alice: Mailbox, names: tuple[str, str]
) -> None:
    """The CSDL and msgraph-sdk write PascalCase, the pages of Learn camelCase."""
    message = {"subject": "Hello", "toRecipients": [to_address("carol@contoso.example")]}
    assert alice.post("/me/sendMail", {names[0]: message, names[1]: False}).status == 202
    sandbox.settle()

    assert sandbox.control("truth")["counts"]["delivery"] == 1
    assert alice.get("/me/mailFolders/sentitems").json["totalItemCount"] == 0


def test_a_list_of_headers_may_not_be_empty_and_ends_at_five(alice: Mailbox) -> None:
    """Seen in practice: both are InvalidInternetMessageHeaderCollection."""
    for count, status in ((0, 400), (5, 201), (6, 400)):
        headers = [{"name": f"x-{n}", "value": "1"} for n in range(count)]
        made = alice.post("/me/messages", {"internetMessageHeaders": headers})
        assert made.status == status
        if status == 400:
            assert made.json["error"]["code"] == "InvalidInternetMessageHeaderCollection"


def test_headers_are_given_when_the_draft_is_made_and_not_later(alice: Mailbox) -> None:
    """Learn: message resource type, internetMessageHeaders."""
    draft = alice.draft("carol@contoso.example")
    headers = [{"name": "x-late", "value": "1"}]

    alice.call("PATCH", f"/me/messages/{draft['id']}", body={"internetMessageHeaders": headers})

    kept = alice.get(f"/me/messages/{draft['id']}?$select=internetMessageHeaders").json
    assert "x-late" not in [row["name"] for row in kept.get("internetMessageHeaders", [])]


PLAIN, NAMED = "String 0x4001", "String {00020329-0000-0000-c000-000000000046} Name Deal"


def test_the_answer_does_not_show_extended_properties(alice: Mailbox) -> None:
    """Learn: Create single-value extended property: 201 with the item, without the property."""
    given = [{"id": NAMED, "value": "Big"}]
    made = alice.post("/me/messages", {"subject": "s", "singleValueExtendedProperties": given})
    changed = alice.call(
        "PATCH", f"/me/messages/{made.json['id']}", body={"singleValueExtendedProperties": given}
    )

    assert (made.status, changed.status) == (201, 200)
    assert "singleValueExtendedProperties" not in {**made.json, **changed.json}


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("ep/value eq 'big deal'", True), ("ep/value ne 'small'", True), ("startswith(ep/value, 'BIG')", True),
        ("contains(ep/value, 'deal')", True), ("contains(ep/value, 'other')", False),
    ],
)  # fmt: skip
def test_extended_properties_are_filtered_by_their_value_in_any_case(
    alice: Mailbox, test: str, found: bool
) -> None:
    """Learn: Get singleValueLegacyExtendedProperty."""
    alice.draft("carol@contoso.example", singleValueExtendedProperties=[{"id": NAMED, "value": "Big Deal"}])

    query = f"singleValueExtendedProperties/Any(ep: ep/id eq '{NAMED}' and {test})"
    assert bool(alice.get(f"/me/messages?$filter={query}").json["value"]) is found


def test_the_name_of_an_extended_property_has_its_case_and_its_number_has_none(alice: Mailbox) -> None:
    """Learn: Outlook extended properties overview."""
    both = [{"id": NAMED, "value": "a"}, {"id": PLAIN, "value": "b"}]
    draft = alice.draft("carol@contoso.example", singleValueExtendedProperties=both)

    asked = " or ".join(f"id eq '{name}'" for name in (NAMED.replace("Deal", "deal"), PLAIN.lower()))
    shown = alice.get(
        f"/me/messages/{draft['id']}?$expand=singleValueExtendedProperties($filter={asked})"
    ).json
    assert [row["value"] for row in shown["singleValueExtendedProperties"]] == ["b"]


def test_a_message_has_at_most_500_recipients(alice: Mailbox) -> None:
    """Learn: Exchange Online limits."""
    for count, status in ((500, 202), (501, 400)):
        to = [to_address(f"p{n}@elsewhere.example") for n in range(count)]
        assert alice.post("/me/sendMail", {"message": {"subject": "s", "toRecipients": to}}).status == status


def test_send_answers_202_and_nothing_else(alice: Mailbox) -> None:
    """Learn: message: send."""
    sent = alice.send(alice.draft("carol@contoso.example"))

    assert (sent.status, sent.content, sent.headers["Content-Length"]) == (202, b"", "0")


def test_the_sdks_type_annotations_are_understood(alice: Mailbox) -> None:
    """msgraph-sdk sends @odata.type in every body."""
    typed = {"@odata.type": "#microsoft.graph.message", "subject": "s"}

    assert alice.post("/me/messages", typed).json["subject"] == "s"
