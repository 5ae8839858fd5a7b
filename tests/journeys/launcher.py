"""The stand as a process of its own, as an installation is: it starts everything and does what it is told.

    python -m tests.journeys.launcher FOLDER PORT SEED PROSPECTS UNRELATED

prints one JSON line when all is up, and one for each line that it reads: "kill NAME" ends a part at once (worker,
sandbox, web, hooks, database), "start" starts again whatever has ended. It stops everything when its input ends.
"""

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from gatepost.demo.stand import Stand, standing

START = datetime(2027, 1, 11, 7, 30, tzinfo=UTC)  # a Monday
RATE = 60.0


def main() -> None:
    folder, port, seed, prospects, unrelated = sys.argv[1:]
    with standing(
        Path(folder), seed=int(seed), prospects=int(prospects), unrelated=int(unrelated), first_port=int(port),
        start_at=START.timestamp(), rate=RATE, without=frozenset({"worker"}),
    ) as stand:  # fmt: skip
        stand.children.start("worker", [sys.executable, "-m", "tests.journeys.impatient_worker"])
        _say(
            {
                "url": stand.url,
                "sandbox_url": stand.sandbox_url,
                "clock_file": str(stand.clock_file),
                "app": os.environ["DATABASE_URL"],
                "owner": os.environ["GATEPOST_OWNER_DATABASE_URL"],
                "keystore": os.environ["GATEPOST_KEYSTORE_URL"],
            }
        )
        for line in sys.stdin:
            order, _, name = line.strip().partition(" ")
            _say({"kill": _kill, "start": _start}[order](stand, name))


def _kill(stand: Stand, name: str) -> list[int]:
    """SIGKILL, to the whole of it. The ids of what was killed."""
    if name == "database":
        pid = int((stand.data / "postgres/data/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # gone, and left for its parent to notice
        return [pid]
    child = next(each for each in stand.children.children if each.name == name)
    assert child.process is not None
    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()
    return [child.process.pid]


def _start(stand: Stand, name: str) -> list[str]:
    """Everything runs again. The names of what was started."""
    again: list[str] = []
    while True:
        again += stand.watch()
        if all(each.process is not None and each.process.poll() is None for each in stand.children.children):
            return again
        time.sleep(0.05)


def _say(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
