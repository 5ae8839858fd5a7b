"""Letters: what they are made of, who writes which kind, and asking for one."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string

from gatepost.jobs.queue import enqueue


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail of our own to one person. Plain text; links in it are whole addresses."""

    to: str
    subject: str
    text: str

    def __repr__(self) -> str:
        return "Letter(***)"  # an address and a text stay out of logs


Writer = Callable[[UUID], Letter | None]
_writers: dict[str, Writer] = {}


def letter(kind: str) -> Callable[[Writer], Writer]:
    """The function writes letters of this kind.

    It is called when the letter leaves, inside the workspace, with the id of what the letter is about. None means
    that there is nothing to tell any more.
    """

    def register(write: Writer) -> Writer:
        _writers[kind] = write
        return write

    return register


def send(kind: str, *, workspace_id: UUID, about: UUID) -> bool:
    """A letter leaves soon after the running transaction commits. False where no mail server is set: nobody is told.

    After a crash at the wrong moment it can arrive twice.
    """
    if kind not in _writers:
        raise LookupError(f"Nobody writes letters of the kind {kind!r}.")
    if not can_send():
        return False
    return enqueue("post.deliver", kind=kind, workspace=str(workspace_id), about=str(about))


def can_send() -> bool:
    """Whether mail of our own has a way out (GATEPOST_SMTP_URL)."""
    return bool(settings.GATEPOST_SMTP_URL)


def write(kind: str, about: UUID) -> Letter | None:
    return _writers[kind](about)


def from_template(name: str, context: dict[str, object], *, to: str) -> Letter:
    """A letter from a template, whose first line is "Subject: …" and whose text begins after an empty line.

    The template is plain text and says `{% autoescape off %}` itself. `url` is the address of this installation.
    """
    whole = render_to_string(name, {"url": settings.GATEPOST_PUBLIC_URL, **context}).strip()
    head, _, text = whole.partition("\n\n")
    # A name with a line break must not become a header.
    subject = " ".join(head.removeprefix("Subject:").split())
    return Letter(to=to, subject=subject, text=text.strip() + "\n")
