"""Change notifications: being told that something arrived, never what. Only `mailboxes` imports this."""

from dataclasses import dataclass
from datetime import datetime

from gatepost.graph.gateway import Gateway
from gatepost.graph.wire import moment, written


@dataclass(frozen=True, slots=True)
class Subscribed:
    microsoft_id: str
    expires: datetime  # as Microsoft returned it, which may be sooner than asked


async def create(
    gateway: Gateway, resource: str, *, address: str, secret: str, expires: datetime
) -> Subscribed:
    """Microsoft will post to `address` when a mail comes into `resource`, or an event changes.

    Of mail no other change: each flag that the rep sets would have all folders counted.
    """
    of_calendar = resource.endswith("events")
    body = {
        "changeType": "created,updated,deleted" if of_calendar else "created",
        "notificationUrl": address,
        "lifecycleNotificationUrl": address,  # cannot be added later
        "resource": resource,
        "expirationDateTime": written(expires),
        "clientState": secret,
    }
    shape = "subscription.create-calendar" if of_calendar else "subscription.create"
    return _subscribed(await gateway.ask(shape, body=body))


async def renew(gateway: Gateway, microsoft_id: str, *, expires: datetime) -> Subscribed:
    """Raises NotThere when Microsoft dropped it."""
    return _subscribed(
        await gateway.ask(
            "subscription.renew", id=microsoft_id, body={"expirationDateTime": written(expires)}
        )
    )


async def delete(gateway: Gateway, microsoft_id: str) -> None:
    """Microsoft posts nothing more for it. Raises NotThere when it had ended already."""
    await gateway.ask("subscription.delete", id=microsoft_id)


def _subscribed(body: dict[str, str]) -> Subscribed:
    return Subscribed(body["id"], moment(body["expirationDateTime"]))
