from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.mailboxes.models import Mailbox


class SavedView(InWorkspace):
    """A report as a member asked for it, kept under a name; on wish its figures come by mail each week."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    address = models.CharField(max_length=500, blank=True)  # what follows the ? of the page
    mail_due_at = models.DateTimeField(null=True)  # None: it does not come by mail
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "name"], name="one_view_per_name")]
        indexes = [
            models.Index(
                fields=["mail_due_at"], condition=models.Q(mail_due_at__isnull=False), name="view_to_mail"
            )
        ]

    def __str__(self) -> str:
        return self.name


class DomainCheck(InWorkspace):
    """What the name servers said of a domain that mail leaves from, when somebody last looked."""

    domain = models.CharField(max_length=253)
    looked_at = models.DateTimeField()
    findings = models.JSONField(default=list)  # deliverability.Finding, in order

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "domain"], name="one_check_per_domain")]


class CountedWeek(InWorkspace):
    """A week that is over and whose messages were counted (reports.counted). It says no more than that once a `LateChange`
    lies in it."""

    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()  # the next Monday's midnight in the workspace's zone, as it was then

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "starts_at"], name="one_count_of_a_week")]


class WeekCount(InWorkspace):
    """How many messages of a counted week have these four; without a mailbox, those of all mailboxes."""

    week = models.ForeignKey(CountedWeek, on_delete=models.CASCADE, related_name="counts")
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.CASCADE, related_name="+")
    sequence_id = models.UUIDField()
    step_id = models.UUIDField()
    variant_id = models.UUIDField(null=True)
    planned = models.PositiveIntegerField()
    sent = models.PositiveIntegerField()
    confirmed = models.PositiveIntegerField()
    bounced = models.PositiveIntegerField()
    came_back = models.PositiveIntegerField()  # of the confirmed ones, whenever that was

    class Meta:
        indexes = [models.Index(fields=["week", "mailbox"], name="week_count_of_mailbox")]


class LateChange(InWorkspace):
    """A message changed that was planned, sent or came back then, days before. Written by the database itself
    (migrations/0023), and only ever added: who counts the week anew removes what he saw."""

    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "at"], name="late_change_at")]
