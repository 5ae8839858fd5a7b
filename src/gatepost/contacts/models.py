from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.vault.fields import SealedField


class Company(InWorkspace):
    """Where contacts work: a name at the domain of their addresses."""

    name = SealedField(holds="name")
    identity_index = models.CharField(max_length=32)
    hold_until = models.DateTimeField(null=True)  # a promise asks everybody to wait

    class Meta:
        verbose_name_plural = "companies"
        constraints = [models.UniqueConstraint(fields=["workspace", "identity_index"], name="one_company")]


class Contact(InWorkspace):
    """Somebody to write to. The address is unique in its workspace, by its keyed hash."""

    company = models.ForeignKey(Company, null=True, on_delete=models.SET_NULL, related_name="contacts")
    email = SealedField(holds="name")
    email_index = models.CharField(max_length=32)
    first_name = SealedField(holds="name")
    last_name = SealedField(holds="name")
    title = SealedField(holds="name")
    phone = SealedField(holds="name")
    fields = SealedField(holds="name")  # further columns of an import, as JSON
    time_zone = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    source = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    # Keyed hashes of the beginnings of name, company and address, so that search needs no readable text.
    search_indexes = ArrayField(models.CharField(max_length=16), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email_index"], name="one_contact_per_address")
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at"]),
            GinIndex(fields=["search_indexes"], name="contact_search"),
        ]


class Suppression(InWorkspace):
    """Never write to this address or domain. Kept as a keyed hash, so that it survives erasing the contact."""

    class Kind(models.TextChoices):
        ADDRESS = "address", "Address"
        DOMAIN = "domain", "Domain"

    class Cause(models.TextChoices):
        UNSUBSCRIBE = "unsubscribe", "Asked not to be written to"
        HARD_NO = "hard_no", "Refused any further contact"
        BOUNCE = "bounce", "The address does not exist"
        BY_HAND = "by_hand", "Added by a member"
        ERASED = "erased", "Was erased"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ADDRESS)
    index = models.CharField(max_length=32)
    cause = models.CharField(max_length=16, choices=Cause.choices)
    source = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "index"],
                condition=models.Q(lifted_at__isnull=True),
                name="one_suppression",
            )
        ]


class ContactImport(InWorkspace):
    """One CSV that was read, with what became of its rows. Bad rows are kept for download and correction."""

    member = models.ForeignKey(Member, null=True, on_delete=models.SET_NULL)
    file_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    encoding = models.CharField(max_length=20)
    columns = ArrayField(
        models.CharField(max_length=60), default=list
    )  # further ones: templates may name them
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)  # [{"line": 7, "message": …}], no cell values
    rejected_rows = SealedField(holds="name")  # the bad lines as they were, to correct and import again
