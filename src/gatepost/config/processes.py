"""The processes of an installation: web, hooks, worker, and one that starts and watches all three."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 12.0
# A process that ends by itself is started again, but not more often than this.
RESTART_PAUSE = 1.0


def web_command(port: int, *, host: str = "127.0.0.1") -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "1", "--blocking-threads", "4", "--log-level", "warning", "gatepost.config.wsgi:application",
    ]  # fmt: skip


def hooks_command(port: int, *, host: str = "127.0.0.1") -> list[str]:
    return [
        sys.executable, "-m", "uvicorn", "--host", host, "--port", str(port), "--log-level", "warning",
        "--no-access-log", "--no-server-header", "gatepost.hooks.app:app",
    ]  # fmt: skip


def worker_command() -> list[str]:
    return [sys.executable, "-m", "gatepost", "worker"]


def metrics_command(*, host: str = "127.0.0.1") -> list[str]:
    return [sys.executable, "-m", "gatepost", "metrics", "--host", host]


@dataclass
class Child:
    name: str
    command: list[str]
    log: IO[bytes] | int | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0


@dataclass
class Children:
    """Processes that live and end together with this one, also when it is killed."""

    environment: dict[str, str] = field(default_factory=dict)
    logs: Path | None = None  # a file for each child; None: they share our error output
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, command: list[str]) -> Child:
        log: IO[bytes] | None = None
        if self.logs is not None:
            self.logs.mkdir(parents=True, exist_ok=True)
            log = (self.logs / f"{name}.log").open("ab")
        child = Child(name, command, log)
        self._launch(child)
        self.children.append(child)
        return child

    def stop_one(self, name: str, *, kill: bool = False) -> None:
        """End one child and forget it."""
        for child in [each for each in self.children if each.name == name]:
            self.children.remove(child)
            self._end([child], signal.SIGKILL if kill else signal.SIGTERM)

    def watch(self) -> list[str]:
        """Start again what ended by itself. Returns their names."""
        again = []
        for child in self.children:
            ended = child.process is None or child.process.poll() is not None
            if ended and time.monotonic() - child.started > RESTART_PAUSE:
                self._launch(child)
                again.append(child.name)
        return again

    def stop(self) -> None:
        """All children end: asked first, killed after a while."""
        children, self.children = self.children, []
        self._end(list(reversed(children)), signal.SIGTERM)

    def _launch(self, child: Child) -> None:
        if child.process is not None:
            _signal(child, signal.SIGKILL)  # what its group left behind still holds its port
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=child.log,
            stderr=child.log,
            # A Ctrl-C goes to us; we tell the children, in order.
            start_new_session=True,
            preexec_fn=end_with_parent,
        )

    def _end(self, children: list[Child], sign: signal.Signals) -> None:
        running = [each for each in children if each.process is not None and each.process.poll() is None]
        for child in running:
            _signal(child, sign)
        deadline = time.monotonic() + STOP_SECONDS
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.process.wait()
        for child in children:
            if child.log is not None and not isinstance(child.log, int):
                child.log.close()


def _signal(child: Child, sign: signal.Signals) -> None:
    """To the child's whole group: granian has workers of its own."""
    assert child.process is not None
    try:
        if sign == signal.SIGKILL:
            os.killpg(child.process.pid, sign)
        else:
            child.process.send_signal(sign)
    except ProcessLookupError:
        pass


def end_with_parent() -> None:
    """This process is told to end when its parent is gone, however that ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
