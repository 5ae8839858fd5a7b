"""Every place where something of a mailbox could have been left: dumps, logs, files, job arguments, answers."""

import json
import os
import re
import subprocess
import zlib
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import psycopg
import re2
from django.apps import apps

from gatepost.config.postgres import bins
from gatepost.isolation import inside
from gatepost.vault.fields import SealedField
from gatepost.vault.sealing import NotReadable, open_sealed
from tests.journeys.standing import Standing
from tests.journeys.story import Story

from .conftest import Told

# The sandbox is Microsoft, and holds everybody's mail by nature.
OF_THE_SANDBOX = ("sandbox.sqlite", "sandbox.log")


def dumps(told: "Told | Story") -> Iterator[tuple[str, bytes]]:
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


def kept_keys(keystore: str, owner: str) -> list[str]:
    """The keys of an owner ("mailbox:<id>") that lie in the keystore."""
    with psycopg.connect(keystore) as connection:
        found = connection.execute("SELECT name FROM wrapped_key WHERE starts_with(name, %s)", [f"{owner}:"])
        return [row[0] for row in found]


def opened(workspace_id: UUID, *, without: Collection[str] = ()) -> str:
    """Every sealed text of a workspace that the keys of this installation can open, in all tables but those named."""
    texts = []
    for model in apps.get_app_config("gatepost").get_models():
        if model.__name__ in without:
            continue
        columns = [field for field in model._meta.local_fields if isinstance(field, SealedField)]
        with inside(workspace_id):
            rows = list(model.objects.filter(workspace_id=workspace_id)) if columns else []
        for row in rows:
            for column in columns:
                with suppress(NotReadable):
                    texts.append(open_sealed(row, column.name, holds=column.holds) or "")
    return "\n".join(texts)


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


# A canary is a word of these letters, which no language has in a row: any run of them is looked at, however it is written.
LETTERS, LENGTH = "jkqvwxyz", 24
# Where a word was cut, folded over two lines, or compressed, a part is still there; so much of it nobody writes by chance.
PIECE = 14
WAYS = (
    "{}",
    "{:02x}",
    "{:02X}",
    "%{:02x}",
    "%{:02X}",
    "&#{};",
    "&#x{:x};",
    "={:02X}",
    "\\x{:02x}",
    "\\u{:04x}",
)


def found_in(
    surfaces: Iterable[tuple[str, bytes]], words: Iterable[str], *, canaries: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Which word stands where, in any of the forms in which text is kept. Of a canary a piece is enough."""
    meant = {form: word for word in words for form in _forms(word)}
    meant |= {form: word for word in canaries for form in _in_base64(word)}
    options = re2.Options()
    options.max_mem = 1 << 28
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they mean
    any_of_them = re2.compile(b"|".join(re2.escape(form) for form in meant), options)
    runs = re2.compile(b"|".join(_RUNS), options)
    pieces = {word[at : at + PIECE]: word for word in canaries for at in range(len(word) - PIECE + 1)}
    found = set()
    for name, content in surfaces:
        found |= {(name, meant[form]) for form in any_of_them.findall(content)}
        for run in runs.findall(content) if pieces else ():
            text = _read_run(run)
            for way in (text, text[::-1]):
                for at in range(len(way) - PIECE + 1):
                    if way[at : at + PIECE] in pieces:
                        found.add((name, pieces[way[at : at + PIECE]]))
    return sorted(found)


def _forms(word: str) -> set[bytes]:
    text = word.encode()
    return {text, text.hex().encode(), text.hex().upper().encode(), *_wide(word), *_in_base64(word)}


def _wide(text: str) -> set[bytes]:
    return {text.encode("utf-16-le"), text.encode("utf-16-be")}


def _in_base64(word: str) -> set[bytes]:
    # In base64 a text looks different for each of the three places at which it may begin; the ends depend on what
    # stands beside it.
    return {
        b64encode(b"\0" * before + text)[4 if before else 0 :][:-4]
        for text in (word.encode(), word.encode("utf-16-le"))
        for before in range(3)
    }


def _written(letter: str) -> set[bytes]:
    """How one letter may be written: as itself, wide, in capitals, in hex, as an escape of some kind."""
    ways = {letter.encode(), letter.upper().encode(), *_wide(letter), *_wide(letter.upper())}
    return ways | {way.format(ord(letter)).encode() for way in WAYS[1:]}


_LETTER_OF = {form: letter for letter in LETTERS for form in _written(letter)}
# Runs of one way of writing. Between two letters a line may be folded, as quoted-printable does.
_RUNS = [
    b"(?:(?:" + b"|".join(re2.escape(f) for f in forms) + b")(?:=?\r?\n ?)?){%d,}" % PIECE
    for forms in (
        [letter.encode() for letter in LETTERS + LETTERS.upper()],
        [letter.encode("utf-16-le") for letter in LETTERS + LETTERS.upper()],
        *([way.format(ord(letter)).encode() for letter in LETTERS] for way in WAYS[1:]),
    )
]
_ONE = re2.compile(b"|".join(re2.escape(f) for f in sorted(_LETTER_OF, key=len, reverse=True)))


def _read_run(run: bytes) -> str:
    return "".join(_LETTER_OF[each] for each in _ONE.findall(run))


_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")


def inflated(content: bytes) -> Iterator[bytes]:
    """What lies compressed in it, by gzip or zlib."""
    whole = memoryview(content)
    for found in _STREAM.finditer(content):
        stream = zlib.decompressobj(47)  # either of the two
        with suppress(zlib.error):
            part = stream.decompress(whole[found.start() :], MOST_INFLATED)
            if len(part) > PIECE:
                yield part


MOST_INFLATED = 50_000_000


def administrator(stand: Standing, database: str) -> str:
    """The address of a database for the server's own superuser."""
    query = parse_qs(urlsplit(stand.owner).query)
    passwords = json.loads((stand.folder / "postgres/passwords.json").read_text())
    host, port = query["host"][0], query.get("port", ["5432"])[0]
    return f"host={host} port={port} user=postgres password={passwords['postgres']} dbname={database}"
