from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost.accounts.models import InWorkspace
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.vault.fields import SealedField


class Conversation(InWorkspace):
    """The mail to and fro with one contact in one enrolment. `label` is that of its latest reply."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="conversations")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="conversations")
    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="conversation")
    label = models.CharField(max_length=24, blank=True)
    unread = models.BooleanField(default=True)
    done = models.BooleanField(default=False)
    last_reply_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "done", "-last_reply_at"])]


class Reply(InWorkspace):
    """One mail that answers one of ours. Only its new text is kept, nothing of the quote below it."""

    sealed_with: ClassVar[str] = "mailbox"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="replies")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="replies")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="replies")
    graph_id = models.CharField(max_length=255)
    internet_message_index = models.CharField(max_length=32)
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
    corrected_from = models.CharField(max_length=24, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "replies"
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "internet_message_index"], name="one_row_per_reply")
        ]
        indexes = [
            models.Index(fields=["workspace", "label"]),
            models.Index(fields=["conversation", "received_at"]),
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
