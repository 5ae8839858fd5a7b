from django.core.files.uploadedfile import SimpleUploadedFile

from gatepost.contacts import imports
from gatepost.contacts.models import Contact, ContactImport, Suppression
from tests.makers import make_contact, make_member, make_workspace, rows
from tests.pages import rows_in, signed_in, text_of

CSV = b"email,first_name,company,City\nana@fabrikam.example,Ana,Fabrikam,Porto\nnot-an-address,Bad,Row,\n"


def test_a_search_finds_names_companies_and_addresses_by_their_beginnings(db: None) -> None:
    alice = make_member(make_workspace())
    make_contact(
        alice.workspace, "ana@fabrikam.example", first_name="Ana", last_name="Silva", company="Fabrikam"
    )
    make_contact(
        alice.workspace, "jonas@wingtip.example", first_name="Jonas", last_name="Weber", company="Wingtip"
    )
    client = signed_in(alice)
    for text, count in (("", 2), ("sil", 1), ("wingtip", 1), ("ana@fabrikam.example", 1), ("nobody", 0)):
        assert rows_in(client.get("/contacts/", {"search": text})) == count, text


def test_a_contact_is_added_by_hand(db: None) -> None:
    alice = make_member(make_workspace())
    given = {"email": "ana@fabrikam.example", "first_name": "Ana", "company": "Fabrikam"}
    page = signed_in(alice).post("/contacts/new/", given, follow=True)
    assert "ana@fabrikam.example" in text_of(page)


def test_a_second_contact_with_the_same_address_is_refused_beside_the_form(committed_db: None) -> None:
    alice = make_member(make_workspace())
    make_contact(alice.workspace, "ana@fabrikam.example")
    page = signed_in(alice).post("/contacts/new/", {"email": "ANA@fabrikam.example", "first_name": "Ana"})
    assert "There is a contact with this address already." in text_of(page)
    assert len(rows(Contact, alice.workspace_id)) == 1


def uploaded(client, data: bytes = CSV, **more: str) -> str:
    """The address of the page on which one goes on with the list."""
    return client.post("/contacts/import/", {"file": SimpleUploadedFile("fair.csv", data), **more}).url


def ran(member) -> None:
    """What a worker does with the imports that were begun."""
    for each in rows(ContactImport, member.workspace_id):
        imports.run(member.workspace_id, each.pk)


def test_a_list_is_mapped_checked_and_imported_and_the_page_shows_what_became_of_each_row(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    path = uploaded(client)
    asked = text_of(client.get(path))
    assert "What each column holds" in asked and "Porto" in asked
    columns = ["email", "first_name", "company", "field:city"]
    client.post(path, {"do": "check", "column": columns})
    assert "being checked" in text_of(client.get(path))
    ran(alice)
    checked = text_of(client.get(path))
    assert "Would be added 1" in checked and "Left out 1" in checked
    assert rows(Contact, alice.workspace_id) == []
    client.post(path, {"do": "import", "column": columns})
    ran(alice)
    page = text_of(client.get(path))
    assert "Added 1" in page and "Left out 1" in page
    assert "3 The email address is not one" in page
    rejected = client.get(f"{path}rejected.csv")
    assert rejected["Content-Disposition"] == 'attachment; filename="rejected.csv"'
    assert "not-an-address,Bad,Row" in rejected.getvalue().decode()


def test_columns_without_the_address_are_refused_and_the_file_stays(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    path = uploaded(client, b"who,where\nana@fabrikam.example,Porto\n")
    page = client.post(path, {"do": "import", "column": ["first_name", ""]}, follow=True)
    assert "Choose the column that holds the email address" in text_of(page)
    client.post(path, {"do": "import", "column": ["email", ""]})
    ran(alice)
    assert len(rows(Contact, alice.workspace_id)) == 1


def test_a_file_that_is_no_list_is_explained_at_its_field(db: None) -> None:
    file = SimpleUploadedFile("list.xlsx", b"PK\x03\x04 and so on")
    page = signed_in(make_member(make_workspace())).post("/contacts/import/", {"file": file})
    assert "This is an Excel file. Save it as CSV" in text_of(page)


def test_somebody_can_be_suppressed_and_the_page_says_so(db: None) -> None:
    alice = make_member(make_workspace())
    contact = make_contact(alice.workspace)
    page = signed_in(alice).post(f"/contacts/{contact.pk}/suppress/", follow=True)
    assert "On the do-not-contact list: Added by a member" in text_of(page)


def test_the_do_not_contact_list_answers_for_an_address(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    client.post("/contacts/do-not-contact/", {"text": "rival.example", "kind": "domain"})
    page = text_of(client.get("/contacts/do-not-contact/"))
    assert "Added by a member Domain rival.example" in page
    asked = text_of(client.get("/contacts/do-not-contact/", {"address": "anyone@rival.example"}))
    assert "anyone@rival.example : is on the list" in asked or "anyone@rival.example: is on the list" in asked


def test_lifting_needs_a_reason_and_an_administrator(committed_db: None) -> None:
    workspace = make_workspace()
    alice, ben = make_member(workspace), make_member(workspace, "Ben", role="rep")
    signed_in(alice).post("/contacts/do-not-contact/", {"text": "ana@fabrikam.example", "kind": "address"})
    suppression = rows(Suppression, workspace.id)[0]
    path = f"/contacts/do-not-contact/{suppression.pk}/lift/"
    assert signed_in(ben).post(path, {"reason": "she asked on Monday"}).status_code == 403
    assert "Say why this may be lifted" in text_of(signed_in(alice).post(path, {"reason": "ok"}))
    assert rows(Suppression, workspace.id)[0].lifted_at is None
    signed_in(alice).post(path, {"reason": "she asked on Monday, by phone"})
    assert rows(Suppression, workspace.id)[0].lifted_at is not None


def test_names_cannot_carry_markup_into_a_page(db: None) -> None:
    alice = make_member(make_workspace())
    contact = make_contact(alice.workspace, first_name="<script>alert(1)</script>")
    page = signed_in(alice).get(f"/contacts/{contact.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_another_workspaces_contact_does_not_exist(db: None) -> None:
    contact = make_contact(make_workspace())
    charlie = signed_in(make_member(make_workspace("Elsewhere"), "Charlie"))
    assert charlie.get(f"/contacts/{contact.pk}/").status_code == 404
