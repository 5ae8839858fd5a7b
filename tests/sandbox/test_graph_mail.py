"""Mail beyond drafts and sending: search, forwards, parts, folders, ids. Pages of learn.microsoft.com are named."""

import base64
from typing import Any

import pytest

from .conftest import Mailbox, Served, to_address

ALICE, BEN, CAROL = "alice@northwind.example", "ben@northwind.example", "carol@contoso.example"


def deliver(
    sandbox: Served, subject: str, text: str = "Hello", sender: str = "x@elsewhere.example", **more: Any
):
    sandbox.control("deliver", {"mailbox": ALICE, "from": sender, "subject": subject, "text": text, **more})


def found(mailbox: Mailbox, search: str) -> list[str]:
    answer = mailbox.get(f'/me/messages?$search="{search}"&$select=subject')
    assert answer.status == 200, answer.text
    return sorted(row["subject"] for row in answer.json["value"])


def test_search_finds_words_phrases_and_properties(alice: Mailbox, sandbox: Served) -> None:
    deliver(sandbox, "Invoice 7", "please pay by Friday", "billing@shop.example")
    deliver(sandbox, "Lunch", "shall we on Friday?", "ben@northwind.example")

    assert found(alice, "friday") == ["Invoice 7", "Lunch"]
    assert found(alice, "subject:invoice") == ["Invoice 7"]
    assert found(alice, "from:billing AND friday") == ["Invoice 7"]
    assert found(alice, "friday NOT lunch") == ["Invoice 7"]
    assert found(alice, "invoice OR lunch") == ["Invoice 7", "Lunch"]


@pytest.mark.parametrize("option", ["$filter=isRead eq false", "$orderby=subject", "$skip=1"])
def test_search_stands_alone_or_not_by_a_switch(alice: Mailbox, sandbox: Served, option: str) -> None:
    path = f'/me/messages?$search="a"&{option}'
    refused = alice.get(path)
    assert (refused.status, refused.json["error"]["code"][:10]) == (400, "SearchWith")
    sandbox.control("switches", {"search_with": "accepted"})
    assert alice.get(path).status == 200


def test_search_is_paged_by_a_skiptoken(alice: Mailbox, sandbox: Served) -> None:
    for number in range(3):
        deliver(sandbox, f"Report {number}")
    first = alice.get('/me/messages?$search="report"&$top=2&$select=subject').json
    assert "$skiptoken" in first["@odata.nextLink"]
    second = alice.get(first["@odata.nextLink"]).json
    assert (len(first["value"]), len(second["value"])) == (2, 1)


def test_a_forward_quotes_the_original_and_takes_its_attachments(alice: Mailbox, sandbox: Served) -> None:
    part = {"name": "a.txt", "contentType": "text/plain", "contentBytes": base64.b64encode(b"abc").decode()}
    deliver(sandbox, "Offer", "Our offer", attachments=[part])
    [mail] = alice.inbox()
    body = {"comment": "See below", "toRecipients": [to_address(BEN)]}
    draft = alice.post(f"/me/messages/{mail['id']}/createForward", body)
    assert (draft.status, draft.json["subject"], draft.json["hasAttachments"]) == (201, "FW: Offer", True)
    assert "See below" in draft.json["body"]["content"]

    assert alice.post(f"/me/messages/{mail['id']}/forward", body).status == 202
    sandbox.settle()
    [arrived] = sandbox.sign_in(BEN).inbox()
    assert arrived["subject"] == "FW: Offer"
    both = {**body, "message": {"body": {"contentType": "text", "content": "x"}}}
    assert alice.post(f"/me/messages/{mail['id']}/createForward", both).status == 400


def test_a_copy_is_another_item(alice: Mailbox, sandbox: Served) -> None:
    deliver(sandbox, "Keep")
    [mail] = alice.inbox()
    copy = alice.post(f"/me/messages/{mail['id']}/copy", {"destinationId": "archive"})
    assert copy.status == 201
    assert copy.json["id"] != mail["id"]
    assert len(alice.inbox()) == 1
    assert alice.get("/me/mailFolders/archive/messages/$count").text == "1"
    assert alice.get("/me/messages/$count?$filter=subject eq 'Keep'").text == "2"


def test_small_attachments_are_posted_and_large_ones_uploaded_in_pieces(alice: Mailbox) -> None:
    path = f"/me/messages/{alice.draft(BEN)['id']}/attachments"
    part = {
        "@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentType": "text/plain",
        "contentBytes": base64.b64encode(b"abc").decode(),
    }  # fmt: skip
    made = alice.post(path, part)
    assert (made.status, made.json["size"]) == (201, 3)
    assert alice.get(f"{path}/{made.json['id']}/$value").text == "abc"
    big = {**part, "contentBytes": base64.b64encode(bytes(3 * 1024 * 1024 + 3)).decode()}
    assert alice.post(path, big).status == 413

    content = bytes(range(256)) * 10
    item = {"AttachmentItem": {"attachmentType": "file", "name": "b.bin", "size": len(content)}}
    session = alice.post(f"{path}/createUploadSession", item)
    assert session.status == 201
    url = session.json["uploadUrl"].removeprefix("https://outlook.office.com")
    served = alice.served
    half = len(content) // 2

    def put(first: int, last: int):
        said = {"Content-Range": f"bytes {first}-{last - 1}/{len(content)}"}
        return served.call("PUT", url, body=content[first:last], headers=said)

    assert put(half, len(content)).status == 416
    assert put(0, half).json["nextExpectedRanges"] == [f"{half}-"]
    done = put(half, len(content))
    assert (done.status, "Attachments('" in done.headers["location"]) == (201, True)
    assert [row["name"] for row in alice.get(path).json["value"]] == ["a.txt", "b.bin"]
    assert alice.get(f"{path}/$count").text == "2"
    assert alice.call("DELETE", f"{path}/{made.json['id']}").status == 204


def test_open_extensions_are_kept_under_their_name(alice: Mailbox) -> None:
    path = f"/me/messages/{alice.draft(BEN)['id']}/extensions"
    kind = "microsoft.graph.openTypeExtension"
    made = alice.post(path, {"@odata.type": kind, "extensionName": "com.gatepost", "lead": "1"})
    assert (made.status, made.json["id"]) == (201, "Microsoft.OutlookServices.OpenTypeExtension.com.gatepost")
    alice.post(path, {"@odata.type": kind, "extensionName": "com.gatepost", "more": "2"})
    assert alice.get(f"{path}/com.gatepost").json["lead"] == "1"  # a post of an existing name merges
    alice.call("PATCH", f"{path}/com.gatepost", body={"@odata.type": kind, "more": "3"})
    assert "lead" not in alice.get(f"{path}/com.gatepost").json  # a patch must resend all
    assert alice.call("DELETE", f"{path}/com.gatepost").status == 204
    assert alice.get(path).json["value"] == []


def test_ids_are_translated_up_to_a_thousand(alice: Mailbox) -> None:
    draft = alice.draft(BEN)
    body = {
        "inputIds": [draft["id"], "nonsense"],
        "sourceIdType": "restId",
        "targetIdType": "restImmutableEntryId",
    }
    known, unknown = alice.post("/me/translateExchangeIds", body).json["value"]
    headers = {"Prefer": 'IdType="ImmutableId"'}
    assert known["targetId"] == alice.get(f"/me/messages/{draft['id']}", headers=headers).json["id"]
    assert unknown["errorDetails"]["code"] == "ErrorInvalidIdMalformed"
    assert alice.post("/me/translateExchangeIds", {**body, "inputIds": ["x"] * 1001}).status == 400


def test_folders_nest_move_copy_and_have_a_delta(alice: Mailbox) -> None:
    items, link = alice.delta("/me/mailFolders/delta")
    assert "Inbox" in [item["displayName"] for item in items]
    one = alice.post("/me/mailFolders", {"displayName": "One"}).json
    two = alice.post(f"/me/mailFolders/{one['id']}/childFolders", {"displayName": "Two"}).json
    items, link = alice.delta(link)
    assert {item["displayName"] for item in items} == {"One", "Two"}

    assert alice.get(f"/me/mailFolders/{one['id']}/childFolders/{two['id']}").json["displayName"] == "Two"
    assert alice.get(f"/me/mailFolders/inbox/childFolders/{two['id']}").status == 404
    moved = alice.post(f"/me/mailFolders/{two['id']}/move", {"destinationId": "msgfolderroot"})
    assert moved.json["parentFolderId"].endswith(".root")
    assert alice.post(f"/me/mailFolders/{two['id']}/copy", {"destinationId": one["id"]}).status == 201
    assert alice.post("/me/mailFolders", {"displayName": "One"}).json["error"]["code"] == "ErrorFolderExists"
    assert alice.call("DELETE", f"/me/mailFolders/{one['id']}").status == 204
    assert [item["id"] for item in alice.delta(link)[0] if "@removed" in item] == [one["id"]]


@pytest.mark.parametrize(("setting", "count"), [("ignored", 1), ("honoured", 0)])
def test_deltatoken_latest_is_a_switch(alice: Mailbox, sandbox: Served, setting: str, count: int) -> None:
    sandbox.control("switches", {"delta_latest": setting})
    deliver(sandbox, "Old")
    assert len(alice.delta("/me/mailFolders/inbox/messages/delta?$deltatoken=latest")[0]) == count


@pytest.mark.parametrize(("setting", "status"), [("accepted", 201), ("refused", 400)])
def test_another_case_of_an_enum_is_a_switch(
    alice: Mailbox, sandbox: Served, setting: str, status: int
) -> None:
    sandbox.control("switches", {"enum_case": setting})
    body = {"subject": "x", "body": {"contentType": "HTML", "content": "x"}, "importance": "High"}
    assert alice.post("/me/messages", body).status == status


def test_flags_categories_and_receipts_are_kept(alice: Mailbox) -> None:
    draft = alice.draft(BEN, isReadReceiptRequested=True)
    change = {"flag": {"flagStatus": "flagged"}, "categories": ["Lead"]}
    shown = alice.call("PATCH", f"/me/messages/{draft['id']}", body=change).json
    assert (shown["flag"]["flagStatus"], shown["categories"]) == ("flagged", ["Lead"])
    assert shown["isReadReceiptRequested"]


def test_html_is_read_without_what_could_run(alice: Mailbox, sandbox: Served) -> None:
    html = "<html><body onload='x()'>Hi<script>steal()</script></body></html>"
    sandbox.control("deliver", {"mailbox": ALICE, "from": "x@y.example", "subject": "s", "html": html})
    path = f"/me/messages/{alice.inbox()[0]['id']}"
    assert "steal" not in alice.get(path).json["body"]["content"]
    unsafe = alice.get(path, headers={"Prefer": "outlook.allow-unsafe-html"}).json
    assert unsafe["body"]["content"] == html


def test_a_sent_item_changes_only_with_mail_advanced_from_the_day_on(alice: Mailbox, sandbox: Served) -> None:
    alice.write(BEN)
    [sent] = alice.get("/me/mailFolders/sentitems/messages").json["value"]
    path, change = f"/me/messages/{sent['id']}", {"subject": "Other"}
    sandbox.control("clock", {"to": "2026-12-30T12:00:00Z"})
    alice = sandbox.sign_in(ALICE)
    assert alice.call("PATCH", path, body=change).status == 200
    sandbox.control("clock", {"to": "2026-12-31T12:00:00Z"})
    alice = sandbox.sign_in(ALICE)
    assert alice.call("PATCH", path, body=change).status == 403
    assert alice.call("PATCH", path, body={"isRead": True, "categories": ["A"]}).status == 200


@pytest.mark.parametrize("setting", ["documented", "other"])
def test_a_stale_change_key_is_a_conflict(alice: Mailbox, sandbox: Served, setting: str) -> None:
    sandbox.control("switches", {"conflict_text": setting})
    draft = alice.draft(BEN)
    path = f"/me/messages/{draft['id']}"
    alice.call("PATCH", path, body={"subject": "Newer"})
    stale = alice.call("PATCH", path, body={"subject": "Old"}, headers={"If-Match": draft["@odata.etag"]})
    error = stale.json["error"]
    assert (stale.status, error["code"]) == (412, "ErrorIrresolvableConflict")
    assert ("change key" in error["message"]) == (setting == "documented")


def test_a_mailbox_has_settings_categories_rules_tips_and_zones(alice: Mailbox) -> None:
    made = alice.post("/me/outlook/masterCategories", {"displayName": "Lead", "color": "preset1"})
    assert made.status in (201, 403)
    tips = alice.post("/me/getMailTips", {"EmailAddresses": [BEN, "no@northwind.example"]}).json["value"]
    assert tips[0]["recipientScope"] == "internal"
    assert "error" in tips[1]
    zones = alice.get("/me/outlook/supportedTimeZones").json["value"]
    assert "UTC" in [zone["alias"] for zone in zones]
    iana = alice.get("/me/outlook/supportedTimeZones(TimeZoneStandard='Iana')").json["value"]
    assert "Europe/Berlin" in [zone["alias"] for zone in iana]
    assert alice.get("/me/outlook/supportedLanguages").status == 200
