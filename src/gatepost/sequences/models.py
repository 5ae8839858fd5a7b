from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
from gatepost.sequences.rules import Condition, StepFacts
from gatepost.sequences.rules import Kind as StepKind
from gatepost.vault.fields import SealedField


def working_week() -> dict[str, list[list[str]]]:
    return {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


class Sequence(InWorkspace):
    """Steps sent one after another to everybody enrolled."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        ARCHIVED = "archived", "Archived"

    name = models.CharField(max_length=120)
    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    # Local times per weekday between which mail may leave: {"mon": [["08:00", "18:00"]], …}.
    window = models.JSONField(default=working_week)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")  # where the contact's is not known
    created_at = models.DateTimeField()
    # Grows with each edit that only those get who are enrolled later; each edition has steps of its own.
    edition = models.PositiveIntegerField(default=1)
    skips_holidays = models.BooleanField(default=True)  # public holidays where the contact is
    absence_buffer_days = models.PositiveSmallIntegerField(default=1)  # working days after a return
    cool_off_days = models.PositiveSmallIntegerField(
        default=14
    )  # since another sequence ended for the contact
    hold_company_days = models.PositiveSmallIntegerField(
        default=0
    )  # colleagues wait after a reply; 0: they do not
    # Percent of the mails sent lately, above which the sequence pauses by itself; 0: never.
    bounce_limit = models.PositiveSmallIntegerField(default=5)
    complaint_limit = models.PositiveSmallIntegerField(default=5)
    pause_reason = models.CharField(max_length=200, blank=True)  # why it paused by itself
    spintax = models.BooleanField(default=False, db_default=False)  # {Hi|Hello} becomes one of the two
    bill_since = models.DateTimeField(null=True)  # a member let it go on then: what was before counts no more

    def __str__(self) -> str:
        return self.name


class Step(InWorkspace):
    """One step of a sequence: a mail or a task, its delay after the step before it."""

    class Kind(models.TextChoices):
        MAIL = StepKind.MAIL.value, "Mail"
        APPROVAL = StepKind.APPROVAL.value, "Mail for approval"
        CALL = StepKind.CALL.value, "Call"
        LINKEDIN = StepKind.LINKEDIN.value, "LinkedIn"
        TASK = StepKind.TASK.value, "Task"

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="steps")
    edition = models.PositiveIntegerField(default=1)
    position = models.PositiveSmallIntegerField()  # from 1
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.MAIL)
    delay_minutes = models.PositiveIntegerField(default=0)
    business_days = models.PositiveSmallIntegerField(default=0)  # instead of minutes
    conditions = ArrayField(models.CharField(max_length=16), default=list)  # Condition; all must be so
    task_days = models.PositiveSmallIntegerField(default=1)  # working days that a person has for it

    class Meta:
        ordering = ("edition", "position")
        constraints = [
            models.UniqueConstraint(
                fields=["sequence", "edition", "position"], name="one_step_per_edition_and_position"
            )
        ]

    @property
    def facts(self) -> StepFacts:
        return StepFacts(
            StepKind(self.kind),
            self.delay_minutes,
            self.business_days,
            tuple(Condition(each) for each in self.conditions),
        )


class Variant(InWorkspace):
    """One wording of a step. A follow-up without a subject continues the thread's."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="variants")
    subject = SealedField(holds="name")  # templates are the team's own text and hold nobody's mail
    body = SealedField(holds="name")
    weight = models.PositiveSmallIntegerField(default=1)


class Enrolment(InWorkspace):
    """A contact in a sequence, written to from one mailbox."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        FINISHED = "finished", "Finished"

    class Cause(models.TextChoices):
        REPLY = "reply", "Replied"
        BOUNCE = "bounce", "Bounced"
        MEETING = "meeting", "Booked a meeting"
        OPT_OUT = "opt_out", "Opted out"
        BY_HAND = "by_hand", "Stopped by a member"
        SUPPRESSED = "suppressed", "Is on the do-not-contact list"

    # Those without an index of their own have one below that begins with them.
    sequence = models.ForeignKey(
        Sequence, on_delete=models.CASCADE, related_name="enrolments", db_index=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="enrolments")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, db_index=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    cause = models.CharField(max_length=12, choices=Cause.choices, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    edition = models.PositiveIntegerField(default=1)  # of the sequence's steps
    next_position = models.PositiveSmallIntegerField(default=1)
    stepped_at = models.DateTimeField(null=True)  # when the last step was taken or skipped
    last_skipped = models.BooleanField(default=False)  # that step was skipped
    last_variant = models.UUIDField(null=True)  # the wording of the last mail: answers are counted for it
    due_at = models.DateTimeField(null=True)  # None: nothing to do (in the outbox, paused for good, ended)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "contact"],
                condition=models.Q(state__in=["active", "paused"]),
                name="one_running_enrolment_per_contact",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="active"), name="enrolment_due"),
            models.Index(fields=["mailbox", "state", "due_at"], name="enrolment_due_of_mailbox"),
            # What the list of sequences counts, without touching the rows themselves.
            models.Index(
                fields=["sequence", "state"], include=["cause", "workspace"], name="enrolment_counted"
            ),
            models.Index(fields=["sequence", "-created_at", "-id"], name="enrolment_of_sequence"),
        ]


class Tally(InWorkspace):
    """A part of what the counts of a sequence are the sum of: what was counted once, or what one change made more or less,
    written by the database itself (migrations/0029) in the transaction of the change. It is only ever added, so that nobody
    waits for anybody; a tick sums up (sequences.tallies)."""

    sequence_id = models.UUIDField()  # no foreign key: one that goes leaves differences behind
    counted = models.BooleanField(default=False)  # a sequence without such a row was not counted yet
    enrolled = models.IntegerField(default=0)
    running = models.IntegerField(default=0)
    replied = models.IntegerField(default=0)
    met = models.IntegerField(default=0)
    bounced = models.IntegerField(default=0)
    sent = models.IntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        indexes = [models.Index(fields=["sequence_id"], name="tally_of_sequence")]


class Task(InWorkspace):
    """Something that a person does for an enrolment: a step, a mail to approve, or to remember a promise."""

    sealed_with: ClassVar[str] = "mailbox"

    class State(models.TextChoices):
        OPEN = "open", "To do"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        CALLED_OFF = "called_off", "Called off"

    class Kind(models.TextChoices):
        FOLLOW_UP = "follow_up", "Send by hand"  # its mailbox may not send it
        APPROVAL = StepKind.APPROVAL.value, "Approve a mail"
        CALL = StepKind.CALL.value, "Call"
        LINKEDIN = StepKind.LINKEDIN.value, "LinkedIn"
        TASK = StepKind.TASK.value, "Task"
        # These two stand at position 0: each enrolment has one of them.
        REMINDER = "reminder", "Get back to them"  # a promise whose day has come
        REPLY = "reply", "Look at the reply"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.FOLLOW_UP)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="tasks")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE)
    step = models.ForeignKey(Step, null=True, on_delete=models.SET_NULL)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=200, blank=True)  # why it was called off
    subject = SealedField(holds="content")
    body = SealedField(holds="content")
    variant_id = models.UUIDField(null=True)  # the wording that was chosen
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # None: as soon as possible
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "position"], name="one_task_per_enrolment_and_position"
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "state", "created_at"], name="task_by_state"),
            models.Index(fields=["workspace", "ended_at"], name="task_ended"),
        ]


class Absence(InWorkspace):
    """Days off of a member, in the time zone of each of his mailboxes. His steps wait, or a colleague begins them."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="absences")
    first_local_date = models.DateField()
    last_local_date = models.DateField()
    # Writes meanwhile to contacts who have had no mail yet; a conversation that began waits for its own mailbox.
    stand_in = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_local_date__gte=models.F("first_local_date")),
                name="absence_ends_after_it_begins",
            )
        ]
        indexes = [models.Index(fields=["member", "last_local_date"])]
