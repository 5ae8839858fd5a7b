"""Messages as they are written, kept and shown to each other: letters travel, messages lie in a mailbox."""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_string, policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses
from typing import Any

from m365_sandbox import ids
from m365_sandbox.entities import Address, Folder, Message, User
from m365_sandbox.sandbox import Sandbox

IN_REPLY_TO, REFERENCES, MESSAGE_CLASS = "String 0x1042", "String 0x1039", "String 0x001A"
_UNSUBSCRIBE = "String 0x1045"
_HEADER_OF_PROPERTY = {
    IN_REPLY_TO.lower(): "In-Reply-To",
    REFERENCES.lower(): "References",
    _UNSUBSCRIBE.lower(): "List-Unsubscribe",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """What travels from one mailbox to others."""

    sender: Address
    to: list[Address]
    subject: str
    body: str
    body_type: str = "text"
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    reply_to: list[Address] = field(default_factory=list)
    internet_id: str = ""
    headers: list[list[str]] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    importance: str = "normal"
    kind: str = ""
    meeting: str = ""
    event: str = ""
    conversation_key: str = ""
    """Letters with the same key belong together though they cite nothing (the seeded world's history)."""

    def recipients(self) -> list[str]:
        """Every address once, lower case."""
        return list(dict.fromkeys(address.lower() for _, address in [*self.to, *self.cc, *self.bcc]))


def header(headers: Iterable[list[str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name.lower()), "")


def cited(headers: Iterable[list[str]]) -> list[str]:
    """The Message-IDs that References and In-Reply-To name, newest first."""
    headers = list(headers)
    names = [*header(headers, "References").split(), *header(headers, "In-Reply-To").split()]
    return list(dict.fromkeys(reversed(names)))


def threading(original: Message) -> list[list[str]]:
    """The headers by which an answer to `original` cites it."""
    earlier = header(original.headers, "References")
    return [
        ["In-Reply-To", original.internet_id],
        ["References", f"{earlier} {original.internet_id}".strip()],
    ]


def body_hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def conversation_for(sandbox: Sandbox, mailbox: str, letter: Letter) -> str:
    """The conversation of what the letter cites, in this mailbox; else a new one."""
    if letter.conversation_key:
        digest = hashlib.sha256(f"{mailbox}/{letter.conversation_key}".encode()).hexdigest()
        return f"AAQkAD{digest}="
    if sandbox.switches.reply_conversation == "same":
        for internet_id in cited(letter.headers):
            for known in sandbox.store.by_internet_id(mailbox, internet_id):
                return known.conversation
    return ids.conversation_id()


def keep(
    sandbox: Sandbox,
    user: User,
    folder: Folder,
    letter: Letter,
    *,
    at: float,
    is_draft: bool = False,
    is_read: bool = False,
    conversation: str = "",
) -> Message:
    """Put the letter into a folder of the user's mailbox."""
    immutable = ids.immutable_id()
    message = Message(
        key=ids.key(), mailbox=user.id, folder=folder.id, id=ids.item_id(), immutable_id=immutable,
        internet_id=letter.internet_id or ids.internet_message_id(user.address.rpartition("@")[2]),
        conversation=conversation or conversation_for(sandbox, user.id, letter),
        subject=letter.subject, body_type=letter.body_type, body=letter.body,
        sender=list(letter.sender), to=letter.to, cc=letter.cc, bcc=letter.bcc if is_draft else [],
        reply_to=letter.reply_to, created=at, modified=at, received=at, sent=at, is_draft=is_draft,
        is_read=is_read or is_draft, headers=[list(pair) for pair in letter.headers],
        properties=dict(letter.properties), importance=letter.importance,
        attachments=letter.attachments, kind=letter.kind, meeting=letter.meeting, event=letter.event,
    )  # fmt: skip
    sandbox.store.add_message(message)
    return message


def letter_of(message: Message, sandbox: Sandbox) -> Letter:
    """What leaves the mailbox when the draft is sent. Private extended properties stay behind."""
    headers = list(message.headers)
    sender, user = message.sender, sandbox.store.users[message.mailbox]
    if sandbox.switches.sender_alias == "replaced" and sender[1].lower() in user.aliases:
        sender = [sender[0], user.address]
    if sandbox.switches.mapi_headers == "become_headers":
        for name, value in message.properties.items():
            wanted = _HEADER_OF_PROPERTY.get(name.lower())
            if wanted and not header(headers, wanted):
                headers.append([wanted, value])
    return Letter(
        sender=sender, to=message.to, cc=message.cc, bcc=message.bcc, reply_to=message.reply_to,
        subject=message.subject, body=message.body, body_type=message.body_type,
        internet_id=message.internet_id, headers=headers, attachments=message.attachments,
        importance=message.importance, kind=message.kind, meeting=message.meeting, event=message.event,
    )  # fmt: skip


_OWN_HEADERS = {
    "from", "sender", "to", "cc", "bcc", "reply-to", "subject", "message-id", "date", "mime-version",
    "content-type", "content-transfer-encoding",
}  # fmt: skip


def letter_from_mime(source: bytes, sender: Address) -> Letter:
    """Read a MIME message as Exchange does: any header may come, the best body part counts."""
    parsed: EmailMessage = BytesParser(policy=policy.default).parsebytes(source)
    part = parsed.get_body(preferencelist=("html", "plain"))
    content = part.get_content() if part is not None else ""

    def addresses(name: str) -> list[Address]:
        return [[n or a, a] for n, a in getaddresses([str(v) for v in parsed.get_all(name, [])]) if a]

    attachments = [
        {
            "id": ids.key(), "name": part.get_filename(), "contentType": part.get_content_type(),
            "size": len(data), "isInline": part.get_content_disposition() == "inline",
            "contentId": str(part.get("Content-ID", "")).strip("<>") or None,
            "contentBytes": base64.b64encode(data).decode(),
        }
        for part in parsed.iter_attachments()
        if isinstance(data := part.get_payload(decode=True), bytes)
    ]  # fmt: skip
    return Letter(
        sender=(addresses("From") or [sender])[0], to=addresses("To"), cc=addresses("Cc"),
        bcc=addresses("Bcc"),
        reply_to=addresses("Reply-To"), subject=str(parsed.get("Subject", "")),
        body=content.rstrip("\r\n"), internet_id=str(parsed.get("Message-ID", "")).strip(),
        body_type="html" if part is not None and part.get_content_subtype() == "html" else "text",
        headers=[[name, str(value)] for name, value in parsed.items() if name.lower() not in _OWN_HEADERS],
        attachments=attachments,
    )  # fmt: skip


def mime_of(message: Message) -> bytes:
    """The message as `$value` gives it."""
    mime = EmailMessage(policy=policy.SMTP)
    mime["From"] = f"{message.sender[0]} <{message.sender[1]}>"
    for name, addresses in (("To", message.to), ("Cc", message.cc)):
        if addresses:
            mime[name] = ", ".join(address for _, address in addresses)
    mime["Subject"] = message.subject
    mime["Message-ID"] = message.internet_id
    for name, value in message.headers:
        if name.lower() not in _OWN_HEADERS:
            mime[name] = value
    mime.set_content(message.body, subtype="html" if message.body_type == "html" else "plain")
    if message.properties.get(MESSAGE_CLASS, "").startswith("REPORT."):
        _make_report(mime, message)
    for part in message.attachments:
        if "contentBytes" in part:
            kind, _, subtype = str(part.get("contentType") or "application/octet-stream").partition("/")
            mime.add_attachment(
                base64.b64decode(part["contentBytes"]), maintype=kind, subtype=subtype or "octet-stream",
                filename=part.get("name"), disposition="inline" if part.get("isInline") else "attachment",
                cid=f"<{part['contentId']}>" if part.get("contentId") else None,
            )  # fmt: skip
    return mime.as_bytes()


def _make_report(mime: EmailMessage, message: Message) -> None:
    """A delivery report has three parts: words, what failed (RFC 3464), the headers of what was sent."""
    mime.make_mixed()
    mime.replace_header("Content-Type", 'multipart/report; report-type="delivery-status"')
    status = re.search(r"\b[245]\.\d{1,3}\.\d{1,3}\b", message.body)
    failed = header(message.headers, "X-Failed-Recipients") or message.to[0][1]
    told = (
        f"Reporting-MTA: dns;{message.sender[1].rpartition('@')[2]}\r\n\r\n"
        f"Final-Recipient: rfc822;{failed}\r\nAction: {'delayed' if 'delayed' in message.subject else 'failed'}\r\n"
        f"Status: {status[0] if status else '5.0.0'}\r\n"
    )
    cited_headers = f"Message-ID: {header(message.headers, 'In-Reply-To')}\r\n"
    for kind, text in (("message/delivery-status", told), ("text/rfc822-headers", cited_headers)):
        mime.attach(message_from_string(f"Content-Type: {kind}\r\n\r\n{text}", policy=policy.SMTP))
