"""Folders as a client sees them that asks for no names: ids, counts, what a rule or the owner put where."""

from typing import Any

import pytest

from .conftest import Mailbox, Served

TREE = "/me/mailFolders/delta?$select=id,parentFolderId,isHidden,totalItemCount,unreadItemCount"
FIELDS = {"id", "parentFolderId", "isHidden", "totalItemCount", "unreadItemCount", "@odata.type"}


def make(sandbox: Served, mailbox: Mailbox, name: str, **more: Any) -> str:
    return str(sandbox.control("folders", {"mailbox": mailbox.address, "name": name, **more})["id"])


def deliver(sandbox: Served, mailbox: Mailbox, **more: Any) -> str:
    mail = {"mailbox": mailbox.address, "from": "carol@contoso.example", "subject": "Hello", **more}
    return str(sandbox.control("deliver", mail)["internetMessageId"])


def tree(mailbox: Mailbox) -> dict[str, dict[str, Any]]:
    items, _ = mailbox.delta(TREE)
    return {item["id"]: item for item in items}


def test_the_tree_shows_every_depth_and_no_more_than_was_selected(sandbox: Served, alice: Mailbox) -> None:
    above = make(sandbox, alice, "Customers", below="inbox")
    below = make(sandbox, alice, "Acme", below=above)
    found = tree(alice)
    assert found[below]["parentFolderId"] == above
    assert found[above]["parentFolderId"] == alice.get("/me/mailFolders/inbox?$select=id").json["id"]
    assert {field for item in found.values() for field in item} <= FIELDS


def test_the_tree_comes_in_pages_of_the_size_that_was_preferred(sandbox: Served, alice: Mailbox) -> None:
    for number in range(30):
        make(sandbox, alice, f"{number}")
    prefer = {"Prefer": "odata.maxpagesize=20"}
    page = alice.get(TREE, headers=prefer).json
    assert len(page["value"]) == 20
    rest = alice.get(page["@odata.nextLink"], headers=prefer).json
    assert len(page["value"]) + len(rest["value"]) == len(tree(alice))


def test_what_a_rule_puts_into_a_folder_is_in_its_count_and_its_delta(
    sandbox: Served, alice: Mailbox
) -> None:
    own = make(sandbox, alice, "Customers", rule={"senderContains": ["contoso"]})
    _, link = alice.delta(f"/me/mailFolders/{own}/messages/delta?$select=id")
    assert (tree(alice)[own]["totalItemCount"], tree(alice)[own]["unreadItemCount"]) == (0, 0)

    name = deliver(sandbox, alice)

    assert (tree(alice)[own]["totalItemCount"], tree(alice)[own]["unreadItemCount"]) == (1, 1)
    [item], link = alice.delta(link)
    sandbox.control(
        "outlook", {"mailbox": alice.address, "internetMessageId": name, "do": "move", "folder": "inbox"}
    )
    assert tree(alice)[own]["totalItemCount"] == 0
    assert [each["@removed"] for each in alice.delta(link)[0]] == [{"reason": "changed"}]


def test_mails_of_a_time_are_counted_and_listed_oldest_first(sandbox: Served, alice: Mailbox) -> None:
    deliver(sandbox, alice, subject="before")
    sandbox.advance(3600)
    since = sandbox.control("clock")["now"][:19] + "Z"
    for number in range(3):
        sandbox.advance(60)
        deliver(sandbox, alice, subject=f"{number}")
    filtered = f"/me/mailFolders/inbox/messages?$filter=receivedDateTime ge {since}"
    assert alice.get(f"{filtered}&$select=id&$count=true&$top=1").json["@odata.count"] == 3
    listed = alice.get(f"{filtered}&$select=subject&$orderby=receivedDateTime&$top=100").json["value"]
    assert [each["subject"] for each in listed] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "given", [{"mailbox": "nobody@nowhere.example", "name": "X"}, {"mailbox": "alice@northwind.example"},
              {"mailbox": "alice@northwind.example", "name": "X", "below": "nowhere"}],
)  # fmt: skip
def test_a_folder_needs_a_mailbox_a_name_and_a_place(sandbox: Served, given: dict[str, str]) -> None:
    assert sandbox.post("/_sandbox/folders", body=given).status == 400
