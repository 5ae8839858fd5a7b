from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost.accounts.models import InWorkspace


class Erasure(InWorkspace):
    """An order to erase something, how far it has come, and in the end its receipt. It holds no personal data."""

    class Kind(models.TextChoices):
        MAILBOX = "mailbox", "A mailbox"
        CONTACT = "contact", "A person"
        WORKSPACE = "workspace", "The whole workspace"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject_id = models.UUIDField()
    ordered_at = models.DateTimeField()
    ordered_by = models.CharField(max_length=80)  # a role and an id, "retention", or "the operator"
    keys = ArrayField(
        models.CharField(max_length=60), default=list
    )  # "mailbox:<id>": what they sealed is unreadable
    keys_destroyed_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)  # rows that are gone, by kind
    left_at_microsoft = ArrayField(models.CharField(max_length=16), default=list)
    began_at = models.DateTimeField(null=True)  # from then on rows are removed
    finished_at = models.DateTimeField(null=True)
    receipt = models.TextField(blank=True)  # JSON: what was said, signature, public key

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_id"], name="one_erasure_of_a_thing"),
        ]
        indexes = [
            models.Index(fields=["workspace", "-ordered_at"]),
            models.Index(
                fields=["id"], condition=models.Q(finished_at__isnull=True), name="erasure_unfinished"
            ),
        ]


class KeptFigures(InWorkspace):
    """What reports go on counting of erased mail: numbers of one week, sequence and step. Nobody stands in them."""

    # Counted by reports from the moment that the rows are gone, so that nothing is counted twice.
    erasure = models.ForeignKey(Erasure, null=True, on_delete=models.CASCADE, related_name="figures")
    week_local_date = models.DateField()  # its Monday
    sequence_id = models.UUIDField()
    step_id = models.UUIDField(null=True)
    sent = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    replied = models.PositiveIntegerField(default=0)
    interested = models.PositiveIntegerField(default=0)
    unsure = models.PositiveIntegerField(default=0)
    opted_out = models.PositiveIntegerField(default=0)
    meetings = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "kept figures"
        indexes = [models.Index(fields=["workspace", "week_local_date"])]
