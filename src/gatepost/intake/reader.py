"""Replies are read in a process of their own, which is ended where one takes too long or too much (gatepost.text.apart)."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from gatepost.text import apart
from gatepost.text.tone import ReplyInput, Tone

log = logging.getLogger(__name__)

STARTS_WITHIN = 120.0  # seconds: the model is loaded, on a machine that may be busy
ANSWERS_WITHIN = (
    20.0  # a second of processor time takes longer where others have it; this is for a process that hangs
)
RENEWED_AFTER = 5_000  # replies
ENDED = ("time", "memory", "died")
CHILD = (sys.executable, "-m", "gatepost.text.apart")
# All that it needs of our surroundings. Keys and passwords are not among it.
KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL")
# One thread and one heap: what a reply took is free for the next.
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


class NotRead(Exception):
    """A reply that was not read. `reason`: `time`, `memory`, `died`, or the name of an error of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def is_ours(self) -> bool:
        """Whether our code tripped, and nothing was ended."""
        return self.reason not in ENDED


class Reader:
    """One process that reads replies, started with the first or by `be_ready`, made anew when it ends. Threads take turns."""

    def __init__(self, child: Sequence[str] = CHILD, *, answers_within: float = ANSWERS_WITHIN) -> None:
        self._child, self._within = child, answers_within
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._read = 0
        self.ended: Counter[str] = Counter()  # why processes were ended

    def read(self, reply: ReplyInput) -> Tone:
        """What the reply says. NotRead where the process was ended over it, or our code tripped; the next one is read."""
        with self._turn:
            used = self._read > 0
            try:
                return self._asked(reply)
            except NotRead as failed:
                if failed.reason not in ("memory", "died") or not used:
                    raise
            # What the replies before had left behind may have been too much: this one is asked about alone.
            return self._asked(reply)

    def be_ready(self) -> None:
        """The process has loaded what it needs. A reply that comes meanwhile waits for that, and for no second process."""
        with self._turn, suppress(NotRead):  # the first reply tries again, and says so
            self._started()

    @property
    def process_id(self) -> int | None:
        """That of the process which reads just now."""
        process = self._process
        return process.pid if process else None

    def close(self) -> None:
        with self._turn:
            self._end()

    def _asked(self, reply: ReplyInput) -> Tone:
        link = self._started()
        try:
            apart.send(link, apart.packed_reply(reply))
            answer = apart.receive(link)
        except TimeoutError:
            answer = None
            self._kill()
        except (OSError, ValueError, RecursionError):
            answer = None
        self._read += 1
        if answer is None:
            raise self._dead()
        if "error" in answer:
            if answer["error"] == apart.NO_MEMORY:
                self._end()
                self.ended["memory"] += 1
                raise NotRead("memory")
            raise NotRead(str(answer["error"])[:60])
        if self._read >= RENEWED_AFTER:
            self._end()
        try:
            return apart.unpacked(answer["tone"])
        except (KeyError, TypeError, ValueError, AttributeError):
            self._end()
            raise NotRead("died") from None

    def _started(self) -> socket.socket:
        if self._link is not None:
            return self._link
        ours, theirs = socket.socketpair()
        with theirs:
            surroundings = {name: os.environ[name] for name in KEPT if name in os.environ} | ALONE
            self._process = subprocess.Popen(
                self._child, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=surroundings,
                cwd="/",
            )  # fmt: skip
        self._link, self._read = ours, 0
        ours.settimeout(STARTS_WITHIN)
        try:
            ready = apart.receive(ours)
        except (OSError, ValueError):
            ready = None
        if ready is None:
            self._end()
            raise NotRead("died")
        ours.settimeout(self._within)
        return ours

    def _dead(self) -> NotRead:
        """Why the process is gone. It is, after this."""
        code = self._end()
        reason = "time" if code in (-signal.SIGPROF, -signal.SIGKILL) else "died"
        self.ended[reason] += 1
        return NotRead(reason)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _end(self) -> int | None:
        """Closes the process, which then ends by itself or is ended; its exit code."""
        process, link = self._process, self._link
        self._process = self._link = None
        if link is not None:
            link.close()
        if process is None:
            return None
        try:
            return process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


reader = Reader()
