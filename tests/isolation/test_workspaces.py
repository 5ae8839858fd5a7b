"""Nobody of one workspace sees or changes a row of another, whatever the code above forgets to filter."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.chains.models import Anchor, Link
from gatepost.contacts.models import Contact
from gatepost.ids import uuid7
from gatepost.isolation import APPEND_ONLY, current, inside, workspace_tables
from gatepost.mailboxes import queries as mailboxes
from gatepost.sequences.models import Sequence
from tests.makers import make_contact, make_mailbox, make_member, make_sequence, make_workspace

pytestmark = pytest.mark.django_db

# Who can sign in is known before his workspace; a workspace is not inside itself, and what covers its indexes is read on the
# way in; the app registration serves them all, and so does what is known of the whole database.
OUTSIDE = {
    "gatepost_user", "gatepost_workspace", "gatepost_cover", "gatepost_registration", "gatepost_installation",
}  # fmt: skip


def counts(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


def test_the_tests_run_with_the_rights_of_the_application():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user"
        )
        assert cursor.fetchone() == (0,)


def test_a_row_of_another_workspace_cannot_be_seen():
    contact = make_contact(make_workspace())
    with inside(make_workspace("Fabrikam").id):
        assert not Contact.objects.filter(pk=contact.pk).exists()


def test_a_row_of_another_workspace_cannot_be_changed_or_deleted():
    contact = make_contact(make_workspace(), title="Buyer")
    with inside(make_workspace("Fabrikam").id):
        assert Contact.objects.filter(pk=contact.pk).update(country="XX") == 0
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM gatepost_contact WHERE id = %s", [contact.pk])
            assert cursor.rowcount == 0
    with inside(contact.workspace_id):
        assert Contact.objects.get(pk=contact.pk).country == ""


def test_a_row_cannot_be_written_into_or_moved_to_another_workspace():
    mine, theirs = make_workspace(), make_workspace("Fabrikam")
    contact = make_contact(mine)
    with inside(mine.id):
        with pytest.raises(DatabaseError), transaction.atomic():
            Contact.objects.filter(pk=contact.pk).update(workspace_id=theirs.id)
        with pytest.raises(DatabaseError), transaction.atomic():
            Contact.objects.create(
                workspace_id=theirs.id, email_index="x", source="", created_at=theirs.created_at
            )


def test_without_a_workspace_there_are_no_rows():
    member = make_member(make_workspace())
    make_contact(member.workspace)
    make_sequence(member)
    make_mailbox(member)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('gatepost.workspace', '', true)")
    assert {table: counts(table) for table in workspace_tables()} == dict.fromkeys(workspace_tables(), 0)


def test_a_workspace_inside_another_ends_with_it():
    outer, inner = make_workspace(), make_workspace("Fabrikam")
    with inside(outer.id):
        with inside(inner.id):
            assert current() == inner.id
        assert current() == outer.id


def test_the_same_workspace_once_more_asks_the_database_nothing(django_assert_num_queries):
    mine = make_workspace()
    with inside(mine.id):
        with django_assert_num_queries(0), inside(mine.id):
            pass
        assert current() == mine.id


def test_a_workspace_inside_another_ends_with_it_also_where_it_failed():
    outer, inner = make_workspace(), make_workspace("Fabrikam")
    with inside(outer.id):
        with (
            pytest.raises(ValueError, match="ours"),
            transaction.atomic(),
            inside(inner.id),
            inside(inner.id),
        ):
            raise ValueError("ours")
        with inside(outer.id):
            assert current() == outer.id
        with inside(inner.id):
            assert current() == inner.id


def test_what_failed_leaves_no_workspace_behind():
    mine = make_workspace()
    for _ in range(2):
        with pytest.raises(ValueError, match="ours"), transaction.atomic(), inside(mine.id):
            raise ValueError("ours")
        assert current() is None
        with inside(mine.id):
            assert current() == mine.id


def test_the_workspace_does_not_outlive_its_transaction():
    """A pool hands the connection to whoever comes next. This test is inside a transaction; another thread is not."""

    def afterwards():
        try:
            with inside(workspace_id):
                said = current()
            return said, current()
        finally:
            connection.close()

    workspace_id = uuid7()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(afterwards).result() == (workspace_id, None)


def test_every_table_of_ours_belongs_to_a_workspace():
    ours = {model._meta.db_table for model in apps.get_app_config("gatepost").get_models()}
    assert ours - set(workspace_tables()) == OUTSIDE


def test_every_table_of_a_workspace_forces_row_level_security():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname = 'public' AND relkind = 'r' AND relrowsecurity AND relforcerowsecurity"
        )
        forced = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT table_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = 'workspace_id' AND table_name LIKE 'gatepost%'"
        )
        with_column = {row[0] for row in cursor.fetchall()}
    assert with_column - forced == set()
    assert set(workspace_tables()) - forced == set()


@pytest.mark.parametrize("statement", ["UPDATE {} SET workspace_id = NULL", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_was_recorded_cannot_be_changed_or_removed_by_the_application(table, statement):
    workspace = make_workspace()
    with inside(workspace.id), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table))


def test_the_append_only_tables_are_those_of_the_record_and_its_chain():
    assert set(APPEND_ONLY) == {each._meta.db_table for each in (AuditEntry, LedgerRow, Link, Anchor)}


def test_functions_that_look_across_workspaces_return_ids_only():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, pg_get_function_result(p.oid), proconfig FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'public' AND prosecdef"
        )
        functions = {name: (result, config) for name, result, config in cursor.fetchall()}
    assert "mailboxes_with_work" in functions
    results = {result for result, _ in functions.values()}
    assert results <= {
        "TABLE(workspace_id uuid, id uuid)",
        "void",
        # The notifications' door compares the keyed hash of a secret and learns which mailbox to wake.
        "TABLE(workspace_id uuid, mailbox_id uuid, wakes text, secret_index text)",
        # What is old, or belonged to a closed workspace, is removed from the records: how many rows.
        "bigint",
        # What monitoring counts over all workspaces: the name of a figure, a label of ours, a number.
        "TABLE(figure text, label text, number double precision)",
        # Whose keys were destroyed, as ids.
        "TABLE(key text)",
        "TABLE(entries bigint, requests bigint)",
        # When a Microsoft tenant's limit has room again, whose mailboxes may be in several workspaces: a moment.
        "timestamp with time zone",
    }
    assert all("search_path=public, pg_temp" in config for _, config in functions.values())


def test_what_a_function_finds_in_another_workspace_still_cannot_be_read():
    member = make_member(make_workspace())
    mailbox = make_mailbox(member)
    (found,) = mailboxes.across_workspaces("mailbox_of_identity", mailbox.identity_index)
    assert (found.workspace_id, found.id) == (member.workspace_id, mailbox.pk)
    with inside(make_workspace("Fabrikam").id):
        assert mailboxes.Mailbox.objects.filter(pk=found.id).count() == 0


def test_a_forgotten_filter_shows_only_the_own_workspaces_rows():
    for name in ("Northwind", "Fabrikam"):
        make_sequence(make_member(make_workspace(name)))
    mine = make_sequence(make_member(make_workspace("Contoso")))
    with inside(mine.workspace_id):
        assert [each.pk for each in Sequence.objects.all()] == [mine.pk]


def test_only_the_application_may_run_a_function_that_looks_across_workspaces():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace, "
            "aclexplode(COALESCE(proacl, acldefault('f', proowner))) AS acl "
            "WHERE nspname = 'public' AND prosecdef AND acl.grantee = 0"
        )
        assert cursor.fetchall() == []
        cursor.execute("SELECT has_function_privilege('mailbox_of_identity(text)', 'EXECUTE')")
        assert cursor.fetchone() == (True,)
