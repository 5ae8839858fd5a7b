import csv
import io
from uuid import uuid4

import psycopg
import pytest
from django.db import transaction

from gatepost.accounts.actions import INSTALLER
from gatepost.audit.models import AuditEntry
from gatepost.contacts import queries
from gatepost.contacts.actions import add_contact, lift, suppress
from gatepost.contacts.imports import import_csv, rejected_text
from gatepost.contacts.models import Contact, ContactImport, Suppression
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.vault import names
from tests.makers import fresh, make_contact, make_member, make_workspace, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    return make_member(make_workspace())


def imported(member, text, name="list.csv"):
    return import_csv(member.workspace_id, name, text.encode(), member=member)


def found(member, text):
    with inside(member.workspace_id):
        return [names.open(contact, "email") for contact in queries.found(member.workspace_id, text)]


def is_suppressed(member, address):
    with inside(member.workspace_id):
        return queries.is_suppressed(member.workspace_id, address) is not None


def test_an_import_adds_new_contacts_completes_known_ones_and_keeps_what_they_have(member):
    known = make_contact(member.workspace, "petra@contoso.example", first_name="Petra", title="", company="")
    result = imported(
        member,
        "email,first_name,title,city\n"
        "PETRA@contoso.example,Somebody else,Buyer,Bonn\n"
        "new@contoso.example,Nele,,\n"
        "broken,,,\n",
    )
    assert (result.added, result.updated, result.unchanged, len(result.problems)) == (1, 1, 0, 1)
    completed = fresh(known)
    assert (names.open(completed, "first_name"), names.open(completed, "title")) == ("Petra", "Buyer")
    assert queries.further_fields(completed) == {"city": "Bonn"}


def test_the_same_file_a_second_time_changes_nothing(member):
    text = "email,first_name,company,city\na@contoso.example,Anna,Contoso,Bonn\nb@contoso.example,Ben,,\n"
    imported(member, text)
    again = imported(member, text)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)


def test_what_was_rejected_can_be_downloaded_as_it_was_with_what_to_change(member):
    result = imported(member, 'email,notes\nbroken,"a ""quoted""\nnote"\n=cmd()@x,\n')
    table = list(csv.reader(io.StringIO("".join(rejected_text(member.workspace_id, result.pk)))))
    assert table[0] == ["email", "notes", "problem"]
    assert [row[0].lstrip("'") for row in table[1:]] == ["broken", "=cmd()@x"]
    assert table[1][1] == 'a "quoted"\nnote'
    assert all("@" in row[2] for row in table[1:])


def test_the_record_of_an_import_holds_no_cell(member):
    result = imported(member, "email\nzq-broken-cell\n")
    assert "zq-broken-cell" not in str(result.problems)
    (entry,) = rows(AuditEntry, member.workspace_id, tag="contact:import")
    assert entry.detail == {"added": 0, "updated": 0, "rejected": 1}


def test_a_file_that_cannot_be_used_stores_nothing(member):
    with pytest.raises(BadInput):
        imported(member, "no,such,columns\n1,2,3\n")
    assert rows(ContactImport, member.workspace_id) == [] == rows(Contact, member.workspace_id)


def test_contacts_of_one_import_share_their_company(member):
    imported(member, "email,company\na@contoso.example,Contoso\nb@contoso.example,Contoso\n")
    with inside(member.workspace_id):
        assert len({contact.company_id for contact in Contact.objects.all()}) == 1


def test_an_address_is_added_once(member):
    add_contact(member.workspace_id, {"email": "a@contoso.example"}, actor=INSTALLER)
    with pytest.raises(Conflict), transaction.atomic():
        add_contact(member.workspace_id, {"email": " A@CONTOSO.example "}, actor=INSTALLER)


@pytest.mark.parametrize(
    "fields", [{}, {"email": "nobody"}, {"email": "a@contoso.example", "time_zone": "Mars"}]
)
def test_a_contact_that_cannot_be_written_to_is_refused(member, fields):
    with pytest.raises(BadInput):
        add_contact(member.workspace_id, fields, actor=INSTALLER)


@pytest.mark.parametrize(
    "text", ["pet", "QUANDT", "petra quandt", "contoso", "petra.q", "petra.q@contoso.example", ""]
)
def test_a_contact_is_found_by_the_beginnings_of_what_is_known_of_it(member, text):
    make_contact(member.workspace, "petra.q@contoso.example", first_name="Petra", last_name="Quandt")
    assert found(member, text) == ["petra.q@contoso.example"]


@pytest.mark.parametrize("text", ["etra", "petra smith", "quandtt", "fabrikam"])
def test_a_contact_is_not_found_by_anything_else(member, text):
    make_contact(member.workspace, "petra.q@contoso.example", first_name="Petra", last_name="Quandt")
    assert found(member, text) == []


def test_nobody_of_another_workspace_is_found(member):
    make_contact(make_workspace("Fabrikam"), "petra@contoso.example")
    assert found(member, "petra") == []


def test_a_completed_contact_is_found_by_its_new_name(member):
    make_contact(member.workspace, "a@contoso.example", first_name="", last_name="", company="")
    imported(member, "email,last_name\na@contoso.example,Zimmermann\n")
    assert found(member, "zimmer") == ["a@contoso.example"]


def test_a_suppressed_address_is_recognised_in_any_writing(member):
    suppress(member.workspace_id, "Petra@Contoso.example", cause="unsubscribe", actor=INSTALLER)
    assert is_suppressed(member, " petra@contoso.EXAMPLE ")
    assert not is_suppressed(member, "paul@contoso.example")


def test_a_suppressed_domain_covers_its_addresses_and_no_others(member):
    suppress(member.workspace_id, "@Contoso.example", cause="by_hand", kind="domain", actor=INSTALLER)
    assert is_suppressed(member, "anybody@contoso.example")
    assert not is_suppressed(member, "anybody@mycontoso.example")


def test_suppressing_twice_is_one_suppression_with_its_first_cause(member):
    first = suppress(member.workspace_id, "a@contoso.example", cause="unsubscribe", actor=INSTALLER)
    second = suppress(member.workspace_id, "a@contoso.example", cause="bounce", actor=INSTALLER)
    assert (first.pk, second.cause) == (second.pk, "unsubscribe")
    assert len(rows(AuditEntry, member.workspace_id, tag="contact:suppress")) == 1


def test_a_suppression_survives_its_contact_and_holds_no_readable_address(member):
    contact = make_contact(member.workspace, "a@contoso.example")
    suppress(member.workspace_id, "a@contoso.example", cause="unsubscribe", actor=INSTALLER)
    with inside(member.workspace_id):
        contact.delete()
    assert is_suppressed(member, "a@contoso.example")
    (kept,) = rows(Suppression, member.workspace_id)
    assert "contoso" not in str(vars(kept))


def test_a_suppression_of_one_workspace_does_not_bind_another(member):
    other = make_member(make_workspace("Fabrikam"))
    suppress(other.workspace_id, "a@contoso.example", cause="unsubscribe", actor=INSTALLER)
    assert not is_suppressed(member, "a@contoso.example")


@pytest.mark.parametrize(
    ("text", "kind"), [("contoso.example", "address"), ("a@b@c", "domain"), ("nonsense", "domain")]
)
def test_what_is_no_address_or_domain_cannot_be_suppressed(member, text, kind):
    with pytest.raises(BadInput):
        suppress(member.workspace_id, text, cause="by_hand", kind=kind, actor=INSTALLER)


@pytest.mark.parametrize("reason", ["", "   ", "no"])
def test_a_suppression_is_lifted_for_a_reason_only(member, reason):
    kept = suppress(member.workspace_id, "a@contoso.example", cause="unsubscribe", actor=INSTALLER)
    with pytest.raises(BadInput, match="why"):
        lift(kept.pk, workspace_id=member.workspace_id, reason=reason, actor=INSTALLER)
    assert is_suppressed(member, "a@contoso.example")


def test_a_lifted_suppression_leaves_its_reason_in_the_record_and_may_be_made_again(member):
    kept = suppress(member.workspace_id, "a@contoso.example", cause="unsubscribe", actor=INSTALLER)
    lift(kept.pk, workspace_id=member.workspace_id, reason="asked by phone on Monday", actor=INSTALLER)
    assert not is_suppressed(member, "a@contoso.example")
    (entry,) = rows(AuditEntry, member.workspace_id, tag="contact:suppression-lift")
    assert entry.detail["reason"] == "asked by phone on Monday"
    suppress(member.workspace_id, "a@contoso.example", cause="unsubscribe", actor=INSTALLER)
    assert is_suppressed(member, "a@contoso.example")


def test_a_rejected_row_runs_nothing_in_a_spreadsheet_and_comes_in_again_as_it_was(member):
    result = imported(member, "email,phone,title\nbroken,+49 171 5550100,=HYPERLINK(1)\n")
    text = "".join(rejected_text(member.workspace_id, result.pk))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["phone"], row["title"]) == ("'+49 171 5550100", "'=HYPERLINK(1)")
    assert imported(member, text.replace("broken", "petra@contoso.example")).added == 1
    (contact,) = rows(Contact, member.workspace_id)
    assert names.open(contact, "phone") == "+49 171 5550100"


def test_an_import_waits_for_another_one_of_the_same_workspace(member, database):
    imported(
        member, "email\na@contoso.example\n"
    )  # holds the workspace's lock until the test's transaction ends
    with psycopg.connect(database.app) as other:
        lock = "SELECT pg_try_advisory_xact_lock(hashtext('contact-import'), hashtext(%s))"
        assert other.execute(lock, [str(member.workspace_id)]).fetchone() == (False,)
        assert other.execute(lock, [str(uuid4())]).fetchone() == (True,)
