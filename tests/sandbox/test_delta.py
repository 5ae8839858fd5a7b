"""Delta: each change once, in pages, with what left the folder."""

import urllib.parse

import pytest

from .conftest import Mailbox, Served

INBOX = "/me/mailFolders/inbox/messages/delta"


def fill(sandbox: Served, count: int, mailbox: str = "alice@northwind.example") -> list[str]:
    return [
        sandbox.control("deliver", {"mailbox": mailbox, "from": "carol@contoso.example", "subject": f"{n}"})[
            "internetMessageId"
        ]
        for n in range(count)
    ]


def test_a_first_round_gives_everything_in_pages(sandbox: Served, alice: Mailbox) -> None:
    fill(sandbox, 25)

    page = alice.get(f"{INBOX}?$select=id,subject").json
    assert len(page["value"]) == 10
    assert page["@odata.nextLink"].startswith(f"https://graph.microsoft.com/v1.0{INBOX}?$skiptoken=")
    items, _ = alice.delta(f"{INBOX}?$select=id,subject")
    assert sorted(int(item["subject"]) for item in items) == list(range(25))


def test_the_delta_link_gives_only_what_changed_since(sandbox: Served, alice: Mailbox) -> None:
    fill(sandbox, 3)
    _, link = alice.delta(f"{INBOX}()?$select=subject")
    assert alice.delta(link)[0] == []

    [new] = fill(sandbox, 1)
    items, link = alice.delta(link)
    assert [set(item) >= {"id", "subject"} for item in items] == [True]
    [message] = alice.get(f"/me/messages?$filter=internetMessageId eq '{new}'").json["value"]
    assert items[0]["id"] == message["id"]
    alice.call("PATCH", f"/me/messages/{message['id']}", body={"isRead": True})
    assert [item["id"] for item in alice.delta(link)[0]] == [message["id"]]


def test_options_are_frozen_into_the_link(sandbox: Served, alice: Mailbox) -> None:
    expand = "singleValueExtendedProperties($filter=id eq 'String 0x1042')"
    _, link = alice.delta(f"{INBOX}?$select=id,conversationId&$expand={expand}")
    deliver = {
        "mailbox": alice.address,
        "from": "carol@contoso.example",
        "in_reply_to": "<a@b>",
        "subject": "hidden",
    }
    sandbox.control("deliver", deliver)

    [item], _ = alice.delta(link)
    assert "subject" not in item
    assert item["singleValueExtendedProperties"] == [{"id": "String 0x1042", "value": "<a@b>"}]


def test_expand_is_ignored_or_refused_as_the_switch_says(sandbox: Served, alice: Mailbox) -> None:
    url = f"{INBOX}?$select=id&$expand=singleValueExtendedProperties($filter=id eq 'String 0x1042')"
    sandbox.control(
        "deliver", {"mailbox": alice.address, "from": "carol@contoso.example", "in_reply_to": "<a@b>"}
    )
    sandbox.control("switches", {"delta_expand": "ignored"})
    assert "singleValueExtendedProperties" not in alice.delta(url)[0][0]

    sandbox.control("switches", {"delta_expand": "refused"})
    assert alice.get(url).status == 400


def test_a_message_that_left_is_reported_as_removed(sandbox: Served, alice: Mailbox) -> None:
    moved, deleted = fill(sandbox, 2)
    items, link = alice.delta(f"{INBOX}?$select=internetMessageId")
    by_internet_id = {item["internetMessageId"]: item["id"] for item in items}
    sandbox.control("outlook", {"mailbox": alice.address, "internetMessageId": moved, "do": "move"})
    sandbox.control("outlook", {"mailbox": alice.address, "internetMessageId": deleted, "do": "delete"})

    gone, _ = alice.delta(link)
    assert {(item["id"], item["@removed"]["reason"]) for item in gone} == {
        (by_internet_id[moved], "changed"), (by_internet_id[deleted], "deleted"),
    }  # fmt: skip
    assert alice.delta(f"{INBOX}?$select=id")[0] == []


def test_what_leaves_between_two_pages_is_reported(sandbox: Served, alice: Mailbox) -> None:
    first, *_ = fill(sandbox, 12)
    page = alice.get(f"{INBOX}?$select=internetMessageId").json
    assert first in [item["internetMessageId"] for item in page["value"]]
    sandbox.control("outlook", {"mailbox": alice.address, "internetMessageId": first, "do": "delete"})

    rest, _ = alice.delta(page["@odata.nextLink"])
    assert sum("@removed" in item for item in rest) == 1


def test_page_size_is_a_preference(sandbox: Served, alice: Mailbox) -> None:
    fill(sandbox, 6)

    answer = alice.get(INBOX, headers={"Prefer": "odata.maxpagesize=4"})
    assert len(answer.json["value"]) == 4
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=4"


def test_a_filter_by_time_leaves_the_past_out(sandbox: Served, alice: Mailbox) -> None:
    fill(sandbox, 2)
    sandbox.advance(3600)
    now = sandbox.control("clock")["now"]
    fill(sandbox, 1)

    items, _ = alice.delta(f"{INBOX}?$select=id&$filter=receivedDateTime ge {now}")
    assert len(items) == 1
    refused = alice.get(f"{INBOX}?$filter=isRead eq false")
    assert refused.status == 400


def test_an_expired_link_answers_410_with_a_fresh_start(sandbox: Served, alice: Mailbox) -> None:
    fill(sandbox, 2)
    _, link = alice.delta(f"{INBOX}?$select=id")
    sandbox.control("expire-delta", {"mailbox": alice.address})

    answer = alice.get(link)
    assert (answer.status, answer.json["error"]["code"]) == (410, "SyncStateNotFound")
    assert urllib.parse.urlsplit(answer.headers["Location"]).netloc == "graph.microsoft.com"
    assert len(alice.delta(answer.headers["Location"])[0]) == 2


def test_immutable_ids_are_given_where_they_are_preferred(sandbox: Served, alice: Mailbox) -> None:
    [internet_id] = fill(sandbox, 1)
    prefer = {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=50'}
    [item] = alice.get(f"{INBOX}?$select=id", headers=prefer).json["value"]
    sandbox.control("outlook", {"mailbox": alice.address, "internetMessageId": internet_id, "do": "move"})

    assert alice.get(f"/me/messages/{item['id']}?$select=id", headers=prefer).json["id"] == item["id"]


def test_drafts_leave_their_folder_when_sent_and_enter_sent_items(alice: Mailbox) -> None:
    _, drafts = alice.delta("/me/mailFolders/drafts/messages/delta?$select=id")
    _, sent = alice.delta("/me/mailFolders/sentitems/messages/delta?$select=internetMessageId,isDraft")
    draft = alice.write("carol@contoso.example")

    [arrived], _ = alice.delta(sent)
    assert (arrived["internetMessageId"], arrived["isDraft"]) == (draft["internetMessageId"], False)
    [gone], _ = alice.delta(drafts)
    assert (gone["id"], gone["@removed"]) == (draft["id"], {"reason": "changed"})


def test_the_delta_of_the_whole_mailbox_follows_what_moves(sandbox: Served, alice: Mailbox) -> None:
    fill(sandbox, 2)
    items, link = alice.delta("/me/messages/delta?$select=subject,parentFolderId")
    assert [item["subject"] for item in items] == ["0", "1"]

    moved = alice.post(f"/me/messages/{items[0]['id']}/move", {"DestinationId": "archive"}).json
    changes, link = alice.delta(link)
    told = [(item["id"], item.get("@removed", {}).get("reason")) for item in changes]
    assert told == [(items[0]["id"], "changed"), (moved["id"], None)]

    assert alice.post(f"/me/messages/{moved['id']}/permanentDelete").status == 204
    [gone], _ = alice.delta(link)
    assert (gone["id"], gone["@removed"]) == (moved["id"], {"reason": "deleted"})


def test_by_its_immutable_id_a_message_that_moved_is_told_once(sandbox: Served, alice: Mailbox) -> None:
    fill(sandbox, 1)
    immutable = {"Prefer": 'IdType="ImmutableId"'}
    page = alice.get("/me/messages/delta?$select=subject", headers=immutable).json
    [item], link = page["value"], page["@odata.deltaLink"]
    alice.post(f"/me/messages/{item['id']}/move", {"DestinationId": "archive"})

    [again] = alice.get(link, headers=immutable).json["value"]
    assert again["id"] == item["id"] and "@removed" not in again


def test_delta_takes_no_search(alice: Mailbox) -> None:
    """Learn: message: delta."""
    assert alice.get(f"{INBOX}?$search=plan").status == 400


def test_a_round_can_be_of_one_kind_of_change(sandbox: Served, alice: Mailbox) -> None:
    """Learn: message: delta, changeType."""
    [name] = fill(sandbox, 1)
    [old] = alice.get(f"/me/messages?$filter=internetMessageId eq '{name}'").json["value"]
    links = {kind: alice.delta(f"{INBOX}?changeType={kind}")[1] for kind in ("created", "updated", "deleted")}

    fill(sandbox, 1)
    alice.call("PATCH", f"/me/messages/{old['id']}", body={"isRead": True})
    told = {kind: alice.delta(link)[0] for kind, link in links.items()}
    assert [item["id"] for item in told["updated"]] == [old["id"]]
    assert len(told["created"]) == 1 and told["created"][0]["id"] != old["id"] and told["deleted"] == []
    alice.post(f"/me/messages/{old['id']}/move", {"DestinationId": "archive"})
    assert [item["id"] for item in alice.delta(links["deleted"])[0]] == [old["id"]]


def test_a_first_round_filtered_by_time_ends_at_5000(
    sandbox: Served, alice: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learn: message: delta; here with a smaller number."""
    monkeypatch.setattr("m365_sandbox.graph.delta.MOST_FILTERED", 3)
    fill(sandbox, 5)

    items, link = alice.delta(f"{INBOX}?$filter=receivedDateTime ge 2020-01-01&$top=2")
    assert len(items) == 3
    assert alice.delta(link)[0] == []
    fill(sandbox, 1)
    assert len(alice.delta(link)[0]) == 1
