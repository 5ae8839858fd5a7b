from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost.accounts.rules import Ability, may
from gatepost.ids import uuid7
from gatepost.vault.fields import SealedField
from gatepost.vault.indexes import IndexField


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in. What he may do is said by his membership of a workspace."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()


def features_at_first() -> list[str]:
    return ["drafts", "meetings", "replies"]


class Workspace(models.Model):
    """One customer account."""

    class SignIn(models.TextChoices):
        ANY = "", "A password is enough"
        SECOND_FACTOR = "second_factor", "A second factor, besides the password"
        SINGLE_SIGN_ON = "single_sign_on", "Single sign-on only"

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")
    # What Gatepost does here besides sending, by name (mailboxes.rules.FEATURES). A permission is asked for only
    # while a feature that needs it is on.
    features = ArrayField(models.CharField(max_length=40), default=features_at_first)
    # Domains whose senders are colleagues, besides those seen when mailboxes were connected.
    internal_domains = models.JSONField(default=list)
    # Which mailboxes may be connected, and from which addresses mail may leave. An empty list allows all.
    mailbox_domains = ArrayField(models.CharField(max_length=253), default=list)
    mailbox_tenants = ArrayField(models.CharField(max_length=36), default=list)
    sender_domains = ArrayField(models.CharField(max_length=253), default=list)
    only_outreach_mailboxes = models.BooleanField(default=False)  # sequences leave from no other mailbox
    # Mails a day: of all mailboxes together, to one company, and from one Microsoft tenant (there: in any 24 hours).
    daily_limit = models.PositiveIntegerField(null=True)
    company_daily_limit = models.PositiveIntegerField(null=True)
    tenant_daily_limit = models.PositiveIntegerField(default=10_000)  # what Microsoft allows with one licence
    # Days for each kind of data, where an administrator chose others than the usual (gatepost.erasure.rules).
    retention = models.JSONField(default=dict)
    usual_access = models.JSONField(default=dict)  # what the owners chose (gatepost.alerts.rules.Limits)
    watched_through = models.BigIntegerField(default=0)  # the number of the last record that was judged
    retention_due_at = models.DateTimeField(null=True)  # when to look for what is too old; None: now
    closed_at = models.DateTimeField(null=True)  # from then on nobody can sign in, and everything is erased
    # What a session must have shown before this workspace opens for it (rules.closed).
    sign_in_requires = models.CharField(max_length=16, choices=SignIn.choices, blank=True, default="")
    # Microsoft's ids of the organisations whose accounts may sign in.
    sign_in_tenants = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class InWorkspace(models.Model):
    """A row that belongs to a workspace; row-level security keeps it there (gatepost.isolation)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)

    # Which key seals this row's sealed columns: the workspace's or the mailbox's.
    sealed_with: ClassVar[str] = "workspace"

    class Meta:
        abstract = True


class Member(InWorkspace):
    """A person in a workspace."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Administrator"
        LEAD = "lead", "Team lead"
        REP = "rep", "Sales rep"
        AUDITOR = "auditor", "Auditor"

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.REP)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    network: str = ""  # where the running request came from (accounts.membership); no column
    # Somebody removed stays as a name beside what he did; nothing opens for him any more.
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership")]

    def __str__(self) -> str:
        return self.name

    def may(self, ability: Ability) -> bool:
        return may(self.role, ability)

    @property
    def may_administer(self) -> bool:
        return self.may(Ability.ADMINISTER)

    @property
    def may_write(self) -> bool:
        return self.may(Ability.WORK)


class Invitation(InWorkspace):
    """Somebody was asked to join. The link in the letter is signed, works once and ends with `expires_at`."""

    address = SealedField(holds="name")
    address_index = IndexField()
    role = models.CharField(max_length=10, choices=Member.Role.choices)
    invited_by = models.ForeignKey(Member, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    issue = models.PositiveIntegerField(default=1)  # sent again, the earlier link works no more
    mailed = models.BooleanField(default=False)  # it went to the address, and nobody else has seen the link
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "address_index"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="one_open_invitation",
            )
        ]


class ApiToken(InWorkspace):
    """Lets a program act as a member. Only a keyed hash of it is kept; it is shown once, when it is made."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    token_index = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
