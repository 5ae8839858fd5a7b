"""Drafts, sending, delivery, and what can be read of messages."""

import base64
from typing import Any

from .conftest import Mailbox, Served, to_address

KEY = "String {8d5a1f3e-0000-4000-8000-1234567890ab} Name GatepostSendKey"
EXPAND = f"$expand=singleValueExtendedProperties($filter=id eq '{KEY}')"


def with_key(value: str) -> dict[str, Any]:
    return {"singleValueExtendedProperties": [{"id": KEY, "value": value}]}


def find_by_key(mailbox: Mailbox, value: str) -> list[dict[str, Any]]:
    query = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq '{value}')"
    return mailbox.get(f"/me/messages?$select=id,isDraft&$filter={query}").json["value"]


def test_a_sent_draft_lies_in_sent_items_and_in_the_recipients_inbox(alice: Mailbox, carol: Mailbox) -> None:
    draft = alice.write("carol@contoso.example", "Quick question")

    [received] = carol.inbox("subject,internetMessageId,from,isRead,isDraft")
    assert received["internetMessageId"] == draft["internetMessageId"]
    assert received["from"]["emailAddress"]["address"] == "alice@northwind.example"
    assert (received["isRead"], received["isDraft"]) == (False, False)
    [sent] = alice.get("/me/mailFolders/sentitems/messages").json["value"]
    assert sent["internetMessageId"] == draft["internetMessageId"]
    assert alice.get("/me/mailFolders/drafts/messages").json["value"] == []


def test_the_truth_counts_one_delivery_for_one_send(sandbox: Served, alice: Mailbox) -> None:
    alice.write("carol@contoso.example", **with_key("k1"))

    truth = sandbox.control("truth")
    assert [row["count"] for row in truth["deliveries"]] == [1]
    assert truth["by_property"] == [{"property": KEY, "value": "k1", "count": 1}]
    assert truth["duplicates"] == truth["duplicates_by_property"] == []


def test_the_same_letter_twice_shows_as_a_duplicate(sandbox: Served, alice: Mailbox) -> None:
    alice.write("carol@contoso.example", **with_key("k1"))
    alice.write("carol@contoso.example", **with_key("k1"))

    truth = sandbox.control("truth")
    assert [row["count"] for row in truth["duplicates"]] == [2]
    assert truth["duplicates_by_property"][0]["value"] == "k1"


def test_a_message_is_found_by_its_extended_property_before_and_after_sending(alice: Mailbox) -> None:
    draft = alice.draft("carol@contoso.example", **with_key("ABC"))
    assert "singleValueExtendedProperties" not in draft
    assert [m["isDraft"] for m in find_by_key(alice, "abc")] == [True]

    alice.send(draft)
    alice.served.settle()

    assert [m["isDraft"] for m in find_by_key(alice, "ABC")] == [False]
    assert find_by_key(alice, "other") == []


def test_all_that_bear_a_property_are_found(alice: Mailbox) -> None:
    marked = alice.draft("carol@contoso.example", **with_key("k1"))
    alice.draft("carol@contoso.example")

    query = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value ne null)"
    found = alice.get(f"/me/messages?$select=internetMessageId&$filter={query}").json["value"]
    assert [m["internetMessageId"] for m in found] == [marked["internetMessageId"]]


def test_extended_properties_are_shown_when_expanded_and_stay_at_home(alice: Mailbox, carol: Mailbox) -> None:
    alice.write("carol@contoso.example", **with_key("k1"))

    [sent] = alice.get(f"/me/mailFolders/sentitems/messages?$select=id&{EXPAND}").json["value"]
    assert sent["singleValueExtendedProperties"] == [{"id": KEY, "value": "k1"}]
    [received] = carol.get(f"/me/mailFolders/inbox/messages?$select=id&{EXPAND}").json["value"]
    assert "singleValueExtendedProperties" not in received


def test_a_sent_message_cannot_be_sent_again(alice: Mailbox) -> None:
    draft = alice.write("carol@contoso.example")
    [sent] = alice.get("/me/mailFolders/sentitems/messages").json["value"]

    assert alice.send(sent).status == 400
    assert alice.send(draft).status == 404  # its old id went with the move


def test_the_immutable_id_survives_sending_or_changes_as_the_switch_says(
    sandbox: Served, alice: Mailbox
) -> None:
    immutable = {"Prefer": 'IdType="ImmutableId"'}
    for setting, status in (("same", 200), ("changes", 404)):
        sandbox.control("switches", {"immutable_id_on_send": setting})
        draft = alice.post(
            "/me/messages", {"toRecipients": [to_address("carol@contoso.example")]}, headers=immutable
        ).json
        alice.send(draft)
        sandbox.settle()
        assert alice.get(f"/me/messages/{draft['id']}?$select=isDraft", headers=immutable).status == status


def test_a_message_is_found_by_its_internet_message_id(alice: Mailbox) -> None:
    draft = alice.write("carol@contoso.example")

    query = f"$filter=internetMessageId eq '{draft['internetMessageId']}'&$select=subject&$count=true"
    page = alice.get(f"/me/messages?{query}").json
    assert (page["@odata.count"], [m["subject"] for m in page["value"]]) == (1, ["Hello"])


def test_a_reply_keeps_the_conversation_of_both_sides(
    sandbox: Served, alice: Mailbox, carol: Mailbox
) -> None:
    first = alice.write("carol@contoso.example", "Quick question")
    [received] = carol.inbox()

    reply = carol.post(f"/me/messages/{received['id']}/createReply", {"comment": "Sure, tell me more."})
    assert reply.status == 201
    carol.send(reply.json)
    sandbox.settle()

    [answer] = alice.inbox("subject,conversationId,from,internetMessageHeaders")
    assert answer["subject"] == "RE: Quick question"
    assert answer["conversationId"] == first["conversationId"]
    headers = {row["name"]: row["value"] for row in answer["internetMessageHeaders"]}
    assert headers["In-Reply-To"] == headers["References"] == first["internetMessageId"]


def test_in_reply_to_and_references_can_be_read_as_extended_properties(
    alice: Mailbox, carol: Mailbox
) -> None:
    first = alice.write("carol@contoso.example")
    [received] = carol.inbox()
    carol.send(carol.post(f"/me/messages/{received['id']}/createReply", {"comment": "Yes"}).json)
    carol.served.settle()

    wanted = "singleValueExtendedProperties($filter=id eq 'String 0x1042' or id eq 'String 0x1039')"
    [answer] = alice.get(f"/me/mailFolders/inbox/messages?$select=id&$expand={wanted}").json["value"]
    values = {row["id"]: row["value"] for row in answer["singleValueExtendedProperties"]}
    assert values == {
        "String 0x1042": first["internetMessageId"],
        "String 0x1039": first["internetMessageId"],
    }


def test_a_follow_up_by_create_reply_takes_its_own_recipients_and_body(
    alice: Mailbox, carol: Mailbox
) -> None:
    alice.write("carol@contoso.example", "Quick question")
    [sent] = alice.get("/me/mailFolders/sentitems/messages").json["value"]
    body = {
        "message": {
            "toRecipients": [to_address("carol@contoso.example")],
            "body": {"contentType": "html", "content": "<p>Any thoughts?</p>"}, **with_key("k2"),
        }
    }  # fmt: skip

    follow_up = alice.post(f"/me/messages/{sent['id']}/createReply", body).json
    alice.send(follow_up)
    alice.served.settle()

    assert follow_up["conversationId"] == sent["conversationId"]
    subjects = {message["subject"] for message in carol.inbox()}
    conversations = {message["conversationId"] for message in carol.inbox()}
    assert subjects == {"Quick question", "RE: Quick question"}
    assert len(conversations) == 1
    assert len(find_by_key(alice, "k2")) == 1


def test_comment_and_body_together_are_refused(alice: Mailbox) -> None:
    draft = alice.draft("carol@contoso.example")
    body = {"comment": "a", "message": {"body": {"contentType": "text", "content": "b"}}}

    assert alice.post(f"/me/messages/{draft['id']}/createReply", body).status == 400


def test_unique_body_holds_only_the_new_text(sandbox: Served, alice: Mailbox) -> None:
    quoted = (
        '<html><body><p>Gern, morgen?</p><div id="appendonsend"></div><div id="divRplyFwdMsg">From: Alice</div>'
        "<p>Good morning</p></body></html>"
    )
    sandbox.control("deliver", {"mailbox": alice.address, "from": "carol@contoso.example", "html": quoted})
    [message] = alice.inbox("id")

    prefer = {"Prefer": 'outlook.body-content-type="text"'}
    answer = alice.get(f"/me/messages/{message['id']}?$select=uniqueBody,body", headers=prefer)
    assert answer.json["uniqueBody"] == {"contentType": "text", "content": "Gern, morgen?"}
    assert "Good morning" in answer.json["body"]["content"]
    assert answer.headers["Preference-Applied"] == 'outlook.body-content-type="text"'


def test_only_selected_fields_leave(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("deliver", {"mailbox": alice.address, "from": "carol@contoso.example", "text": "secret"})

    [message] = alice.inbox("id,conversationId")
    assert {name for name in message if not name.startswith("@")} == {"id", "conversationId"}
    entry = sandbox.control("log")["requests"][-1]
    assert entry["items"][0]["fields"] == ["id", "conversationId"]
    assert entry["items"][0]["id"] == message["id"]


def test_custom_headers_must_begin_with_x(alice: Mailbox) -> None:
    def refusal(headers: list[dict[str, str]]) -> str:
        answer = alice.post("/me/messages", {"internetMessageHeaders": headers})
        assert answer.status == 400
        return answer.json["error"]["code"]

    assert refusal([{"name": "List-Unsubscribe", "value": "<u>"}]) == "InvalidInternetMessageHeader"
    assert (
        refusal([{"name": f"x-{n}", "value": "v"} for n in range(6)])
        == "InvalidInternetMessageHeaderCollection"
    )


def test_a_mime_draft_may_carry_any_header(alice: Mailbox, carol: Mailbox) -> None:
    mime = (
        "From: alice@northwind.example\r\nTo: carol@contoso.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
        "Message-ID: <own-1@northwind.example>\r\nList-Unsubscribe: <https://u.example/1>\r\n\r\nHallo\r\n"
    )
    headers = {"Content-Type": "text/plain"}
    draft = alice.call("POST", "/me/messages", headers=headers, body=base64.b64encode(mime.encode())).json
    alice.send(draft)
    alice.served.settle()

    [received] = carol.inbox("subject,internetMessageId,internetMessageHeaders")
    assert (received["subject"], received["internetMessageId"]) == ("Grüße", "<own-1@northwind.example>")
    assert {"name": "List-Unsubscribe", "value": "<https://u.example/1>"} in received[
        "internetMessageHeaders"
    ]
    bad = alice.call("POST", "/me/messages", headers=headers, body=b"not base64!")
    assert bad.json["error"]["code"] == "ErrorMimeContentInvalidBase64String"


def test_mail_to_an_unknown_address_of_a_known_domain_comes_back(sandbox: Served, alice: Mailbox) -> None:
    sent = alice.write("nobody@contoso.example", "Quick question")
    sandbox.advance(60)

    [report] = alice.inbox("subject,from,toRecipients,internetMessageHeaders")
    assert report["subject"] == "Undeliverable: Quick question"
    assert report["from"]["emailAddress"]["address"] == (
        "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@northwind.example"
    )
    headers = {row["name"]: row["value"] for row in report["internetMessageHeaders"]}
    assert headers["In-Reply-To"] == sent["internetMessageId"]
    assert sandbox.truth("alice@northwind.example")["bounces"][0]["to"] == "nobody@contoso.example"


def test_mail_to_the_outside_world_is_swallowed_and_counted(sandbox: Served, alice: Mailbox) -> None:
    alice.write("someone@elsewhere.example")

    assert sandbox.control("truth")["external"] == {
        "count": 1,
        "by_address": {"someone@elsewhere.example": 1},
    }


def test_a_message_without_recipients_is_refused(alice: Mailbox) -> None:
    answer = alice.send(alice.post("/me/messages", {"subject": "to nobody"}).json)

    assert (answer.status, answer.json["error"]["code"]) == (400, "ErrorInvalidRecipients")


def test_nobody_sends_in_anothers_name(alice: Mailbox) -> None:
    draft = alice.draft("carol@contoso.example", **{"from": to_address("ben@northwind.example")})

    assert alice.send(draft).json["error"]["code"] == "ErrorSendAsDenied"


def test_send_mail_needs_no_draft(alice: Mailbox, carol: Mailbox) -> None:
    message = {"Subject": "One shot", "toRecipients": [to_address("carol@contoso.example")]}

    assert alice.post("/me/sendMail", {"Message": message, "SaveToSentItems": True}).status == 202
    alice.served.settle()
    assert [m["subject"] for m in carol.inbox()] == ["One shot"]


def test_ordering_by_what_is_not_filtered_is_inefficient(alice: Mailbox) -> None:
    answer = alice.get("/me/messages?$filter=isRead eq false&$orderby=receivedDateTime desc")

    assert (answer.status, answer.json["error"]["code"]) == (400, "InefficientFilter")


def test_a_list_is_paged_by_next_links_with_the_genuine_host(sandbox: Served, alice: Mailbox) -> None:
    for n in range(5):
        sandbox.control(
            "deliver", {"mailbox": alice.address, "from": "carol@contoso.example", "subject": f"{n}"}
        )

    first = alice.get("/me/mailFolders('inbox')/messages?$top=3&$select=subject").json
    assert first["@odata.nextLink"].startswith(
        "https://graph.microsoft.com/v1.0/me/mailFolders('inbox')/messages?"
    )
    second = alice.get(first["@odata.nextLink"]).json
    subjects = [m["subject"] for m in first["value"] + second["value"]]
    assert (sorted(subjects), "@odata.nextLink" in second) == (["0", "1", "2", "3", "4"], False)


def test_a_second_send_in_flight_is_refused_or_doubles_as_the_switch_says(
    sandbox: Served, alice: Mailbox
) -> None:
    sandbox.control("switches", {"send_seconds": 3600})
    draft = alice.draft("carol@contoso.example")
    assert (alice.send(draft).status, alice.send(draft).status) == (202, 400)

    sandbox.control("switches", {"second_send": "accepted"})
    assert alice.send(draft).status == 202
    sandbox.advance(3700)
    assert [row["count"] for row in sandbox.control("truth")["deliveries"]] == [2]


def test_the_message_flags_tell_submitted_from_draft(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("switches", {"send_seconds": 3600})
    draft = alice.draft("carol@contoso.example")
    expand = "$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x0E07')"

    def flags() -> str:
        shown = alice.get(f"/me/messages/{draft['id']}?$select=id&{expand}").json
        return shown["singleValueExtendedProperties"][0]["value"]

    assert flags() == "8"
    alice.send(draft)
    assert flags() == "4"
