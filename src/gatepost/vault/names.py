"""Opening addresses and names: what a list or a search shows. Not audited one by one, unlike mail content."""

from django.db import models

from gatepost.vault.sealing import open_sealed


def open(row: models.Model, column: str) -> str | None:
    return open_sealed(row, column, holds="name")
