"""`gatepost rotate-key`: every key opens afterwards, the old file opens none, and it may be killed anywhere."""

import os
import shutil
import stat
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as django_settings
from psycopg import sql

from gatepost.ids import uuid7
from gatepost.vault import keys

pytestmark = pytest.mark.django_db  # for the server
NAMES = ("workspace:1:seal", "mailbox:2:seal", "installation:hook-secret")


class Killed(BaseException):
    "The process is gone."


@pytest.fixture
def keystore(database, settings, tmp_path):
    """A keystore of this test's own, with a key file of its own."""
    name = f"keystore_{uuid7().hex}"
    with psycopg.connect(database.admin, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER gatepost_keystore").format(sql.Identifier(name)))
    settings.GATEPOST_KEYSTORE_URL = database.keystore.replace("/keystore?", f"/{name}?")
    settings.GATEPOST_KEY_FILE = tmp_path / "installation.key"
    keys.create_installation_key(settings.GATEPOST_KEY_FILE)
    keys.prepare_keystore(settings.GATEPOST_KEYSTORE_URL)
    return settings.GATEPOST_KEYSTORE_URL


@pytest.fixture
def sealed(keystore):
    """Something sealed with each of three keys."""
    with a_process() as vault:
        return {name: aead_of(vault, name).encrypt(b"Petra", b"") for name in NAMES}


class a_process(keys.Keys):
    """Keys as a process has them that was just started."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.forget()


def aead_of(vault, name):
    return vault.primitive(name, keys.AEAD_TEMPLATE, lambda handle: handle.primitive(keys.aead.Aead))


def opened(vault, sealed):
    return {name: aead_of(vault, name).decrypt(text, b"") for name, text in sealed.items()}


def key_file() -> Path:
    return django_settings.GATEPOST_KEY_FILE


def change() -> int:
    return keys.change_installation_key(key_file(), django_settings.GATEPOST_KEYSTORE_URL)


def test_every_key_opens_with_the_new_file_and_none_with_the_old_one(sealed, tmp_path, settings):
    old = tmp_path / "old.key"
    shutil.copy(key_file(), old)

    assert change() == len(NAMES)

    assert len(keys.read_installation_key(key_file()).keyset_info().key_info) == 1
    assert stat.S_IMODE(key_file().stat().st_mode) == 0o600
    with a_process() as vault:
        assert set(opened(vault, sealed).values()) == {b"Petra"}
    settings.GATEPOST_KEY_FILE = old
    with a_process() as vault, pytest.raises(keys.KeyUnavailable, match="not the key"):
        opened(vault, sealed)


def test_a_process_that_runs_on_notices_the_new_key_and_makes_keys_with_it(sealed):
    with a_process() as vault:
        aead_of(vault, NAMES[0])
        change()
        assert set(opened(vault, sealed).values()) == {b"Petra"}
        later = {"workspace:3:seal": aead_of(vault, "workspace:3:seal").encrypt(b"Quentin", b"")}
    with a_process() as fresh:
        assert opened(fresh, later) == {"workspace:3:seal": b"Quentin"}


def test_a_key_that_is_made_while_the_key_is_changed_opens_afterwards(sealed, monkeypatch):
    """The one who makes it has looked for it already, and now writes its row."""
    with a_process() as vault:
        aead_of(vault, NAMES[0])
        real = vault._create

        def later(*what):
            change()
            real(*what)

        monkeypatch.setattr(vault, "_create", later)
        made = {"workspace:4:seal": aead_of(vault, "workspace:4:seal").encrypt(b"Quentin", b"")}
    with a_process() as fresh:
        assert opened(fresh, made) == {"workspace:4:seal": b"Quentin"}


def test_a_row_that_was_read_before_the_change_is_read_again(sealed, monkeypatch):
    with a_process() as vault:
        real = vault._wrapped
        stale = {name: real(name) for name in NAMES}
        change()
        monkeypatch.setattr(vault, "_wrapped", lambda name: stale.pop(name, None) or real(name))
        assert set(opened(vault, sealed).values()) == {b"Petra"}
        assert stale == {}


@pytest.mark.parametrize(
    "step", ["first file", "in the middle of the rows", "before the last file", "last file"]
)
def test_killed_anywhere_everything_opens_and_a_second_run_finishes(sealed, monkeypatch, step):
    with monkeypatch.context() as patch:
        files, rows = 0, 0
        replace, wrap = os.replace, keys.wrap

        def replacing(draft, path):
            nonlocal files
            files += 1
            if (step, files) in (("first file", 1), ("before the last file", 2)):
                raise Killed
            replace(draft, path)
            if (step, files) == ("last file", 2):
                raise Killed

        def wrapping(*what):
            nonlocal rows
            rows += 1
            if step == "in the middle of the rows" and rows == 2:
                raise Killed
            return wrap(*what)

        patch.setattr(os, "replace", replacing)
        patch.setattr(keys, "wrap", wrapping)
        with pytest.raises(Killed):
            change()

    with a_process() as vault:
        assert set(opened(vault, sealed).values()) == {b"Petra"}
    assert change() == len(NAMES)
    with a_process() as vault:
        assert set(opened(vault, sealed).values()) == {b"Petra"}
    assert len(keys.read_installation_key(key_file()).keyset_info().key_info) == 1


def test_with_another_installations_key_nothing_is_changed(sealed, settings, tmp_path):
    right = settings.GATEPOST_KEY_FILE
    settings.GATEPOST_KEY_FILE = tmp_path / "another.key"
    keys.create_installation_key(settings.GATEPOST_KEY_FILE)
    before = settings.GATEPOST_KEY_FILE.read_bytes()

    with pytest.raises(keys.KeyUnavailable, match="Nothing was changed"):
        change()

    assert settings.GATEPOST_KEY_FILE.read_bytes() == before
    settings.GATEPOST_KEY_FILE = right
    with a_process() as vault:
        assert set(opened(vault, sealed).values()) == {b"Petra"}
