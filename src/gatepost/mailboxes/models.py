from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.vault.fields import SealedField


class Mailbox(InWorkspace):
    """A connected Microsoft 365 mailbox."""

    sealed_with: ClassVar[str] = "mailbox"

    class State(models.TextChoices):
        CONNECTED = "connected", "Connected"
        NEEDS_RECONNECT = "needs_reconnect", "Needs to be connected again"
        DISCONNECTED = "disconnected", "Disconnected"

    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    # Microsoft's tenant and object id; a keyed hash of both finds the mailbox across workspaces.
    microsoft_tenant = models.UUIDField()
    microsoft_object = models.UUIDField()
    identity_index = models.CharField(max_length=32, unique=True)
    address = SealedField(holds="name")
    address_index = models.CharField(max_length=32, db_index=True)
    name = SealedField(holds="name")
    # Keyed hashes of this mailbox's own addresses (aliases) and domains: mail from them is ours or internal.
    own_address_indexes = ArrayField(models.CharField(max_length=32), default=list)
    domain_indexes = ArrayField(models.CharField(max_length=32), default=list)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")

    state = models.CharField(max_length=20, choices=State.choices, default=State.CONNECTED)
    state_reason = models.CharField(max_length=200, blank=True)
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    connected_at = models.DateTimeField()

    # Every message that arrived before this moment has been looked at. None: nothing yet.
    read_through = models.DateTimeField(null=True)
    sync_due_at = models.DateTimeField(null=True, db_index=True)
    calendar_due_at = models.DateTimeField(null=True, db_index=True)
    sync_problem = models.CharField(max_length=200, blank=True)
    # Whether delta lists carry the references that were asked for; not documented, so learnt. None: not seen yet.
    references_in_delta = models.BooleanField(null=True)
    # Microsoft asked us to wait until then (429, 503).
    not_before = models.DateTimeField(null=True)

    # Nothing of ours leaves before then: the pause between two mails, a limit, or mail that must be read first.
    sending_not_before = models.DateTimeField(null=True)
    daily_limit = models.PositiveIntegerField(default=50)
    gap_seconds = models.PositiveIntegerField(default=90)
    last_sent_at = models.DateTimeField(null=True)
    last_number = models.PositiveBigIntegerField(default=0)  # of its messages; each carries its own
    # The installation's beat when the mailbox was last compared with this database (outbox.restored).
    compared_at_beat = models.PositiveBigIntegerField(default=0)
    signature = models.TextField(blank=True, default="")
    briefs_on_calendar = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "mailboxes"

    @property
    def is_connected(self) -> bool:
        return self.state == self.State.CONNECTED


class Connection(InWorkspace):
    """The tokens of one mailbox, sealed. One refresher at a time holds `refreshing_until` (real time)."""

    sealed_with: ClassVar[str] = "mailbox"

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="connection")
    refresh_token = SealedField(holds="token")
    # Kept for one generation: a crash between Microsoft's answer and our commit must not lose the mailbox.
    previous_refresh_token = SealedField(holds="token")
    access_token = SealedField(holds="token")
    access_token_expires_at = models.DateTimeField(null=True)
    refreshing_until = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)


class ConnectAttempt(InWorkspace):
    """A rep who left for Microsoft's pages. The state in the address finds it again, once."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting for Microsoft"
        CONNECTED = "connected", "Connected"
        NOT_APPROVED = "not_approved", "Cancelled, or waiting for an administrator"
        FAILED = "failed", "Failed"

    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    state_index = models.CharField(max_length=32, unique=True)
    session_index = models.CharField(max_length=32)
    flow = SealedField(holds="token")  # what the code exchange needs: PKCE verifier, nonce
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    created_at = models.DateTimeField()
    claimed = models.BooleanField(default=False)  # the state in the address works once
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.WAITING)
    problem = models.CharField(max_length=40, blank=True)
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL)


class Folder(InWorkspace):
    """A mail folder that is synced, and the position up to which its changes are stored."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="folders")
    name = models.CharField(max_length=64)  # Microsoft's well-known name: inbox, junkemail, sentitems
    position = models.TextField(blank=True)  # the deltaLink, or the nextLink of an unfinished walk
    walking = models.BooleanField(default=True)  # True until a deltaLink was received
    anchored_at = models.DateTimeField()  # the walk looks at mail received since
    synced_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="one_row_per_folder")]


class Subscription(InWorkspace):
    """A change-notification subscription at Microsoft."""

    sealed_with: ClassVar[str] = "mailbox"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="subscriptions")
    microsoft_id = models.CharField(max_length=64, unique=True, null=True)  # None: none could be made
    problem = models.CharField(max_length=200, blank=True)
    resource = models.CharField(max_length=100)
    wakes = models.CharField(max_length=16)  # "mail" or "calendar"
    secret_index = models.CharField(max_length=32)  # keyed hash of clientState
    expires_at = models.DateTimeField()
    renew_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "resource"], name="one_subscription_per_resource")
        ]
