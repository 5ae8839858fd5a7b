"""Importing from Outlook: looked at once, and only the ticked are kept."""

from typing import Any

import pytest

from gatepost.accounts.actions import INSTALLER
from gatepost.contacts import outlook
from gatepost.contacts.models import Contact, ContactImport
from gatepost.errors import BadInput, NotAllowed
from gatepost.graph.people import Person, _person
from gatepost.isolation import inside
from gatepost.mailboxes import features
from gatepost.vault import names
from tests.makers import make_contact, make_mailbox, make_member, make_workspace, rows
from tests.pages import signed_in, text_of

READS = ["Mail.Send", "User.Read", "Contacts.Read"]
KARLA = Person("1", "karla@customer.example", "Karla", "Kunde", "Contoso", "Head of Care")
COLLEAGUE = Person("2", "ben@northwind.example", "Ben", "Okafor", "Northwind", "")
KNOWN = Person("3", "petra@contoso.example", "Petra", "Quandt", "", "")
NOBODY = Person("4", "/O=EXCHANGE/CN=KARLA", "", "", "", "")


@pytest.fixture
def alice(committed_db: None) -> Any:
    alice = make_member(make_workspace())
    features.switch(alice.workspace_id, "outlook-contacts", True, actor=INSTALLER)
    with inside(alice.workspace_id):
        return type(alice).objects.select_related("workspace", "user").get(pk=alice.pk)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Microsoft shows four people. What was asked for."""
    asked: list[str] = []

    async def ask(mailbox: Any, feature: str) -> list[Person]:
        asked.append(feature)
        return [KARLA, COLLEAGUE, KNOWN, NOBODY]

    monkeypatch.setattr(outlook, "_ask", ask)
    return asked


def test_nobody_looks_before_the_button_is_pressed(alice: Any, listed: list[str]) -> None:
    make_mailbox(alice, scopes=READS)
    assert "Outlook contacts: alice@northwind.example" in text_of(signed_in(alice).get("/contacts/outlook/"))
    assert listed == []


def test_each_says_what_is_in_the_way(alice: Any, listed: list[str]) -> None:
    mailbox = make_mailbox(alice, scopes=READS)
    make_contact(alice.workspace, "petra@contoso.example")
    problems = {each.person.id: each.problem for each in outlook.look(alice, mailbox.pk, "outlook-contacts")}
    assert problems["1"] == "" and problems["3"] == "is a contact already"
    assert problems["2"] == "is an address of your own organisation"
    assert "email address" in problems["4"]


def test_colleagues_of_any_mailbox_and_of_any_domain_that_was_added_are_left_out(
    alice: Any, listed: list[str]
) -> None:
    mailbox = make_mailbox(alice, "alice@outreach.example", scopes=READS)
    make_mailbox(alice)
    with inside(alice.workspace_id):
        type(alice.workspace).objects.update(internal_domains=["customer.example"])
    problems = {each.person.id: each.problem for each in outlook.look(alice, mailbox.pk, "outlook-contacts")}
    assert problems["1"] == problems["2"] == "is an address of your own organisation"


def test_only_the_ticked_are_kept(alice: Any, listed: list[str]) -> None:
    mailbox = make_mailbox(alice, scopes=READS)
    given = {"mailbox": str(mailbox.pk), "feature": "outlook-contacts", "import": "yes", "person": ["1", "2"]}
    page = signed_in(alice).post("/contacts/outlook/", given, follow=True)
    assert "Outlook contacts" in text_of(page)
    (contact,) = rows(Contact, alice.workspace_id)
    assert names.open(contact, "email") == "karla@customer.example" and contact.source == "Outlook contacts"
    (imported,) = rows(ContactImport, alice.workspace_id)
    assert (imported.added, imported.problems) == (1, [])


def test_ticking_nobody_says_so_and_keeps_nothing(alice: Any, listed: list[str]) -> None:
    seen = outlook.look(alice, make_mailbox(alice, scopes=READS).pk, "outlook-contacts")
    with pytest.raises(BadInput, match="Tick at least one"):
        outlook.ticked_of(seen, {"2"})
    assert rows(ContactImport, alice.workspace_id) == []


@pytest.mark.parametrize("scopes", [["Mail.Send", "User.Read"], ["People.Read"]])
def test_a_list_that_was_not_granted_is_not_asked_for(
    alice: Any, listed: list[str], scopes: list[str]
) -> None:
    mailbox = make_mailbox(alice, scopes=scopes)
    with pytest.raises(NotAllowed):
        outlook.look(alice, mailbox.pk, "outlook-contacts")
    assert listed == []


def test_a_colleagues_address_book_is_nobody_elses_business(alice: Any, listed: list[str]) -> None:
    ben = make_member(alice.workspace, "Ben", role="rep")
    mailbox = make_mailbox(ben, "ben@northwind.example", scopes=READS)
    with pytest.raises(NotAllowed):
        outlook.look(alice, mailbox.pk, "outlook-contacts")
    assert listed == []


def test_what_outlook_says_becomes_a_person() -> None:
    item = {
        "id": "7", "givenName": "Karla", "surname": None,
        "emailAddresses": [{"name": "Karla"}, {"address": "karla@customer.example"}],
    }  # fmt: skip
    assert _person(item, "emailAddresses") == Person("7", "karla@customer.example", "Karla", "", "", "")
