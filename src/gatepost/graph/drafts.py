"""Our own drafts: creating, finding, sending, removing (Mail.ReadWrite, Mail.Send). Only `outbox` imports this.

The send key is stamped on the draft and found again in the whole mailbox, so that the mailbox itself remembers what
was sent, whatever happens to our database. Beside it stand the message's number and its guard.
"""

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from gatepost.graph.errors import Refused
from gatepost.graph.gateway import Gateway
from gatepost.graph.shapes import MESSAGE_FLAGS, SEND_GUARD, SEND_KEY, SEND_NUMBER
from gatepost.graph.wire import written

CRLF = "\r\n"
MAX_NAME = 128
MOST_OF_A_LINE = 60  # characters; with the header's name it stays below the 78 that RFC 5322 asks for
MOST_OF_A_WORD = 36  # bytes; a line of RFC 2047 has 76, with the header's name and what encodes
SUBMITTED = 4  # mfSubmitted


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail of ours as the mailbox shows it. What was not asked for is empty."""

    graph_id: str
    is_draft: bool
    internet_message_id: str
    conversation_id: str
    change_key: str
    created: str = ""
    sent: str = ""
    submitted: bool | None = None  # Exchange has taken it over; None where that cannot be read
    key: str = ""
    number: int = 0
    guard: str = ""
    content: str = ""  # a hash of subject, text and recipients


@dataclass(frozen=True, slots=True)
class Letter:
    """What a draft says. `headers`, text and thread are for MIME only."""

    to_address: str
    to_name: str
    subject: str
    html: str
    key: str
    number: int
    guard: str
    from_address: str = ""
    from_name: str = ""
    is_alias: bool = False  # then the draft must say from whom it comes
    text: str = ""
    message_id: str = ""
    answers: tuple[str, ...] = ()  # Message-IDs of the thread, oldest first
    headers: tuple[tuple[str, str], ...] = ()


async def find(gateway: Gateway, key: str) -> list[Draft]:
    """Every item of the mailbox with this send key: drafts and sent ones."""
    body = await gateway.ask("draft.find", key=key, item=key)
    return [_draft(each) for each in body.get("value") or ()]


async def find_by_message_id(gateway: Gateway, internet_message_id: str) -> list[Draft]:
    body = await gateway.ask(
        "draft.find-by-message-id", message_id=internet_message_id, item=internet_message_id
    )
    return [_draft(each) for each in body.get("value") or ()]


async def look(gateway: Gateway, graph_id: str) -> Draft:
    """The item as it is now. Raises NotThere."""
    try:
        return _draft(await gateway.ask("draft.look", id=graph_id))
    except Refused:
        # Whether the flags can be asked for is not documented; without them the wait alone decides.
        return _draft(await gateway.ask("draft.look.plain", id=graph_id))


async def read(gateway: Gateway, graph_id: str) -> Draft:
    """The same with its marks and a hash of what it says. Raises NotThere."""
    return _draft(await gateway.ask("draft.read", id=graph_id))


async def ours_since(gateway: Gateway, since: datetime) -> AsyncIterator[Draft]:
    """Every mail of ours in the mailbox that was written since then, drafts and sent ones, with its marks."""
    page = await gateway.ask("draft.ours", since=written(since))
    while True:
        for each in page.get("value") or ():
            yield _draft(each)
        link = page.get("@odata.nextLink")
        if not link:
            return
        page = await gateway.follow("draft.ours", link)


async def create(gateway: Gateway, letter: Letter) -> Draft:
    """A new draft that opens a thread. Raises Unclear when it may or may not exist."""
    return _draft(await gateway.ask("draft.create", body=_content(letter), item=letter.key))


async def create_follow_up(gateway: Gateway, letter: Letter, *, to: str) -> Draft:
    """A new draft that answers our own mail `to` (a graph id), so that it stands in the same thread.

    Raises NotThere when that mail is gone, Unclear when the draft may or may not exist.
    """
    content = {"message": _content(letter)}
    return _draft(await gateway.ask("draft.create-follow-up", id=to, body=content, item=letter.key))


async def create_mime(gateway: Gateway, letter: Letter) -> Draft:
    """A new draft with headers of its own, not stamped yet. Raises Unclear when it may or may not exist."""
    return _draft(await gateway.ask("draft.create-mime", body=mime(letter), item=letter.message_id))


async def stamp(gateway: Gateway, graph_id: str, letter: Letter) -> None:
    """The draft carries our marks."""
    await gateway.ask("draft.stamp", id=graph_id, body={"singleValueExtendedProperties": _marks(letter)})


async def send(gateway: Gateway, graph_id: str, *, leaves_by: float) -> None:
    """Microsoft accepted this one draft for sending (202). Raises TooLate, TokenStale, Refused, NotThere or Unclear.

    202 also with Retry-After means accepted: it is never sent again.
    """
    await gateway.ask("draft.send", id=graph_id, leaves_by=leaves_by)


async def send_at_once(gateway: Gateway, letter: Letter, *, leaves_by: float) -> None:
    """Microsoft accepted this mail for sending (202). Raises TooLate, Refused, NotThere or Unclear.

    No id comes back. The key is stamped on it all the same, for a mailbox that may be looked into one day.
    """
    await gateway.ask(
        "send.at-once",
        body={"message": _content(letter), "saveToSentItems": True},
        item=letter.key,
        leaves_by=leaves_by,
    )


async def delete(gateway: Gateway, graph_id: str) -> None:
    await gateway.ask("draft.delete", id=graph_id)


def mime(letter: Letter) -> bytes:
    """The letter as a whole mail: text and HTML, headers that JSON does not take.

    The headers are written here. EmailMessage reads what it is given: an encoded word in somebody's name, such as
    =?utf-8?q?x=0D=0ABcc:…?=, would become the line break that it stands for, and with that another header.
    """
    headers = [
        ("From", _mailbox(letter.from_name, letter.from_address)),
        ("To", _mailbox(letter.to_name, letter.to_address)),
        ("Subject", _words(_one_line(letter.subject))),
        ("Message-ID", letter.message_id),
    ]
    if letter.answers:
        headers.append(("In-Reply-To", letter.answers[-1]))
        headers.append(("References", f"{CRLF} ".join(letter.answers)))
    headers += letter.headers
    for name, value in headers:
        if value.replace(f"{CRLF} ", "").splitlines()[1:]:
            raise ValueError(f"the header {name} has a line too many")
    body = EmailMessage(policy=SMTP)
    body.set_content(letter.text)
    body.add_alternative(letter.html, subtype="html")
    head = "".join(f"{name}: {value}{CRLF}" for name, value in headers)
    return head.encode() + body.as_bytes()


def _mailbox(name: str, address: str) -> str:
    addr_spec = Address(addr_spec=address).addr_spec  # raises ValueError for what is not one address
    words = _words(_name(name), quoted=True)
    return f"{words}{CRLF} <{addr_spec}>" if words else addr_spec


def _words(text: str, *, quoted: bool = False) -> str:
    """The text as RFC 2047 and 5322 have it: as it is, where it is short and plain; else as encoded words.

    `quoted`: as the name beside an address, where signs have a meaning.
    """
    if text.isascii() and "=?" not in text and len(text) <= MOST_OF_A_LINE:
        if not quoted or all(char.isalnum() or char == " " for char in text):
            return text
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    pieces, piece = [], b""
    for char in text:
        encoded = char.encode("utf-8", "replace")
        if len(piece) + len(encoded) > MOST_OF_A_WORD:
            pieces.append(piece)
            piece = b""
        piece += encoded
    return f"{CRLF} ".join(f"=?utf-8?b?{b64encode(each).decode()}?=" for each in [*pieces, piece])


def _one_line(text: str) -> str:
    """Without anything that could end a header's line."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _content(letter: Letter) -> dict[str, Any]:
    content = {
        "subject": _one_line(letter.subject),
        "body": {"contentType": "html", "content": letter.html},
        "toRecipients": [_recipient(letter.to_name, letter.to_address)],
        "singleValueExtendedProperties": _marks(letter),
    }
    return content | ({"from": _recipient(letter.from_name, letter.from_address)} if letter.is_alias else {})


def _recipient(name: str, address: str) -> dict[str, Any]:
    return {"emailAddress": {"address": address, "name": _name(name)}}


def _name(text: str) -> str:
    """A name beside an address: on one line, and no longer than a name is."""
    return _one_line(text)[:MAX_NAME].rstrip()


def _marks(letter: Letter) -> list[dict[str, str]]:
    return [
        {"id": SEND_KEY, "value": letter.key},
        # With a part of the key: one value for each mail, so that a look at all of them shows every double.
        {"id": SEND_NUMBER, "value": f"{letter.number}.{letter.key[:8]}"},
        {"id": SEND_GUARD, "value": letter.guard},
    ]


def _draft(item: dict[str, Any]) -> Draft:
    marks = {
        str(each.get("id")).casefold(): str(each.get("value") or "")
        for each in item.get("singleValueExtendedProperties") or ()
    }
    flags = marks.get(MESSAGE_FLAGS.casefold(), "")
    number = marks.get(SEND_NUMBER.casefold(), "").partition(".")[0]
    return Draft(
        graph_id=item["id"],
        is_draft=bool(item.get("isDraft")),
        internet_message_id=item.get("internetMessageId") or "",
        conversation_id=item.get("conversationId") or "",
        change_key=item.get("changeKey") or "",
        created=item.get("createdDateTime") or "",
        sent=item.get("sentDateTime") or "",
        submitted=bool(int(flags) & SUBMITTED) if flags.isdigit() else None,
        key=marks.get(SEND_KEY.casefold(), ""),
        number=int(number) if number.isdigit() else 0,
        guard=marks.get(SEND_GUARD.casefold(), ""),
        content=_content_hash(item),
    )


def _content_hash(item: dict[str, Any]) -> str:
    """What the mail says and to whom, as Microsoft shows it; "" where it was not shown."""
    if "body" not in item:
        return ""
    to = sorted(each["emailAddress"]["address"].casefold() for each in item.get("toRecipients") or ())
    text = (item["body"] or {}).get("content") or ""
    said = "\0".join((item.get("subject") or "", text, *to))
    return hashlib.sha256(said.encode()).hexdigest()
