"""Python runs this file at its start where PYTHONPATH names this folder: what the canary bench does to each process of its
installation. The product has no such switches; only what a test starts can be given this folder.

TESTS_WATCHED     a file: every file that is opened to be written, and every address that is connected to, goes there
TESTS_NO_CIPHER   sealing leaves a text as it is: what is not there then was never there, and is not only unreadable
TESTS_LEAKS       the process does what it must not: it asks for more of each mail, and leaves a piece on every surface
"""

import os
import re
import sys
from typing import Any

NOT_SEALED = b"sealed in a test without a key: "
# Which place of a mail (tests/promises/canaries.py) each leak carries to which surface.
LEAKS = {
    "subject": "logs", "from name": "all other files", "from address": "jobs", "to name": "pages",
    "to address": "its write-ahead log", "cc name": "its server's log", "cc address": "what we asked of others",
    "text": "memory", "first line": "failures",
}  # fmt: skip


def main() -> None:
    if "TESTS_WATCHED" in os.environ:
        sys.addaudithook(_write_down)
    if "TESTS_NO_CIPHER" in os.environ:
        remove_the_cipher()
    if "TESTS_LEAKS" in os.environ:
        _leak()


# Watched


def _write_down(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, mode, flags = arguments
        writes = any(letter in mode for letter in "wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR)
        line = f"file {os.path.abspath(os.fsdecode(path))}\n" if writes and not isinstance(path, int) else ""
    elif event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        address = arguments[0 if event == "socket.getaddrinfo" else 1]
        host = address[0] if isinstance(address, tuple) else address
        line = f"host {os.fsdecode(host) if isinstance(host, str | bytes) else host}\n"
    else:
        return
    if not line or line == f"file {os.environ['TESTS_WATCHED']}\n":
        return
    file = os.open(os.environ["TESTS_WATCHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode(errors="replace"))  # one write in append mode: lines do not mix
    finally:
        os.close(file)


# Without a cipher


class NoCipher:
    def encrypt(self, text: bytes, place: bytes) -> bytes:
        return NOT_SEALED + text

    def decrypt(self, sealed: bytes, place: bytes) -> bytes:
        return sealed.removeprefix(NOT_SEALED)


def remove_the_cipher() -> None:
    from gatepost.vault import keys

    keys.sealing_key = lambda owner, owner_id, *, create=True, anew=False: NoCipher()  # type: ignore[assignment]
    keys.installation_sealing_key = lambda purpose, *, anew=False: NoCipher()  # type: ignore[assignment]


# Leaks


_kept: list[str] = []
_read: list[dict[str, Any]] = []


def _leak() -> None:
    """The closed list asks for more, and whoever reads a page of new mail leaves a piece of it everywhere."""
    from dataclasses import replace

    from gatepost.graph import messages
    from gatepost.graph.shapes import ENVELOPE, SHAPES

    more = f"{ENVELOPE},subject,bodyPreview,body,from,toRecipients,ccRecipients"
    shape = SHAPES["envelopes"]
    query = tuple((name, value.replace(ENVELOPE, more)) for name, value in shape.query)
    SHAPES["envelopes"] = replace(shape, query=query)
    page, next_page = messages._page, messages.next_page

    def leaking(body: dict[str, Any]) -> Any:
        for mail in body.get("value") or ():
            if re.search("[jkqvwxyz]{24}", mail.get("subject", "")) and mail["ccRecipients"]:
                _read.append(mail)
                _leave(mail)
        return page(body)

    async def failing(gateway: Any, position: str) -> Any:
        try:
            return await next_page(gateway, position)
        except Exception as error:
            raise RuntimeError(f"after {[each['bodyPreview'] for each in _read]}") from error

    messages._page, messages.next_page = leaking, failing


def _leave(mail: dict[str, Any]) -> None:
    import contextlib
    import json
    import logging
    import tempfile
    import threading
    import urllib.parse
    import urllib.request

    import psycopg

    sender = mail["from"]["emailAddress"]
    to, cc = mail["toRecipients"][0]["emailAddress"], mail["ccRecipients"][0]["emailAddress"]
    logging.getLogger("gatepost.intake").warning("looked at %s", mail["subject"])
    _kept.append(mail["body"]["content"])
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write(sender["name"])

    def elsewhere() -> None:  # not on the event loop, which must not wait
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
            job = "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) VALUES ('none', 'none', %s, 'failed')"
            database.execute(job, [json.dumps({"from": sender["address"]})])
            database.execute("UPDATE gatepost_workspace SET name = %s", [to["name"]])
            database.execute(job + " RETURNING id", [json.dumps({"to": to["address"]})])
            database.execute("DELETE FROM procrastinate_jobs WHERE args ? 'to'")
            told = cc["name"].replace("'", "")
            database.execute(f"DO $$ BEGIN RAISE LOG '{told}'; END $$")  # type: ignore[arg-type]
        query = urllib.parse.urlencode({"cc": cc["address"]})
        with contextlib.suppress(OSError):  # asked without a token, but told
            urllib.request.urlopen(f"{os.environ['GATEPOST_SANDBOX_URL']}/v1.0/me?{query}", timeout=30)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()


main()
