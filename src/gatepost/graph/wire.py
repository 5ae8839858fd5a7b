"""Microsoft's forms of things: moments and addresses in JSON."""

from datetime import UTC, datetime
from typing import Any


def moment(text: str) -> datetime:
    """An aware moment from "2026-11-23T10:00:00Z", also with seven digits of a second, also without the Z."""
    if len(text) == 20 and text[-1] == "Z":  # nearly all
        return datetime.fromisoformat(text)
    whole, _, _ = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=UTC)


def written(value: datetime) -> str:
    """That moment as Microsoft takes it in addresses and bodies."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def person(recipient: dict[str, Any] | None) -> tuple[str, str]:
    """(name, address) of a recipient; empty texts where it has none."""
    inner = (recipient or {}).get("emailAddress") or {}
    return str(inner.get("name") or ""), str(inner.get("address") or "")
