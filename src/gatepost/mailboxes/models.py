from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from gatepost.accounts.models import InWorkspace, Member
from gatepost.mailboxes import rules
from gatepost.vault.fields import SealedField
from gatepost.vault.indexes import IndexesField, IndexField


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
    address_index = IndexField(db_index=True)
    name = SealedField(holds="name")
    aliases = SealedField(holds="name")  # its other addresses, one a line
    # Keyed hashes of this mailbox's own addresses (aliases) and domains: mail from them is ours or internal.
    own_address_indexes = IndexesField(default=list)
    domain_indexes = IndexesField(default=list)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")

    state = models.CharField(max_length=20, choices=State.choices, default=State.CONNECTED)
    state_reason = models.CharField(max_length=200, blank=True)
    state_code = models.CharField(max_length=40, blank=True)  # Microsoft's, where it ended the connection
    state_since = models.DateTimeField(null=True)  # None: since it was connected
    paused_at = models.DateTimeField(null=True)  # nothing is sent; replies and meetings are still found
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    send_only = models.BooleanField(default=False)  # the rep connected it for sending, and for nothing else
    outreach_only = models.BooleanField(default=False)  # dedicated: nobody corresponds from it but sequences
    connected_at = models.DateTimeField()

    disconnected_at = models.DateTimeField(null=True)
    # Until then (real time) the tokens of a disconnected mailbox may still end what is ours at Microsoft.
    # None: that is over, and the tokens are gone.
    clean_up_until = models.DateTimeField(null=True)
    left_at_microsoft = ArrayField(models.CharField(max_length=16), default=list)  # rules.LEFT_AT_MICROSOFT
    is_being_erased = models.BooleanField(default=False)  # then it cannot be connected again
    # Drafts of ours that were made before then were removed, or are being removed.
    drafts_removed_at = models.DateTimeField(null=True)

    # Every message that arrived before this moment has been looked at. None: nothing yet.
    read_through = models.DateTimeField(null=True)
    # Every folder has been read since `swept_since`, and every one is being read once more since `sweeping_since`.
    swept_since = models.DateTimeField(null=True)
    sweeping_since = models.DateTimeField(null=True)  # None: folders of the rep's own were never looked for
    sync_due_at = models.DateTimeField(null=True, db_index=True)
    calendar_due_at = models.DateTimeField(null=True, db_index=True)
    sync_problem = models.CharField(max_length=200, blank=True)
    problem_who = models.CharField(max_length=10, blank=True)  # who can act on it: errors.Who
    problem_code = models.CharField(max_length=60, blank=True)
    problem_since = models.DateTimeField(null=True)
    # Every meeting that stood in the calendar then is known. None: nothing yet, or not since the last gap.
    calendar_read_through = models.DateTimeField(null=True)
    calendar_problem = models.CharField(max_length=60, blank=True)  # Microsoft's code of a definite no
    # Whether delta lists carry the references that were asked for; not documented, so learnt. None: not seen yet.
    references_in_delta = models.BooleanField(null=True)
    # Microsoft asked us to wait until then (429, 503).
    not_before = models.DateTimeField(null=True)

    # Nothing of ours leaves before then: the pause between two mails, a limit, or mail that must be read first.
    sending_not_before = models.DateTimeField(null=True)
    daily_limit = models.PositiveIntegerField(default=50)
    hourly_limit = models.PositiveIntegerField(null=True)  # None: only the day's
    gap_seconds = models.PositiveIntegerField(default=90)
    longest_gap_seconds = models.PositiveIntegerField(
        default=0
    )  # each pause is between the two; 0: no longer
    slow_start_days = models.PositiveSmallIntegerField(default=0)  # until the daily limit is allowed in full
    slow_start_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    last_number = models.PositiveBigIntegerField(default=0)  # of its messages; each carries its own
    # The installation's beat when the mailbox was last compared with this database (outbox.restored).
    compared_at_beat = models.PositiveBigIntegerField(default=0)
    # What stands around its mails (mailboxes/letterhead.py).
    signature = models.TextField(blank=True, default="")
    signature_html = models.TextField(blank=True, default="", db_default="")
    postal_address = models.TextField(blank=True, default="", db_default="")
    sends_as = SealedField(holds="name")  # one of its aliases; None: its own address
    briefs_on_calendar = models.BooleanField(default=True)

    # The health that was last told of, and when to look whether there is news (mailboxes/health.py).
    health_told = models.CharField(max_length=24, default="connected")
    tell_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name_plural = "mailboxes"

    @property
    def is_connected(self) -> bool:
        return self.state == self.State.CONNECTED

    @property
    def wanted(self) -> frozenset[str]:
        """The features that it is meant to run."""
        return rules.wanted_features(
            self.workspace.features, send_only=self.send_only, briefs=self.briefs_on_calendar
        )

    @property
    def running(self) -> frozenset[str]:
        """The features that it does run: wanted, and granted by Microsoft."""
        return rules.running_features(self.scopes, self.wanted)


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
    claims = models.TextField(blank=True)  # JSON that Graph demands of the next token
    # Refusals of a kind that we do not know, one after another: at first they only mean waiting.
    refusals = models.PositiveIntegerField(default=0)
    refused_since = models.DateTimeField(null=True)


class ConnectAttempt(InWorkspace):
    """A mailbox that a rep wants to connect, from leaving for Microsoft until it is connected or given up.

    It waits for rules.ATTEMPT_HELD while an administrator decides; the rep can leave for Microsoft any number of times.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting for Microsoft"
        CONNECTED = "connected", "Connected"
        NOT_APPROVED = "not_approved", "Cancelled, or waiting for an administrator"
        OTHER_ACCOUNT = "other_account", "Another account signed in"
        FAILED = "failed", "Failed"
        GIVEN_UP = "given_up", "Given up"

    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    send_only = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    left_at = models.DateTimeField()  # for Microsoft, the last time
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.WAITING)
    problem = models.CharField(max_length=40, blank=True)  # Microsoft's code or word for it
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL)  # once connected
    # The mailbox to connect again, and no other. None: a new one.
    again = models.ForeignKey(Mailbox, null=True, on_delete=models.CASCADE, related_name="+")
    account = SealedField(holds="name")  # the account that signed in instead of `again`
    # The page for IT is found by a keyed hash of its link. None: the link was switched off.
    page_token = SealedField(holds="token")
    page_index = models.CharField(max_length=32, unique=True, null=True)
    # When Microsoft last said in a browser that an administrator approved, and how often: it proves nothing.
    approval_reported_at = models.DateTimeField(null=True)
    approvals_reported = models.PositiveIntegerField(default=0)


class Departure(InWorkspace):
    """One way to Microsoft and back. The state in the address finds it again, once and in the same browser."""

    attempt = models.ForeignKey(ConnectAttempt, on_delete=models.CASCADE, related_name="departures")
    state_index = models.CharField(max_length=32, unique=True)
    session_index = models.CharField(max_length=32)
    flow = SealedField(holds="token")  # what the code exchange needs: PKCE verifier, nonce
    quiet = models.BooleanField(default=False)  # Microsoft was asked to show no page (prompt=none)
    left_at = models.DateTimeField()
    claimed = models.BooleanField(default=False)


class Folder(InWorkspace):
    """A mail folder, and the position up to which its changes are stored. What the rep calls it is not asked for."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="folders")
    name = models.CharField(max_length=64, blank=True)  # Microsoft's well-known name; "": the rep's own
    microsoft_id = models.CharField(max_length=255, null=True)  # None: not asked for yet
    left_out = models.CharField(
        max_length=60, blank=True, db_default=""
    )  # why it is not looked at; "": it is
    position = models.TextField(blank=True)  # the deltaLink, or the nextLink of an unfinished walk
    walking = models.BooleanField(
        default=True
    )  # True until a deltaLink was received and the mails were counted
    told = models.PositiveIntegerField(default=0, db_default=0)  # of so many mails that walk has told
    # A walk looks at mail received since: all that came before was seen, in whatever folder it lay.
    anchored_at = models.DateTimeField()
    synced_at = models.DateTimeField(null=True)
    # How many mails lay in it before it was last read (None: never), and when that number last changed.
    total = models.PositiveIntegerField(null=True)
    unread = models.PositiveIntegerField(null=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "name"], condition=~models.Q(name=""), name="one_row_per_named_folder"
            ),
            models.UniqueConstraint(fields=["mailbox", "microsoft_id"], name="one_row_per_folder"),
        ]

    @property
    def place(self) -> str:
        """How Microsoft is told which folder is meant."""
        return self.name or self.microsoft_id or ""


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
    notified_at = models.DateTimeField(null=True)  # to the minute

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "resource"], name="one_subscription_per_resource")
        ]


class Probe(InWorkspace):
    """One thing that a mailbox must be able to do, and what came of trying it."""

    class Outcome(models.TextChoices):
        WORKS = "works", "Works"
        FAILS = "fails", "Does not work"
        NOT_TRIED = "not_tried", "Not tried"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="probes")
    name = models.CharField(max_length=16)  # probes.PROBES
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=60, blank=True)
    who = models.CharField(max_length=10, blank=True)  # who can act on it: errors.Who
    tried_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="one_row_per_probe")]


class Gap(InWorkspace):
    """A time in which a mailbox was not read, and what was found when it was read again."""

    class Cause(models.TextChoices):
        SIGN_IN = "sign_in", "Microsoft asked for a new sign-in"
        DISCONNECTED = "disconnected", "The mailbox was disconnected"
        REGISTRATION = "registration", "Microsoft refused Gatepost's app registration"
        MICROSOFT = "microsoft", "Microsoft did not let the mailbox be read"
        DOWNTIME = "downtime", "Gatepost was not running"
        POSITION_LOST = "position_lost", "Microsoft forgot how far the mailbox had been read"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="gaps")
    cause = models.CharField(max_length=16, choices=Cause.choices)
    code = models.CharField(max_length=60, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()  # it could be read again from here on
    mail_read_at = models.DateTimeField(null=True)
    calendar_read_at = models.DateTimeField(null=True)
    resumed_at = models.DateTimeField(null=True)  # all is in, and sending goes on
    replies = models.PositiveIntegerField(default=0)
    bounces = models.PositiveIntegerField(default=0)
    meetings = models.PositiveIntegerField(default=0)
    waiting_steps = models.PositiveIntegerField(default=0)
    last_step_due_at = models.DateTimeField(null=True)  # the last of these goes out then

    class Meta:
        indexes = [models.Index(fields=["mailbox", "-ended_at"])]


class Notice(InWorkspace):
    """What a member is told once about a mailbox, a sequence or the app registration: in the app, and by letter."""

    class Kind(models.TextChoices):
        HEALTH = "health", "The health of a mailbox changed"
        GAP = "gap", "What happened in a gap"
        REGISTRATION = "registration", "Microsoft refuses the app registration"
        CREDENTIAL_ENDS = "credential_ends", "Its secret or certificate ends soon"
        SEQUENCE_PAUSED = "sequence_paused", "A sequence was paused by itself"
        MEETING_OFF = "meeting_off", "A meeting is off"
        BRIEFS = "briefs", "Meetings ahead and their briefs"
        ACCESS = "access", "Somebody opened texts in an unusual way"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notices")
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.CASCADE, related_name="notices")
    gap = models.ForeignKey(Gap, null=True, on_delete=models.CASCADE)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    about = models.CharField(
        max_length=60, blank=True
    )  # the health, Microsoft's code, the days left, or an id
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["member", "seen_at"])]


class Registration(models.Model):
    """What Microsoft thinks of our app registration with the credentials now set. It belongs to no workspace."""

    id = models.CharField(primary_key=True, max_length=32)  # keyed hash of client id and credentials
    refused_code = models.CharField(max_length=40, blank=True)
    refused_since = models.DateTimeField(null=True)
    try_again_at = models.DateTimeField(null=True)
    alarmed_at = models.DateTimeField(null=True)
    warned_days = models.PositiveIntegerField(null=True)  # the last stage that was told of before it ends
