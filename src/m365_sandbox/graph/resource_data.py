"""The item that a notification carries: what its owner would see, with the members that were asked for."""

from typing import Any

from m365_sandbox import calendars
from m365_sandbox.entities import AccessToken, Subscription
from m365_sandbox.graph.calendar import show
from m365_sandbox.graph.contacts import as_shown
from m365_sandbox.graph.routes import Request
from m365_sandbox.graph.shape import MessageShape
from m365_sandbox.sandbox import Sandbox

_ALL = ["Mail.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite"]


def shown(sandbox: Sandbox, subscription: Subscription, item: str) -> dict[str, Any] | None:
    """None when the item is gone meanwhile."""
    user = sandbox.store.users[subscription.mailbox]
    token = AccessToken("", subscription.app, user.id, _ALL, subscription.expires)
    headers = {"prefer": 'IdType="ImmutableId"'} if subscription.immutable else {}
    request = Request(sandbox, user, token, "GET", "/v1.0/me", [], {}, headers, b"")
    select = list(subscription.select)
    if subscription.kind == "message":
        message = sandbox.store.message_by_id(item)
        return None if message is None else MessageShape(request, select, None).show(message)
    if subscription.kind == "event":
        event = calendars.find(sandbox, user.id, item)
        return None if event is None else show(request, event, select)
    contact = sandbox.store.contacts.get(item)
    return None if contact is None else as_shown(request, contact, select)
