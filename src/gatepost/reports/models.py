from django.db import models

from gatepost.accounts.models import InWorkspace, Member


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
