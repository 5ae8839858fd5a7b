"""Everything that a demo needs, started on loopback: database, sandbox, web, hooks, worker."""

import fcntl
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from gatepost import clock
from gatepost.config import installation, processes
from gatepost.errors import GatepostError

CLIENT_ID = "6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5"
CLIENT_SECRET = "sandbox-secret-not-a-real-one"
START_SECONDS = 60.0
FILL_SECONDS_EACH = 0.02  # for each message of a crowd, on a machine that others keep busy
PORTS_TO_TRY = 50
NOTED = "clock.noted"

Say = Callable[[str], None]


class DidNotStart(GatepostError):
    "A part of the demo did not come up; the message names its log."

    who = "operator"


@dataclass
class Stand:
    """A running demo."""

    data: Path
    url: str
    sandbox_url: str
    clock_file: Path
    children: processes.Children
    running: installation.Running | None = None

    def watch(self) -> list[str]:
        """Whatever ended by itself is started again. Returns the names. The clock's time is written down."""
        note_time(self.data)
        return [*(self.running.watch() if self.running else ()), *self.children.watch()]

    def sandbox(self, path: str) -> str:
        return f"{self.sandbox_url}/_sandbox/{path}"


@contextmanager
def standing(
    data: Path,
    *,
    seed: int,
    prospects: int,
    unrelated: int,
    first_port: int = 8000,
    start_at: float | None = None,
    rate: float = 1.0,
    say: Say = lambda line: None,
    without: frozenset[str] = frozenset(),
    crowd: tuple[int, int] = (0, 0),
) -> Iterator[Stand]:
    """The demo runs while this is entered; afterwards nothing of it does. Data in `data` is found again.

    `start_at`: what the product's clock shows at the first start (Unix seconds); later it goes on from where it was.
    `crowd`: so many more mailboxes at the sandbox, and so many messages in them, for measuring.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise DidNotStart(f"{data} is a file; the demo needs a folder. Choose another with --data.") from None
    lock = _alone(data)
    port = free_port(first_port)
    hooks_port = free_port(port + 1)
    sandbox_port = free_port(max(hooks_port + 1, 8790))
    clock_file = data / "clock.json"
    _start_clock(clock_file, start_at or time.time(), rate)
    os.environ.update(
        {
            "GATEPOST_DATA_DIR": str(data),
            "GATEPOST_CLOCK_FILE": str(clock_file),
            "GATEPOST_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
            "GATEPOST_CLIENT_ID": CLIENT_ID,
            "GATEPOST_CLIENT_SECRET": CLIENT_SECRET,
            "GATEPOST_SIGN_IN_WITH_MICROSOFT": "yes",
            "GATEPOST_PUBLIC_URL": f"http://localhost:{port}",
            "GATEPOST_HOOKS_URL": f"http://127.0.0.1:{hooks_port}/hooks/graph",
            "GATEPOST_SMTP_URL": f"file://{quote(str(data / 'letters'))}",
            "GATEPOST_PORT": str(port),
            "GATEPOST_HOOKS_PORT": str(hooks_port),
        }
    )
    # A demo brings its own database, whatever the shell says.
    for variable in ("DATABASE_URL", "GATEPOST_OWNER_DATABASE_URL", "GATEPOST_KEYSTORE_URL"):
        os.environ.pop(variable, None)
    children = processes.Children(logs=data / "logs")
    stand = Stand(data, f"http://localhost:{port}", f"http://127.0.0.1:{sandbox_port}", clock_file, children)
    say("Starting the database …")
    with installation.ready() as running:
        stand.running = running
        try:
            children.start(
                "sandbox", _sandbox_command(sandbox_port, data, seed, prospects, unrelated, clock_file, crowd)
            )
            say("Preparing the tables …")
            installation.migrate()
            say("Starting the sandbox, the pages, the hooks and a worker …")
            commands = {
                "web": processes.web_command(port),
                "hooks": processes.hooks_command(hooks_port),
                "worker": processes.worker_command(),
            }
            for name, command in commands.items():
                if name not in without:
                    children.start(name, command)
            filling = crowd[1] * FILL_SECONDS_EACH
            _wait_for(stand.sandbox("health"), data / "logs/sandbox.log", START_SECONDS + filling)
            if "web" not in without:
                _wait_for(f"{stand.url}/sign-in/", data / "logs/web.log")
            if "hooks" not in without:
                _wait_for(f"http://127.0.0.1:{hooks_port}/health", data / "logs/hooks.log")
            yield stand
        finally:
            children.stop()
            note_time(data)
            lock.close()


def free_port(first: int) -> int:
    """The first port from `first` on that nobody listens on."""
    for port in range(first, first + PORTS_TO_TRY):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DidNotStart(
        f"The ports {first} to {first + PORTS_TO_TRY - 1} are all in use. Choose another with --port."
    )


def _alone(data: Path) -> IO[str]:
    """One demo at a time in a folder. The lock ends with this process, however it ends."""
    lock = (data / "demo.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DidNotStart(
            f"A demo runs in {data} already. Stop it, or choose another folder with --data."
        ) from None
    return lock


def _start_clock(path: Path, start_at: float, rate: float) -> None:
    """The product's time goes on from what it last showed, or begins at `start_at`."""
    os.environ[clock.FILE_VARIABLE] = str(path)
    if path.exists():
        noted = path.with_name(NOTED)
        start_at = float(noted.read_text()) if noted.exists() else clock.read().product
    clock.write(path, clock.Reading(time.time(), start_at, rate))


def note_time(data: Path) -> None:
    """What the clock shows is written down beside it: a demo that is killed goes on from here."""
    draft = data / f"{NOTED}.new"
    draft.write_text(str(clock.read().at(time.time())))
    draft.replace(data / NOTED)


def _sandbox_command(
    port: int,
    data: Path,
    seed: int,
    prospects: int,
    unrelated: int,
    clock_file: Path,
    crowd: tuple[int, int],
) -> list[str]:
    return [
        sys.executable, "-m", "m365_sandbox", "--port", str(port), "--seed", str(seed),
        "--prospects", str(prospects), "--unrelated", str(unrelated),
        "--store", str(data / "sandbox.sqlite"), "--clock-file", str(clock_file),
        "--mailboxes", str(crowd[0]), "--messages", str(crowd[1]),
    ]  # fmt: skip


def _wait_for(address: str, log: Path, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    last = log.read_text(errors="replace").strip().splitlines()[-5:] if log.exists() else []
    raise DidNotStart(
        f"{address} did not answer within {seconds:.0f} s. {log} ends with:\n" + "\n".join(last)
    )
