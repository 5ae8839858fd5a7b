"""Facts of Microsoft's pages that no story of the other files passes by."""

from typing import Any

import pytest

from .conftest import Mailbox, Served, to_address
from .test_subscriptions import Listener, listener, wanted  # noqa: F401

INBOX = "/me/mailFolders/inbox/messages"


def delivered(sandbox: Served, mailbox: Mailbox, **mail: Any) -> str:
    return sandbox.control("deliver", {"mailbox": mailbox.address, "from": "a@b.example", **mail})["id"]


def test_headers_and_unique_body_come_only_when_selected(sandbox: Served, alice: Mailbox) -> None:
    """Learn: message resource type."""
    name = delivered(sandbox, alice, text="Good morning", headers={"X-One": "1"})
    only = {"internetMessageHeaders", "uniqueBody"}

    assert not only & set(alice.get(f"/me/messages/{name}").json)
    assert only <= set(alice.get(f"/me/messages/{name}?$select=internetMessageHeaders,uniqueBody").json)


def test_the_preview_has_at_most_255_characters(sandbox: Served, alice: Mailbox) -> None:
    """Learn: message resource type, bodyPreview."""
    name = delivered(sandbox, alice, text="word " * 200)

    assert 200 < len(alice.get(f"/me/messages/{name}").json["bodyPreview"]) <= 255


def test_inline_parts_alone_are_no_attachments(sandbox: Served, alice: Mailbox) -> None:
    """Learn: message resource type, hasAttachments."""
    part = {"name": "logo.png", "contentType": "image/png", "size": 1, "contentBytes": "AA=="}
    seen = [
        alice.get(
            f"/me/messages/{delivered(sandbox, alice, attachments=[{**part, 'isInline': inline}])}"
        ).json
        for inline in (True, False)
    ]

    assert [message["hasAttachments"] for message in seen] == [False, True]


def test_every_item_has_an_etag_of_its_version(sandbox: Served, alice: Mailbox) -> None:
    """Learn: message resource type, changeKey; OData."""
    name = delivered(sandbox, alice)
    before = alice.get(f"/me/messages/{name}").json["@odata.etag"]
    alice.call("PATCH", f"/me/messages/{name}", body={"isRead": True})

    after = alice.get(f"/me/messages/{name}").json["@odata.etag"]
    assert before.startswith('W/"') and after != before


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


def test_delta_takes_no_search(alice: Mailbox) -> None:
    """Learn: message: delta."""
    assert alice.get(f"{INBOX}/delta?$search=plan").status == 400


def test_a_short_subscription_lives_45_minutes(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,  # noqa: F811
) -> None:
    """msgraph-sdk, subscription: whatever is less is raised to 45 minutes."""
    from m365_sandbox.clock import from_iso

    made = alice.post("/subscriptions", wanted(sandbox, listener, days=1 / 24 / 60))
    left = from_iso(made.json["expirationDateTime"]) - sandbox.control("clock")["product"]
    assert made.status == 201 and 2600 < left <= 2701


def test_a_mailbox_has_at_most_a_thousand_subscriptions(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,  # noqa: F811
) -> None:
    """Learn, subscription: create: 1000 active ones for a mailbox, over all apps."""
    from dataclasses import replace

    assert alice.post("/subscriptions", wanted(sandbox, listener)).status == 201
    store = sandbox.app.state.sandbox.store
    [first] = store.subscriptions.values()
    for number in range(999):
        store.save(replace(first, id=f"made-{number}", app=f"app-{number}"))

    assert alice.post("/subscriptions", wanted(sandbox, listener, changeType="updated")).status in (403, 409)


def test_what_is_not_there_is_an_item_not_found(alice: Mailbox) -> None:
    """Learn: Microsoft Graph error responses; Outlook's code for what is gone."""
    gone = alice.get("/me/messages/AAMkADnone=")

    assert (gone.status, gone.json["error"]["code"]) == (404, "ErrorItemNotFound")
