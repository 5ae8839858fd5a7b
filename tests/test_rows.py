"""Many rows changed by one statement, each to values of its own, or added by one."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from gatepost import clock
from gatepost import rows as many
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Company, Contact
from gatepost.isolation import inside
from gatepost.vault import names
from gatepost.vault.sealing import seal
from tests.makers import fresh, make_contact, make_workspace

pytestmark = pytest.mark.django_db


def test_each_row_gets_its_own_values_by_one_statement(django_assert_num_queries):
    workspace = make_workspace()
    ana, ben = make_contact(workspace, country="DE"), make_contact(workspace, country="FR")
    seal(ana, "title", "Head of “quotes”")
    with inside(workspace.pk), django_assert_num_queries(1):
        changed = many.change(
            Contact,
            [
                ({"id": ana.pk}, {"country": "IT", "title": ana.title}),
                ({"id": ben.pk}, {"country": "", "title": None}),
            ],
        )
    assert changed == {ana.pk, ben.pk}
    assert (fresh(ana).country, bytes(fresh(ana).title)) == ("IT", bytes(ana.title))
    assert (fresh(ben).country, fresh(ben).title) == ("", None)


def test_a_row_that_is_no_longer_as_expected_stays_as_it_is():
    workspace = make_workspace()
    ana, ben = make_contact(workspace, country="DE"), make_contact(workspace, country="FR")
    with inside(workspace.pk):
        changed = many.change(
            Contact, [({"id": each.pk, "country": "DE"}, {"country": "IT"}) for each in (ana, ben)]
        )
    assert changed == {ana.pk}
    assert (fresh(ana).country, fresh(ben).country) == ("IT", "FR")


def test_rows_that_change_in_other_columns_are_changed_too():
    workspace = make_workspace()
    ana, ben = make_contact(workspace, company="Care Ltd"), make_contact(workspace)
    until = clock.now() + timedelta(days=1)
    with inside(workspace.pk):
        assert many.change(Company, [({"id": ana.company_id}, {"hold_until": until})]) == {ana.company_id}
        many.change(
            Contact, [({"id": ana.pk}, {"country": "IT"}), ({"id": ben.pk}, {"time_zone": "Europe/Rome"})]
        )
        assert Company.objects.get(pk=ana.company_id).hold_until == until
    assert (fresh(ana).country, fresh(ben).time_zone) == ("IT", "Europe/Rome")


def test_a_row_of_another_workspace_stays_as_it_is():
    ana, theirs = make_contact(make_workspace()), make_workspace("Fabrikam")
    with inside(theirs.pk):
        assert many.change(Contact, [({"id": ana.pk}, {"country": "IT"})]) == set()
    assert fresh(ana).country == ""


def test_added_rows_hold_what_was_given_whatever_its_kind(django_assert_num_queries):
    workspace = make_workspace()
    ana = Contact(workspace_id=workspace.pk, country="DE", email_index="a", created_at=clock.now())
    ben = Contact(workspace_id=workspace.pk, time_zone="Europe/Rome", email_index="b", created_at=clock.now())
    seal(ana, "title", "Head of “quotes” \\x00 and 'more'")
    note = AuditEntry(
        workspace_id=workspace.pk, at=clock.now(), actor_kind="job", tag="contact.add", subject_id=ana.pk,
        detail={"list": [1, None, "“x”"], "ok": True},
    )  # fmt: skip
    with inside(workspace.pk), django_assert_num_queries(2):
        many.add([ana, ben])
        many.add([note])
    for given in (ana, ben, note):
        stored = fresh(given)
        for field in given._meta.concrete_fields:
            told, kept = getattr(given, field.attname), getattr(stored, field.attname)
            assert (bytes(kept) if isinstance(kept, memoryview) else kept) == told, field.name
    assert names.open(fresh(ana), "title") == "Head of “quotes” \\x00 and 'more'"


def test_nothing_is_asked_of_the_database_for_no_rows(django_assert_num_queries):
    with django_assert_num_queries(0):
        many.add([])


def test_rows_of_another_workspace_cannot_be_added():
    mine, theirs = make_workspace(), make_workspace("Fabrikam")
    stray = Contact(workspace_id=theirs.pk, created_at=clock.now())
    with inside(mine.pk), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        many.add([stray])
