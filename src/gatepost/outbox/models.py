from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Case, When
from django.db.models.functions import Coalesce

from gatepost.accounts.models import InWorkspace
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import protocol
from gatepost.vault.fields import SealedField
from gatepost.vault.indexes import IndexField


class Message(InWorkspace):
    """One mail of ours, from plan to proof."""

    sealed_with: ClassVar[str] = "mailbox"

    class State(models.TextChoices):
        PLANNED = protocol.State.PLANNED.value, "Planned"
        DRAFTED = protocol.State.DRAFTED.value, "Draft in the mailbox"
        SENDING = protocol.State.SENDING.value, "Being sent"
        ACCEPTED = protocol.State.ACCEPTED.value, "Accepted by Microsoft"
        CONFIRMED = protocol.State.CONFIRMED.value, "Sent"
        HELD = protocol.State.HELD.value, "Needs a decision"
        CANCELLED = protocol.State.CANCELLED.value, "Cancelled"

    class Hurry(models.IntegerChoices):
        NONE = 0, "In its turn"
        FIRST = 1, "Before others of its mailbox"
        NOW = 2, "Now, also outside the sending window"

    # Without an index of its own: one below begins with it, and each that a mail does not need costs at its every step.
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="messages", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="messages")
    # Written by the concept above (sequences), which this one does not import.
    enrolment_id = models.UUIDField()
    sequence_id = models.UUIDField(db_index=True)
    step_id = models.UUIDField(db_index=True)
    variant_id = models.UUIDField(null=True)
    position = models.PositiveSmallIntegerField()  # 0: a member's answer
    # The reply that a member answers with it; None: a step of a sequence.
    reply_id = models.UUIDField(null=True)
    answers_graph_id = models.CharField(max_length=255, blank=True, db_default="", default="")
    previous = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)  # the mail this one follows up

    key = models.CharField(max_length=32)  # stamped on the draft, found again in the mailbox
    # One step of a sequence to one address, whatever happens to contacts and enrolments; stamped on the draft too.
    guard = models.CharField(max_length=32)
    number = models.PositiveBigIntegerField()  # of its mailbox's messages; stamped too, so that a gap shows
    route = models.CharField(max_length=10, default=protocol.Route.JSON.value)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    revision = models.PositiveIntegerField(default=0)  # grows with each change of state
    reason = models.CharField(max_length=200, blank=True)  # why it waits, is held or was cancelled
    subject = SealedField(holds="content")
    body = SealedField(holds="content")  # the text part
    html = SealedField(holds="content")  # None: made from the text, as before there was HTML of its own
    content_hash = models.CharField(max_length=64)

    graph_id = models.CharField(max_length=255, blank=True)  # a cache: it may change when the draft is sent
    change_key = models.CharField(max_length=100, blank=True)
    draft_hash = models.CharField(max_length=64, blank=True)  # of what the draft said when it was written
    internet_message_id = SealedField(holds="name")
    internet_message_index = IndexField(blank=True)
    conversation_index = IndexField(blank=True)

    attempts = models.PositiveSmallIntegerField(default=0)
    looks = models.PositiveSmallIntegerField(default=0)  # how often an unclear answer was looked into
    not_before = models.DateTimeField(null=True)  # when to try again, or to look again
    sweep_at = models.DateTimeField(null=True)  # when to look for drafts of it that are not needed
    planned_at = models.DateTimeField()
    drafted_at = models.DateTimeField(null=True)
    sending_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)

    # When it left, or may have left: what the limits count.
    left_at = models.GeneratedField(
        expression=Case(
            When(
                state__in=["sending", "accepted", "confirmed", "held"],
                then=Coalesce("accepted_at", "sending_at"),
            )
        ),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )
    hurry = models.PositiveSmallIntegerField(choices=Hurry.choices, default=Hurry.NONE)
    postponed_until = models.DateTimeField(null=True)  # by a member

    class Meta:
        constraints = [
            # Not `unique` on the field, which adds an index for LIKE.
            models.UniqueConstraint(fields=["key"], name="one_message_per_key"),
            # The second guard: whatever happens to keys, one step of a sequence reaches an address once.
            models.UniqueConstraint(
                fields=["guard"],
                condition=~models.Q(state="cancelled"),
                name="one_message_per_address_and_step",
            ),
            # A trigger (migrations/0010) keeps to the table of protocol.TRANSITIONS and refuses a second acceptance.
            models.CheckConstraint(
                condition=~models.Q(state__in=["accepted", "confirmed"])
                | models.Q(accepted_at__isnull=False),
                name="what_left_was_accepted",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | models.Q(confirmed_at__isnull=False),
                name="what_is_confirmed_was_seen",
            ),
        ]
        indexes = [
            models.Index(fields=["mailbox", "state", "not_before"]),
            models.Index(
                fields=["not_before"],
                condition=models.Q(state__in=["planned", "drafted", "sending", "accepted"]),
                name="message_open",
            ),
            models.Index(
                fields=["sweep_at"], condition=models.Q(sweep_at__isnull=False), name="message_to_sweep"
            ),
            models.Index(fields=["workspace", "internet_message_index"]),
            models.Index(fields=["mailbox", "conversation_index"]),
            models.Index(
                fields=["mailbox", "left_at"],
                condition=models.Q(left_at__isnull=False),
                name="message_left_mailbox",
            ),
            models.Index(
                fields=["workspace", "left_at"],
                condition=models.Q(left_at__isnull=False),
                name="message_left_workspace",
            ),
            # What reports count, without touching the rows themselves.
            models.Index(
                fields=["workspace", "accepted_at"],
                include=[
                    "id",
                    "state",
                    "bounced_at",
                    "sequence_id",
                    "step_id",
                    "variant_id",
                    "mailbox",
                    "contact",
                    "reply_id",
                ],
                condition=models.Q(accepted_at__isnull=False),
                name="message_of_step_accepted",
            ),
            models.Index(
                fields=["workspace", "planned_at"],
                include=["sequence_id", "step_id", "variant_id", "mailbox", "contact", "reply_id"],
                name="message_planned",
            ),
            models.Index(
                fields=["workspace", "sequence_id", "step_id", "variant_id"],
                condition=models.Q(reply_id__isnull=True, state__in=["accepted", "confirmed"]),
                name="message_of_step_left",
            ),
            # The mails before a meeting: looked up for each, without touching the rows themselves.
            models.Index(
                fields=["enrolment_id"],
                include=["workspace", "step_id", "variant_id", "state", "reply_id", "accepted_at"],
                name="message_of_enrolment",
            ),
            models.Index(
                fields=["workspace", "bounced_at"],
                include=["id", "sequence_id", "step_id", "variant_id", "mailbox", "contact", "reply_id"],
                condition=models.Q(bounced_at__isnull=False),
                name="message_bounced",
            ),
        ]

    @property
    def has_left(self) -> bool:
        return self.state in (self.State.ACCEPTED, self.State.CONFIRMED)


class Installation(models.Model):
    """The one row about this database as a whole. Witnesses outside it hold the same (outbox.restored)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    instance = models.UUIDField(default=uuid4)
    beat = models.PositiveBigIntegerField(default=0)  # grows at every start, and while a worker runs
    beat_at = models.DateTimeField(null=True)
    started_at_beat = models.PositiveBigIntegerField(default=0)  # of the last start of a worker
    mark = models.CharField(max_length=120, blank=True)  # which server, which history of it, which tables

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")]


class Recovery(InWorkspace):
    """The database was restored or copied. Nothing leaves the workspace's mailboxes until somebody says go."""

    began_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    copied = models.BooleanField()  # it may run beside its original: only the operator may let it send
    known_until = models.DateTimeField()  # the last moment that this database knows of
    at_beat = models.PositiveBigIntegerField()  # a mailbox compared before this was compared too early
    go_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "recoveries"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(go_at__isnull=True), name="one_open_recovery"
            )
        ]


class Stray(InWorkspace):
    """A mail of ours that a mailbox has sent and this database does not know."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    key = models.CharField(max_length=32)
    guard = models.CharField(max_length=32, db_index=True)
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "key"], name="one_row_per_stray")]
