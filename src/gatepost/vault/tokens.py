"""Opening tokens. Only mailboxes.connection may import this."""

from django.db import models

from gatepost.vault.sealing import open_sealed


def open(row: models.Model, column: str) -> str | None:
    return open_sealed(row, column, holds="token")
