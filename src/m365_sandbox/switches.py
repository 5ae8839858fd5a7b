"""What Microsoft's documentation leaves open, or contradicts itself on: one switch for each.

The default is the better supported behaviour. A product that talks to the real service must work under both.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass(slots=True)
class Switches:
    # Sign-in
    code_lifetime_seconds: int = 600
    """How long an authorization code is good: about 10 minutes, or about 1."""
    token_scope: Literal["full", "resource_only"] = "full"
    """`scope` of the token response: full addresses with the OpenID scopes and `email`, or those of the resource only."""
    token_minutes: tuple[int, int] = (60, 90)
    """An access token lives a random time between these."""
    error_trailer: Literal["spaces", "lines"] = "spaces"
    """What separates trace id and the like in `error_description`: spaces, or line breaks as in older recordings."""
    invalid_client_status: Literal[401, 400] = 401
    """The HTTP status of `invalid_client`."""
    cancel: Literal["bare", "described"] = "bare"
    """What the redirect tells of Cancel: `error_subcode=cancel` alone, or AADSTS65004 in words."""
    admin_needed: Literal["page", "redirect"] = "page"
    """Where AADSTS90094 is told: on Microsoft's page only, or in the redirect too."""
    silent_without_consent: Literal["interaction_required", "consent_required"] = "interaction_required"
    """The error of `prompt=none` where consent is missing."""
    wrong_registration: Literal["at_once", "after_sign_in"] = "at_once"
    """When a wrong app id or redirect address is told: at once, or after somebody named an account."""
    disabled_account: Literal["refresh", "page_only"] = "refresh"
    """Where a disabled account is told so (AADSTS50057): at the next refresh too, or when signing in only."""
    conditional_access_block: Literal["page", "redirect"] = "page"
    """Where AADSTS53003 is told: on Microsoft's page only, or in the redirect."""
    v1_admin_consent: Literal["grants_all", "not_offered"] = "grants_all"
    """`/{tenant}/adminconsent` of version 1: grants all static permissions, or is not there."""
    global_admin_approves: Literal["yes", "no"] = "yes"
    """Whether the role `global-admin` alone may approve delegated permissions."""
    loop_requests: int = 0
    """The same refresh so many times in five minutes is a loop (AADSTS50196); 0 switches the check off."""
    aadsts: dict = field(default_factory=dict)
    """By code, what differs from the table: {"50076": {"where", "error", "status", "suberror"}}."""
    # Mail
    create_reply_status: Literal[201, 200] = 201
    """The status of `createReply` and its family: 201 by the prose, 200 by the sample."""
    list_headers: Literal["returned", "omitted"] = "returned"
    """Whether lists and delta show `internetMessageHeaders` that `$select` names."""
    mapi_headers: Literal["become_headers", "ignored"] = "become_headers"
    """Whether the MAPI properties 0x1042, 0x1039 and 0x1045 become headers of what is sent."""
    immutable_id_on_send: Literal["same", "changes"] = "same"
    """Whether a draft keeps its immutable id in Sent Items."""
    reply_conversation: Literal["same", "different"] = "same"
    """Whether an answer that cites a message has its `conversationId`."""
    delta_expand: Literal["honoured", "ignored", "refused"] = "honoured"
    """What delta does with `$expand` of extended properties."""
    delta_replays: Literal["none", "last_page"] = "none"
    """Whether a delta link tells the last item of its round once more."""
    submitted_is_draft: bool = True
    """Between the answer of `send` and the move to Sent Items, does the item still say isDraft?"""
    second_send: Literal["refused", "accepted"] = "refused"
    """`send` again while the item is submitted but not yet moved: assumption A1, or its opposite A2."""
    sender_alias: Literal["kept", "replaced"] = "kept"
    """An alias in `from`: kept where the organisation allows it (SendFromAliasEnabled), or the main address instead."""
    send_seconds: float = 0.0
    """Clock seconds from the answer of `send` to the move to Sent Items."""
    search_lag_seconds: float = 0.0
    """Clock seconds until a new message is found by an extended property."""
    automatic_reply_headers: Literal["present", "absent"] = "present"
    """Whether automatic replies carry `Auto-Submitted` and their message class."""
    mail_advanced_after: str = "2026-12-31"
    """From this day on, changing what was sent needs Mail-Advanced.ReadWrite."""
    large_send: Literal["refused", "accepted"] = "refused"
    """A request to `sendMail` of more than 4 MB."""
    search_with: Literal["refused", "accepted"] = "refused"
    """`$search` together with `$filter`, `$orderby` or `$skip`."""
    delta_latest: Literal["ignored", "honoured"] = "ignored"
    """`$deltatoken=latest` on messages: as if absent, or begin with what comes from now on."""
    conflict_text: Literal["documented", "other"] = "documented"
    """The message of 412 ErrorIrresolvableConflict."""
    exceeded_status: Literal[429, 403] = 429
    """The status of ErrorExceededMessageLimit."""
    # Notifications
    handshake_code: Literal["InvalidRequest", "ValidationError"] = "InvalidRequest"
    """The code of a failed handshake."""
    notification_seconds: float = 0.0
    """Clock seconds from a change to its notification."""
    notifications_lost: float = 0.0
    """Which part of the notifications is never sent (0 to 1)."""
    notifications_doubled: float = 0.0
    """Which part of the notifications is sent twice (0 to 1)."""
    notification_urls: Literal["any", "https"] = "any"
    """Whether a subscription may name an http address, as tests need, or https only, as Graph demands."""
    reauthorization: Literal["subscription", "token"] = "subscription"
    """Before what runs out `reauthorizationRequired` is sent: the subscription, or the token that made it."""
    slow_endpoint: Literal["slow", "drop"] = "slow"
    """Over 10 % of answers later than 3 s in ten minutes: ten minutes' delay. Or over 15 % later than 10 s: lost."""
    # Calendar
    organizer_delete: Literal["sends_cancellation", "silent"] = "sends_cancellation"
    """Whether attendees hear that the organizer deleted an event."""
    organizer_small_patch: Literal["silent", "notifies"] = "silent"
    """Whether attendees hear of a change of categories, reminder, showAs or extensions only."""
    attendee_edits: Literal["overwritten", "kept"] = "overwritten"
    """What an attendee changed in the own copy, after the organizer's next update."""
    private_events: Literal["private_appointment", "hidden"] = "private_appointment"
    """What others who may read a calendar see of its private events."""
    # Limits
    concurrency: int = 4
    """Requests at the same time for each app and mailbox; 0 switches the limit off."""
    window_requests: int = 10_000
    """Requests in ten minutes for each app and mailbox (Outlook: 10,000); 0 switches the limit off."""
    upload_bytes: int = 150_000_000
    """Bytes of PATCH, POST and PUT in five minutes for each app and mailbox; 0 switches the limit off."""
    messages_a_minute: int = 30
    """What one mailbox sends beyond that is delayed to the next minutes, not refused; 0 switches it off."""
    recipients_a_day: int = 10_000
    """Recipients in 24 hours for one mailbox; 0 switches the limit off."""
    external_recipients: Literal["counted", "unlimited"] = "counted"
    """The tenant's external recipients in 24 hours: 500 × licences^0.7 + 9,500."""
    retry_after: Literal["whole", "fractional", "missing"] = "whole"
    """How Retry-After is written when a limit is reached."""
    latency_ms: int = 0
    """Milliseconds that every Graph request takes at least."""
    # Form
    error_member: Literal["innerError", "innererror"] = "innerError"
    """The name of the inner error, of which both spellings are seen."""
    malformed_code: Literal["BadRequest", "RequestBroker--ParseUri", "UnableToDeserializePostBody"] = (
        "BadRequest"
    )
    """The code of a malformed request."""
    enum_case: Literal["accepted", "refused"] = "accepted"
    """`High` for `high` in what is written."""
    key_syntax: Literal["accepted", "refused"] = "accepted"
    """Whether `mailFolders('inbox')` is the same as `mailFolders/inbox`."""
    log_items: bool = True
    """Whether the request log tells which fields of which item left the server."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def change(self, values: dict[str, Any]) -> None:
        """Set the named switches, all or none. The ValueError names the switch and what it accepts."""
        hints = get_type_hints(Switches)
        known = {field.name for field in fields(Switches)}
        checked = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"There is no switch {name!r}. Known: {', '.join(sorted(known))}.")
            checked[name] = _accepted(name, value, hints[name])
        for name, value in checked.items():
            setattr(self, name, value)


def _accepted(name: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
        raise ValueError(f"Switch {name!r} accepts {', '.join(map(repr, get_args(hint)))}, not {value!r}.")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if get_origin(hint) is tuple:
        if (
            isinstance(value, list | tuple)
            and len(value) == 2
            and all(isinstance(part, int) for part in value)
        ):
            return tuple(value)
    elif isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    wanted = "two whole numbers" if get_origin(hint) is tuple else hint.__name__
    raise ValueError(f"Switch {name!r} accepts {wanted}, not {value!r}.")
