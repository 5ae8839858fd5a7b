"""How a message looks: its fields, its ids, its MIME."""

import base64
import re
from email import message_from_bytes, policy
from typing import Any

import pytest

from .conftest import Mailbox, Served


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


def test_times_are_utc_and_written_with_z(sandbox: Served, alice: Mailbox) -> None:
    """Learn: message resource type."""
    message = alice.get(f"/me/messages/{delivered(sandbox, alice)}").json

    for name in ("createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", message[name])


def test_an_id_that_cannot_be_one_is_malformed(alice: Mailbox) -> None:
    """Outlook's code for it: ErrorInvalidIdMalformed, "Id is malformed."."""
    refused = alice.get("/me/messages/x!")

    assert (refused.status, refused.json["error"]["code"]) == (400, "ErrorInvalidIdMalformed")
    assert refused.json["error"]["message"] == "Id is malformed."


def test_another_mailboxes_message_is_not_there(sandbox: Served, alice: Mailbox, carol: Mailbox) -> None:
    assert carol.get(f"/me/messages/{delivered(sandbox, alice)}").status == 404


def test_the_immutable_id_survives_a_move_and_the_other_does_not(sandbox: Served, alice: Mailbox) -> None:
    """Learn: Obtain immutable identifiers for Outlook resources."""
    name = delivered(sandbox, alice)
    immutable = {"Prefer": 'IdType="ImmutableId"'}
    lasting = alice.get(f"/me/messages/{name}", headers=immutable).json["id"]

    alice.post(f"/me/messages/{name}/move", {"DestinationId": "archive"})

    assert alice.get(f"/me/messages/{name}").status == 404
    assert alice.get(f"/me/messages/{lasting}", headers=immutable).json["id"] == lasting


def test_the_mime_carries_attachments_there_and_back(alice: Mailbox) -> None:
    """Learn: Get MIME content of a message; Send Outlook messages using MIME format."""
    part = {
        "@odata.type": "#microsoft.graph.fileAttachment", "name": "plan.txt", "contentType": "text/plain",
        "contentBytes": base64.b64encode(b"step one").decode(),
    }  # fmt: skip
    draft = alice.draft("carol@contoso.example", attachments=[part])

    mime = alice.get(f"/me/messages/{draft['id']}/$value").content
    [read] = message_from_bytes(mime, policy=policy.default).iter_attachments()
    assert (read.get_filename(), read.get_content().strip()) == ("plan.txt", "step one")
    again = alice.call(
        "POST", "/me/messages", body=base64.b64encode(mime), headers={"Content-Type": "text/plain"}
    ).json
    [kept] = alice.get(f"/me/messages/{again['id']}/attachments").json["value"]
    assert (kept["name"], base64.b64decode(kept["contentBytes"]).strip()) == ("plan.txt", b"step one")
    assert again["hasAttachments"] is True


def test_a_delivery_report_is_a_report_and_names_who_failed(sandbox: Served, alice: Mailbox) -> None:
    """RFC 3462 and 3464; Exchange adds the headers of what was sent."""
    sent = alice.write("nobody@contoso.example", "Offer")
    sandbox.advance(5)
    [report] = alice.get("/me/mailFolders/inbox/messages").json["value"]

    assert report["from"]["emailAddress"]["name"] == "Microsoft Outlook"
    assert report["subject"] == "Undeliverable: Offer"
    assert [to["emailAddress"]["address"] for to in report["toRecipients"]] == ["nobody@contoso.example"]
    expand = "$expand=singleValueExtendedProperties($filter=id eq 'String 0x001A')"
    [kind] = alice.get(f"/me/messages/{report['id']}?{expand}").json["singleValueExtendedProperties"]
    assert kind["value"] == "REPORT.IPM.Note.NDR"
    mime = message_from_bytes(alice.get(f"/me/messages/{report['id']}/$value").content, policy=policy.default)
    assert (mime.get_content_type(), mime["Content-Type"].params["report-type"]) == (
        "multipart/report", "delivery-status",
    )  # fmt: skip
    words, status, headers = mime.iter_parts()
    assert "failed" in words.get_content()
    assert "Final-Recipient: rfc822;nobody@contoso.example" in status.as_string()
    assert "Status: 5.1.10" in status.as_string()
    assert sent["internetMessageId"] in headers.as_string()


@pytest.mark.parametrize(
    "name",
    [
        "archive", "clutter", "conflicts", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail",
        "localfailures", "msgfolderroot", "outbox", "recoverableitemsdeletions", "scheduled", "searchfolders",
        "sentitems", "serverfailures", "syncissues",
    ],
)  # fmt: skip
def test_well_known_folders_are_reached_by_their_names(alice: Mailbox, name: str) -> None:
    """Learn: mailFolder resource type."""
    assert alice.get(f"/me/mailFolders/{name}").status == 200
    assert alice.get(f"/me/mailFolders/{name}/messages").status == 200


def test_hidden_folders_are_listed_when_asked_for(alice: Mailbox) -> None:
    """Learn: List mailFolders, includeHiddenFolders."""
    plain = {
        row["displayName"]: row["isHidden"] for row in alice.get("/me/mailFolders?$top=50").json["value"]
    }
    every = alice.get("/me/mailFolders?includeHiddenFolders=true&$top=50").json["value"]

    assert set(plain.values()) == {False} and "Inbox" in plain
    assert {row["displayName"] for row in every if row["isHidden"]} >= {"Clutter", "Sync Issues"}


def test_a_page_holds_at_most_a_thousand(alice: Mailbox) -> None:
    """Learn: List messages, $top."""
    assert alice.get("/me/messages?$top=1000").status == 200
    assert [alice.get(f"/me/messages?$top={top}").status for top in (0, 1001)] == [400, 400]
