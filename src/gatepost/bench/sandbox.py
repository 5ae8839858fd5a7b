"""`gatepost bench sandbox`: how large the stand-in Microsoft 365 is with a million messages, and how fast.

It runs as its users run it: a process of its own, asked over HTTP, by one client that waits for each answer.
"""

import base64
import hashlib
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

MAILBOXES, MESSAGES = 2000, 1_000_000
PAGES = 500
LIMITS = {"memory_mb": 4096, "page_ms_p50": 10.0}
START_SECONDS = 900
_SELECT = "id,conversationId,internetMessageId,from,receivedDateTime,parentFolderId"
"""The envelope that Gatepost reads of every message."""
_APP = "6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5", "sandbox-secret-not-a-real-one"
_REDIRECT = "http://localhost:9/callback"


def measure(*, mailboxes: int = MAILBOXES, messages: int = MESSAGES, pages: int = PAGES) -> dict[str, Any]:
    """Fill a sandbox, read envelopes of many mailboxes, and tell size and speed beside the limits."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        file = Path(folder) / "sandbox.db"
        began = time.perf_counter()
        with _served(file, mailboxes=mailboxes, messages=messages) as (process, port):
            filled = time.perf_counter() - began
            figures = _asked(process, port, mailboxes, pages)
        began = time.perf_counter()
        with _served(file):
            figures["seconds_to_start_again"] = round(time.perf_counter() - began, 2)
        figures["file_mb"] = round(file.stat().st_size / 1e6)
    figures = {"mailboxes": mailboxes, "messages": messages, "seconds_to_fill": round(filled, 1), **figures}
    kept = {name: figures[name] <= limit for name, limit in LIMITS.items()}
    return {"ok": all(kept.values()), "figures": figures, "limits": LIMITS, "kept": kept}


@contextmanager
def _served(file: Path, **options: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A sandbox on that file, until it answers; stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "m365_sandbox", "--port", str(port), "--store", str(file), "--prospects", "0",
        "--unrelated", "0", *(f"--{name}={value}" for name, value in options.items()),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "GATEPOST_CLOCK_FILE"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield process, port
    finally:
        process.terminate()
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The sandbox did not start within {START_SECONDS} s.")


def _asked(process: subprocess.Popen[bytes], port: int, mailboxes: int, pages: int) -> dict[str, Any]:
    client = _Client(port)
    tokens = [
        client.sign_in(f"user{n:04d}@crowd.example") for n in range(0, mailboxes, max(1, mailboxes // 20))
    ]
    inbox = f"/v1.0/me/mailFolders/inbox/messages?$top=100&$select={_SELECT}"
    own = f"/v1.0/me/messages?$top=100&$select={_SELECT}"
    delta = f"/v1.0/me/mailFolders/inbox/messages/delta?$select={_SELECT}"
    took: dict[str, list[float]] = {"page": [], "mailbox_page": [], "delta_page": []}
    for number in range(pages):
        token = tokens[number % len(tokens)]
        skip = 100 * (number // len(tokens) % 4)
        took["page"].append(client.timed(f"{inbox}&$skip={skip}", token))
        took["mailbox_page"].append(client.timed(f"{own}&$skip={skip}", token))
        took["delta_page"].append(client.timed(delta, token, Prefer="odata.maxpagesize=100"))
    figures: dict[str, Any] = {}
    for name, seconds in took.items():
        cuts = statistics.quantiles(seconds, n=100)
        figures[f"{name}_ms_p50"] = round(statistics.median(seconds) * 1000, 2)
        figures[f"{name}_ms_p99"] = round(cuts[98] * 1000, 2)
    # What the server itself took, without the client and the way to it.
    own_ms = [entry["ms"] for entry in client.log() if "messages" in entry["path"] and entry["status"] == 200]
    figures["page_ms_p50_in_the_server"] = round(statistics.median(own_ms), 2)
    return {**_memory(process.pid), **figures}


def _memory(pid: int) -> dict[str, int]:
    """Of Linux's own record: what it holds now, and the most it ever held."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = {name: int(re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[1]) for name in ("VmRSS", "VmHWM")}  # type: ignore[index]
    return {"memory_mb": round(kib["VmHWM"] / 1024), "memory_now_mb": round(kib["VmRSS"] / 1024)}


class _Client:
    """One connection that signs in through the pages and asks Graph."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def _call(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[Any, bytes]:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer, answer.read()

    def _form(self, path: str, **fields: str) -> tuple[Any, bytes]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._call("POST", path, urllib.parse.urlencode(fields), **kind)

    def sign_in(self, address: str) -> str:
        """An access token that reads mail."""
        verifier = "v" * 64
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = urllib.parse.urlencode({
            "client_id": _APP[0], "response_type": "code", "redirect_uri": _REDIRECT,
            "scope": "openid User.Read Mail.ReadBasic", "code_challenge": challenge,
            "code_challenge_method": "S256",
        })  # fmt: skip
        answer, page = self._form("/common/oauth2/v2.0/signin", account=address, request=query)
        if answer.status == 200:
            hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.decode()))
            fields = {name: unescape(value) for name, value in hidden.items()}
            answer, page = self._form("/common/oauth2/v2.0/consent", **{**fields, "decision": "accept"})
        code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))["code"]
        _, content = self._form(
            "/common/oauth2/v2.0/token", grant_type="authorization_code", client_id=_APP[0],
            client_secret=_APP[1], code=code, redirect_uri=_REDIRECT, code_verifier=verifier,
        )  # fmt: skip
        return json.loads(content)["access_token"]

    def timed(self, path: str, token: str, **headers: str) -> float:
        """Seconds until the whole answer is there; it has to hold a hundred envelopes."""
        began = time.perf_counter()
        answer, content = self._call("GET", path, Authorization=f"Bearer {token}", **headers)
        took = time.perf_counter() - began
        if answer.status != 200 or len(json.loads(content)["value"]) != 100:
            raise RuntimeError(f"The sandbox answered {answer.status}: {content[:300]!r}")
        return took

    def log(self) -> list[dict[str, Any]]:
        return json.loads(self._call("GET", "/_sandbox/log")[1])["requests"]
