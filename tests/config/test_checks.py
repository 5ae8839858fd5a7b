"""`gatepost doctor`: what is wrong is named, with what to do. Each test breaks one thing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

from gatepost.config import checks, environment
from gatepost.config.environment import Environment

REGISTERED = {
    "GATEPOST_CLIENT_ID": "00001111-aaaa-2222-bbbb-3333cccc4444",
    "GATEPOST_CLIENT_SECRET": "abc~a-secret-as-entra-makes-them",
}


def settings(**given: str) -> Environment:
    return environment.read(REGISTERED | given)


def test_a_misspelt_setting_is_named() -> None:
    check = checks.variables({"GATEPOST_PUBLICURL": "https://gatepost.example.com", "HOME": "/"})
    assert not check.good
    assert "GATEPOST_PUBLICURL" in check.message


def test_known_settings_and_secrets_from_files_are_fine() -> None:
    assert checks.variables({"GATEPOST_PORT": "8000", "GATEPOST_CLIENT_SECRET_FILE": "/run/secret"}).good


def test_a_data_folder_that_others_can_look_into_is_bad(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    check = checks.data_folder(tmp_path)
    assert (check.good, f"chmod 700 {tmp_path}" in check.message) == (False, True)
    tmp_path.chmod(0o700)
    assert checks.data_folder(tmp_path).good


def test_a_missing_data_folder_is_bad(tmp_path: Path) -> None:
    assert "GATEPOST_DATA_DIR" in checks.data_folder(tmp_path / "none").message


def test_an_installation_key_must_exist_and_be_private(tmp_path: Path) -> None:
    path = tmp_path / "installation.key"
    assert "backup" in checks.installation_key(path).message
    path.write_bytes(b"key")
    path.chmod(0o644)
    assert "chmod 600" in checks.installation_key(path).message
    path.chmod(0o600)
    assert checks.installation_key(path).good


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://gatepost.example.com", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", True),
        ("http://gatepost.example.com", False),
    ],
)
def test_the_public_address_is_https_or_this_machine(address: str, good: bool) -> None:
    assert checks.public_url(settings(GATEPOST_PUBLIC_URL=address)).good is good


def test_a_registration_is_named_with_the_redirect_address_that_it_needs() -> None:
    check = checks.app_registration(settings(GATEPOST_PUBLIC_URL="https://gatepost.example.com"))
    assert check.good
    assert "https://gatepost.example.com/mailboxes/connected/" in check.message


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"GATEPOST_CLIENT_SECRET": ""}, "set GATEPOST_CLIENT_ID and GATEPOST_CLIENT_SECRET"),
        ({"GATEPOST_CLIENT_ID": "gatepost"}, "Application (client) ID"),
        ({"GATEPOST_CLIENT_SECRET": "99998888-dddd-7777-eeee-6666ffff5555"}, "“Value”"),
        ({"GATEPOST_TENANT": "common"}, "organizations"),
    ],
)
def test_what_is_commonly_copied_wrongly_from_entra_is_noticed(given: dict[str, str], says: str) -> None:
    check = checks.app_registration(settings(**given))
    assert not check.good
    assert says in check.message


def test_the_redirect_address_is_the_one_that_connecting_uses() -> None:
    from gatepost.mailboxes.actions import CALLBACK_PATH

    assert checks.CALLBACK_PATH == CALLBACK_PATH


def test_sandbox_mode_is_said() -> None:
    given = {"GATEPOST_SANDBOX_URL": "http://127.0.0.1:8790", "GATEPOST_CLIENT_SECRET": "sandbox-secret"}
    check = checks.app_registration(settings(**given))
    assert check.good
    assert "nothing reaches Microsoft" in check.message


def test_without_a_hooks_address_the_timer_alone_serves() -> None:
    check = checks.notifications(settings(GATEPOST_SYNC_EVERY="120"))
    assert check.good
    assert "by the timer alone, every 120 s" in check.message


def test_microsoft_calls_no_plain_http_address() -> None:
    assert not checks.notifications(settings(GATEPOST_HOOKS_URL="http://gatepost.example.com/hooks")).good
    assert checks.notifications(settings(GATEPOST_HOOKS_URL="https://gatepost.example.com/hooks")).good


@pytest.mark.django_db
def test_a_whole_installation_has_no_bad_line() -> None:
    connection = connections["default"]
    looks = (
        checks.server, checks.migrations, checks.application_role, checks.row_level_security, checks.append_only,
        checks.jobs,
    )  # fmt: skip
    assert [check.message for look in looks if not (check := look(connection)).good] == []


@pytest.mark.django_db
def test_the_keystore_is_opened_by_the_installation_key() -> None:
    assert checks.keystore(connections["default"]).good


@pytest.mark.django_db(databases=["owner"])
def test_keys_in_the_main_database_are_bad() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE wrapped_key (name text)")
    check = checks.keystore(connections["owner"])
    assert not check.good
    assert "main database" in check.message


@pytest.mark.django_db(databases=["default", "owner"])
def test_an_application_that_owns_its_tables_is_bad() -> None:
    check = checks.application_role(connections["owner"])
    assert not check.good
    assert "owns tables" in check.message


@pytest.mark.django_db(databases=["default", "owner"])
def test_a_table_without_row_level_security_is_named() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE gatepost_reply NO FORCE ROW LEVEL SECURITY")
        check = checks.row_level_security(connections["owner"])
    assert not check.good
    assert "gatepost_reply" in check.message


@pytest.mark.django_db(databases=["default", "owner"])
def test_a_record_that_could_be_changed_afterwards_is_named() -> None:
    # The owner of a table may do everything with it.
    assert "gatepost_auditentry" in checks.append_only(connections["owner"]).message


@pytest.mark.django_db
def test_failed_jobs_are_counted() -> None:
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, attempts) "
            "VALUES ('default', 'intake.sync', 0, '{}', 'failed', 1)"
        )
    check = checks.jobs(connection)
    assert not check.good
    assert check.message.startswith("1 failed")


def test_the_command_names_what_a_new_installation_lacks(tmp_path: Path) -> None:
    said = doctor(tmp_path / "new")
    assert said.returncode == 1
    assert "BAD  installation key" in said.stdout
    assert "BAD  tables" in said.stdout
    assert "Run: gatepost migrate" in said.stdout
    assert "BAD  app registration" in said.stdout


def test_a_database_that_does_not_answer_is_said_at_once_and_without_its_password(tmp_path: Path) -> None:
    nowhere = "postgresql://app:keep-me-secret@127.0.0.1:1/"
    said = doctor(
        tmp_path / "new", DATABASE_URL=f"{nowhere}gatepost", GATEPOST_KEYSTORE_URL=f"{nowhere}keystore"
    )
    assert "BAD  database: does not answer" in said.stdout
    assert "correct DATABASE_URL" in said.stdout
    assert "BAD  keystore:" in said.stdout
    assert "keep-me-secret" not in said.stdout + said.stderr


def test_a_wrong_setting_is_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    said = doctor(tmp_path / "new", GATEPOST_PORT="eighty")
    assert said.returncode == 1
    assert said.stderr.strip() == (
        "Error: GATEPOST_PORT='eighty' is not accepted: it must be a port from 1 to 65535."
    )


def doctor(data: Path, **given: str) -> subprocess.CompletedProcess[str]:
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("GATEPOST_", "DATABASE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "gatepost", "doctor"],
        env={**own, "PYTHONPATH": "src", "GATEPOST_DATA_DIR": str(data), **given},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
