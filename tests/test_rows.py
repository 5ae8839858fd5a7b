"""Many rows changed by one statement, each to values of its own."""

from datetime import timedelta

import pytest

from gatepost import clock
from gatepost import rows as many
from gatepost.contacts.models import Company, Contact
from gatepost.isolation import inside
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
