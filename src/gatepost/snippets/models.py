from django.db import models

from gatepost.accounts.models import InWorkspace
from gatepost.vault.fields import SealedField


class Snippet(InWorkspace):
    """A text that the team writes once; templates put it in place by its name, which never changes."""

    name = models.CharField(max_length=40)
    body = SealedField(holds="name")  # the team's own text, as that of a step; it holds nobody's mail
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_snippet_per_name")]

    def __str__(self) -> str:
        return self.name
