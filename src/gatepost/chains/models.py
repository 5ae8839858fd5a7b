"""The chain of a workspace's records, and its anchors. Both are append-only, like the records themselves.

Neither hangs on its workspace by a foreign key: what is erased leaves its print.
"""

from django.db import models

from gatepost.ids import uuid7


class Link(models.Model):
    """The prints of some records in the order of their numbers, tied to the link before (chains.rules)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    position = models.BigIntegerField()
    at = models.DateTimeField()
    through = models.BigIntegerField()
    records = models.IntegerField()
    prints = models.BinaryField()
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    mark = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "position"], name="one_link_at_a_place")
        ]


class Anchor(models.Model):
    """How far the chain had come at a moment, signed. The same stands in a file outside the database."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    at = models.DateTimeField()
    position = models.BigIntegerField()
    said = models.TextField()  # one line of JSON

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "-at"], name="anchor_of_workspace")]
