"""A mail of every class that is none of our business, with a word of its own in each of twenty places: 240 canaries,
and five of a calendar event.

And one true reply whose words must be found where they may be, and on each surface a word that lies there rightly: a search
that cannot see proves nothing.
"""

import base64
import io
import os
import re
import secrets
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from gatepost.accounts.membership import by
from gatepost.config.postgres import bins
from gatepost.conversations.models import Reply
from gatepost.demo.check import ENVELOPE_FIELDS
from gatepost.demo.stand import CLIENT_ID
from gatepost.erasure import export
from gatepost.intake.models import Quarantine
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.vault.sealing import index
from tests.journeys.standing import Standing, until
from tests.journeys.story import OtherMailbox, Story

from .surfaces import LENGTH, LETTERS, OF_THE_SANDBOX, administrator, dumps, found_in, inflated

PLACES = (
    "subject", "from name", "from address", "to name", "to address", "cc name", "cc address", "reply-to", "own header",
    "received header", "list-id", "text", "html comment", "hidden part", "link", "alternative text", "quoted part",
    "attachment name", "attachment", "first line",
)  # fmt: skip
# Stage 1b is for what refers to a mail of ours: whose it is decides whether it is read.
SENDER_FIELDS = {"from", "sender", "toRecipients", "isDraft"}
IN_THE_SENDER = {"from name", "from address", "to name", "to address"}
OF_AN_EVENT = ("subject", "text", "place", "guest name", "guest address")
# Who writes, what it cites, and what else it is. `{ours}` is a mail of ours, `{theirs}` the contact's answer to it.
CLASSES: dict[str, dict[str, Any]] = {
    "unrelated": {},
    "internal": {"domain": "northwind.example"},
    "newsletter": {"headers": {"Precedence": "bulk", "List-Unsubscribe": "<https://news.example/u>"}},
    "same subject": {"subject": "Re: Quick question"},
    "same conversation": {"in_reply_to": "{theirs}"},
    "almost our id": {"in_reply_to": "<x{ours_inner}>"},
    "internal forward": {"domain": "northwind.example", "in_reply_to": "{ours}", "subject": "FW: Quick question"},
    "colleague replies to all": {"domain": "northwind.example", "in_reply_to": "{ours}", "subject": "Re: Quick question"},
    "bounce of another mail": {"local": "postmaster", "in_reply_to": "<another@elsewhere.example>"},
    "invitation": {"kind": "eventMessageRequest", "meeting": "meetingRequest"},
    "with attachments": {"subject": "Contract"},
    "the contact, about something else": {"contact": True},
}  # fmt: skip
ALLOWED, EVENT = "true reply", "calendar event"


@dataclass
class Planted:
    """Which word stands where: (class, place) by word."""

    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    controls: dict[str, str] = field(default_factory=dict)  # of the true reply: place by word
    ids: dict[str, str] = field(default_factory=dict)  # class by Message-ID
    reply_id: str = ""

    def may_leave(self, message_id: str) -> set[str]:
        """The fields of this mail that Microsoft may be asked for."""
        refers_to_ours = CLASSES[self.ids[message_id]].get("in_reply_to") == "{ours}"
        return ENVELOPE_FIELDS | (SENDER_FIELDS if refers_to_ours else set())


def word() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def plant(story: Story) -> Planted:
    """Somebody answers our mail; around it lie mails of all classes in the same mailbox, and all was looked at."""
    petra = story.prospect()
    story.enrol(petra)
    until(lambda: bool(story.sent_to(petra)), "our mail has left", seconds=120, pause=0.2)
    planted = Planted()
    ours = story.sent_to(petra)[-1]["internetMessageId"]
    said, subject, below = word(), word(), word()
    planted.controls = {said: "text", subject: "subject"}
    planted.words[below] = (ALLOWED, "quoted part")
    delivered = story.stand.tell(
        "deliver", mailbox=story.address, subject=f"Re: {subject}", in_reply_to=ours,
        text=f"Thursday suits me, {said}.\n\nOn Monday Alice wrote:\n> {below}\n> more", **{"from": story.address_of(petra)},
    )  # fmt: skip
    planted.reply_id = delivered["internetMessageId"]
    for name, made in CLASSES.items():
        words = {place: word() for place in PLACES}
        planted.words |= {each: (name, place) for place, each in words.items()}
        mail = _mail(story, words, made, ours, planted.reply_id, story.address_of(petra))
        planted.ids[story.stand.tell("deliver", **mail)["internetMessageId"]] = name
    planted.words |= _book(story)

    def looked_at() -> bool:
        story.stand.advance(timedelta(minutes=10))
        calendar = any(each["path"].endswith("calendarView") for each in story.graph_requests(booked))
        return calendar and all(served(story.stand, planted).values()) and bool(story.rows(Reply))

    booked = story.stand.last_request()
    until(
        looked_at, "every mail and the calendar was looked at, and the reply is stored", seconds=300, pause=1
    )
    return planted


def _book(story: Story) -> dict[str, tuple[str, str]]:
    """An appointment of the rep's with somebody who is no contact."""
    words = {place: word() for place in OF_AN_EVENT}
    start = story.stand.now() + timedelta(days=2)
    guest = {"address": f"{words['guest address']}@elsewhere.example", "name": words["guest name"]}
    OtherMailbox.of(story.stand, story.address).ask(
        "POST", "/me/events",
        {
            "subject": words["subject"], "body": {"contentType": "text", "content": words["text"]},
            "location": {"displayName": words["place"]},
            "start": {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "end": {"dateTime": f"{start + timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "attendees": [{"type": "required", "emailAddress": guest}],
        },
    )  # fmt: skip
    return {each: (EVENT, place) for place, each in words.items()}


def _mail(
    story: Story, words: dict[str, str], made: dict[str, Any], ours: str, theirs: str, contact: str
) -> dict[str, Any]:
    domain = made.get("domain", "elsewhere.example")
    sender = contact if made.get("contact") else f"{made.get('local', words['from address'])}@{domain}"
    html = (
        f"<p>{words['first line']}</p><!-- {words['html comment']} --><p>{words['text']}</p>"
        f"<div style='display:none'>{words['hidden part']}</div><a href='https://x.example/{words['link']}'>x</a>"
        f"<img alt='{words['alternative text']}' src='cid:1'><blockquote>{words['quoted part']}</blockquote>"
    )
    mail = {
        "mailbox": story.address,
        "from": {"name": words["from name"], "address": sender},
        "to": [{"name": words["to name"], "address": f"{words['to address']}@{domain}"}, story.address],
        "cc": [{"name": words["cc name"], "address": f"{words['cc address']}@{domain}"}],
        "subject": f"{made.get('subject', 'About')} {words['subject']}",
        "html": html,
        "headers": {
            "Reply-To": f"{words['reply-to']}@{domain}", "X-Own": words["own header"],
            "Received": f"from {words['received header']}.example", "List-Id": f"<{words['list-id']}.example>",
            **made.get("headers", {}),
        },
        "attachments": [
            {
                "name": f"{words['attachment name']}.pdf", "contentType": "application/pdf",
                "contentBytes": base64.b64encode(words["attachment"].encode()).decode(), "size": 40,
            }
        ],
    }  # fmt: skip
    if "in_reply_to" in made:
        places = {"ours": ours, "theirs": theirs, "ours_inner": ours.strip("<>")}
        mail["in_reply_to"] = made["in_reply_to"].format(**places)
    return mail | {key: made[key] for key in ("kind", "meeting") if key in made}


# Surfaces


Surface = Iterator[tuple[str, bytes]]


@dataclass(frozen=True)
class Place:
    """Where something could be left: how to read it, and a word that lies there rightly and must be found."""

    read: Callable[[], Surface]
    beacon: str


def uncompressed(stand: Standing) -> None:
    """Long values are stored as they are: compressed ones hide a word from a search for bytes."""
    with psycopg.connect(administrator(stand, "gatepost"), autocommit=True) as database:
        columns = database.execute(
            "SELECT relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
            "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attstorage = 'x'"
        ).fetchall()
        for table, column in columns:
            database.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STORAGE EXTERNAL')  # type: ignore[arg-type]
        assert database.execute("SHOW wal_compression").fetchone() == ("off",)


def talkative(stand: Standing) -> None:
    """The server writes down every statement with its values, as an administrator in search of a fault would have it."""
    settings = {"log_statement": "all", "log_min_error_statement": "error", "log_error_verbosity": "default"}
    with psycopg.connect(administrator(stand, "gatepost"), autocommit=True) as database:
        for name, value in settings.items():
            database.execute(f"ALTER SYSTEM SET {name} = '{value}'")  # type: ignore[arg-type]
        database.execute("SELECT pg_reload_conf()")


def surfaces(story: Story, *, memory: bool, watched: Path | None = None) -> dict[str, Place]:
    """The twelve. Without `memory`, eleven. `watched`: a file that names what was written and connected to besides."""
    stand, mark = story.stand, word()
    data, postgres = stand.folder, stand.folder / "postgres"
    mailbox, name = str(story.mailbox.pk), story.rep.name
    invite = story.browser.open(f"{stand.url}/settings/members/invite/")
    invite.press("Send the invitation", email=f"{mark}@northwind.example", role="rep")
    until(lambda: mark in _text_of(data / "letters"), "the invitation was posted")
    with psycopg.connect(administrator(stand, "gatepost"), autocommit=True) as database:
        database.execute(f"DO $$ BEGIN RAISE LOG '{mark}'; END $$")  # type: ignore[arg-type]
        database.execute("CHECKPOINT")  # what is only in the server's memory is not in its files
    of_us = lambda path: not path.name.startswith(OF_THE_SANDBOX)  # noqa: E731
    in_log = lambda path: path.suffix == ".log"  # noqa: E731
    in_wal = lambda path: "pg_wal" in path.parts  # noqa: E731
    found = {
        "the database's files": Place(
            lambda: _under(postgres, lambda p: not in_wal(p) and not in_log(p)), name
        ),
        "its write-ahead log": Place(lambda: _under(postgres, in_wal), name),
        "its server's log": Place(lambda: _under(postgres, in_log), mark),
        "dumps of both databases": Place(lambda: dumps(story), name),
        "backups and exports": Place(lambda: _backups(story), name),
        "jobs": Place(lambda: _jobs(story), mailbox),
        "logs": Place(lambda: _under(data / "logs", of_us), mailbox),
        "all other files": Place(
            lambda: _other_files(data, watched, lambda p: of_us(p) and not {"postgres", "logs"} & set(p.parts)), mark
        ),
        "what we asked of others": Place(lambda: _asked(stand, watched), an_item(story)),
        "pages": Place(lambda: _pages(story), name),
        "failures": Place(lambda: _failures(story), mailbox),
    }  # fmt: skip
    if memory:
        found["memory"] = Place(lambda: _memory(stand), CLIENT_ID)
    return found


def an_item(story: Story) -> str:
    """What Graph calls the true reply: we had to ask for it by that name."""
    return str(story.rows(Reply)[0].graph_id)


def _text_of(folder: Path) -> str:
    return "".join(file.read_text(errors="replace") for file in folder.glob("*") if file.is_file())


def _under(folder: Path, keep: Callable[[Path], bool]) -> Surface:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and keep(path):
            yield from _read(path)


def _read(path: Path) -> Surface:
    try:
        content = path.read_bytes()
    except OSError:  # the database removes files of its own at any moment
        return
    yield path.name, content
    yield from ((f"{path.name}, inflated", part) for part in inflated(content))


def _other_files(data: Path, watched: Path | None, keep: Callable[[Path], bool]) -> Surface:
    """Of the data folder, and wherever else a process wrote."""
    yield from _under(data, keep)
    for path in written_elsewhere(data, watched):
        yield from _read(path)


def written_elsewhere(data: Path, watched: Path | None) -> set[Path]:
    """The files outside the data folder that our processes opened to write."""
    opened = {Path(line[5:]) for line in _lines(watched) if line.startswith("file ")}
    return {path for path in opened if data not in path.parents and not path.is_relative_to("/dev")}


def connected_to(watched: Path) -> set[str]:
    """The hosts and sockets that our processes talked to."""
    return {line[5:] for line in _lines(watched) if line.startswith("host ")}


def _lines(watched: Path | None) -> list[str]:
    return watched.read_text(errors="replace").splitlines() if watched and watched.exists() else []


def _asked(stand: Standing, watched: Path | None) -> Surface:
    """Addresses, queries and preferences of every request; hosts that were looked up; letters to people."""
    for each in stand.requests():
        yield (
            "a request",
            f"{each['method']} {each['path']} {each['query']} {each.get('prefer', '')}".encode(),
        )
    yield "hosts", "\n".join(_lines(watched)).encode()
    yield "letters", _text_of(stand.folder / "letters").encode()


PAGES = ("inbox/", "outbox/", "contacts/", "mailboxes/", "reports/", "meetings/", "sequences/", "quarantine/",
         "privacy/?part=everything", "privacy/?part=program", "settings/members/", "snippets/")  # fmt: skip


def _pages(story: Story) -> Surface:
    """Lists, and every conversation, contact, mail, meeting and mailbox that they lead to."""
    opened: set[str] = set()
    for path in PAGES:
        text = story.browser.open(f"{story.stand.url}/{path}").text
        assert story.browser.status == 200, path
        yield path, text.encode()
        opened |= {link for link in re.findall(r'href="(/[^"#]+)"', text) if _ONE_THING.match(link)}
    for link in sorted(opened):
        yield link, story.browser.open(f"{story.stand.url}{link}").text.encode()


_ONE_THING = re.compile(r"^/(inbox|contacts|outbox|meetings|mailboxes|sequences)/[0-9a-f-]{36}/$")


def _backups(story: Story) -> Surface:
    """Backups as the operator's command makes them, unpacked; and all of the workspace as its owner takes it along."""
    with tempfile.TemporaryDirectory(prefix="gatepost-canaries-") as name:
        for database in ("main", "keystore"):
            command = [sys.executable, "-m", "gatepost", "backup", database, name]
            environment = {**story.stand.environment(), "PYTHONPATH": ""}
            subprocess.run(command, env=environment, check=True, capture_output=True)
        files = sorted(Path(name).iterdir())
        assert len(files) == 2
        for file in files:
            yield file.name, file.read_bytes()
            # Its tables are compressed: a search for bytes would see nothing of them.
            unpacked = subprocess.run(
                [str(bins() / "pg_restore"), "--file=-", str(file)], check=True, capture_output=True
            )
            yield f"{file.name}, unpacked", unpacked.stdout
    taken = io.BytesIO()
    export.export_workspace(taken, workspace_id=story.workspace.id, actor=by(story.rep))
    with zipfile.ZipFile(taken) as archive:
        for each in archive.namelist():
            yield f"export: {each}", archive.read(each)


def _jobs(story: Story) -> Surface:
    """Every job that there is, and one as it is put there when a notification comes: done ones are not kept."""
    ids = {"workspace": str(story.workspace.id), "mailbox": str(story.mailbox.pk)}
    with inside(story.workspace.id):
        enqueue("intake.sync", once_for=story.mailbox.pk, **ids)
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT task_name, args::text, queueing_lock, lock FROM procrastinate_jobs")
            yield "jobs", repr(cursor.fetchall()).encode()


def _failures(story: Story) -> Surface:
    """What is said when answers break off in the middle and the server dies, every part's log at its most talkative."""
    stand = story.stand
    logs = {
        path: path.stat().st_size for path in (stand.folder / "logs").glob("*.log") if not _is_sandbox(path)
    }
    struck = stand.struck()
    stand.fault("/me/mailFolders", "truncate", count=6)
    stand.advance(timedelta(minutes=20))
    until(lambda: stand.struck() >= struck + 2, "requests failed", seconds=120, pause=0.2)
    until(lambda: any(path.stat().st_size > size for path, size in logs.items()), "it was logged", pause=0.2)
    stand.mend()
    until(
        lambda: str(story.mailbox.pk).encode() in _since(logs), "the mailbox was named", seconds=120, pause=1
    )
    yield "logs since it failed", _since(logs)


def _since(logs: dict[Path, int]) -> bytes:
    return b"\n".join(path.read_bytes()[size:] for path, size in logs.items())


def _is_sandbox(path: Path) -> bool:
    return path.name.startswith(OF_THE_SANDBOX)


OURS = {"web": "granian", "hooks": "uvicorn", "worker": "impatient_worker"}


def _memory(stand: Standing) -> Surface:
    """What web, worker and hooks have in memory, freed or not, and the database's server."""
    seen = set()
    with tempfile.TemporaryDirectory(prefix="gatepost-canaries-") as name:
        for process in Path("/proc").glob("[0-9]*"):
            called = _called(process, stand)
            if not called:
                continue
            core = Path(name) / f"core.{process.name}"
            subprocess.run(["gcore", "-o", f"{name}/core", process.name], capture_output=True, check=False)
            if core.exists():
                seen.add(called)
                yield called, core.read_bytes()
                core.unlink()
    assert seen >= {*OURS, "database"}, f"only the memory of {seen} could be read"


def _called(process: Path, stand: Standing) -> str:
    """Which part of the stand this process is; nothing where it is none."""
    try:
        line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        told = (process / "environ").read_bytes().decode(errors="replace")
        where = os.readlink(process / "cwd")
    except OSError:
        return ""
    if where.startswith(str(stand.folder / "postgres")):
        return "database" if "checkpointer" in line else ""  # it has all that the server shares
    part = next((name for name, mark in OURS.items() if mark in line or f" {name}" in line), "")
    return part if str(stand.folder) in told and "python" in line else ""


# Judging


def served(stand: Standing, planted: Planted) -> dict[str, set[str]]:
    """Of each mail that is none of our business: the fields that left the mailbox, by the sandbox's own record."""
    left: dict[str, set[str]] = {each: set() for each in planted.ids}
    for request in stand.requests():
        for item in request.get("items") or ():
            if item.get("internetMessageId") in left:
                left[item["internetMessageId"]].update(item["fields"])
    return left


def left_too_much(stand: Standing, planted: Planted) -> list[tuple[str, str]]:
    """Which fields of which class left although they must not."""
    return [
        (planted.ids[each], field)
        for each, fields in served(stand, planted).items()
        for field in sorted(fields - planted.may_leave(each))
    ]


@dataclass(frozen=True)
class Found:
    """What a search of one surface came to."""

    canaries: list[tuple[str, str]]
    controls: set[str]  # places of the true reply
    beacon: bool


def search(place: Place, planted: Planted, *, memory: bool = False) -> Found:
    """Which canaries are there, which words of the true reply, and whether the search can see at all.

    In memory may be what may leave: of colleagues' answers to our mail who writes to whom, until they are dropped; and
    with whom the mailbox's owner meets.
    """
    controls = {name: each for each, name in planted.controls.items()}
    words = [*planted.words, *controls.values()]
    seen = {each for _, each in found_in(place.read(), [place.beacon], canaries=words)}
    leaked = [planted.words[each] for each in sorted(seen & set(planted.words))]
    if memory:
        leaked = [each for each in leaked if not _may_be_in_memory(each)]
    return Found(leaked, {name for name, each in controls.items() if each in seen}, place.beacon in seen)


def _may_be_in_memory(each: tuple[str, str]) -> bool:
    name, place = each
    if name == EVENT:
        return place.startswith("guest")
    return CLASSES.get(name, {}).get("in_reply_to") == "{ours}" and place in IN_THE_SENDER


def is_stored(story: Story, planted: Planted) -> bool:
    """The true reply is stored, and of the others one only as ids, since Microsoft ties it to the conversation."""
    keys = {each.internet_message_index for each in story.rows(Reply)}
    doubtful = {each.internet_message_index for each in story.rows(Quarantine)}
    key_of = {name: index(story.workspace.id, "message-id", each) for each, name in planted.ids.items()}
    return keys == {index(story.workspace.id, "message-id", planted.reply_id)} and doubtful <= {
        key_of["same conversation"]
    }
