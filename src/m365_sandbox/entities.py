"""What the sandbox keeps. Times are Unix seconds of the sandbox's clock; addresses are lower case."""

from dataclasses import dataclass, field
from typing import Any

Address = list[str]
"""[name, address]"""


@dataclass(slots=True)
class Tenant:
    id: str
    domain: str
    name: str
    consent_policy: str = "legacy"
    admin_consent_workflow: bool = False
    risky_app: bool = False
    reviewers: list[str] = field(default_factory=list)
    """Addresses of who gets the requests of the workflow; empty: everybody who may approve."""
    approval_days: int = 30
    assignment_required: bool = False
    conditional_access: str = ""
    mfa_hours: float = 0.0
    sign_in_frequency_hours: float = 0.0


@dataclass(slots=True)
class User:
    """`id` is the object id (oid). `person` describes who reads this mailbox and how they answer."""

    id: str
    tenant: str
    address: str
    name: str
    role: str = "user"
    kind: str = "rep"
    title: str = ""
    licensed: bool = True
    on_premises: bool = False
    """The mailbox is on the company's own servers: the user has a licence, and Graph no mailbox."""
    enabled: bool = True
    time_zone: str = "UTC"
    person: dict[str, Any] | None = None
    tokens_valid_from: float = 0.0
    home: str = ""
    """Of a guest: the user's id in the tenant they come from."""
    password: str = ""
    wrong_passwords: int = 0
    locked_until: float = 0.0
    password_expired: bool = False
    sessions_valid_from: float = 0.0
    mfa_enrolled: bool = True
    assigned: bool = False
    mailbox_full: bool = False
    """Nothing more can be written there, and what is sent there comes back."""
    aliases: list[str] = field(default_factory=list)
    """Further addresses of the mailbox: mail to them arrives in it."""


@dataclass(slots=True)
class App:
    id: str
    secret: str
    name: str
    publisher: str = ""
    verified: bool = False
    redirect_uris: list[str] = field(default_factory=list)
    secret_expired: bool = False
    enabled: bool = True
    more_secrets: list[dict[str, Any]] = field(default_factory=list)
    """{"value", "expires"}: an app has several while it changes from one to the next."""
    certificates: list[str] = field(default_factory=list)
    """PEM."""
    tenant: str = ""
    """Of an app for one tenant only: that tenant's id."""
    personal_accounts: bool = False
    static_scopes: list[str] = field(default_factory=list)
    spa_redirect_uris: list[str] = field(default_factory=list)
    id_tokens_at_authorize: bool = False


@dataclass(slots=True)
class Grant:
    """What an app may do for one user, or for the whole tenant where `user` is `*`."""

    id: str
    app: str
    tenant: str
    user: str
    scopes: list[str]


@dataclass(slots=True)
class Code:
    id: str
    app: str
    user: str
    redirect_uri: str
    scopes: list[str]
    nonce: str
    challenge: str
    challenge_method: str
    expires: float
    client_info: bool
    used: bool = False
    authority: str = ""
    issued: float = 0.0
    signed_in: float = 0.0
    mfa_at: float = 0.0
    spa: bool = False
    cae: bool = False


@dataclass(slots=True)
class RefreshToken:
    id: str
    app: str
    user: str
    issued: float
    used: float
    revoked: bool = False
    signed_in: float = 0.0
    mfa_at: float = 0.0
    spa_until: float = 0.0


@dataclass(slots=True)
class AccessToken:
    id: str
    app: str
    user: str
    scopes: list[str]
    expires: float
    cae: bool = False
    challenged: float = 0.0
    """Since when Graph answers with a claims challenge (continuous access evaluation)."""


@dataclass(slots=True)
class ConsentRequest:
    """A user asked an administrator to approve an app (the admin consent workflow)."""

    id: str
    app: str
    tenant: str
    user: str
    scopes: list[str]
    justification: str
    at: float
    state: str = "waiting"
    reviewer: str = ""
    reviewed: float = 0.0


@dataclass(slots=True)
class Folder:
    """`generation` is part of delta tokens: raising it makes every older one expire (410)."""

    id: str
    mailbox: str
    name: str
    well_known: str = ""
    parent: str = ""
    generation: int = 1


@dataclass(slots=True, weakref_slot=True)
class Message:
    """`id` changes when the message moves to another folder; `immutable_id` stays.

    Change one by the store's verbs only: what is not in use is forgotten, and read again from the database.

    `seq` is the mailbox's change number at the last change of this message in its folder, `created_seq` the
    one at which it came into the folder. `submitted` counts the times that `send` was accepted for it.
    """

    key: str
    mailbox: str
    folder: str
    id: str
    immutable_id: str
    internet_id: str
    conversation: str
    subject: str = ""
    body_type: str = "text"
    body: str = ""
    sender: Address = field(default_factory=lambda: ["", ""])
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    reply_to: list[Address] = field(default_factory=list)
    created: float = 0.0
    modified: float = 0.0
    received: float = 0.0
    sent: float = 0.0
    is_draft: bool = False
    submitted: int = 0
    is_read: bool = False
    headers: list[list[str]] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    categories: list[str] = field(default_factory=list)
    importance: str = "normal"
    attachments: list[dict[str, Any]] = field(default_factory=list)
    kind: str = ""
    meeting: str = ""
    event: str = ""
    more: dict[str, Any] | None = None
    """What few messages have: flag, open extensions, receipts asked for."""
    seq: int = 0
    created_seq: int = 0
    version: int = 1


@dataclass(slots=True)
class Gone:
    """A message that left a folder: what delta reports as @removed."""

    id: str
    folder: str
    message_id: str
    immutable_id: str
    seq: int
    reason: str


@dataclass(slots=True)
class Event:
    """One mailbox's copy of a calendar event. Copies of the same meeting share `uid`.

    A series is one event with Graph's `recurrence`; what was changed of a single date is an event of its own
    (an exception), which names its `master` and its original `date`; `cancelled_dates` are those left out.
    """

    id: str
    mailbox: str
    uid: str
    subject: str = ""
    body_type: str = "text"
    body: str = ""
    start: float = 0.0
    end: float = 0.0
    time_zone: str = "UTC"
    all_day: bool = False
    location: str = ""
    organizer: Address = field(default_factory=lambda: ["", ""])
    attendees: list[dict[str, Any]] = field(default_factory=list)
    response: str = "none"
    cancelled: bool = False
    sensitivity: str = "normal"
    show_as: str = "busy"
    reminder_on: bool = True
    reminder_minutes: int = 15
    categories: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    transaction: str = ""
    online_url: str = ""
    response_requested: bool = True
    created: float = 0.0
    modified: float = 0.0
    seq: int = 0
    version: int = 1
    calendar: str = ""
    recurrence: dict[str, Any] | None = None
    master: str = ""
    date: str = ""
    cancelled_dates: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """Members that the sandbox only keeps, open extensions, attachments."""


@dataclass(slots=True)
class Contact:
    """`fields` are further members, as Graph writes them. An empty `folder` is the default one."""

    id: str
    mailbox: str
    given_name: str
    surname: str
    address: str
    company: str = ""
    title: str = ""
    folder: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    created: float = 0.0
    modified: float = 0.0
    version: int = 1


@dataclass(slots=True)
class Thing:
    """What a mailbox has besides: a calendar, a contact folder, a category, an upload that goes on, …"""

    id: str
    mailbox: str
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(slots=True)
class Subscription:
    id: str
    app: str
    tenant: str
    mailbox: str
    resource: str
    kind: str
    folder: str
    change_types: list[str]
    url: str
    lifecycle_url: str
    client_state: str
    expires: float
    immutable: bool
    select: list[str] = field(default_factory=list)
    certificate: str = ""
    """Base64 of the X.509 certificate with which resource data is sealed; empty: without resource data."""
    certificate_id: str = ""
    authorized: float = 0.0


@dataclass(slots=True)
class Action:
    """Something that will happen at `due`: a mail arrives, a person answers, a notification is posted."""

    id: str
    due: float
    kind: str
    payload: dict[str, Any]


KINDS = {
    "tenant": Tenant, "user": User, "app": App, "grant": Grant, "code": Code, "refresh_token": RefreshToken,
    "access_token": AccessToken, "consent_request": ConsentRequest, "folder": Folder, "message": Message,
    "gone": Gone, "event": Event, "contact": Contact, "subscription": Subscription, "action": Action,
    "thing": Thing,
}  # fmt: skip
