"""Sealing the secrets of second factors anew, which belong to people and so to no workspace."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from gatepost.vault import factors, generations
from gatepost.vault.factors import KEY
from gatepost.vault.generations import Sealer


def change(*, keep_former: timedelta) -> bool:
    """A newer generation of their key seals from now on. False where it is being changed already, or nobody has one yet."""
    return generations.begin(KEY, keep_former=keep_former)


@dataclass(frozen=True, slots=True)
class Resealed:
    rows: int
    left: bool  # somebody was changing one of them
    unreadable: int


def reseal_all(sealer: Sealer) -> Resealed:
    """No secret is left that a former generation sealed, besides those that somebody is changing and those that nothing opens."""
    unreadable = {row.pk for row in Authenticator.objects.all() if None in _anew(row.data, sealer).values()}
    resealed = 0
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update(skip_locked=True, no_key=True).order_by("pk"):
            if row.pk not in unreadable and (anew := _anew(row.data, sealer)):
                row.data = _replaced(row.data, anew)
                row.save(update_fields=["data"])
                resealed += 1
    left = any(_anew(row.data, sealer) for row in Authenticator.objects.exclude(pk__in=unreadable))
    return Resealed(resealed, left, len(unreadable))


def left(sealer: Sealer) -> int:
    """How many people's secrets a former generation sealed."""
    return sum(bool(_anew(row.data, sealer)) for row in Authenticator.objects.all())


def _anew(data: Any, sealer: Sealer) -> dict[str, str | None]:
    """Each text in it that a former generation sealed, and what the newest makes of it; None where it does not open."""
    return {
        each: factors.reseal(each, sealer.key)
        for each in _texts(data)
        if factors.is_made_by(each, sealer.former)
    }


def _texts(data: Any) -> list[str]:
    if isinstance(data, str):
        return [data]
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [text for part in parts for text in _texts(part)]


def _replaced(data: Any, by: dict[str, str | None]) -> Any:
    if isinstance(data, dict):
        return {name: _replaced(part, by) for name, part in data.items()}
    if isinstance(data, list):
        return [_replaced(part, by) for part in data]
    return by.get(data, data) if isinstance(data, str) else data
