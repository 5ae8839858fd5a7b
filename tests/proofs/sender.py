"""A worker that carries one message on, each time in a process of its own that may be killed at a given network call.

    python -m tests.proofs.sender

runs in the environment of a worker. For each line "WORKSPACE MESSAGE" it answers with one JSON line: how the process
ended. "WORKSPACE MESSAGE watched" says which calls it made, too, and "WORKSPACE MESSAGE SYSCALL N" kills it (SIGKILL) as it
enters its Nth call of that name; strace does both from outside, so nothing in the program knows. The database's work is done
in the one thread there is, so that the calls come in the same order each time.
"""

import asyncio
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

WATCHED = "watched"
CALLS = "socket,connect,sendto,sendmsg,recvfrom,recvmsg,poll,epoll_wait"


def main() -> None:
    carry_on = _prepared()
    gc.freeze()  # what is there stays, and is not copied into every child
    for line in sys.stdin:
        workspace, message, *kill = line.split()
        print(json.dumps(_run(carry_on, UUID(workspace), UUID(message), *kill)), flush=True)


def _prepared() -> Any:
    """Everything imported, nothing connected: what a process that is born of this one finds ready."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    from gatepost.config.installation import set_up_django
    from gatepost.jobs import threads

    async def in_thread(function: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    threads.in_thread = in_thread  # type: ignore[assignment]
    set_up_django()
    from django.db import connections
    from procrastinate.contrib.django import app

    app.perform_import_paths()  # else the first job that a child puts into the queue would import them all

    connections.databases["default"]["OPTIONS"] = {}  # without a pool, which has threads
    from gatepost.jobs.rounds import in_rounds
    from gatepost.mailboxes.connection import gateway_for
    from gatepost.mailboxes.queries import load
    from gatepost.sequences import jobs, queries

    async def carry_on(workspace: UUID, message_id: UUID) -> None:
        message = queries.load_message(workspace, message_id)
        box = load(workspace, message.mailbox_id)
        assert box is not None
        async with gateway_for(box, reason="sending") as gateway:
            await in_rounds(workspace, jobs._carry_on(message, gateway))

    return carry_on


def _run(carry_on: Any, workspace: UUID, message: UUID, call: str = "", number: str = "") -> dict[str, Any]:
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        os.read(ready, 1)
        os._exit(_as_child(carry_on, workspace, message))
    os.close(ready)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        # Followed, a process needs several times its time: one that nobody asks about is let run.
        tracer = _trace(pid, log, call, number) if call else None
        os.write(go, b"g")
        os.close(go)
        _, status = os.waitpid(pid, 0)
        if tracer is not None:
            tracer.wait(30)
        calls = re.findall(r"^(?:\d+ +)?(\w+)\(", log.read_text(), re.MULTILINE) if call == WATCHED else []
    ended = "killed" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
    counted: Counter[str] = Counter()
    points = []
    for name in calls:
        counted[name] += 1
        points.append([name, counted[name]])
    return {"ended": ended, "calls": points}


def _trace(pid: int, log: Path, call: str, number: str) -> subprocess.Popen[bytes]:
    wanted = [CALLS] if call == WATCHED else [call, "-e", f"inject={call}:signal=SIGKILL:when={number}"]
    command = ["strace", "-f", "-qq", "-o", str(log), "-p", str(pid), "-e", f"trace={wanted[0]}", *wanted[1:]]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if re.search(r"^TracerPid:\s+[1-9]", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE):
            return tracer
        if tracer.poll() is not None:
            break
        time.sleep(0.002)
    assert tracer.stderr is not None
    raise RuntimeError(f"strace cannot follow the process: {tracer.stderr.read().decode()}")


def _as_child(carry_on: Any, workspace: UUID, message: UUID) -> int:
    from gatepost.errors import GatepostError

    try:
        asyncio.run(carry_on(workspace, message))
    except GatepostError:
        return 3  # Microsoft must be waited for; what was committed stands
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    main()
