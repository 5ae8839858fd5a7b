"""Python runs this file at its start where PYTHONPATH names this folder: every address that is looked up or connected
to is written down, in every process. test_demo_check.py reads it.
"""

import os
import sys
from typing import Any

EVENTS = {"socket.connect": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.sendto": 1}


def _write_down(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in EVENTS:
        return
    address = arguments[EVENTS[event]]
    host = address[0] if isinstance(address, tuple) else address  # a socket of this machine is a path
    line = f"{os.fsdecode(host) if isinstance(host, str | bytes) else host}\n"
    # One write in append mode: lines of several processes do not mix.
    file = os.open(os.environ["TESTS_WATCHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode(errors="replace"))
    finally:
        os.close(file)


if "TESTS_WATCHED" in os.environ:
    sys.addaudithook(_write_down)
