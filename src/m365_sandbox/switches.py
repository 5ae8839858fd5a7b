"""What Microsoft's documentation leaves open, or contradicts itself on: one switch for each.

The default is the better supported behaviour. A product that talks to the real service must work under both.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass(slots=True)
class Switches:
    # Sign-in
    code_lifetime_seconds: int = 600
    token_scope: Literal["full", "resource_only"] = "full"
    token_minutes: tuple[int, int] = (60, 90)
    error_trailer: Literal["spaces", "lines"] = "spaces"
    invalid_client_status: Literal[401, 400] = 401
    cancel: Literal["bare", "described"] = "bare"
    admin_needed: Literal["page", "redirect"] = "page"
    silent_without_consent: Literal["interaction_required", "consent_required"] = "interaction_required"
    # Mail
    create_reply_status: Literal[201, 200] = 201
    list_headers: Literal["returned", "omitted"] = "returned"
    mapi_headers: Literal["become_headers", "ignored"] = "become_headers"
    immutable_id_on_send: Literal["same", "changes"] = "same"
    reply_conversation: Literal["same", "different"] = "same"
    delta_expand: Literal["honoured", "ignored", "refused"] = "honoured"
    delta_replays: Literal["none", "last_page"] = "none"
    submitted_is_draft: bool = True
    """Between the answer of `send` and the move to Sent Items, does the item still say isDraft?"""
    second_send: Literal["refused", "accepted"] = "refused"
    """`send` again while the item is submitted but not yet moved: assumption A1, or its opposite A2."""
    send_seconds: float = 0.0
    """Clock seconds from the answer of `send` to the move to Sent Items."""
    search_lag_seconds: float = 0.0
    """Clock seconds until a new message is found by an extended property."""
    automatic_reply_headers: Literal["present", "absent"] = "present"
    mail_advanced_after: str = "2026-12-31"
    """From this day on, changing what was sent needs Mail-Advanced.ReadWrite."""
    # Notifications
    handshake_code: Literal["InvalidRequest", "ValidationError"] = "InvalidRequest"
    notification_seconds: float = 0.0
    notifications_lost: float = 0.0
    notifications_doubled: float = 0.0
    notification_urls: Literal["any", "https"] = "any"
    # Calendar
    organizer_delete: Literal["sends_cancellation", "silent"] = "sends_cancellation"
    organizer_small_patch: Literal["silent", "notifies"] = "silent"
    # Limits
    concurrency: int = 4
    """Requests at the same time for each app and mailbox; 0 switches the limit off."""
    window_requests: int = 0
    """Requests in ten minutes for each app and mailbox (Outlook: 10000); 0 switches the limit off."""
    retry_after: Literal["whole", "fractional", "missing"] = "whole"
    latency_ms: int = 0
    # Form
    error_member: Literal["innerError", "innererror"] = "innerError"
    malformed_code: Literal["BadRequest", "RequestBroker--ParseUri", "UnableToDeserializePostBody"] = (
        "BadRequest"
    )
    key_syntax: Literal["accepted", "refused"] = "accepted"
    log_items: bool = True

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
