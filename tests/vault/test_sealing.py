import base64

import psycopg
import pytest
import tink
from django.conf import settings
from django.db import connection
from tink import proto_keyset_format, secret_key_access

from gatepost.contacts.models import Company, Contact
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.mailboxes.models import Connection
from gatepost.sequences.models import Variant
from gatepost.vault import content, factors, keys, names, tokens
from gatepost.vault.fields import Sealed
from gatepost.vault.sealing import NotReadable, index, installation_index, seal
from tests.makers import make_contact, make_mailbox, make_member, make_sequence, make_workspace
from tests.promises.tampered import sitecustomize

pytestmark = pytest.mark.django_db


def sealed_contact(**fields) -> Contact:
    contact = Contact(workspace_id=uuid7())
    for column, text in fields.items():
        seal(contact, column, text)
    return contact


@pytest.mark.parametrize("text", ["Petra", "", "Ünïcødé 漢字 \U0001f600", "x" * 100_000])
def test_what_was_sealed_opens_as_it_was(text):
    assert names.open(sealed_contact(first_name=text), "first_name") == text


def test_nothing_sealed_is_nothing_when_opened():
    assert names.open(sealed_contact(first_name=None), "first_name") is None


def test_the_same_text_is_never_the_same_ciphertext():
    contact = sealed_contact(first_name="Petra", last_name="Petra")
    first = bytes(contact.first_name)
    seal(contact, "first_name", "Petra")
    assert len({first, bytes(contact.first_name), bytes(contact.last_name)}) == 3


def test_a_ciphertext_moved_to_another_column_does_not_open():
    contact = sealed_contact(first_name="Petra")
    contact.last_name = contact.first_name
    with pytest.raises(NotReadable):
        names.open(contact, "last_name")


def test_a_ciphertext_moved_to_another_row_does_not_open():
    contact = sealed_contact(first_name="Petra")
    other = Contact(workspace_id=contact.workspace_id, first_name=contact.first_name)
    with pytest.raises(NotReadable):
        names.open(other, "first_name")


def test_a_ciphertext_moved_to_another_table_does_not_open():
    company = Company(workspace_id=uuid7())
    seal(company, "name", "Contoso")
    contact = Contact(id=company.id, workspace_id=company.workspace_id, first_name=company.name)
    with pytest.raises(NotReadable):
        names.open(contact, "first_name")


def test_a_ciphertext_moved_to_another_workspace_does_not_open():
    contact = sealed_contact(first_name="Petra")
    contact.workspace_id = uuid7()
    with pytest.raises(NotReadable):
        names.open(contact, "first_name")


def test_a_changed_ciphertext_does_not_open():
    contact = sealed_contact(first_name="Petra")
    whole = bytes(contact.first_name)
    contact.first_name = Sealed(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(NotReadable):
        names.open(contact, "first_name")


def test_each_kind_of_secret_opens_through_its_own_door_only():
    contact = sealed_contact(first_name="Petra")
    connection = Connection(workspace_id=uuid7(), mailbox_id=uuid7())
    seal(connection, "refresh_token", "0.AXEA-secret")
    assert tokens.open(connection, "refresh_token") == "0.AXEA-secret"
    for door, row, column in (
        (content, contact, "first_name"),
        (tokens, contact, "first_name"),
        (names, connection, "refresh_token"),
        (content, connection, "refresh_token"),
        (names, contact, "source"),
    ):
        with pytest.raises(TypeError):
            door.open(row, column)


def test_a_sealed_value_does_not_print_itself():
    value = sealed_contact(first_name="Petra").first_name
    assert f"{value}" == str(value) == repr(value) == "Sealed(***)"
    assert "%s" % value == "Sealed(***)"  # noqa: UP031  the form that log messages use


def test_what_comes_back_from_the_database_is_sealed_too():
    contact = make_contact(make_workspace(), first_name="Petra")
    with inside(contact.workspace_id):
        again = Contact.objects.get(pk=contact.pk)
    assert repr(again.first_name) == "Sealed(***)"
    assert names.open(again, "first_name") == "Petra"


def test_an_index_is_the_same_whatever_the_case_and_the_spaces_around():
    workspace_id = uuid7()
    assert index(workspace_id, "address", " Petra@Contoso.example ") == index(
        workspace_id, "address", "petra@contoso.example"
    )


def test_an_index_differs_by_workspace_kind_and_purpose():
    one, other = uuid7(), uuid7()
    found = {
        index(one, "address", "a@b.example"),
        index(other, "address", "a@b.example"),
        index(one, "domain", "a@b.example"),
        index(one, "address", "a@b.example", purpose="suppression"),
        installation_index("address", "a@b.example"),
        installation_index("domain", "a@b.example"),
    }
    assert len(found) == 6


def test_kind_and_text_of_an_index_cannot_run_into_each_other():
    workspace_id = uuid7()
    assert index(workspace_id, "ab", "c") != index(workspace_id, "a", "bc")


def test_with_its_key_destroyed_a_mailbox_can_never_be_read_again():
    mailbox = make_mailbox(make_member(make_workspace()))
    other = make_mailbox(mailbox.member, "ben@northwind.example")
    assert names.open(mailbox, "address") == "alice@northwind.example"

    assert keys.destroy("mailbox", mailbox.pk) == 1

    with pytest.raises(NotReadable):
        names.open(mailbox, "address")
    assert names.open(other, "address") == "ben@northwind.example"


def test_a_dump_of_the_database_shows_no_address_name_text_or_token():
    workspace = make_workspace()
    member = make_member(workspace)
    secrets = {
        "email": "zq-address@zq-domain.example", "first_name": "Zqfirst", "last_name": "Zqlast",
        "company": "Zqcompany", "title": "Zqtitle", "phone": "+49-zq-phone",
    }  # fmt: skip
    make_contact(workspace, **{**secrets})
    make_mailbox(member, "zq-rep@zq-own.example")
    sequence = make_sequence(member)
    with inside(workspace.id):
        template = Variant.objects.filter(step__sequence=sequence).first()
        assert b"shall we talk" in names.open(template, "body").encode()
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            tables = [row[0] for row in cursor.fetchall()]
            dump = []
            for table in tables:
                cursor.execute(f'SELECT t.*::text FROM "{table}" t')
                dump += [row[0].casefold() for row in cursor.fetchall()]
    text = "\n".join(dump)
    assert str(sequence.pk) in text, "the dump holds our rows"
    # Bytes are shown as hex: the plain text is looked for in that form too.
    wanted = [*secrets.values(), "zq-rep@zq-own.example", "refresh-token", "shall we talk", "zq-domain"]
    shown = [w for w in wanted if w.casefold() in text or w.encode().hex() in text]
    assert shown == []


def test_the_keystore_holds_wrapped_keys_only_and_lies_in_another_database():
    contact = sealed_contact(first_name="Petra")
    with psycopg.connect(settings.GATEPOST_KEYSTORE_URL) as keystore:
        query = "SELECT wrapped FROM wrapped_key WHERE name = %s"
        (wrapped,) = keystore.execute(query, [f"workspace:{contact.workspace_id}:seal"]).fetchone()
    with pytest.raises(tink.TinkError):
        proto_keyset_format.parse(bytes(wrapped), secret_key_access.TOKEN)


def test_nobody_computes_an_index_without_the_workspaces_key():
    workspace_id = uuid7()
    before = index(workspace_id, "address", "petra@contoso.example")
    # Were it made of what everybody may know, it would be the same with the key that comes after.
    keys.destroy("workspace", workspace_id)
    assert index(workspace_id, "address", "petra@contoso.example") != before


def test_without_a_cipher_a_name_and_a_second_factor_lie_open_and_can_still_be_read(monkeypatch):
    """So that what `./dev soak privacy --open` does not find was not there: the stand-in knows every door."""
    for door in ("sealing_key", "installation_sealing_key"):
        monkeypatch.setattr(keys, door, getattr(keys, door))  # put back afterwards
    sitecustomize.remove_the_cipher()
    contact = sealed_contact(first_name="Petra")
    assert b"Petra" in bytes(contact.first_name)
    assert names.open(contact, "first_name") == "Petra"
    sealed = factors.seal("JBSWY3DP")
    assert b"JBSWY3DP" in base64.urlsafe_b64decode(sealed)
    assert factors.open(sealed) == "JBSWY3DP"
