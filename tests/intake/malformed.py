"""Mail as nobody should send it: the corpus of malformed mail, and mutants of it, for `test_malformed.py` and `./dev soak malformed`.

Each comes as an answer to a mail of ours, so that all of it is read: references, sender, subject, headers, text or HTML. Microsoft
parses MIME; what reaches us is what is left of a message in its JSON.
"""

import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatepost.graph.shapes import IN_REPLY_TO, REFERENCES

SHARED = Path(os.environ.get("GATEPOST_SHARED_DATA", Path(__file__).parents[3] / "shared/data"))
CORPUS = SHARED / "malformed-mail"
MOST = 256 * 1024
SPICE = (
    "\x00", "\u202e", "\u0301" * 300, "\ufffd", "\U0010ffff", "<div>" * 300, "<blockquote>" * 200, "</td></p></div>" * 50,
    "<style>.a{display:none}</style>", "<!--", "<![CDATA[", "&#x0;", "&" * 500, "> " * 200 + "\n", "\n" * 3000, " " * 5000,
    "On Monday, Jane <j@x.example> wrote:\n", "From: a@b.example\n", "-- \n", "_" * 2000, "{" * 500, "{{ contact.email }}",
    "a" * 5000, "http://a.example/" * 100, "1.2." * 500, "<" * 1000, "unsubscribe ", "3 May 99999999999999999999", "[image: x]" * 100,
    "<span style='color:#fff;font-size:0'>", "\r", "\x1b[31m", "=\r\n" * 200, "=?utf-8?q?=00=ff?=", "(" * 1000,
)  # fmt: skip


@dataclass(slots=True)
class Mail:
    """What a sender decides of a mail that answers ours."""

    name: str
    head: str
    body: str
    is_html: bool

    @property
    def headers(self) -> list[dict[str, str]]:
        pairs = (line.partition(":") for line in self.head.splitlines())
        return [{"name": name, "value": value.strip()} for name, _, value in pairs]

    def header(self, name: str) -> str:
        found = re.search(rf"(?im)^{name}:(.*)$", self.head)
        return found[1].strip() if found else ""


def corpus() -> list[Mail]:
    """Every file, as text and as HTML."""
    mails = []
    for file in sorted(each for each in CORPUS.rglob("*") if each.is_file() and each.suffix != ".md"):
        whole = file.read_bytes()[:MOST].decode("utf-8", "replace").replace("\r\n", "\n")
        head, _, body = whole.partition("\n\n")
        mails += [
            Mail(str(file.relative_to(CORPUS)), head, body or whole, is_html) for is_html in (False, True)
        ]
    return mails


def mutants(count: int, seed: int) -> Iterator[Mail]:
    """So many; the same for the same seed."""
    whole, chance = corpus(), random.Random(seed)
    for number in range(count):
        mail, other = chance.choice(whole), chance.choice(whole)
        mutated = Mail(f"{number} of {mail.name}", mail.head, mail.body, chance.random() < 0.5)
        for _ in range(chance.randint(1, 4)):
            mutated.body = _mutated(mutated.body, other.body, chance)
            if chance.random() < 0.3:
                mutated.head = _mutated(mutated.head, other.head, chance)
        yield mutated


def _mutated(text: str, other: str, chance: random.Random) -> str:
    at, to = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
    ways: tuple[Callable[[], str], ...] = (
        lambda: text[:at],
        lambda: text[:at] + text[to:],
        lambda: text[:to] + text[at:to] * chance.randint(1, 20) + text[to:],
        lambda: text[:at] + other[: chance.randint(0, 4000)] + text[at:],
        lambda: text[:at] + chance.choice(SPICE) * chance.choice((1, 1, 5, 50)) + text[at:],
        lambda: text[:at] + "".join(chr(chance.choice((chance.randint(0, 255), chance.randint(0, 0xD7FF)))) for _ in range(20)) + text[to:],
        lambda: text[::-1],
        lambda: text.replace("\n", chance.choice(("\r", "\x0b", "\u2028", "", "\n\n")), 500),
    )  # fmt: skip
    return chance.choice(ways)()[:MOST]


@dataclass(eq=False)
class Hostile(logging.Handler):
    """A mailbox into which such mail comes, one after another, and what the real intake made of it."""

    story: Any
    stored: int = 0
    slowest: tuple[float, str] = (0.0, "")
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.mail: Mail | None = None
        self.number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """What our own code trips over is kept for a person, and here it is a fault."""
        self.wrong.append(f"{self.mail.name if self.mail else ''}: {record.getMessage()}")

    def receive(self, mail: Mail) -> float:
        """Seconds of processor time that it took, until it was stored."""
        self.mail, self.number = mail, self.number + 1
        logging.getLogger("gatepost").addHandler(self)
        self.story.inbox = self
        began = time.process_time()
        try:
            self.story.sync()
        except Exception as error:
            self.wrong.append(f"{mail.name}: {type(error).__name__}: {error}"[:300])
        finally:
            logging.getLogger("gatepost").removeHandler(self)
        took = time.process_time() - began
        self.slowest = max(self.slowest, (took, mail.name))
        return took

    # What the intake asks of Microsoft.

    async def ask(self, name: str, *, item: str = "", **values: str) -> dict[str, Any]:
        mail = self.mail
        assert mail is not None
        match name:
            case "envelopes":
                return self._page()
            case "envelopes.count":
                return {"@odata.count": 1, "value": []}
            case "sender":
                address = mail.header("From")[:320] or "somebody@elsewhere.example"
                return {"from": {"emailAddress": {"name": address, "address": address}}, "isDraft": False}
            case "reply":
                self.stored += 1
                return {
                    "uniqueBody": {"contentType": "html" if mail.is_html else "text", "content": mail.body},
                    "subject": mail.header("Subject"), "receivedDateTime": "2027-01-11T08:30:00Z",
                    "internetMessageHeaders": mail.headers,
                }  # fmt: skip
        raise AssertionError(f"the intake asked for {name}")

    async def follow(self, name: str, link: str) -> dict[str, Any]:
        return self._page()

    def _page(self) -> dict[str, Any]:
        assert self.mail is not None
        cited = f"{self.mail.header('References')[:4000]} {self.story.sent_id} {self.mail.header('In-Reply-To')[:4000]}"
        envelope = {
            "id": f"hostile-{self.number}", "conversationId": "c", "receivedDateTime": "2027-01-11T08:30:00Z",
            "internetMessageId": f"<{self.number}{self.mail.header('Message-ID')}"[:900],
            "singleValueExtendedProperties": [
                {"id": IN_REPLY_TO, "value": cited}, {"id": REFERENCES, "value": cited}
            ],
        }  # fmt: skip
        return {"value": [envelope], "@odata.deltaLink": f"at-{self.number}"}
