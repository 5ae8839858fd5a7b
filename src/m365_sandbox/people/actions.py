"""What a person does with a message. The server carries each out `after` that long."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReply:
    """A mail in the conversation, to the sender of the message. Empty `from_…` means the person's own address."""

    kind: ClassVar[str] = "reply"
    after: timedelta
    subject: str
    text: str
    html: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    from_address: str | None = None
    from_name: str | None = None
    cc: list[str] = field(default_factory=list)
    truth: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReply(SendReply):
    """The same, written by a machine: `headers` say so."""

    kind: ClassVar[str] = "auto_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """The message was not delivered: `kind` is hard, soft or blocked. A report comes back from `from_address`."""

    after: timedelta
    kind: str
    status: str
    text: str
    subject: str
    from_name: str
    from_address: str
    headers: dict[str, str] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookMeeting:
    """An event that the person organises with the sender; it begins `starts_in` after the booking is due."""

    kind: ClassVar[str] = "book_meeting"
    after: timedelta
    starts_in: timedelta
    duration_minutes: int
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardTo:
    """The message handed on inside the company; the colleague's own answer is a `SendReply` beside this one."""

    kind: ClassVar[str] = "forward"
    after: timedelta
    address: str
    text: str


Action = SendReply | AutoReply | Bounce | BookMeeting | ForwardTo

_DURATIONS = ("after", "starts_in")
_BY_NAME = {cls.__name__: cls for cls in (SendReply, AutoReply, Bounce, BookMeeting, ForwardTo)}


def action_to_json(action: Action) -> dict[str, Any]:
    """Plain values that `action_from_json` turns back into an equal action."""
    seconds = {name: getattr(action, name).total_seconds() for name in _DURATIONS if hasattr(action, name)}
    return {"action": type(action).__name__, **asdict(action), **seconds}


def action_from_json(row: dict[str, Any]) -> Action:
    cls = _BY_NAME[row["action"]]
    values = {f.name: row[f.name] for f in fields(cls)}
    values.update({name: timedelta(seconds=row[name]) for name in _DURATIONS if name in values})
    return cls(**values)
