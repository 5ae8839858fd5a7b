"""Contacts, companies, fields and lists as a program uses them."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gatepost import clock
from gatepost.contacts import imports
from gatepost.contacts.models import Company, Contact, ContactImport
from tests.api.test_api import Program
from tests.makers import make_contact, make_member, make_workspace, rows


@pytest.fixture
def alice(committed_db):
    return make_member(make_workspace())


@pytest.fixture
def program(alice):
    return Program(alice)


def post_list(program, text, **more):
    file = SimpleUploadedFile("people.csv", text.encode())
    return program.client.post("/api/v1/imports", {"file": file, **more})


def test_a_contact_is_added_read_and_changed_and_what_is_not_named_stays(program, alice):
    program.post("/fields", {"label": "Team size", "kind": "number"})
    made = program.post(
        "/contacts", {"email": "p@contoso.example", "title": "Buyer", "fields": {"team_size": "12"}}
    )
    assert (made.status_code, made.json()["fields"]) == (201, {"team_size": "12"})
    path = f"/contacts/{made.json()['id']}"
    changed = program.patch(path, {"first_name": "Petra", "owner": str(alice.pk)}).json()
    assert changed == program.get(path).json()
    assert (changed["first_name"], changed["title"], changed["owner"]) == ("Petra", "Buyer", str(alice.pk))


def test_a_value_that_its_field_cannot_hold_changes_nothing(program):
    program.post("/fields", {"label": "Team size", "kind": "number"})
    path = f"/contacts/{program.post('/contacts', {'email': 'p@contoso.example'}).json()['id']}"
    refused = program.patch(path, {"first_name": "Petra", "fields": {"team_size": "many"}})
    assert refused.status_code == 400
    assert program.get(path).json()["first_name"] == ""


def test_the_list_of_contacts_is_narrowed(program, alice):
    make_contact(alice.workspace, "p@contoso.example")
    make_contact(alice.workspace, "q@fabrikam.example", first_name="Quentin", company="Fabrikam")
    assert [row["email"] for row in program.get("/contacts?search=quent").json()["rows"]] == [
        "q@fabrikam.example"
    ]
    assert program.get("/contacts?stage=customer").json()["rows"] == []


@pytest.mark.parametrize(
    "path", ["/contacts?stage=won", "/contacts?after=x", "/messages?part=x", "/tasks?state=x"]
)
def test_a_filter_or_a_place_that_is_not_known_is_refused_instead_of_listing_everybody(program, path):
    refused = program.get(path)
    assert (refused.status_code, refused.json()["error"]["who"]) == (400, "rep")


def test_merging_leaves_one(program, alice):
    kept, other = (
        make_contact(alice.workspace, "p@contoso.example"),
        make_contact(alice.workspace, "q@contoso.example"),
    )
    assert program.post(f"/contacts/{kept.pk}/merge", {"other": str(other.pk)}).status_code == 200
    assert [each.pk for each in rows(Contact, alice.workspace_id)] == [kept.pk]


def test_companies_tell_their_people_and_wait_when_asked_to(program, alice, django_assert_max_num_queries):
    for number in range(6):
        make_contact(alice.workspace, f"p@c{number}.example", company=f"Company {number}")
    make_contact(alice.workspace, "q@c0.example", company="Company 0")
    with django_assert_max_num_queries(13):
        found = program.get("/companies").json()["rows"]
    assert {(row["name"], row["domain"], row["contacts"]) for row in found} >= {
        ("Company 0", "c0.example", 2)
    }
    until = clock.now() + timedelta(days=30)
    path = f"/companies/{found[0]['id']}/hold"
    assert program.put(path, {"until": until.isoformat()}).status_code == 204
    assert [each.hold_until for each in rows(Company, alice.workspace_id, pk=found[0]["id"])] == [until]
    program.put(path, {})
    assert [each.hold_until for each in rows(Company, alice.workspace_id, pk=found[0]["id"])] == [None]


def test_a_dry_run_of_a_list_stores_nobody_and_its_start_imports_it(program, alice):
    text = "email,first_name\np@contoso.example,Petra\nnonsense,X\n"
    begun = post_list(program, text, dry_run="true")
    assert begun.status_code == 202
    path = f"/imports/{begun.json()['id']}"
    imports.run(alice.workspace_id, begun.json()["id"])
    judged = program.get(path).json()
    assert (judged["added"], judged["rejected"], rows(Contact, alice.workspace_id)) == (1, 1, [])
    program.post(f"{path}/start", {})
    imports.run(alice.workspace_id, begun.json()["id"])
    assert len(rows(Contact, alice.workspace_id)) == 1
    assert "nonsense" in program.get(f"{path}/rejected").content.decode()


@pytest.mark.parametrize(
    ("text", "more", "says"),
    [
        ("email\np@contoso.example\n", {"what": "invoices"}, "is one of: "),
        ("name\nPetra\n", {}, "address"),
        ("email\np@contoso.example\n", {"mapping": "email,nothing_like_it"}, "column"),
    ],
)
def test_a_list_that_cannot_be_used_says_why_and_nothing_is_kept(program, alice, text, more, says):
    refused = post_list(program, text, **more)
    assert (refused.status_code, says in refused.json()["error"]["message"]) == (400, True), refused.json()
    assert [each.state for each in rows(ContactImport, alice.workspace_id) if each.state == "running"] == []


def test_another_workspaces_people_companies_and_lists_are_not_there(program, alice):
    contact = make_contact(alice.workspace)
    begun = post_list(program, "email\nq@contoso.example\n").json()
    elsewhere = Program(make_member(make_workspace("Elsewhere"), "Charlie"))
    company = rows(Company, alice.workspace_id)[0]
    for path in (f"/contacts/{contact.pk}", f"/imports/{begun['id']}", f"/imports/{begun['id']}/rejected"):
        assert elsewhere.get(path).status_code == 404
    assert elsewhere.put(f"/companies/{company.pk}/hold", {}).status_code == 404
    assert elsewhere.post(f"/imports/{begun['id']}/start", {}).status_code == 404
    assert elsewhere.get("/companies").json()["rows"] == []
