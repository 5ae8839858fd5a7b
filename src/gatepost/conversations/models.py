from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.vault.fields import SealedField
from gatepost.vault.indexes import IndexField


class Conversation(InWorkspace):
    """The mail to and fro with one contact in one enrolment. `label` is that of its latest reply."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="conversations")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="conversations")
    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="conversation")
    label = models.CharField(max_length=24, blank=True)
    unread = models.BooleanField(default=True)
    done = models.BooleanField(default=False)
    last_reply_at = models.DateTimeField()
    urgency = models.PositiveSmallIntegerField(default=0, db_default=0)  # rules.urgency; 0 comes first
    snoozed_until = models.DateTimeField(null=True)  # None: it is not; a tick ends it
    assigned_to = models.ForeignKey(  # None: whoever has the mailbox
        Member, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "done", "-last_reply_at"]),
            models.Index(
                fields=["workspace", "urgency", "-last_reply_at", "-id"],
                condition=models.Q(done=False, snoozed_until__isnull=True),
                name="conversation_open",
            ),
            models.Index(
                fields=["workspace", "label", "-last_reply_at"],
                condition=models.Q(done=False, snoozed_until__isnull=True),
                name="conversation_open_by_label",
            ),
            models.Index(
                fields=["snoozed_until"],
                condition=models.Q(snoozed_until__isnull=False),
                name="conversation_snoozed",
            ),
        ]


class Reply(InWorkspace):
    """One mail that answers one of ours. Only its new text is kept, nothing of the quote below it."""

    sealed_with: ClassVar[str] = "mailbox"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="replies")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="replies")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="replies")
    # What reports count it by, copied from that mail by a trigger (migrations/0027) whatever is written here. All of it stays:
    # `mailed_at` is when the mail left, if it had been seen among the sent ones by then, and None otherwise.
    sequence_id = models.UUIDField(null=True, editable=False)
    step_id = models.UUIDField(null=True, editable=False)
    variant_id = models.UUIDField(null=True, editable=False)
    mailed_at = models.DateTimeField(null=True, editable=False)
    graph_id = models.CharField(max_length=255)
    internet_message_index = IndexField()
    received_at = models.DateTimeField()
    sender = SealedField(holds="name")
    someone_else = models.BooleanField(default=False)  # not the contact's own address
    subject = SealedField(holds="content")
    text = SealedField(holds="content")

    label = models.CharField(max_length=24)
    labels = ArrayField(models.CharField(max_length=24), default=list)
    score = models.FloatField(default=0)
    evidence = SealedField(holds="content")  # JSON: the words that decided it, with their places
    return_local_date = models.DateField(null=True)
    return_precision = models.CharField(max_length=8, blank=True)
    third_party = SealedField(holds="content")  # JSON: name, address, kind
    bounce = models.CharField(max_length=8, blank=True)  # hard, soft, blocked
    version = models.CharField(max_length=40)
    # Not all of the mail was read: more came than is read of one, or it could not be read safely (`version` is then "unread").
    cut = models.BooleanField(default=False, db_default=False)
    corrected_from = models.CharField(max_length=24, blank=True)
    # What followed from it: [{"what": "end", "label": "interested", "reason": …}, …]; see lists.followed_by.
    followed = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "replies"
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "internet_message_index"], name="one_row_per_reply")
        ]
        indexes = [
            models.Index(fields=["workspace", "label"]),
            models.Index(fields=["conversation", "received_at"]),
            # What reports count, without touching the rows themselves.
            models.Index(
                fields=["workspace", "received_at"],
                include=[
                    "id",
                    "label",
                    "conversation",
                    "mailbox",
                    "message",
                    "sequence_id",
                    "step_id",
                    "variant_id",
                    "mailed_at",
                ],
                name="reply_counted",
            ),
        ]


class Promise(InWorkspace):
    """A dated "later": the contact wants to hear again then. Nothing goes out by itself."""

    sealed_with: ClassVar[str] = "mailbox"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="promises")
    reply = models.OneToOneField(Reply, on_delete=models.CASCADE, related_name="promise")
    due_local_date = models.DateField()
    precision = models.CharField(max_length=8)
    quote = SealedField(holds="content")
    done = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["workspace", "done", "due_local_date"])]


class Correction(InWorkspace):
    """A member said that a reply means something else. It is shown and counted, and trains nothing."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    reply = models.ForeignKey(Reply, on_delete=models.CASCADE, related_name="corrections")
    before = models.CharField(max_length=24)
    after = models.CharField(max_length=24)
    member = models.ForeignKey(Member, null=True, on_delete=models.SET_NULL)  # None: a token without a member
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("made_at",)


class LabelRule(InWorkspace):
    """What follows from a label in this workspace, where that differs from rules.DEFAULTS."""

    label = models.CharField(max_length=24)
    course = models.CharField(max_length=8)
    task = models.BooleanField()
    suppress = models.BooleanField()
    cool_off_days = models.PositiveSmallIntegerField()
    hold_company = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "label"], name="one_rule_per_label")]
