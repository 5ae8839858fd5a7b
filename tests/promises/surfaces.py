"""Every place where something of a mailbox could have been left: dumps, logs, files, job arguments, answers."""

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import re2

from gatepost.config.postgres import bins

from .conftest import Told

# The sandbox is Microsoft, and holds everybody's mail by nature.
OF_THE_SANDBOX = ("sandbox.sqlite", "sandbox.log")


def dumps(told: Told) -> Iterator[tuple[str, bytes]]:
    """Both databases as a thief would carry them away, jobs and their arguments among them."""
    for url in (told.stand.owner, told.stand.keystore):
        parts = urlsplit(url)
        command = [
            str(bins() / "pg_dump"), "--host", parse_qs(parts.query)["host"][0], "--port",
            parse_qs(parts.query).get("port", ["5432"])[0], "--username", unquote(parts.username or ""),
            "--enable-row-security", "--inserts", parts.path.strip("/"),
        ]  # fmt: skip
        environment = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}
        dump = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert dump.returncode == 0, dump.stderr.decode()
        yield f"dump of {parts.path.strip('/')}", dump.stdout


def files(told: Told) -> Iterator[tuple[str, bytes]]:
    """Everything under the data folder, the database's own files and its write-ahead log among them."""
    for path in sorted(told.stand.folder.rglob("*")):
        if path.is_file() and not path.name.startswith(OF_THE_SANDBOX):
            yield str(path.relative_to(told.stand.folder)), _content(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the database removes files of its own at any moment
        return b""


def found_in(surfaces: Iterable[tuple[str, bytes]], words: Iterable[str]) -> list[tuple[str, str]]:
    """Which word stands where, in any of the forms in which text is kept."""
    meant = {form: word for word in words for form in _forms(word)}
    options = re2.Options()
    options.max_mem = 1 << 28
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they mean
    any_of_them = re2.compile(b"|".join(re2.escape(form) for form in meant), options)
    return sorted(
        {(name, meant[form]) for name, content in surfaces for form in any_of_them.findall(content)}
    )


def _forms(word: str) -> set[bytes]:
    text = word.encode()
    wide = {word.encode("utf-16-le"), word.encode("utf-16-be")}
    # In base64 a text looks different for each of the three places at which it may begin; the ends depend on what
    # stands beside it.
    base64 = {b64encode(b"\0" * before + text)[4 if before else 0 :][:-4] for before in range(3)}
    return {text, text.hex().encode(), text.hex().upper().encode(), *wide, *base64}
