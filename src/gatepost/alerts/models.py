from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from gatepost.accounts.models import ApiToken, InWorkspace, Member
from gatepost.alerts.rules import MANY, NIGHT, PLACE, TOKEN


class Alert(InWorkspace):
    """Somebody opened texts in an unusual way. Ids, times and a reason; the texts themselves are nowhere in it."""

    class Cause(models.TextChoices):
        MANY = MANY, _("Many texts at once")
        NIGHT = NIGHT, _("At night")
        PLACE = PLACE, _("From a new place")
        TOKEN = TOKEN, _("By a new token")

    at = models.DateTimeField()
    cause = models.CharField(max_length=10, choices=Cause.choices)
    reason = models.CharField(max_length=200)
    key = models.CharField(max_length=32)  # what is told once
    reader_id = models.UUIDField()  # the member, or the token
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="alerts"
    )  # or whose token it is
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.CASCADE)
    texts = models.PositiveIntegerField()
    mailbox_ids = ArrayField(models.UUIDField())  # whose texts they were

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "cause", "reader_id", "key"], name="one_alert_of_a_kind"
            )
        ]
        indexes = [models.Index(fields=["workspace", "-at"], name="alert_of_workspace")]
