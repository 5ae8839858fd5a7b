"""The server that comes along: it starts on anything, and never outlives or loses what it should not."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gatepost.config import postgres
from gatepost.config.postgres import EmbeddedPostgres, PostgresDidNotStart

STARTS_A_SERVER = """
import sys
from pathlib import Path
from gatepost.config.postgres import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), throw_away=True).start().owner, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for the tests that only look at it."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("running"), throw_away=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "server", throw_away=True)
    server.start()
    yield server
    server.stop()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchone()[0]


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def wait_until_no_process_is_left(folder: Path) -> None:
    with open(folder / "server.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def start_in_another_process(folder: Path) -> tuple[subprocess.Popen[str], str]:
    source = Path(postgres.__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", STARTS_A_SERVER, str(folder)],
        env=os.environ | {"PYTHONPATH": str(source)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_new_folder_becomes_a_server_with_three_roles(running: EmbeddedPostgres) -> None:
    addresses = running.addresses()
    assert (
        ask(addresses.owner, "SELECT current_user || ' ' || current_database()") == "gatepost_owner gatepost"
    )
    assert ask(addresses.app, "SELECT current_user || ' ' || current_database()") == "gatepost_app gatepost"
    assert ask(addresses.keystore, "SELECT current_user || ' ' || current_database()") == (
        "gatepost_keystore keystore"
    )


def test_the_application_is_bound_by_row_level_security_and_owns_nothing(running: EmbeddedPostgres) -> None:
    app = running.addresses().app
    assert not ask(
        app, "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(app, "CREATE TABLE mine (id int)")


def test_the_application_cannot_enter_the_keystore(running: EmbeddedPostgres) -> None:
    address = running.addresses().app.replace("/gatepost?", "/keystore?")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(address)


def test_nobody_enters_without_the_password(running: EmbeddedPostgres) -> None:
    password = psycopg.conninfo.conninfo_to_dict(running.addresses().admin)["password"]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(running.addresses().admin.replace(str(password), "guess"))


def test_the_socket_is_the_only_way_in_and_only_for_its_owner(running: EmbeddedPostgres) -> None:
    assert ask(running.addresses().admin, "SHOW listen_addresses") == ""
    assert running.folder.stat().st_mode & 0o777 == 0o700
    assert (running.folder / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_letters_sort_by_code_point_in_utf8(running: EmbeddedPostgres) -> None:
    assert (
        ask(running.addresses().app, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{é,a,Z,b}'::text[]) x")
        == "Zabé"
    )
    assert ask(running.addresses().app, "SELECT upper('é')") == "É"


def test_a_failed_statement_leaves_no_value_in_the_log(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.addresses().owner) as connection:
        connection.execute("CREATE TABLE contact (email text PRIMARY KEY)")
        connection.execute("INSERT INTO contact VALUES ('canary@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO contact VALUES ('canary@example.org')")
    log = running.log.read_text()
    assert "duplicate key" in log
    assert "canary" not in log


def test_what_was_stored_is_there_after_stop_and_start(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.addresses().owner) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    wait_until_no_process_is_left(server.folder)
    assert ask(server.start().owner, "SELECT n FROM kept") == 7


def test_a_killed_server_starts_again(server: EmbeddedPostgres) -> None:
    os.kill(postmaster(server), signal.SIGKILL)
    again = EmbeddedPostgres(server.folder, throw_away=True)
    with again as addresses:
        assert ask(addresses.app, "SELECT 1") == 1


def test_a_process_number_that_was_given_away_is_not_mistaken_for_the_server(
    server: EmbeddedPostgres,
) -> None:
    pid_file = server.data / "postmaster.pid"
    before = pid_file.read_text()
    server.stop()
    pid_file.write_text(before.replace(before.split()[0], str(os.getpid()), 1))
    assert ask(server.start().app, "SELECT 1") == 1


def test_the_server_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent, address = start_in_another_process(tmp_path / "server")
    assert ask(address, "SELECT 1") == 1
    parent.kill()
    parent.communicate()
    wait_until_no_process_is_left(tmp_path / "server")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)


def test_a_server_that_another_process_started_is_used_and_left_running(tmp_path: Path) -> None:
    parent, address = start_in_another_process(tmp_path / "server")
    second = EmbeddedPostgres(tmp_path / "server")
    assert second.start().owner == address
    second.stop()
    assert ask(address, "SELECT 1") == 1
    parent.kill()
    parent.communicate()
    wait_until_no_process_is_left(tmp_path / "server")


def test_two_folders_hold_two_servers_at_the_same_time(running: EmbeddedPostgres, tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "second", throw_away=True) as second:
        assert ask(second.admin, "SHOW data_directory") == str(tmp_path / "second/data")
        assert ask(running.addresses().admin, "SHOW data_directory") == str(running.data)


def test_a_folder_whose_name_is_too_long_for_a_socket_works(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 20) / ("longer" * 10)
    with EmbeddedPostgres(deep, throw_away=True) as addresses:
        assert ask(addresses.app, "SELECT 1") == 1
        socket = Path(str(psycopg.conninfo.conninfo_to_dict(addresses.app)["host"]))
        assert socket.stat().st_mode & 0o777 == 0o700
    socket.rmdir()


def test_the_keyboard_users_own_postgres_variables_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "6000",
        "PGDATA": "/nowhere",
        "PGHOST": "example.org",
        "LANG": "xx_XX",
    }.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(tmp_path / "server", throw_away=True) as addresses:
        assert ask(addresses.app, "SELECT 1") == 1


def test_data_of_another_version_is_refused_with_the_way_out(server: EmbeddedPostgres) -> None:
    server.stop()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresDidNotStart, match="made by PostgreSQL 9.*Set PG_BIN"):
        server.start()


def test_a_lost_password_file_is_named(server: EmbeddedPostgres) -> None:
    server.stop()
    (server.folder / "passwords.json").unlink()
    with pytest.raises(PostgresDidNotStart, match="passwords.json is missing.*Restore"):
        server.start()


def test_a_server_that_cannot_start_shows_its_last_words(server: EmbeddedPostgres) -> None:
    server.stop()
    (server.data / "postgresql.auto.conf").write_text("shared_buffers = 'much'\n")
    with pytest.raises(PostgresDidNotStart, match="(?s)did not start.*shared_buffers"):
        server.start()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "server").mkdir()
    (tmp_path / "server/run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PostgresDidNotStart, match="belongs to another user, or is a link"):
        EmbeddedPostgres(tmp_path / "server", throw_away=True).start()


def test_pg_bin_without_programs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(PostgresDidNotStart, match="PG_BIN=.*holds no programs"):
        postgres.bins()


def test_debians_own_server_can_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not installed:
        pytest.skip("no PostgreSQL of Debian's is installed here")
    monkeypatch.setenv("PG_BIN", str(installed[-1].parent))
    with EmbeddedPostgres(tmp_path / "server", throw_away=True) as addresses:
        assert int(str(ask(addresses.app, "SHOW server_version_num"))) // 10000 == int(
            installed[-1].parts[-3]
        )
