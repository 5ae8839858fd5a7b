from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from gatepost.accounts.models import InWorkspace, Member
from gatepost.vault.fields import SealedField
from gatepost.vault.indexes import IndexesField, IndexField


class Company(InWorkspace):
    """Where contacts work: a name at the domain of their addresses."""

    name = SealedField(holds="name")
    identity_index = IndexField()
    hold_until = models.DateTimeField(null=True)  # a promise, or a member, asks everybody to wait
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "companies"
        constraints = [models.UniqueConstraint(fields=["workspace", "identity_index"], name="one_company")]


class ContactField(InWorkspace):
    """A field of the workspace's own. Its values lie sealed in each contact's `fields`; templates name it by `name`."""

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        YES_NO = "yes_no", "Yes or no"
        CHOICE = "choice", "Choice"

    name = models.CharField(max_length=60)
    label = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=60), default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_field_per_name")]


class ContactImport(InWorkspace):
    """One list that was brought in, with what became of its rows. Its file is sealed, and gone once it is read."""

    class What(models.TextChoices):
        CONTACTS = "contacts", "Contacts"
        SUPPRESSIONS = "suppressions", "Do-not-contact list"

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Waiting for you"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked, nothing stored yet"
        RUNNING = "running", "Being imported"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    member = models.ForeignKey(Member, null=True, on_delete=models.SET_NULL)
    what = models.CharField(max_length=12, choices=What.choices, db_default="contacts", default="contacts")
    state = models.CharField(max_length=10, choices=State.choices, db_default="done", default="done")
    file_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1, db_default=",", default=",")
    # What each column of the file holds: a known field, "field:" and the name of one of one's own, or "" to leave it out.
    mapping = models.JSONField(db_default=[], default=list)
    columns = ArrayField(
        models.CharField(max_length=60), default=list
    )  # of before fields had rows of their own
    lines = models.PositiveIntegerField(db_default=0, default=0)  # of the file
    at_line = models.PositiveIntegerField(db_default=0, default=0)  # how far it was read
    rows = models.PositiveIntegerField(
        db_default=0, default=0
    )  # judged so far; a job that is run again goes on there
    tries = models.PositiveSmallIntegerField(db_default=0, default=0)  # that ended without any progress
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(db_default=0, default=0)
    problems = models.JSONField(default=list)  # the first ones: [{"line": 7, "message": …}], no cell values
    rejected_rows = SealedField(holds="name")  # of before they were kept in parts

    class Meta:
        indexes = [
            models.Index(
                fields=["state", "created_at"],
                condition=models.Q(state__in=["uploaded", "checking", "checked", "running"]),
                name="import_to_do",
            )
        ]


class ImportPart(InWorkspace):
    """A piece of an import's file, or of the rows that were left out. Whole lines, so that no address is cut in two."""

    class Kind(models.TextChoices):
        FILE = "file", "The file"
        REJECTED = "rejected", "Rows left out"

    imported = models.ForeignKey(ContactImport, on_delete=models.CASCADE, related_name="parts")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.PositiveIntegerField()
    content = SealedField(holds="name")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["imported", "kind", "number"], name="one_part")]


class Contact(InWorkspace):
    """Somebody to write to. The address is unique in its workspace, by its keyed hash."""

    class Stage(models.TextChoices):
        NEW = "new", "New"
        WORKING = "working", "Being approached"
        TALKING = "talking", "In conversation"
        CUSTOMER = "customer", "Customer"
        LOST = "lost", "Not interested"

    company = models.ForeignKey(Company, null=True, on_delete=models.SET_NULL, related_name="contacts")
    email = SealedField(holds="name")
    email_index = IndexField()
    domain_index = IndexField(db_default="", default="")  # "": not known yet
    first_name = SealedField(holds="name")
    last_name = SealedField(holds="name")
    title = SealedField(holds="name")
    phone = SealedField(holds="name")
    fields = SealedField(holds="name")  # values of fields of one's own, as JSON
    owner = models.ForeignKey(Member, null=True, on_delete=models.SET_NULL)  # who looks after them
    stage = models.CharField(max_length=10, choices=Stage.choices, db_default="new", default=Stage.NEW)
    imported = models.ForeignKey(ContactImport, null=True, on_delete=models.SET_NULL, related_name="contacts")
    time_zone = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    source = models.CharField(max_length=100)
    cool_off_until = models.DateTimeField(null=True)  # not interested: in no sequence before then
    created_at = models.DateTimeField()
    # Keyed hashes of the beginnings of name, company and address, so that search needs no readable text.
    search_indexes = IndexesField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email_index"], name="one_contact_per_address")
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at"]),
            models.Index(fields=["owner", "-created_at"], name="contact_by_owner"),
            models.Index(fields=["workspace", "domain_index"], name="contact_by_domain"),
            # Where everybody works, without touching their sealed columns.
            models.Index(fields=["workspace"], include=["id", "company"], name="contact_company"),
            GinIndex(fields=["search_indexes"], name="contact_search"),
        ]


class OtherAddress(InWorkspace):
    """Another address of a contact, as a keyed hash: of one they were merged with, or from which they answered."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="other_addresses")
    address_index = IndexField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "other addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "address_index"], name="one_contact_per_other_address"
            )
        ]


class Suppression(InWorkspace):
    """Never write to this address or domain. It is found by a keyed hash, which is all that is left after an erase."""

    class Kind(models.TextChoices):
        ADDRESS = "address", "Address"
        DOMAIN = "domain", "Domain"

    class Cause(models.TextChoices):
        UNSUBSCRIBE = "unsubscribe", "Asked not to be written to"
        HARD_NO = "hard_no", "Refused any further contact"
        BOUNCE = "bounce", "The address does not exist"
        LEFT_COMPANY = "left_company", "Left the company"
        REPLIED = "replied", "Suppressed by a rule of yours about replies"
        BY_HAND = "by_hand", "Added by a member"
        ERASED = "erased", "Was erased"
        IMPORTED = "imported", "Came with an imported list"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ADDRESS)
    index = IndexField()
    value = SealedField(holds="name")  # to show and to take along; None: erased, or of before it was kept
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
