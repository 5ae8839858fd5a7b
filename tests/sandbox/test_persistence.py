"""A sandbox with a file survives being killed at any time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from .conftest import WORLD, Mailbox, Served, until

SERVE = """
import json, sys
from m365_sandbox.app import create_app
from m365_sandbox.store import Store
import uvicorn
app = create_app(world=json.loads(sys.argv[3]), store=Store(sys.argv[1]))
server = uvicorn.Config(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
uvicorn.Server(server).run()
"""


class Killable:
    """A sandbox in a process of its own, on one file and one port."""

    def __init__(self, folder: Path, port: int) -> None:
        self._file, self._port = folder / "sandbox.db", port
        self.served = Served(f"http://127.0.0.1:{port}", None)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        import json

        source = Path(__file__).parents[2] / "src"
        command = [sys.executable, "-c", SERVE, str(self._file), str(self._port), json.dumps(WORLD)]
        self._process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(source)})
        until(self._answers, seconds=30)

    def _answers(self) -> bool:
        try:
            return self.served.get("/_sandbox/health").status == 200
        except OSError:
            return False

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_killed_sandbox_goes_on_where_its_last_answer_left_it(tmp_path: Path) -> None:
    sandbox = Killable(tmp_path, free_port())
    sandbox.start()
    try:
        alice = sandbox.served.sign_in("alice@northwind.example")
        _, link = alice.delta("/me/mailFolders/inbox/messages/delta?$select=id,subject")
        keys = sandbox.served.get("/common/discovery/v2.0/keys").json
        sandbox.served.control("switches", {"send_seconds": 3600})
        later = alice.draft("carol@contoso.example", "later")
        assert alice.send(later).status == 202
        sandbox.served.control(
            "deliver", {"mailbox": alice.address, "from": "carol@contoso.example", "subject": "here"}
        )
        draft = alice.draft("carol@contoso.example", "in the drafts")

        sandbox.kill()
        sandbox.start()

        assert sandbox.served.get("/common/discovery/v2.0/keys").json == keys
        assert alice.get(f"/me/messages/{draft['id']}").json["subject"] == "in the drafts"
        items, _ = alice.delta(link)
        assert [item["subject"] for item in items] == ["here"]
        assert sandbox.served.control("switches")["send_seconds"] == 3600
        carol = sandbox.served.sign_in("carol@contoso.example")
        assert carol.inbox() == []
        sandbox.served.control("clock", {"advance_seconds": 3700})
        until(lambda: [m["subject"] for m in _again(sandbox, "carol@contoso.example").inbox()] == ["later"])
        assert refreshed(sandbox.served, alice) == 200
        assert sandbox.served.control("truth")["counts"]["sent"] == 1
    finally:
        sandbox.kill()


def _again(sandbox: Killable, address: str) -> Mailbox:
    return sandbox.served.sign_in(address)


def refreshed(served: Served, mailbox: Mailbox) -> int:
    from .conftest import APP_ID, APP_SECRET

    form = {
        "grant_type": "refresh_token", "client_id": APP_ID, "client_secret": APP_SECRET,
        "refresh_token": mailbox.tokens["refresh_token"],
    }  # fmt: skip
    return served.post("/common/oauth2/v2.0/token", form=form).status
