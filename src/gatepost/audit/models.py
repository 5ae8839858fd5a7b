from django.db import models

from gatepost.audit import tags
from gatepost.ids import uuid7


class AuditEntry(models.Model):
    """One thing that somebody did or saw. `detail` holds ids, counts and reasons, never mail text or addresses."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)  # member, token, job, contact, it
    actor_id = models.CharField(max_length=64, blank=True)
    tag = models.CharField(max_length=64)
    subject_id = models.UUIDField(null=True)
    mailbox_id = models.UUIDField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "-at"]),
            models.Index(
                fields=["workspace_id", "-at", "-id"],
                condition=models.Q(tag=tags.CONTENT_READ),
                name="audit_of_content",
            ),
            models.Index(fields=["workspace_id", "subject_id", "-at"]),
            models.Index(fields=["workspace_id", "mailbox_id", "-at"]),
        ]


class LedgerRow(models.Model):
    """One request to Microsoft Graph: which shape, about what (keyed hash), with what answer, and why."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    mailbox_id = models.UUIDField()
    at = models.DateTimeField()
    shape = models.CharField(max_length=48)
    item_hash = models.CharField(max_length=32, blank=True)
    client_request_id = models.UUIDField()
    status = models.IntegerField()  # 0: no answer came
    bytes = models.IntegerField()
    milliseconds = models.FloatField()
    reason = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "mailbox_id", "-at"])]
