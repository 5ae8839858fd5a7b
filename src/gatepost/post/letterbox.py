"""A letterbox instead of a mail server, for the demo and tests: a folder of letters and a page that shows them."""

import email
import email.policy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage as Parsed
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from gatepost.ids import uuid7


@dataclass(frozen=True, slots=True)
class Caught:
    name: str
    to: str
    subject: str
    text: str
    at: datetime


class Letterbox(BaseEmailBackend):
    """Puts each letter into the folder as a file."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        box = folder()
        assert box is not None  # config/settings.py chooses this backend for a folder only
        box.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            draft = box / f"{uuid7()}.new"
            draft.write_bytes(message.message().as_bytes())
            os.replace(draft, draft.with_suffix(".eml"))
        return len(email_messages)


def folder() -> Path | None:
    """Where letters are put, if they are put into a folder at all."""
    parts = urlsplit(settings.GATEPOST_SMTP_URL or "")
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def caught(limit: int = 200) -> list[Caught]:
    """The letters in the box, newest first."""
    box = folder()
    files = sorted(box.glob("*.eml"), reverse=True)[:limit] if box is not None else []
    return [_read(file) for file in files]


def _read(file: Path) -> Caught:
    message = email.message_from_bytes(file.read_bytes(), _class=Parsed, policy=email.policy.default)
    return Caught(
        name=file.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=message.get_content(),
        at=parsedate_to_datetime(str(message["Date"])),
    )
