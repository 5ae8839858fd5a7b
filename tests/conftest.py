"""One throw-away PostgreSQL for each test process. Tests run with the application's role, so that row-level
security binds them as it binds the product.

`db` (pytest-django) rolls back after each test. `committed_db` is for code that works in several threads or
processes: it commits, and everything is emptied afterwards.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from xdist.scheduler import LoadScopeScheduling

from gatepost.config import schema
from gatepost.config.postgres import EmbeddedPostgres
from gatepost.vault import keys
from m365_sandbox import contract

ROOT = Path(__file__).parents[1]
# Each has one installation that all its tests share; starting it takes longer than most of them.
WHOLE_FOLDERS = ("tests/journeys", "tests/faults", "tests/promises")
# Whatever takes long begins first, the longest before the others, so that no process is left alone with it at the end. What
# compares every request with the ledger comes before what erases mailboxes and kills workers of the same installation.
FIRST = (
    "tests/promises/test_privacy_can_be_verified.py", "tests/promises", "tests/journeys", "tests/faults", "tests/proofs",
)  # fmt: skip
CONTRACT_FILE = pytest.StashKey[Path]()


class ByFile(LoadScopeScheduling):
    """The tests of a file, or of such a folder, run in one process, one after another.

    The marks of `--dist loadgroup` do nothing with pytest 9.2 and xdist 3.8: xdist writes the group into an item's
    name, and pytest takes the name from elsewhere now.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder in WHOLE_FOLDERS else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        places = (n for n, place in enumerate(FIRST) if item.nodeid.startswith(place))
        return next(places, len(FIRST))

    items.sort(key=rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


# The contract of Graph. Whatever sandbox is started during the run, in whatever process, writes to one file what was
# said outside of it; a run in which that happened has failed.


def pytest_configure(config: pytest.Config) -> None:
    if contract.VARIABLE not in os.environ:  # the processes of xdist inherit it
        handle, os.environ[contract.VARIABLE] = tempfile.mkstemp(prefix="graph-contract-")
        os.close(handle)
        config.stash[CONTRACT_FILE] = Path(os.environ[contract.VARIABLE])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _outside_the_contract(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    found = _outside_the_contract(config)
    if found:
        terminalreporter.section("said outside the contract of Graph", red=True)
        for violation, times in found.most_common():
            terminalreporter.line(f"{times} × {violation}")
    if checked := sum(line.get("checked", 0) for line in _contract_lines(config)):
        terminalreporter.line(f"{checked:,} exchanges with Graph checked, {sum(found.values()):,} violations")


def pytest_unconfigure(config: pytest.Config) -> None:
    if file := config.stash.get(CONTRACT_FILE, None):
        file.unlink(missing_ok=True)
        os.environ.pop(contract.VARIABLE, None)


def _outside_the_contract(config: pytest.Config) -> Counter[str]:
    return Counter(line["violation"] for line in _contract_lines(config) if "violation" in line)


def _contract_lines(config: pytest.Config) -> list[dict[str, Any]]:
    """What the sandboxes of this run wrote; nothing in the processes of xdist, which leave it to the first one."""
    file = config.stash.get(CONTRACT_FILE, None)
    return [orjson.loads(line) for line in file.read_bytes().splitlines()] if file else []


@pytest.fixture(scope="session")
def database() -> Iterator[Any]:
    """A running server; the addresses of its roles."""
    with tempfile.TemporaryDirectory(prefix="gatepost-tests-") as folder:
        with EmbeddedPostgres(Path(folder) / "pg", throw_away=True) as addresses:
            yield addresses


@pytest.fixture(scope="session")
def django_db_setup(database: Any, django_db_blocker: Any, tmp_path_factory: Any) -> None:
    """The tables as a new installation has them, made by the owner; the tests connect as the application."""
    for alias, url in (("default", database.app), ("owner", database.owner)):
        connections.databases[alias].update(_address(url), OPTIONS={})
    settings.GATEPOST_DATABASE_URL, settings.GATEPOST_KEYSTORE_URL = database.app, database.keystore
    settings.GATEPOST_KEY_FILE = tmp_path_factory.mktemp("keys") / "installation.key"
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # a real one is slow on purpose
    keys.create_installation_key(settings.GATEPOST_KEY_FILE)
    keys.prepare_keystore(database.keystore)
    schema.lay_out(database.owner)
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0)
        connections.close_all()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any, database: Any) -> Iterator[None]:
    """A database whose changes are committed, and emptied when the test is over."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    _empty(database.admin.replace("/postgres?", "/gatepost?"))


def _empty(address: str) -> None:
    """No table has a row; those that have none are not touched, which is most of them after most tests.

    TRUNCATE of every table takes a third of a second, for it makes new files for each. An administrator may leave out
    triggers and foreign keys, so that the order does not matter.
    """
    with psycopg.connect(address) as admin:
        tables = admin.execute(
            "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations'"
        ).fetchall()
        look = ", ".join(f"EXISTS (SELECT 1 FROM {table})" for (table,) in tables)
        filled = admin.execute(f"SELECT {look}").fetchone()
        admin.execute("SET session_replication_role = replica")
        for (table,), has_rows in zip(tables, filled, strict=True):
            if has_rows:
                admin.execute(f"DELETE FROM {table}")


@pytest.fixture(autouse=True)
def real_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits a clock from the shell; a test that needs one uses `makers.clock_at`."""
    monkeypatch.delenv("GATEPOST_CLOCK_FILE", raising=False)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Test data that does not belong to the project; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("GATEPOST_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the shared test data is not here (GATEPOST_SHARED_DATA)")
    return folder


def _address(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return {
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query["host"][0],
        "PORT": query.get("port", ["5432"])[0],
    }
