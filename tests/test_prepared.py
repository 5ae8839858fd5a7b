"""A query written once gives what it would give if it were written each time."""

import pytest
from django.db import DatabaseError, transaction

from gatepost import clock
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Contact
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.prepared import Prepared, PreparedInsert
from tests.makers import make_contact, make_workspace

pytestmark = pytest.mark.django_db


def by_id() -> Prepared[Contact]:
    return Prepared(lambda pk: Contact.objects.select_related("company", "workspace").filter(pk=pk))


def test_a_row_comes_with_every_column_and_its_related_rows(django_assert_num_queries):
    contact, prepared = make_contact(make_workspace(), company="Care Ltd", title="Buyer"), by_id()
    with inside(contact.workspace_id):
        asked = Contact.objects.select_related("company", "workspace").get(pk=contact.pk)
        prepared.get(contact.pk)  # writes it
        with django_assert_num_queries(1):
            found = prepared.get(contact.pk)
            assert found.company == asked.company
            assert found.workspace == asked.workspace
    for column in (each.attname for each in Contact._meta.concrete_fields):
        assert getattr(found, column) == getattr(asked, column), column
    assert repr(found.email) == "Sealed(***)"


def test_each_call_has_its_own_values():
    workspace, prepared = make_workspace(), by_id()
    ana, ben = make_contact(workspace), make_contact(workspace)
    with inside(workspace.id):
        assert [prepared.get(each.pk) for each in (ana, ben, ana)] == [ana, ben, ana]


def test_it_reads_what_is_stored_now():
    contact, prepared = make_contact(make_workspace()), by_id()
    with inside(contact.workspace_id):
        assert prepared.get(contact.pk).country == ""
        Contact.objects.filter(pk=contact.pk).update(country="DE")
        assert prepared.get(contact.pk).country == "DE"


def test_a_missing_relation_is_none():
    contact, prepared = make_contact(make_workspace(), company=""), by_id()
    with inside(contact.workspace_id):
        assert prepared.get(contact.pk).company is None


def test_a_row_of_another_workspace_stays_invisible():
    contact, prepared = make_contact(make_workspace()), by_id()
    with inside(contact.workspace_id):
        assert prepared.first(contact.pk) == contact
    with inside(make_workspace("Fabrikam").id):
        assert prepared.first(contact.pk) is None


def test_a_row_that_is_not_there_is_said_to_be_missing():
    with inside(make_workspace().id), pytest.raises(Contact.DoesNotExist):
        by_id().get(uuid7())


def test_several_values_of_one_column_and_plain_values():
    workspace = make_workspace()
    ana, ben, _ = (make_contact(workspace, country=each) for each in ("DE", "FR", "IT"))
    prepared: Prepared[Contact] = Prepared(
        lambda one, other: (
            Contact.objects.filter(country__in=(one, other)).order_by("country").values_list("pk", "country")
        )
    )
    with inside(workspace.id):
        assert [tuple(each) for each in prepared.values("FR", "DE")] == [(ana.pk, "DE"), (ben.pk, "FR")]


def test_none_is_refused_because_sql_compares_it_by_other_words():
    with pytest.raises(TypeError, match="None"):
        by_id().first(None)


def entry(workspace, **more):
    return AuditEntry(workspace_id=workspace.id, at=clock.now(), actor_kind="job", tag="test", **more)


def test_a_row_is_stored_as_it_is():
    workspace, insert = make_workspace(), PreparedInsert(AuditEntry)
    given = entry(workspace, subject_id=uuid7(), detail={"until": None, "reason": "it’s “%s” and 'quoted'"})
    with inside(workspace.id):
        insert.store(given)
        stored = AuditEntry.objects.get(pk=given.pk)
    for column in (each.attname for each in AuditEntry._meta.concrete_fields):
        assert getattr(stored, column) == getattr(given, column), column


def test_a_row_cannot_be_stored_in_another_workspace():
    mine, theirs = make_workspace(), make_workspace("Fabrikam")
    with inside(mine.id), pytest.raises(DatabaseError), transaction.atomic():
        PreparedInsert(AuditEntry).store(entry(theirs))
