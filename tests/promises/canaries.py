"""A mail of every class that is none of our business, with a word of its own in each of twenty places: 240 canaries.

And one true reply whose words must be found where they may be: a search that cannot see proves nothing.
"""

import base64
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from gatepost.conversations.models import Reply
from gatepost.isolation import inside
from gatepost.vault.sealing import index
from tests.journeys.standing import Standing, until
from tests.journeys.story import Story

from .surfaces import OF_THE_SANDBOX, dumps, found_in

PLACES = (
    "subject", "from name", "from address", "to name", "to address", "cc name", "cc address", "reply-to", "own header",
    "received header", "list-id", "text", "html comment", "hidden part", "link", "alternative text", "quoted part",
    "attachment name", "attachment", "first line",
)  # fmt: skip
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
ALLOWED = "true reply"


@dataclass
class Planted:
    """Which word stands where: (class, place) by word."""

    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    controls: dict[str, str] = field(default_factory=dict)  # of the true reply: place by word
    ids: list[str] = field(default_factory=list)
    reply_id: str = ""


def word() -> str:
    return f"cnry{secrets.token_hex(10)}"


def plant(story: Story) -> Planted:
    """Somebody answers our mail; around it lie mails of all classes in the same mailbox, and all was looked at."""
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    planted = Planted()
    ours = story.sent_to(petra)[-1]["internetMessageId"]
    said, subject, below = word(), word(), word()
    planted.controls = {said: "text", subject: "subject"}
    planted.words[below] = (ALLOWED, "quoted part")
    planted.reply_id = story.answer(
        petra,
        f"Thursday suits me, {said}.\n\nOn Monday Alice wrote:\n> {below}\n> more",
        subject=f"Re: {subject}",
    )
    for name, made in CLASSES.items():
        words = {place: word() for place in PLACES}
        planted.words |= {each: (name, place) for place, each in words.items()}
        mail = _mail(story, words, made, ours, planted.reply_id, story.address_of(petra))
        planted.ids.append(story.stand.tell("deliver", **mail)["internetMessageId"])

    def looked_at() -> bool:
        story.stand.advance(timedelta(minutes=10))
        return all(served(story.stand, planted).values()) and is_stored(story, planted)

    until(looked_at, "every mail was looked at, and the reply is stored", seconds=300, pause=1)
    return planted


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


def in_lines(stand: Standing) -> None:
    """Long values are stored as they are: compressed ones hide a word from a search for bytes."""
    with psycopg.connect(stand.owner, autocommit=True) as owner:
        columns = owner.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name "
            "WHERE table_schema = 'public' AND schemaname = 'public' AND tableowner = current_user "
            "AND (data_type IN ('text', 'bytea', 'jsonb', 'character varying') OR data_type = 'ARRAY')"
        ).fetchall()
        for table, column in columns:
            owner.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STORAGE EXTERNAL')  # type: ignore[arg-type]


def _under(folder: Path, keep: Callable[[Path], bool]) -> Surface:
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file() and keep(path):
                yield path.name, path.read_bytes()
        except OSError:
            continue  # the database removes files of its own at any moment


def surfaces(stand: Standing, story: Story, *, memory: bool) -> dict[str, Callable[[], Surface]]:
    """The twelve places where something could be left. Without `memory`, eleven."""
    data, postgres = stand.folder, stand.folder / "postgres"
    ours = lambda path: not path.name.startswith(OF_THE_SANDBOX)  # noqa: E731
    found: dict[str, Callable[[], Surface]] = {
        "the database's files": lambda: _under(
            postgres, lambda p: "pg_wal" not in p.parts and p.suffix != ".log"
        ),
        "its write-ahead log": lambda: _under(postgres, lambda p: "pg_wal" in p.parts),
        "its server's log": lambda: _under(postgres, lambda p: p.suffix == ".log"),
        "dumps of both databases": lambda: dumps(story),
        "logs": lambda: _under(data / "logs", ours),
        "all other files": lambda: _under(
            data, lambda p: ours(p) and "postgres" not in p.parts and "logs" not in p.parts
        ),
        "what we asked of others": lambda: _asked(stand),
        "pages": lambda: _pages(story),
        "backups": lambda: _backups(stand),
        "jobs": lambda: _jobs(stand),
        "failures": lambda: _failures(stand, story),
    }
    if memory:
        found["memory"] = lambda: _memory(stand)
    return found


def _asked(stand: Standing) -> Surface:
    """Addresses, queries and preferences of every request; letters to people."""
    for each in stand.requests():
        yield (
            "a request",
            f"{each['method']} {each['path']} {each['query']} {each.get('prefer', '')}".encode(),
        )


def _pages(story: Story) -> Surface:
    for path in (
        "/inbox/",
        "/outbox/",
        "/contacts/",
        "/privacy/?part=everything",
        "/mailboxes/",
        "/reports/",
        "/meetings/",
    ):
        yield path, _opened(story, path)
    page = story.browser.open(f"{story.stand.url}/inbox/")
    for link in sorted({each for each in _links(page) if "/inbox/" in each or "/conversations/" in each}):
        yield link, _opened(story, link)


def _links(page: Any) -> list[str]:
    return [each for each in re.findall(r'href="(/[^"]+)"', page.text) if "sign-out" not in each]


def _opened(story: Story, path: str) -> bytes:
    return story.browser.open(f"{story.stand.url}{path}").text.encode()


def _backups(stand: Standing) -> Surface:
    with tempfile.TemporaryDirectory(prefix="gatepost-canaries-") as name:
        for database in ("main", "keystore"):
            subprocess.run(
                [sys.executable, "-m", "gatepost", "backup", database, name], env=stand.environment(), check=False,
                capture_output=True,
            )  # fmt: skip
        for file in sorted(Path(name).iterdir()):
            yield file.name, file.read_bytes()


def _jobs(stand: Standing) -> Surface:
    with psycopg.connect(stand.owner, autocommit=True) as owner:
        for row in owner.execute("SELECT task_name, args::text, queueing_lock FROM procrastinate_jobs"):
            yield "a job", repr(row).encode()


def _failures(stand: Standing, story: Story) -> Surface:
    """Answers break in the middle, with every part's log at its most talkative; what is said then."""
    struck = stand.struck()
    stand.fault("/me/mailFolders", "truncate", count=6)
    story.stand.advance(timedelta(minutes=20))
    until(lambda: stand.struck() >= struck + 2, "requests failed", seconds=120)
    stand.mend()
    yield from _under(stand.folder / "logs", lambda path: "sandbox" not in path.name)


def _memory(stand: Standing) -> Surface:
    """What web, worker and hooks have in memory now, freed or not."""
    data = str(stand.folder)
    with tempfile.TemporaryDirectory(prefix="gatepost-canaries-") as name:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                told = (process / "environ").read_bytes().decode(errors="replace")
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if (
                data not in told
                or "sandbox" in line
                or "tests.journeys.launcher" in line
                or "python" not in line
            ):
                continue
            core = Path(name) / "core"
            subprocess.run(["gcore", "-o", str(core), process.name], capture_output=True, check=False)
            for file in Path(name).glob("core.*"):
                yield line[:60], file.read_bytes()
                os.unlink(file)


# Judging


def served(stand: Standing, planted: Planted) -> dict[str, set[str]]:
    """Of each mail that is none of our business: the fields that left the mailbox, by the sandbox's own record."""
    left: dict[str, set[str]] = {each: set() for each in planted.ids}
    for request in stand.requests():
        for item in request.get("items") or ():
            if item.get("internetMessageId") in left:
                left[item["internetMessageId"]].update(item["fields"])
    return left


def hits(found: Callable[[], Surface], planted: Planted) -> tuple[list[tuple[str, str]], set[str]]:
    """Which canaries are there, and which words of the true reply."""
    seen = {word_ for _, word_ in found_in(found(), [*planted.words, *planted.controls])}
    return [planted.words[each] for each in sorted(seen) if each in planted.words], {
        planted.controls[each] for each in seen if each in planted.controls
    }


def is_stored(story: Story, planted: Planted) -> bool:
    with inside(story.workspace.id):
        keys = set(Reply.objects.values_list("internet_message_index", flat=True))
    return keys == {index(story.workspace.id, "message-id", planted.reply_id)}
