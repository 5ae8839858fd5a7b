"""Subscriptions to changes."""

import re
from typing import Any
from urllib.parse import parse_qsl

from m365_sandbox import ids, notifications, permissions, sealed
from m365_sandbox.clock import from_iso, iso
from m365_sandbox.entities import Subscription
from m365_sandbox.errors import GraphError, access_denied, malformed, not_found
from m365_sandbox.graph.routes import GRAPH, Answer, Request, operation

# Graph documentation, subscription resource: Outlook items at most 10,080 minutes; under 45 is raised to 45.
LONGEST_SECONDS, SHORTEST_SECONDS = 10080 * 60, 45 * 60
LONGEST_WITH_DATA_SECONDS = 1440 * 60
MOST_FOR_A_MAILBOX = 1000
_RESOURCE = re.compile(
    r"^/?(?:me|users/(?P<user>[^/]+))/(?:mailfolders(?:\('(?P<key>[^']+)'\)|/(?P<folder>[^/]+))/)?"
    r"(?P<kind>messages|events|contacts)(?:\?(?P<query>.*))?$",
    re.IGNORECASE,
)
_KINDS = {"messages": "message", "events": "event", "contacts": "contact"}
_NEEDS = {
    "message": ["Mail.Read", "Mail.ReadBasic"],
    "event": ["Calendars.Read"],
    "contact": ["Contacts.Read"],
}
_CHANGES = ("created", "updated", "deleted")


def _shown(subscription: Subscription) -> dict[str, Any]:
    return {
        "@odata.context": f"{GRAPH}/v1.0/$metadata#subscriptions/$entity",
        "id": subscription.id, "resource": subscription.resource, "applicationId": subscription.app,
        "changeType": ",".join(subscription.change_types), "clientState": subscription.client_state or None,
        "notificationUrl": subscription.url, "lifecycleNotificationUrl": subscription.lifecycle_url or None,
        "notificationQueryOptions": None, "expirationDateTime": iso(subscription.expires),
        "creatorId": subscription.mailbox, "includeResourceData": bool(subscription.certificate) or None,
        "latestSupportedTlsVersion": "v1_2", "encryptionCertificate": None,
        "encryptionCertificateId": subscription.certificate_id or None, "notificationUrlAppId": None,
    }  # fmt: skip


def _invalid(message: str) -> GraphError:
    return GraphError(400, "InvalidRequest", message)


def _expiry(request: Request, text: Any, *, with_data: bool) -> float:
    longest = LONGEST_WITH_DATA_SECONDS if with_data else LONGEST_SECONDS
    try:
        wanted = from_iso(text)
    except (TypeError, ValueError):
        raise _invalid("expirationDateTime is missing or not a date and time.") from None
    now = request.sandbox.now()
    if wanted - now > longest + 60:
        raise _invalid(f"Subscription expiration can only be {longest // 60} minutes in the future.")
    if wanted <= now:
        raise _invalid("Subscription expiration must be in the future.")
    return max(wanted, now + SHORTEST_SECONDS)


def _changes(text: Any) -> list[str]:
    changes = [part.strip().lower() for part in str(text or "").split(",") if part.strip()]
    if not changes or any(change not in _CHANGES for change in changes):
        raise _invalid(f"changeType must list some of {', '.join(_CHANGES)}.")
    return sorted(set(changes), key=_CHANGES.index)


def _mine(request: Request) -> list[Subscription]:
    """The mailbox's living subscriptions; those that ran out are gone."""
    store, now = request.sandbox.store, request.sandbox.now()
    for subscription in store.subscriptions_of(request.user.id):
        if subscription.expires <= now:
            store.remove(subscription)
    return [s for s in store.subscriptions_of(request.user.id) if s.app == request.token.app]


def _the_subscription(request: Request) -> Subscription:
    for subscription in _mine(request):
        if subscription.id == request.params[0]:
            return subscription
    raise GraphError(404, "ResourceNotFound", "The object was not found.")


@operation("POST", "/subscriptions")
async def subscribe(request: Request) -> Answer:
    sandbox, given = request.sandbox, request.json()
    resource = str(given.get("resource", ""))
    match = _RESOURCE.match(resource)
    if match is None:
        raise _invalid(f"Resource '{resource}' is not supported.")
    if match["user"] and match["user"].lower() not in (request.user.id, request.user.address):
        raise access_denied()
    kind = _KINDS[match["kind"].lower()]
    if not permissions.holds(request.token.scopes, _NEEDS[kind]):
        raise access_denied()
    folder = ""
    if match["key"] or match["folder"]:
        found = sandbox.store.folder(request.user.id, match["key"] or match["folder"])
        if found is None:
            raise not_found()
        folder = found.id
    with_data = bool(given.get("includeResourceData"))
    changes = _changes(given.get("changeType"))
    expires = _expiry(request, given.get("expirationDateTime"), with_data=with_data)
    select = _check_data(given, match["query"] or "") if with_data else []
    urls = [str(given.get("notificationUrl") or "")]
    if given.get("lifecycleNotificationUrl"):
        urls.append(str(given["lifecycleNotificationUrl"]))
    _check_urls(request, urls)
    if len(str(given.get("clientState") or "")) > 128:
        raise malformed("clientState is longer than 128 characters.", sandbox.switches)
    _check_new(request, resource, changes)
    for url in urls:
        if not await notifications.shakes_hands(url):
            raise GraphError(
                400, sandbox.switches.handshake_code,
                "Subscription validation request failed. Notification endpoint must respond with 200 OK to "
                "validation request.",
            )  # fmt: skip
    subscription = Subscription(
        id=ids.guid(), app=request.token.app, tenant=request.user.tenant, mailbox=request.user.id,
        resource=resource, kind=kind, folder=folder, change_types=changes, url=urls[0],
        lifecycle_url=urls[1] if len(urls) > 1 else "", client_state=str(given.get("clientState") or ""),
        expires=expires, immutable=request.immutable, authorized=request.token.expires, select=select,
        certificate=str(given["encryptionCertificate"]) if with_data else "",
        certificate_id=str(given["encryptionCertificateId"]) if with_data else "",
    )  # fmt: skip
    sandbox.store.save(subscription)
    notifications.watch_over(sandbox, subscription)
    return Answer(201, _shown(subscription))


def _check_data(given: dict[str, Any], query: str) -> list[str]:
    """What a subscription with resource data needs; the members that it selects."""
    options = dict(parse_qsl(query))
    select = [name.strip() for name in options.get("$select", "").split(",") if name.strip()]
    if not select:
        raise _invalid("A subscription with resource data to Outlook needs $select in its resource.")
    if unfit := {"$top", "$skip", "$orderby", "$filter", "$search"} & set(options):
        raise _invalid(f"{min(unfit)} cannot be used in a subscription with resource data.")
    if {"body", "uniquebody"} <= {name.lower() for name in select}:
        raise _invalid("body and uniqueBody cannot be selected together.")
    name = given.get("encryptionCertificateId")
    if not isinstance(name, str) or not 0 < len(name) <= 128:
        raise _invalid("encryptionCertificateId is missing, or longer than 128 characters.")
    try:
        sealed.certificate(str(given.get("encryptionCertificate") or ""))
    except sealed.NoCertificate as error:
        raise _invalid(str(error)) from None
    return select


def _check_urls(request: Request, urls: list[str]) -> None:
    accepted = (
        ("https://",) if request.sandbox.switches.notification_urls == "https" else ("https://", "http://")
    )
    for url in urls:
        if not url.startswith(accepted):
            raise _invalid(f"The notification URL '{url}' must start with {' or '.join(accepted)}.")


def _check_new(request: Request, resource: str, changes: list[str]) -> None:
    existing = _mine(request)
    same = [s for s in existing if s.resource.strip("/").lower() == resource.strip("/").lower()]
    if any(s.change_types == changes for s in same):
        raise GraphError(
            409, "Conflict", "A subscription with the same resource and changeType already exists."
        )
    if len(request.sandbox.store.subscriptions_of(request.user.id)) >= MOST_FOR_A_MAILBOX:
        raise GraphError(403, "ErrorQuotaExceeded", "The mailbox has too many subscriptions.")


@operation("GET", "/subscriptions")
def list_subscriptions(request: Request) -> Answer:
    value = [_shown(subscription) for subscription in _mine(request)]
    return Answer(body={"@odata.context": f"{GRAPH}/v1.0/$metadata#subscriptions", "value": value})


@operation("GET", "/subscriptions/{id}")
def get_subscription(request: Request) -> Answer:
    return Answer(body=_shown(_the_subscription(request)))


@operation("PATCH", "/subscriptions/{id}")
async def renew(request: Request) -> Answer:
    subscription, given = _the_subscription(request), request.json()
    if "lifecycleNotificationUrl" in given:
        raise _invalid("lifecycleNotificationUrl cannot be changed after the subscription was created.")
    if "notificationUrl" in given:
        _check_urls(request, [str(given["notificationUrl"])])
        if not await notifications.shakes_hands(str(given["notificationUrl"])):
            raise GraphError(
                400, request.sandbox.switches.handshake_code, "Subscription validation request failed."
            )
        subscription.url = str(given["notificationUrl"])
    if "expirationDateTime" in given:
        with_data = bool(subscription.certificate)
        subscription.expires = _expiry(request, given["expirationDateTime"], with_data=with_data)
        subscription.authorized = request.token.expires
        notifications.watch_over(request.sandbox, subscription)
    request.sandbox.store.save(subscription)
    return Answer(body=_shown(subscription))


@operation("DELETE", "/subscriptions/{id}")
def unsubscribe(request: Request) -> Answer:
    request.sandbox.store.remove(_the_subscription(request))
    return Answer(204)


@operation("POST", "/subscriptions/{id}/reauthorize")
def reauthorize(request: Request) -> Answer:
    subscription = _the_subscription(request)
    subscription.authorized = request.token.expires
    request.sandbox.store.save(subscription)
    notifications.watch_over(request.sandbox, subscription)
    return Answer(204)
