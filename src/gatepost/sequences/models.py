from typing import ClassVar

from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.contacts.models import Contact
from gatepost.mailboxes.models import Mailbox
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

    def __str__(self) -> str:
        return self.name


class Step(InWorkspace):
    """One mail of a sequence: `delay_minutes` after the step before it."""

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()  # from 1
    delay_minutes = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position",)
        constraints = [models.UniqueConstraint(fields=["sequence", "position"], name="one_step_per_position")]


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

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="enrolments")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="enrolments")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    cause = models.CharField(max_length=12, choices=Cause.choices, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    next_position = models.PositiveSmallIntegerField(default=1)
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
            models.Index(fields=["sequence", "state"]),
        ]


class Task(InWorkspace):
    """A step that a person sends by hand, since its mailbox may not."""

    sealed_with: ClassVar[str] = "mailbox"

    class State(models.TextChoices):
        OPEN = "open", "To do"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        CALLED_OFF = "called_off", "Called off"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="tasks")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE)
    step = models.ForeignKey(Step, null=True, on_delete=models.SET_NULL)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=200, blank=True)  # why it was called off
    subject = SealedField(holds="content")
    body = SealedField(holds="content")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "position"], name="one_task_per_enrolment_and_position"
            )
        ]
        indexes = [models.Index(fields=["workspace", "state", "created_at"], name="task_by_state")]
