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
    changing_since = models.DateTimeField(null=True)  # by the database's clock

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(next_key__isnull=False, changing_since__isnull=False)
                | models.Q(next_key__isnull=True, slices=0),
                name="cover_changes_or_not",
            )
        ]
