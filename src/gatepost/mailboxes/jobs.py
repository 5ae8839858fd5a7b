"""Subscribing to change notifications, and renewing before they end. Without a public address none is made:
the timer alone serves then."""

import secrets
from uuid import UUID

from django.conf import settings

from gatepost import clock
from gatepost.graph import subscriptions
from gatepost.graph.errors import GraphError, NotThere
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes import queries, rules
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Mailbox, Subscription
from gatepost.vault.sealing import installation_index

# What to listen to, the permission it takes, and what a notification wakes.
LISTEN = (
    ("me/mailFolders('inbox')/messages", "Mail.Read", "mail"),
    ("me/mailFolders('junkemail')/messages", "Mail.Read", "mail"),
    ("me/events", "Calendars.Read", "calendar"),
)


@tick("mailboxes.renew", every_seconds=5)
def find_due_renewals() -> int:
    found = queries.subscriptions_due(clock.now())
    for each in found:
        with inside(each.workspace_id):
            enqueue("mailboxes.subscribe", once_for=each.id, workspace=str(each.workspace_id), mailbox=str(each.id))
    return len(found)


@job("mailboxes.subscribe")
async def subscribe(workspace: str, mailbox: str) -> None:
    """Every subscription of the mailbox exists and lives for at least half its life.

    1. facts: the mailbox and its subscriptions · 2. renew those that are due, create those missing or dropped ·
    3. store what Microsoft returned. A failure leaves the timer serving, and the next tick tries again.
    """
    box = await in_thread(queries.load, UUID(workspace), UUID(mailbox))
    if box is None or not settings.GATEPOST_HOOKS_URL:
        return
    have = {each.resource: each for each in await in_thread(_subscriptions, box)}
    async with gateway_for(box, reason="notifications") as gateway:
        for resource, scope, wakes in LISTEN:
            if not rules.granted(scope, box.scopes):
                continue
            existing = have.get(resource)
            try:
                if existing is not None and existing.renew_at > clock.now():
                    continue
                if existing is not None:
                    renewed = await subscriptions.renew(
                        gateway, existing.microsoft_id, expires=clock.now() + rules.SUBSCRIPTION_LIFE
                    )
                    await in_thread(_store, box, resource, wakes, existing.secret_index, renewed)
                    continue
            except NotThere:
                pass  # Microsoft dropped it: create it anew
            except GraphError:
                continue
            secret = secrets.token_urlsafe(48)
            try:
                created = await subscriptions.create(
                    gateway,
                    resource,
                    address=settings.GATEPOST_HOOKS_URL,
                    secret=secret,
                    expires=clock.now() + rules.SUBSCRIPTION_LIFE,
                )
            except GraphError:
                continue
            await in_thread(_store, box, resource, wakes, installation_index("hook-secret", secret), created)


def _subscriptions(mailbox: Mailbox) -> list[Subscription]:
    with inside(mailbox.workspace_id):
        return list(mailbox.subscriptions.all())


def _store(
    mailbox: Mailbox, resource: str, wakes: str, secret_index: str, subscribed: subscriptions.Subscribed
) -> None:
    now = clock.now()
    with inside(mailbox.workspace_id):
        Subscription.objects.filter(mailbox=mailbox, resource=resource).delete()
        Subscription.objects.create(
            workspace_id=mailbox.workspace_id,
            mailbox=mailbox,
            microsoft_id=subscribed.microsoft_id,
            resource=resource,
            wakes=wakes,
            secret_index=secret_index,
            expires_at=subscribed.expires,
            renew_at=rules.renewal_due(created=now, expires=subscribed.expires),
        )
