"""Contacts, their folders and delta; people. Contact and people pages of learn.microsoft.com."""

import pytest

from .conftest import EVERYTHING, Mailbox, Served

WRITING = EVERYTHING.replace("Contacts.Read ", "Contacts.ReadWrite ")


@pytest.fixture
def writer(sandbox: Served) -> Mailbox:
    return sandbox.sign_in("alice@northwind.example", WRITING)


def person(name: str, **more: object) -> dict[str, object]:
    address = f"{name.lower()}@shop.example"
    return {
        "givenName": name,
        "surname": "Stone",
        "emailAddresses": [{"name": name, "address": address}],
        **more,
    }


def test_writing_needs_a_scope_of_its_own(alice: Mailbox, writer: Mailbox) -> None:
    refused = alice.post("/me/contacts", person("Ann"))
    assert (refused.status, refused.json["error"]["code"]) == (403, "ErrorAccessDenied")
    assert writer.post("/me/contacts", person("Ann")).status == 201
    assert alice.get("/me/contacts/$count").text == "1"


def test_a_contact_is_made_changed_filtered_and_removed(writer: Mailbox) -> None:
    made = writer.post("/me/contacts", person("Ann", companyName="Shop", businessPhones=["1"])).json
    writer.post("/me/contacts", person("Bob"))
    assert (made["displayName"], made["companyName"], made["businessPhones"]) == ("Ann Stone", "Shop", ["1"])
    path = f"/me/contacts/{made['id']}"
    assert writer.call("PATCH", path, body={"jobTitle": "Owner"}).json["jobTitle"] == "Owner"
    rows = writer.get("/me/contacts?$filter=givenName eq 'Ann'&$select=displayName&$count=true").json
    assert ([row["displayName"] for row in rows["value"]], rows["@odata.count"]) == (["Ann Stone"], 1)
    names = writer.get("/me/contacts?$orderby=displayName desc").json["value"]
    assert [row["givenName"] for row in names] == ["Bob", "Ann"]
    assert writer.call("DELETE", path).status == 204
    assert writer.get(path).status == 404


def test_folders_keep_contacts_apart(writer: Mailbox) -> None:
    folder = writer.post("/me/contactFolders", {"displayName": "Leads"}).json
    path = f"/me/contactFolders/{folder['id']}"
    made = writer.post(f"{path}/contacts", person("Ann")).json
    assert writer.get("/me/contacts").json["value"] == []
    assert writer.get(f"{path}/contacts/{made['id']}").status == 200
    assert writer.get(f"/me/contactFolders/contacts/contacts/{made['id']}").status == 404
    child = writer.post(f"{path}/childFolders", {"displayName": "Old"})
    assert (child.status, writer.get(f"{path}/childFolders/$count").text) == (201, "1")
    assert writer.call("DELETE", path).status == 204
    assert writer.get(f"/me/contacts/{made['id']}").status == 404


def test_the_delta_of_contacts_tells_new_changed_and_gone(writer: Mailbox) -> None:
    ann = writer.post("/me/contacts", person("Ann")).json
    bob = writer.post("/me/contacts", person("Bob")).json
    items, link = writer.delta("/me/contacts/delta?$select=displayName")
    assert [item["displayName"] for item in items] == ["Ann Stone", "Bob Stone"]
    assert all("surname" not in item for item in items)
    writer.call("PATCH", f"/me/contacts/{ann['id']}", body={"surname": "Rock"})
    writer.call("DELETE", f"/me/contacts/{bob['id']}")
    items, link = writer.delta(link)
    assert [(item["id"], "@removed" in item) for item in items] == [(ann["id"], False), (bob["id"], True)]
    assert writer.delta(link)[0] == []
    assert writer.get("/me/contacts/delta?$deltatoken=bm9uc2Vuc2U").status == 410


def test_people_are_found_by_search_with_a_letter_amiss(alice: Mailbox) -> None:
    def names(query: str) -> list[str]:
        return [row["displayName"] for row in alice.get(f"/me/people?{query}").json["value"]]

    assert names('$search="ben"') == ["Ben Okafor"]
    assert names('$search="okafer"') == ["Ben Okafor"]
    assert alice.get('/me/people?$search="ben"&$skip=1').status == 400
    one = alice.get("/me/people").json["value"][0]
    assert alice.get(f"/me/people/{one['id']}").json["displayName"] == one["displayName"]
    scores = [
        row["scoredEmailAddresses"][0]["relevanceScore"] for row in alice.get("/me/people").json["value"]
    ]
    assert scores == sorted(scores, reverse=True)
