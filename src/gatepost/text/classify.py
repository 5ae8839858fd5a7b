"""Replies as JSON lines, labelled as JSON lines: no network, no database."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from .tone import ReplyInput, Tone, classify

FIELDS = "id, text or html, subject, headers, received, sent"


class Unreadable(ValueError):
    """A line that cannot be labelled; the message says what to change."""


Read = Callable[[ReplyInput], Tone]


def classify_lines(lines: Iterable[str], read: Read = classify) -> Iterator[str]:
    """One JSON line for every line that is not empty, in order: the labelled reply, or `{"id", "error"}`."""
    for line in lines:
        if line.strip():
            yield json.dumps(_answer(line, read), ensure_ascii=False)


def _answer(line: str, read: Read) -> dict[str, Any]:
    ident: object = None
    try:
        row = _row(line)
        ident = row.get("id")
        return _shown(row.get("id"), read(_reply(row)))
    except Unreadable as error:
        return {"id": ident, "error": str(error)}


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"This line is not JSON ({error}). Write one object a line with {FIELDS}.") from None
    if not isinstance(row, dict):
        raise Unreadable(f"This line is not an object. Write one object a line with {FIELDS}.")
    return row


def _reply(row: dict[str, Any]) -> ReplyInput:
    text, html = _text(row, "text"), _text(row, "html")
    if text is None and html is None:
        raise Unreadable("There is nothing to label. Give the body of the mail as “text” or as “html”.")
    headers = _headers(row.get("headers"))
    named = {name.lower(): value for name, value in reversed(headers)}
    return ReplyInput(
        id=str(row.get("id")),
        text=text,
        html=html,
        subject=_text(row, "subject") or named.get("subject", ""),
        headers=headers,
        received=_received(row.get("received") or named.get("date")),
        sent=_texts(row, "sent"),
        sender=_text(row, "sender") or _text(row, "from") or named.get("from"),
        cc=_texts(row, "cc") or ((named["cc"],) if named.get("cc") else ()),
    )


def _text(row: dict[str, Any], field: str) -> str | None:
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"“{field}” must be a text in quotes.")
    return value


def _texts(row: dict[str, Any], field: str) -> tuple[str, ...]:
    value = row.get(field) or []
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list):
        raise Unreadable(f"“{field}” must be a list of texts.")
    bodies = [item.get("text") or item.get("body") if isinstance(item, dict) else item for item in value]
    texts = tuple(body for body in bodies if isinstance(body, str))
    if len(texts) < len(bodies):
        raise Unreadable(f"“{field}” must be a list of texts.")
    return texts


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if isinstance(value, dict):
        return tuple((name, str(each)) for name, held in value.items() for each in _each(held))
    if isinstance(value, list):
        return tuple(_header(item) for item in value)
    raise Unreadable("“headers” must be an object of names and values, or a list of {“name”, “value”}.")


def _each(held: object) -> list[object]:
    return held if isinstance(held, list) else [held]


def _header(item: object) -> tuple[str, str]:
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        return item["name"], str(item.get("value") or "")
    if isinstance(item, list) and len(item) == 2:
        return str(item[0]), str(item[1])
    raise Unreadable("Each of “headers” must be {“name”: …, “value”: …}.")


def _received(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    try:
        moment = _moment(str(value))
    except ValueError:
        raise Unreadable("“received” must be a time such as 2026-11-23T09:30:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        from email.utils import parsedate_to_datetime

        return parsedate_to_datetime(value)


def _shown(ident: object, tone: Tone) -> dict[str, Any]:
    return {
        "id": ident,
        "new_text": tone.new_text,
        "label": tone.label,
        "labels": list(tone.labels),
        "score": tone.score,
        "evidence": [asdict(evidence) for evidence in tone.evidence],
        "return_date": tone.return_date.isoformat() if tone.return_date else None,
        "return_precision": tone.return_precision,
        "third_party": asdict(tone.third_party) if tone.third_party else None,
        "bounce": tone.bounce,
        "version": tone.version,
    } | ({"cut": True} if tone.cut else {})
