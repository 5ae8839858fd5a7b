"""A whole installation to tell stories with: what a test can see of it, and do to it."""

import fcntl
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from django.db import connections
from django.test import override_settings

from gatepost import clock
from gatepost.config import settings as product_settings
from gatepost.demo.browser import get_json, post_json
from gatepost.demo.settling import settle
from gatepost.demo.stand import CLIENT_ID, CLIENT_SECRET
from gatepost.outbox.models import Installation
from gatepost.vault import keys

ROOT = Path(__file__).parents[2]


class DidNotComeToRest(AssertionError):
    "Something is still in flight; `in_flight` in gatepost.demo.settling says what it looks at."


@dataclass
class Standing:
    """A running installation with its sandbox."""

    folder: Path
    url: str
    sandbox_url: str
    clock_file: Path
    app: str
    owner: str
    keystore: str
    _process: subprocess.Popen[str]
    killed_at: list[int] = field(default_factory=list)  # how many requests the sandbox had seen at each kill

    def sandbox(self, path: str) -> str:
        return f"{self.sandbox_url}/_sandbox/{path}"

    def look(self, path: str) -> Any:
        """What the sandbox says of itself."""
        return get_json(self.sandbox(path))

    def tell(self, what: str, /, **values: Any) -> Any:
        """Steer the sandbox."""
        return post_json(self.sandbox(what), values)

    def switch(self, **switches: Any) -> None:
        """Behaviour of Microsoft's that its documentation leaves open."""
        self.tell("switches", **switches)

    def fault(self, path: str, action: str, **rule: Any) -> None:
        """Requests to Graph whose path matches fail."""
        self.tell("faults", path=path, action=action, **rule)

    def struck(self) -> int:
        """How many requests have failed by order."""
        return self.look("faults")["struck"]

    def mend(self) -> None:
        request = urllib.request.Request(self.sandbox("faults"), method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()

    def kill(self, name: str) -> None:
        """The part (worker, sandbox, web, hooks, database) is gone at once."""
        with suppress(OSError):  # it may be the sandbox that is gone
            self.killed_at.append(self.last_request())
        self._order(f"kill {name}")

    def start(self) -> None:
        """Whatever had ended runs again and answers."""
        self._order("start")
        connections.close_all()
        keys._keys.forget()
        until(lambda: _answers(self.sandbox("health")), "the sandbox answers")
        until(lambda: _has_database(self.app), "the database answers")
        until(lambda: _opens(f"{self.url}/sign-in/"), "the pages open")

    def settle(self, workspace_id: UUID) -> None:
        """Nothing is in flight any more."""
        if not self.settles(workspace_id):
            raise DidNotComeToRest()

    def settles(self, workspace_id: UUID, *, seconds: float = 60) -> bool:
        """Whether that comes true in good time."""
        return settle(self.sandbox("clock"), workspace_id, seconds=seconds)

    def advance(self, by: timedelta) -> None:
        """Time has passed; what became due by it may still be under way."""
        self.tell("clock", advance_seconds=by.total_seconds())

    def advance_to(self, moment: datetime) -> None:
        self.tell("clock", to=moment.isoformat())

    def to_a_tuesday_morning(self) -> None:
        """Nine o'clock in the next week's Berlin, on a day of work with more of them to come."""
        local = clock.now().astimezone(ZoneInfo("Europe/Berlin"))
        tuesday = local + timedelta(days=(1 - local.weekday()) % 7 or 7)
        self.advance_to(tuesday.replace(hour=9, minute=0, second=0, microsecond=0))

    def set_rate(self, rate: float) -> None:
        self.tell("clock", rate=rate)

    def requests(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Everything that was asked of the sandbox since number `after`."""
        while True:
            page = self.look(f"log?after={after}&limit=2000")["requests"]
            yield from page
            if not page:
                return
            after = page[-1]["n"]

    def last_request(self) -> int:
        return self.look("health")["requests"]

    def now(self) -> datetime:
        return clock.now()

    def environment(self) -> dict[str, str]:
        """What one more process of this installation needs to be told."""
        return {
            **os.environ,
            "DATABASE_URL": self.app,
            "GATEPOST_OWNER_DATABASE_URL": self.owner,
            "GATEPOST_KEYSTORE_URL": self.keystore,
            "GATEPOST_DATA_DIR": str(self.folder),
            "GATEPOST_CLOCK_FILE": str(self.clock_file),
            "GATEPOST_SANDBOX_URL": self.sandbox_url,
            "GATEPOST_CLIENT_ID": CLIENT_ID,
            "GATEPOST_CLIENT_SECRET": CLIENT_SECRET,
            "GATEPOST_PUBLIC_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "gatepost.config.settings",
        }

    def close_what_was_told(self) -> None:
        """The workspaces of earlier stories ask for nothing any more: else each story waits for all before it."""
        with psycopg.connect(self.owner, autocommit=True) as owner:
            owner.execute("UPDATE gatepost_workspace SET closed_at = now() WHERE closed_at IS NULL")
            owner.execute(
                "UPDATE gatepost_mailbox SET state = 'disconnected', sync_due_at = NULL, calendar_due_at = NULL"
            )
            owner.execute("UPDATE gatepost_enrolment SET due_at = NULL WHERE state IN ('active', 'paused')")

    def log_of(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def _order(self, line: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def a_stand(folder: Path, *, prospects: int = 12, unrelated: int = 60) -> Iterator[Standing]:
    """An installation that runs while this is entered. This process looks into its database meanwhile."""
    with _ports_of_its_own() as port:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.journeys.launcher"),
                *(str(folder), str(port), "1", str(prospects), str(unrelated)),
            ],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": python_path()}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline() or "{}")
            assert facts, f"The stand did not start; {folder / 'logs'} may say why."
            facts["clock_file"] = Path(facts["clock_file"])
            with _looking_into(
                folder, **{name: facts[name] for name in ("app", "owner", "keystore", "clock_file")}
            ):
                # A dump from before the first worker began would be a copy's, not this installation's.
                until(Installation.objects.exists, "the worker began")
                yield Standing(folder=folder, _process=process, **facts)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)


@contextmanager
def _ports_of_its_own() -> Iterator[int]:
    """The first of a hundred ports that no other stand on this machine takes, whichever of its parts is down."""
    for first in random.sample(range(20_000, 28_000, 100), 80):
        with (Path(tempfile.gettempdir()) / f"gatepost-ports-{first}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield first
            return
    raise AssertionError("Eighty stands run on this machine already.")


@contextmanager
def _looking_into(folder: Path, *, app: str, owner: str, keystore: str, clock_file: Path) -> Iterator[None]:
    """Models and actions of this process work on that installation; afterwards on what they did before."""
    before = {alias: dict(connections.databases[alias]) for alias in ("default", "owner")}
    connections.close_all()
    for alias, url in (("default", app), ("owner", owner)):
        connections.databases[alias].update(_address(url), OPTIONS={})
    keys._keys.forget()
    os.environ[clock.FILE_VARIABLE] = str(clock_file)
    of_the_installation = {
        "GATEPOST_DATABASE_URL": app,
        "GATEPOST_KEYSTORE_URL": keystore,
        "GATEPOST_KEY_FILE": folder / "installation.key",
        "GATEPOST_DATA_DIR": folder,
        "PASSWORD_HASHERS": product_settings.PASSWORD_HASHERS,  # other tests use a quick one
    }
    try:
        with override_settings(**of_the_installation):
            yield
    finally:
        connections.close_all()
        os.environ.pop(clock.FILE_VARIABLE, None)
        for alias, address in before.items():
            connections.databases[alias].update(address)
        keys._keys.forget()


def until(holds: Callable[[], bool], what: str, *, seconds: float = 60, pause: float = 0.02) -> None:
    """Look again and again until it holds. Fails, naming `what`, when it does not in good time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"It did not come true within {seconds:.0f} s that {what}."
        time.sleep(pause)


def _answers(address: str) -> bool:
    try:
        return bool(get_json(address))
    except OSError:
        return False


def _opens(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _has_database(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


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


def python_path() -> str:
    return os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(ROOT / "src"), str(ROOT))))
