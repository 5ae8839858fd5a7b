"""Opening mail content. Only audit.reveal may import this: it writes the audit entry first."""

from django.db import models

from gatepost.vault.sealing import open_sealed


def open(row: models.Model, column: str) -> str | None:
    return open_sealed(row, column, holds="content")
