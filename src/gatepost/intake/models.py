from django.db import models

from gatepost.accounts.models import InWorkspace
from gatepost.mailboxes.models import Mailbox
from gatepost.vault.indexes import IndexField


class DropCount(InWorkspace):
    """How many envelopes of a day were looked at and dropped, by reason. All that unrelated mail leaves behind."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    local_date = models.DateField()
    reason = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "local_date", "reason"], name="one_count_a_day")
        ]


class Quarantine(InWorkspace):
    """Mail tied to a conversation of ours by Microsoft's conversation id alone: not read until the rep says so."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    graph_id = models.CharField(max_length=255)
    internet_message_index = IndexField()
    message_id = models.UUIDField()  # the mail of ours in that conversation
    received_at = models.DateTimeField()
    decided = models.CharField(max_length=8, blank=True)  # "not_ours", "ours", then "read"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "internet_message_index"], name="one_quarantine_row")
        ]
