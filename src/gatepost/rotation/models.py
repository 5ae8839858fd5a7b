from django.db import models

from gatepost.accounts.models import Workspace


class Cover(models.Model):
    """Which keys cover the blind indexes of a workspace, by Tink's ids (gatepost.vault.indexes); no row: none ever did.

    Every transaction reads it at its beginning (gatepost.isolation), before it is inside of a workspace.
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, db_column="id")
    now_key = models.BigIntegerField(null=True)
    next_key = models.BigIntegerField(null=True)  # the one that takes over
    slices = models.PositiveSmallIntegerField(default=0)  # so many of 256 it covers already
    # Since when each transaction that begins knows it, by the database's clock. Nothing moves before.
    changing_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(changing_since__isnull=False, next_key__isnull=False)
                | models.Q(changing_since__isnull=True, slices=0),
                name="cover_moves_once_announced",
            )
        ]
