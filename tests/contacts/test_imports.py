"""Lists: sealed while they wait, carried on after a crash, nothing lost and nothing doubled."""

import csv
import io

import pytest

from gatepost.accounts.actions import INSTALLER
from gatepost.accounts.membership import by
from gatepost.contacts import actions, imports, queries
from gatepost.contacts.models import Company, Contact, ContactField, ContactImport, ImportPart, Suppression
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.sequences.preview import compose
from gatepost.vault import names
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)

pytestmark = pytest.mark.django_db

PEOPLE = "email,first_name,city\n" + "".join(f"p{n}@contoso.example,P{n},Bonn\n" for n in range(25))
HOSTILE = ["=1+1", "+49", "-1", "@x", "\tx", "=HYPERLINK(1)", "\u202e=1", "a\r\nBcc: x@y.example", "{{ email }}", "{% if 1 %}x{% endif %}"]  # fmt: skip


@pytest.fixture
def member():
    return make_member(make_workspace())


def begun(member, text=PEOPLE, **more):
    kept = imports.upload(member.workspace_id, "list.csv", io.BytesIO(text.encode()), member=member, **more)
    imports.start(kept.pk, kept.mapping, workspace_id=member.workspace_id, dry=False, actor=by(member))
    return kept


def test_a_file_that_waits_is_sealed_and_gone_once_it_is_read(member):
    kept = begun(member)
    parts = rows(ImportPart, member.workspace_id)
    assert parts and all(b"contoso" not in bytes(part.content) for part in parts)
    imports.run(member.workspace_id, kept.pk)
    assert rows(ImportPart, member.workspace_id) == []
    assert fresh(kept).state == "done"


def test_an_interrupted_import_goes_on_where_its_last_batch_ended_and_doubles_nothing(member, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    kept = begun(member)
    reader = imports.begin(member.workspace_id, kept.pk)
    assert imports.read_some(reader) and fresh(kept).rows == 10
    imports.run(member.workspace_id, kept.pk)  # another process, after the first one was killed
    done = fresh(kept)
    assert (done.state, done.added, done.rows) == ("done", 25, 25)
    assert len(rows(Contact, member.workspace_id)) == 25
    assert imports.read_some(reader) is False  # the first one lived after all: it changes nothing


def test_an_address_that_came_before_the_interruption_is_known_after_it(member, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    kept = begun(member, PEOPLE + "P3@contoso.example,Again,\n")
    imports.read_some(imports.begin(member.workspace_id, kept.pk))
    imports.run(member.workspace_id, kept.pk)
    assert [p["message"] for p in fresh(kept).problems] == [
        "The same address as in line 5; that line was used."
    ]


def test_a_company_that_was_removed_between_two_batches_is_made_anew(member, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    kept = begun(member, "email,company\n" + "".join(f"p{n}@contoso.example,Contoso\n" for n in range(25)))
    reader = imports.begin(member.workspace_id, kept.pk)
    imports.read_some(reader)
    with inside(member.workspace_id):
        Company.objects.all().delete()
    while imports.read_some(reader):
        pass
    (company,) = rows(Company, member.workspace_id)
    assert names.open(company, "name") == "Contoso"
    assert len(rows(Contact, member.workspace_id, company=company)) == 15
    assert fresh(kept).state == "done"


def test_people_of_one_list_have_what_is_the_same_and_what_is_their_own(member):
    text = "email,first_name,company,country\na@x.example,Ana,X,DE\nb@y.example,,,FR\nc@x.example,Cem,x,DE\n"
    imports.import_csv(member.workspace_id, "list.csv", text.encode(), member=member)
    stored = {names.open(each, "email"): each for each in rows(Contact, member.workspace_id)}
    ana, ben, cem = (stored[address] for address in ("a@x.example", "b@y.example", "c@x.example"))
    assert [each.country for each in (ana, ben, cem)] == ["DE", "FR", "DE"]
    assert [each.owner_id for each in (ana, ben, cem)] == [member.pk] * 3
    assert ana.company_id == cem.company_id is not None and ben.company_id is None
    assert ben.first_name is None and names.open(cem, "first_name") == "Cem"
    assert set(queries.search_indexes(member.workspace_id, "cem")) <= set(cem.search_indexes)
    assert not set(queries.search_indexes(member.workspace_id, "cem")) <= set(ana.search_indexes)


def test_a_dry_run_says_what_would_happen_and_stores_nobody(member):
    make_contact(member.workspace, "p1@contoso.example")
    done = imports.import_csv(member.workspace_id, "list.csv", PEOPLE.encode(), member=member, dry=True)
    assert (done.state, done.added, done.updated) == ("checked", 24, 1)
    assert len(rows(Contact, member.workspace_id)) == 1
    assert rows(ContactField, member.workspace_id) == []


def test_a_list_is_imported_once(member):
    kept = begun(member)
    with pytest.raises(Conflict, match="was already"):
        imports.start(kept.pk, kept.mapping, workspace_id=member.workspace_id, dry=False, actor=by(member))


def test_a_stopped_import_keeps_what_is_in_and_forgets_its_file(member, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    kept = begun(member)
    imports.read_some(imports.begin(member.workspace_id, kept.pk))
    imports.stop(kept.pk, workspace_id=member.workspace_id, actor=by(member))
    imports.run(member.workspace_id, kept.pk)
    assert (fresh(kept).state, len(rows(Contact, member.workspace_id))) == ("stopped", 10)
    assert rows(ImportPart, member.workspace_id) == []


def test_an_import_that_keeps_falling_over_is_given_up_and_says_so(member):
    kept = begun(member)
    for _ in range(imports.MAX_TRIES):
        imports.fell_over(member.workspace_id, kept.pk)
    assert fresh(kept).state == "failed"


def test_more_rows_than_are_read_at_once_say_so(member, monkeypatch):
    monkeypatch.setattr(imports.rules, "MAX_ROWS", 20)
    kept = begun(member)
    imports.run(member.workspace_id, kept.pk)
    done = fresh(kept)
    assert done.added == 20 and "Only the first 20 rows" in done.problems[-1]["message"]


def test_whoever_is_erased_is_in_no_part_of_an_import(member):
    from gatepost.erasure.queries import parts_naming

    begun(member)
    with inside(member.workspace_id):
        assert len(parts_naming("p3@contoso.example")) == 1


def test_a_column_of_a_list_is_a_field_that_templates_may_use(member):
    imports.run(member.workspace_id, begun(member, "email,Favourite colour\na@contoso.example,blue\n").pk)
    (contact,) = rows(Contact, member.workspace_id)
    with inside(member.workspace_id):
        assert queries.field_names() == ["favourite_colour"]
        assert "You like blue" in compose("", "You like {{ favourite_colour }}", contact, None).body


def test_a_field_of_a_kind_refuses_other_values_in_a_list(member):
    actions.save_field(member.workspace_id, "Seats", kind="number", actor=by(member))
    done = imports.import_csv(
        member.workspace_id,
        "l.csv",
        b"email,seats\na@contoso.example,many\nb@contoso.example,12\n",
        member=member,
    )
    assert (done.added, done.rejected) == (1, 1)
    assert "not a number" in done.problems[0]["message"]


def test_a_name_that_every_contact_has_is_no_field_of_ones_own(member):
    with pytest.raises(BadInput, match="every contact has"):
        actions.save_field(member.workspace_id, "First name", kind="text", actor=by(member))


def test_a_list_of_suppressions_comes_in_with_source_and_date_and_goes_out_inert(member):
    text = 'address or domain,source,since\nana@fabrikam.example,"=cmd()",2026-01-31\n@rival.example,old tool,\nnonsense,,\n'
    done = imports.import_csv(
        member.workspace_id, "never.csv", text.encode(), member=member, what="suppressions"
    )
    assert (done.added, done.rejected) == (2, 1)
    with inside(member.workspace_id):
        assert queries.is_suppressed(member.workspace_id, "anybody@rival.example")
        assert queries.is_suppressed(member.workspace_id, "ANA@fabrikam.example").created_at.year == 2026
    table = list(csv.DictReader(io.StringIO("".join(imports.suppressions_text(member.workspace_id)))))
    ana = next(row for row in table if row["address or domain"] == "ana@fabrikam.example")
    assert (ana["source"], ana["since"][:10]) == ("'=cmd()", "2026-01-31")
    again = imports.import_csv(
        member.workspace_id, "again.csv", "".join(imports.suppressions_text(member.workspace_id)).encode(),
        member=member, what="suppressions",
    )  # fmt: skip
    assert (again.added, again.unchanged) == (0, 2)


def test_a_lifted_suppression_keeps_no_address(member):
    kept = actions.suppress(member.workspace_id, "a@contoso.example", cause="by_hand", actor=INSTALLER)
    actions.lift(kept.pk, workspace_id=member.workspace_id, reason="asked by phone", actor=INSTALLER)
    assert [each.value for each in rows(Suppression, member.workspace_id)] == [None]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_in_every_column_is_text_and_its_download_runs_nothing(member, value):
    out = io.StringIO()
    heading = ["email", "first_name", "last_name", "company", "title", "phone", "city"]
    csv.writer(out).writerows([heading, ["a@contoso.example", *[value] * 6], ["broken", *[value] * 6]])
    done = imports.import_csv(member.workspace_id, "=evil.csv", out.getvalue().encode(), member=member)
    for contact in rows(Contact, member.workspace_id):
        with inside(member.workspace_id):
            known = actions.values_of(contact)
            assert all(text == " ".join(text.split()) and "\u202e" not in text for text in known.values())
            mail = compose("{{ first_name }}", "{{ city }}", contact, None)
        assert "\n" not in mail.subject and "a@contoso.example" not in mail.subject
    table = list(csv.reader(io.StringIO("".join(imports.rejected_text(member.workspace_id, done.pk)))))
    assert done.rejected and not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in table for cell in row
    )


def test_a_changed_contact_is_found_by_its_new_name_and_the_record_names_the_fields_only(member):
    contact = make_contact(member.workspace, "a@contoso.example")
    actions.change_contact(
        contact.pk,
        {"last_name": "Zimmer", "stage": "talking"},
        workspace_id=member.workspace_id,
        actor=by(member),
    )
    with inside(member.workspace_id):
        assert [each.pk for each in queries.found(member.workspace_id, "zimmer")] == [contact.pk]
    assert fresh(contact).stage == "talking" and names.open(fresh(contact), "first_name") == "Petra"


def test_merging_moves_what_hangs_on_the_other_and_keeps_a_refusal(member):
    kept = make_contact(member.workspace, "a@contoso.example", title="")
    other = make_contact(member.workspace, "b@contoso.example", title="Buyer")
    enrolment = make_enrolment(make_sequence(member), other, make_mailbox(member))
    actions.suppress(member.workspace_id, "b@contoso.example", cause="unsubscribe", actor=INSTALLER)
    actions.merge(kept.pk, other.pk, workspace_id=member.workspace_id, actor=by(member))
    merged = fresh(kept)
    assert names.open(merged, "title") == "Buyer"
    assert queries.further_fields(merged)["other_address"] == "b@contoso.example"
    assert fresh(enrolment).contact_id == kept.pk
    assert len(rows(Contact, member.workspace_id)) == 1
    with inside(member.workspace_id):
        assert queries.is_suppressed(member.workspace_id, "a@contoso.example").cause == "unsubscribe"


def test_owner_and_stage_are_set_for_many_and_filter_the_list(member):
    ids = [make_contact(member.workspace).pk for _ in range(3)]
    ben = make_member(member.workspace, "Ben", role="rep")
    count = actions.assign(
        ids[:2], workspace_id=member.workspace_id, actor=by(member), owner_id=ben.pk, stage="customer"
    )
    with inside(member.workspace_id):
        found = queries.found(member.workspace_id, queries.Filter(owner=ben.pk, stage="customer"))
        assert count == 2 == found.count()


def test_a_company_waits_until_a_day_and_no_longer(member):
    from datetime import timedelta

    from gatepost import clock

    make_contact(member.workspace)
    (company,) = rows(Company, member.workspace_id)
    until = clock.now() + timedelta(days=3)
    actions.hold_company(company.pk, until, workspace_id=member.workspace_id, actor=by(member))
    assert fresh(company).hold_until == until
    actions.hold_company(company.pk, None, workspace_id=member.workspace_id, actor=by(member))
    assert fresh(company).hold_until is None


def test_another_workspace_sees_nothing_of_an_import(member):
    kept = begun(member)
    other = make_workspace("Fabrikam")
    with inside(other.id), pytest.raises(ContactImport.DoesNotExist):
        ContactImport.objects.get(pk=kept.pk)
