from typing import ClassVar

from django.db import models

from gatepost.accounts.models import InWorkspace
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.sequences.models import Enrolment
from gatepost.vault.fields import SealedField


class Meeting(InWorkspace):
    """A calendar event with an enrolled contact."""

    sealed_with: ClassVar[str] = "mailbox"

    class State(models.TextChoices):
        BOOKED = "booked", "Booked"
        CANCELLED = "cancelled", "Cancelled"
        DECLINED = "declined", "Declined"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="meetings")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="meetings")
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.SET_NULL, related_name="meetings")
    step_id = models.UUIDField(null=True)  # the last step sent before it was booked
    graph_id = models.CharField(max_length=255)
    ical_uid_index = models.CharField(max_length=32)
    change_key = models.CharField(max_length=100, blank=True)
    subject = SealedField(holds="content")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    booked_by_contact = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.BOOKED)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "ical_uid_index"], name="one_row_per_meeting")
        ]
        indexes = [models.Index(fields=["workspace", "starts_at"])]


class Brief(InWorkspace):
    """What to know before a meeting. `event_id` is the rep's own private event that shows it, if any."""

    sealed_with: ClassVar[str] = "mailbox"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    meeting = models.OneToOneField(Meeting, on_delete=models.CASCADE, related_name="brief")
    text = SealedField(holds="content")
    written_at = models.DateTimeField()
    content_hash = models.CharField(max_length=64)
    facts_hash = models.CharField(max_length=32, blank=True)  # of what it was written from, keyed
    event_id = models.CharField(max_length=255, blank=True)
    event_hash = models.CharField(max_length=64, blank=True)  # of what the event shows


class CalendarCount(InWorkspace):
    """How many events of the calendar window had no contact among their attendees, at the last look of a day."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    local_date = models.DateField()
    without_contact = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "local_date"], name="one_calendar_count_a_day")
        ]
