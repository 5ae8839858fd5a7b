from datetime import time
from typing import ClassVar

from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings import rules as meeting_rules
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.vault.fields import SealedField
from gatepost.vault.indexes import IndexField


class Meeting(InWorkspace):
    """A calendar event with an enrolled contact, as one rep's calendar shows it."""

    sealed_with: ClassVar[str] = "mailbox"

    class State(models.TextChoices):
        """Whether it stands; `rung` says how surely."""

        BOOKED = "booked", "Booked"
        CANCELLED = "cancelled", "Cancelled"
        DECLINED = "declined", "Declined"

    class Rung(models.TextChoices):
        PROPOSED = meeting_rules.Rung.PROPOSED.value, "Proposed"
        ON_CALENDAR = meeting_rules.Rung.ON_CALENDAR.value, "On the calendar"
        ACCEPTED = meeting_rules.Rung.ACCEPTED.value, "Accepted"
        MOVED = meeting_rules.Rung.MOVED.value, "Moved"
        CANCELLED = meeting_rules.Rung.CANCELLED.value, "Cancelled"
        DECLINED = meeting_rules.Rung.DECLINED.value, "Declined"
        TOOK_PLACE = meeting_rules.Rung.TOOK_PLACE.value, "Took place"
        NO_SHOW = meeting_rules.Rung.NO_SHOW.value, "No-show"
        DISMISSED = meeting_rules.Rung.DISMISSED.value, "Not with them"

    class BookedBy(models.TextChoices):
        CONTACT = meeting_rules.BookedBy.CONTACT.value, "the contact"
        REP = meeting_rules.BookedBy.REP.value, "the rep"
        BOOKING_PAGE = meeting_rules.BookedBy.BOOKING_PAGE.value, "the contact, on a booking page"
        COLLEAGUE = meeting_rules.BookedBy.COLLEAGUE.value, "a colleague or your booking page"
        SOMEBODY_ELSE = meeting_rules.BookedBy.SOMEBODY_ELSE.value, "somebody else"

    class Match(models.TextChoices):
        ADDRESS = meeting_rules.Match.ADDRESS.value, "by their address"
        OTHER_ADDRESS = meeting_rules.Match.OTHER_ADDRESS.value, "by another address of theirs"
        COMPANY = meeting_rules.Match.COMPANY.value, "by the company's domain only"
        BY_HAND = meeting_rules.Match.BY_HAND.value, "as a member said"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="meetings")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="meetings")
    # What it is attributed to: the enrolment, step and message of the last mail before it was booked.
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.SET_NULL, related_name="meetings")
    step_id = models.UUIDField(null=True)
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="+")
    attributed_by_hand = models.BooleanField(default=False, db_default=False)
    graph_id = models.CharField(max_length=255)
    ical_uid_index = IndexField()
    # The same for every rep's row of a meeting, and for every date of a series.
    series_index = IndexField(blank=True, default="", db_default="")
    in_series = models.BooleanField(default=False, db_default=False)
    counts = models.BooleanField(default=True, db_default=True)  # stands for these in reports
    change_key = models.CharField(max_length=100, blank=True)
    subject = SealedField(holds="content")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # An all-day meeting is a matter of dates; `starts_at` and `ends_at` are then midnights in the rep's zone.
    first_local_date = models.DateField(null=True)
    last_local_date = models.DateField(null=True)
    is_private = models.BooleanField(default=False, db_default=False)
    booked_by_contact = models.BooleanField(default=True)
    booked_by = models.CharField(
        max_length=14, choices=BookedBy.choices, default="contact", db_default="contact"
    )
    match = models.CharField(max_length=14, choices=Match.choices, default="address", db_default="address")
    state = models.CharField(max_length=10, choices=State.choices, default=State.BOOKED)
    rung = models.CharField(
        max_length=12, choices=Rung.choices, default="on_calendar", db_default="on_calendar"
    )
    found_at = models.DateTimeField()
    booked_at = models.DateTimeField(null=True)  # put into the calendar
    notes = SealedField(holds="content")  # the rep's own
    noted_at = models.DateTimeField(null=True)
    brief_on_calendar = models.BooleanField(default=True, db_default=True)
    # A member is asked whether to go on after a meeting that is off, or whether one is with the contact at all.
    asks = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "ical_uid_index"], name="one_row_per_meeting")
        ]
        indexes = [
            models.Index(fields=["workspace", "starts_at"]),
            models.Index(fields=["workspace", "found_at"], name="meeting_found"),
            models.Index(fields=["workspace", "series_index"], name="meeting_by_series"),
            models.Index(fields=["mailbox", "ends_at"], name="meeting_by_mailbox"),
        ]

    @property
    def is_all_day(self) -> bool:
        return self.first_local_date is not None

    @property
    def is_weak(self) -> bool:
        return self.match == self.Match.COMPANY


class Rung(InWorkspace):
    """A rung that a meeting reached: when that was noticed, and on what evidence."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="rungs")
    rung = models.CharField(max_length=12, choices=Meeting.Rung.choices)
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        indexes = [models.Index(fields=["meeting", "at"], name="rung_of_meeting")]


class Guest(InWorkspace):
    """A contact at a meeting, by what they are known, and which enrolment it stopped."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="guests")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.SET_NULL, related_name="+")
    match = models.CharField(max_length=14, choices=Meeting.Match.choices)
    answer = models.CharField(max_length=20, blank=True)  # as Microsoft names it


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


class BriefTime(InWorkspace):
    """When and how a member is told of the meetings ahead and their briefs."""

    class By(models.TextChoices):
        NOTE = "note", "in Gatepost"
        LETTER = "letter", "by mail"
        NOTHING = "nothing", "not at all"

    class Day(models.TextChoices):
        BEFORE = meeting_rules.Day.BEFORE.value, "the day before"
        SAME = meeting_rules.Day.SAME.value, "the same day"

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="brief_time")
    by = models.CharField(max_length=8, choices=By.choices, default=By.NOTE)
    day = models.CharField(max_length=6, choices=Day.choices, default=Day.BEFORE)
    local_time = models.TimeField(default=time(17, 0))
    due_at = models.DateTimeField(null=True, db_index=True)


class CalendarCount(InWorkspace):
    """How many events of the calendar window had no contact among their attendees, at the last look of a day."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    local_date = models.DateField()
    without_contact = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "local_date"], name="one_calendar_count_a_day")
        ]
