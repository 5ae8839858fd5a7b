"""The column type for sealed values. It stores bytes and does no cryptography."""

from typing import Any

from django.db import models


class Sealed(bytes):
    """Ciphertext. It cannot print itself, so that it never reaches a log or a page by accident."""

    def __repr__(self) -> str:
        return "Sealed(***)"

    __str__ = __repr__


class SealedField(models.BinaryField):
    """Ciphertext of one text. `holds` says what it is, and with that who may open it."""

    def __init__(self, *args: Any, holds: str = "content", **kwargs: Any) -> None:
        self.holds = holds  # "name", "content" or "token"
        kwargs.setdefault("null", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "holds": self.holds}

    def from_db_value(self, value: Any, expression: object, connection: object) -> Sealed | None:
        return None if value is None else Sealed(value)
