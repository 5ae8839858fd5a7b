from typing import ClassVar

from django.db import models

from gatepost.accounts.models import InWorkspace
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.vault.fields import SealedField


class Message(InWorkspace):
    """One mail of ours, from plan to proof."""

    sealed_with: ClassVar[str] = "mailbox"

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        DRAFTED = "drafted", "Draft in the mailbox"
        SENDING = "sending", "Being sent"
        ACCEPTED = "accepted", "Accepted by Microsoft"
        CONFIRMED = "confirmed", "Sent"
        HELD = "held", "Needs a decision"
        CANCELLED = "cancelled", "Cancelled"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="messages")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="messages")
    # Written by the concept above (sequences), which this one does not import.
    enrolment_id = models.UUIDField(db_index=True)
    sequence_id = models.UUIDField(db_index=True)
    step_id = models.UUIDField(db_index=True)
    variant_id = models.UUIDField(null=True)
    position = models.PositiveSmallIntegerField()
    previous = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)  # the mail this one follows up

    key = models.CharField(max_length=32, unique=True)  # stamped on the draft, found again in the mailbox
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    reason = models.CharField(max_length=200, blank=True)  # why it waits, is held or was cancelled
    subject = SealedField(holds="content")
    body = SealedField(holds="content")
    content_hash = models.CharField(max_length=64)

    graph_id = models.CharField(max_length=255, blank=True)  # a cache: it may change when the draft is sent
    change_key = models.CharField(max_length=100, blank=True)
    internet_message_id = SealedField(holds="name")
    internet_message_index = models.CharField(max_length=32, blank=True)
    conversation_index = models.CharField(max_length=32, blank=True)

    attempts = models.PositiveSmallIntegerField(default=0)
    looks = models.PositiveSmallIntegerField(default=0)  # how often an unclear answer was looked into
    not_before = models.DateTimeField(null=True)  # when to try again, or to look again
    planned_at = models.DateTimeField()
    drafted_at = models.DateTimeField(null=True)
    sending_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # The second guard: whatever happens to keys, one step of a sequence reaches a contact once.
            models.UniqueConstraint(
                fields=["workspace", "contact", "step_id"], name="one_message_per_contact_and_step"
            )
        ]
        indexes = [
            models.Index(fields=["mailbox", "state", "not_before"]),
            models.Index(
                fields=["not_before"],
                condition=models.Q(state__in=["planned", "drafted", "sending", "accepted"]),
                name="message_open",
            ),
            models.Index(fields=["workspace", "internet_message_index"]),
            models.Index(fields=["mailbox", "conversation_index"]),
            models.Index(fields=["workspace", "-planned_at"]),
            # What reports count, without touching the rows themselves.
            models.Index(
                fields=["workspace", "accepted_at"],
                include=["state", "sequence_id", "step_id", "mailbox"],
                name="message_accepted",
            ),
            models.Index(
                fields=["workspace", "bounced_at"],
                condition=models.Q(bounced_at__isnull=False),
                name="message_bounced",
            ),
        ]

    @property
    def has_left(self) -> bool:
        return self.state in (self.State.ACCEPTED, self.State.CONFIRMED)
