import stat

import psycopg
import pytest
from django.conf import settings as django_settings

from gatepost.contacts.models import Contact
from gatepost.ids import uuid7
from gatepost.vault import keys, names
from gatepost.vault.sealing import seal

pytestmark = pytest.mark.django_db  # for the servers: the keystore is one of them


@pytest.fixture
def vault(settings):
    """Keys as a process has them that was just started; the settings may then be changed."""
    fresh = keys.Keys()
    yield fresh
    fresh.forget()


def test_the_same_key_comes_back_in_another_process(vault):
    name = f"workspace:{uuid7()}:index"
    other = keys.Keys()
    values = [
        each.primitive(name, keys.INDEX_TEMPLATE, lambda h: h.primitive(keys.prf.PrfSet))
        .primary()
        .compute(b"x", 16)
        for each in (vault, other)
    ]
    other.forget()
    assert values[0] == values[1]


def test_a_lost_connection_to_the_keystore_is_opened_anew(vault):
    vault._run("SELECT 1", [])
    pid = vault._run("SELECT pg_backend_pid()", []).fetchone()[0]
    with psycopg.connect(django_settings.GATEPOST_KEYSTORE_URL, autocommit=True) as another:
        another.execute("SELECT pg_terminate_backend(%s)", [pid])

    assert vault._run("SELECT 2", []).fetchone() == (2,)


def test_a_keystore_that_does_not_answer_says_what_to_do(vault, settings):
    settings.GATEPOST_KEYSTORE_URL = "postgresql://nobody@127.0.0.1:1/nothing"
    with pytest.raises(keys.KeyUnavailable, match="GATEPOST_KEYSTORE_URL"):
        vault._run("SELECT 1", [])


def test_another_installations_key_says_that_it_is_the_wrong_one(vault, settings, tmp_path):
    contact = Contact(workspace_id=uuid7())
    seal(contact, "first_name", "Petra")
    settings.GATEPOST_KEY_FILE = tmp_path / "another.key"
    keys.create_installation_key(settings.GATEPOST_KEY_FILE)

    with pytest.raises(keys.KeyUnavailable, match="GATEPOST_KEY_FILE is not the key"):
        vault.primitive(f"workspace:{contact.workspace_id}:seal", keys.AEAD_TEMPLATE, lambda h: h)


@pytest.mark.parametrize("content", [None, b"", b"not a key"])
def test_a_key_file_that_holds_no_key_says_where_to_get_it(vault, settings, tmp_path, content):
    settings.GATEPOST_KEY_FILE = tmp_path / "installation.key"
    if content is not None:
        settings.GATEPOST_KEY_FILE.write_bytes(content)
    with pytest.raises(keys.InstallationKeyMissing, match="backup"):
        vault.primitive(f"workspace:{uuid7()}:seal", keys.AEAD_TEMPLATE, lambda h: h)


def test_a_new_installation_key_is_readable_by_its_owner_only_and_overwrites_none(tmp_path):
    path = tmp_path / "installation.key"
    keys.create_installation_key(path)
    before = path.read_bytes()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        keys.create_installation_key(path)
    assert path.read_bytes() == before


def test_two_processes_that_make_a_key_at_once_use_the_same(vault):
    name = f"workspace:{uuid7()}:index"
    late = keys.Keys()
    real = late._create

    def slower(*what):
        # the other process was quicker
        vault.primitive(name, keys.INDEX_TEMPLATE, lambda h: h.primitive(keys.prf.PrfSet))
        real(*what)

    late._create = slower
    second = late.primitive(name, keys.INDEX_TEMPLATE, lambda h: h.primitive(keys.prf.PrfSet))
    first = vault.primitive(name, keys.INDEX_TEMPLATE, lambda h: None)
    late.forget()
    assert first.primary().compute(b"x", 16) == second.primary().compute(b"x", 16)


def test_destroying_the_keys_of_one_owner_leaves_all_others(vault):
    kept = Contact(workspace_id=uuid7())
    seal(kept, "first_name", "Petra")
    gone = uuid7()
    keys.sealing_key("workspace", gone)
    keys.index_key(gone)

    assert keys.destroy("workspace", gone) == 2
    assert keys.destroy("workspace", gone) == 0
    assert names.open(kept, "first_name") == "Petra"


def test_a_key_that_was_destroyed_elsewhere_is_remembered_for_a_minute_at_most(vault, monkeypatch):
    owner, other = uuid7(), keys.Keys()
    ask = lambda: vault.primitive(  # noqa: E731
        keys.sealing_name("workspace", owner), keys.AEAD_TEMPLATE, lambda h: h.primitive(keys.aead.Aead), create=False
    )  # fmt: skip
    keys.sealing_key("workspace", owner)
    ask()
    assert other.destroy(f"workspace:{owner}:") == 1
    other.forget()
    later = keys.time.monotonic() + 60

    monkeypatch.setattr(keys.time, "monotonic", lambda: later)
    with pytest.raises(keys.KeyErased):
        ask()
