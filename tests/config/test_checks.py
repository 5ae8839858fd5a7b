"""`gatepost doctor`: what is wrong is named, with what to do. Each test breaks one thing."""

import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.db import connections

from gatepost.config import checks, environment
from gatepost.config.environment import Environment
from gatepost.config.health import installation_mark
from tests.makers import make_mailbox, make_member, make_workspace

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


@pytest.fixture
def registered(settings):
    """A registration in the settings; Microsoft is out of reach."""
    settings.GATEPOST_CLIENT_ID = REGISTERED["GATEPOST_CLIENT_ID"]
    settings.GATEPOST_CLIENT_SECRET = REGISTERED["GATEPOST_CLIENT_SECRET"]
    settings.GATEPOST_PUBLIC_URL, settings.GATEPOST_SANDBOX_URL = "https://gatepost.example.com", None
    return settings


def test_a_registration_is_named_with_the_redirect_address_that_it_needs(registered) -> None:
    found = checks.app_registration(offline=True)
    assert all(check.good for check in found)
    assert any("https://gatepost.example.com/mailboxes/connected/" in check.message for check in found)


def test_what_is_missing_from_a_registration_is_bad(registered) -> None:
    registered.GATEPOST_CLIENT_ID = ""
    assert [check.name for check in checks.app_registration(offline=False) if not check.good] == ["client id"]


def test_microsoft_is_asked_unless_the_doctor_is_offline(registered) -> None:
    registered.GATEPOST_SANDBOX_URL, registered.GATEPOST_CLIENT_SECRET = (
        "http://127.0.0.1:1",
        "sandbox-secret",
    )
    assert all(check.good for check in checks.app_registration(offline=True))
    [bad] = [check for check in checks.app_registration(offline=False) if not check.good]
    assert "cannot be reached" in bad.message


def test_sandbox_mode_is_said(registered) -> None:
    registered.GATEPOST_SANDBOX_URL, registered.GATEPOST_CLIENT_SECRET = (
        "http://127.0.0.1:1",
        "sandbox-secret",
    )
    first = checks.app_registration(offline=True)[0]
    assert first.state == "look"
    assert "nothing reaches Microsoft" in first.message


def test_without_a_hooks_address_the_timer_alone_serves() -> None:
    check = checks.notifications(settings(GATEPOST_SYNC_EVERY="120"))
    assert check.good
    assert "by the timer alone, every 120 s" in check.message


def test_microsoft_calls_no_plain_http_address() -> None:
    assert not checks.notifications(settings(GATEPOST_HOOKS_URL="http://gatepost.example.com/hooks")).good
    assert checks.notifications(settings(GATEPOST_HOOKS_URL="https://gatepost.example.com/hooks")).good


# What is asked over the network


class Answers(http.server.BaseHTTPRequestHandler):
    """A web server that says what the test wants."""

    status, body, headers_out = 200, b"", {}

    def do_GET(self) -> None:
        self.send_response(self.status)
        for name, value in {"Content-Length": str(len(self.body)), **self.headers_out}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def answering():
    """Starts a server with this answer; its address."""
    servers = []

    def start(status: int, body: object, **headers: str) -> str:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler = type("Handler", (Answers,), {"status": status, "body": content, "headers_out": headers})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ours(**change: object) -> dict[str, object]:
    return {
        "status": "ok",
        "installation": installation_mark(),
        "https": False,
        "host": "127.0.0.1:8000",
        **change,
    }


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (502, b"Bad Gateway", "answers 502, and not as Gatepost does"),
        (200, b"<h1>Welcome to nginx!</h1>", "answers 200, and not as Gatepost does"),
        (200, ours(installation="another"), "another installation answers"),
        (200, ours(host="web:8000"), "Let it pass on the header Host"),
    ],
)
def test_a_proxy_that_leads_elsewhere_is_bad(answering, status: int, body: object, says: str) -> None:
    check = checks.pages(settings(GATEPOST_PUBLIC_URL=answering(status, body)))
    assert not check.good
    assert says in check.message


def test_a_proxy_that_leads_here_is_good(answering) -> None:
    assert checks.pages(settings(GATEPOST_PUBLIC_URL=answering(200, ours()))).good


def test_pages_that_nobody_serves_say_what_to_start() -> None:
    check = checks.pages(settings(GATEPOST_PUBLIC_URL="http://127.0.0.1:1"))
    assert (check.good, "no connection. Start `gatepost serve`" in check.message) == (False, True)


def test_an_address_that_does_not_echo_the_token_would_fail_microsofts_test(answering) -> None:
    check = checks.handshake(settings(GATEPOST_HOOKS_URL=f"{answering(200, b'ok')}/hooks/graph"))
    assert not check.good
    assert "does not echo the token" in check.message and "lead /hooks/graph to port 8001" in check.message


@pytest.mark.parametrize(
    ("url", "state", "says"),
    [
        ("", "look", "nobody is told by mail"),
        ("file:///tmp/letters", "look", "reach nobody"),
    ],
)
def test_without_a_mail_server_nobody_is_told(url: str, state: str, says: str) -> None:
    check = checks.mail(settings(GATEPOST_SMTP_URL=url), offline=False)
    assert check.state == state
    assert says in check.message


def test_a_mail_server_that_does_not_answer_is_bad(settings_of_mail) -> None:
    check = settings_of_mail("smtp://127.0.0.1:1")
    assert (check.good, "does not answer" in check.message) == (False, True)


def test_a_mail_server_that_takes_us_is_good_and_gets_no_letter(settings_of_mail, mail_server) -> None:
    port, heard = mail_server
    assert settings_of_mail(f"smtp://localhost:{port}").good
    assert [line.split()[0].upper() for line in heard] == ["EHLO", "QUIT"]


def test_a_mail_server_that_refuses_the_password_is_bad_and_the_password_is_not_shown(
    settings_of_mail, mail_server
) -> None:
    check = settings_of_mail(f"smtp://gatepost:keep-me-secret@localhost:{mail_server[0]}")
    assert (check.good, "refuses name and password" in check.message) == (False, True)
    assert "keep-me-secret" not in check.message


@pytest.fixture
def mail_server():
    """A mail server that refuses every password; its port and what it heard."""
    heard: list[str] = []

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            for raw in self.rfile:
                line = raw.decode().strip()
                heard.append(line)
                if line.upper().startswith("EHLO"):
                    self.wfile.write(b"250-mail.example\r\n250 AUTH PLAIN\r\n")
                elif line.upper().startswith("AUTH"):
                    self.wfile.write(b"535 no\r\n")
                else:
                    self.wfile.write(b"221 bye\r\n")
                if line.upper() == "QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1], heard
        server.shutdown()


@pytest.fixture
def settings_of_mail(settings):
    """The check with this address, read as config/settings.py reads it."""

    def check(url: str) -> checks.Check:
        parts = urlsplit(url)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = parts.hostname, parts.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = parts.username or "", parts.password or ""
        return checks.mail(environment.read({"GATEPOST_SMTP_URL": url}), offline=False)

    return check


def test_a_full_disk_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.disk(tmp_path).good
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: SimpleNamespace(free=400_000_000))
    assert "Make room" in checks.disk(tmp_path).message


NOW = datetime(2027, 1, 11, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "state"), [({}, "look"), ({"main": 3}, "look"), ({"main": 3, "keystore": 3}, "ok"),
                         ({"main": 3, "keystore": 50}, "bad")],
)  # fmt: skip
def test_a_backup_that_is_missing_or_old_is_named(hours: dict[str, int], state: str) -> None:
    made = {name: NOW - timedelta(hours=ago) for name, ago in hours.items()}
    assert checks.backups(made, now=NOW).state == state


@pytest.mark.django_db
def test_without_a_worker_connected_mailboxes_stand_still() -> None:
    assert checks.jobs(connections["default"]).state == "look"
    make_mailbox(make_member(make_workspace()))
    check = checks.jobs(connections["default"])
    assert (check.good, "nothing is sent from the connected mailboxes (1)" in check.message) == (False, True)


@pytest.mark.django_db
def test_a_whole_installation_has_no_bad_line() -> None:
    connection = connections["default"]
    looks = (
        checks.server, checks.clock, checks.migrations, checks.application_role, checks.row_level_security, checks.append_only,
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
    assert "BAD  client id: set GATEPOST_CLIENT_ID" in said.stdout
    assert "BAD  proxy: http://localhost:8000: no connection" in said.stdout


def test_the_report_can_be_read_by_a_program(tmp_path: Path) -> None:
    said = doctor(tmp_path / "new", "--json", "--offline")
    told = {each["name"]: each["state"] for each in json.loads(said.stdout)}
    assert (told["tables"], told["settings"], told["mail"]) == ("bad", "ok", "look")
    assert "proxy" not in told


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


def doctor(data: Path, *options: str, **given: str) -> subprocess.CompletedProcess[str]:
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("GATEPOST_", "DATABASE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "gatepost", "doctor", *options],
        env={**own, "PYTHONPATH": "src", "GATEPOST_DATA_DIR": str(data), **given},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
