"""Subscribing to change notifications and renewing before they end; trying what a mailbox can do; telling who can act
when its health changes; ending what is ours at Microsoft.

Without a public address no subscription is made: the timer alone serves then.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings

from gatepost import clock
from gatepost.graph import housekeeping, subscriptions
from gatepost.graph.errors import GraphError, NotThere, Refused, RegistrationWrong, TryLater, Unclear
from gatepost.graph.gateway import Gateway
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes import (
    actions,
    credential,
    letters,  # noqa: F401  registers what our letters say
    notices,
    probes,
    queries,
    rules,
    watch,
)
from gatepost.mailboxes.connection import gateway_for, gateway_to_clean_up
from gatepost.mailboxes.models import Mailbox, Subscription
from gatepost.vault.sealing import installation_index

TRY_AGAIN = timedelta(minutes=15)
REAL_PAUSE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Listen:
    """What to be told about, the feature that it is for, and what a notification wakes."""

    resource: str
    feature: str
    wakes: str


# One for all folders: a rule may put a reply into any of them, and a mailbox has room for 1,000 subscriptions of all apps.
LISTEN = (
    Listen("me/messages", "replies", "mail"),
    Listen("me/events", "meetings", "calendar"),
)


@tick("mailboxes.renew", every_seconds=5)
def find_due_renewals() -> int:
    found = queries.subscriptions_due(clock.now())
    for each in found:
        with inside(each.workspace_id):
            enqueue(
                "mailboxes.subscribe",
                once_for=each.id,
                workspace=str(each.workspace_id),
                mailbox=str(each.id),
            )
    return len(found)


@job("mailboxes.subscribe")
async def subscribe(workspace: str, mailbox: str) -> None:
    """Every subscription of the mailbox exists and has at least half of its life before it.

    A failure leaves the timer serving: the page says so, and it is tried again a while later.
    """
    box = await in_thread(queries.load, UUID(workspace), UUID(mailbox))
    if box is None or not settings.GATEPOST_HOOKS_URL:
        return
    have = {each.resource: each for each in await in_thread(_subscriptions, box)}
    async with gateway_for(box, reason="notifications") as gateway:
        for resource in have.keys() - {each.resource for each in LISTEN}:
            await _end(have[resource], gateway)  # of a version before
        for listen in LISTEN:
            existing = have.get(listen.resource)
            if listen.feature not in box.running:
                if existing:
                    await _end(existing, gateway)
                continue
            if existing and existing.renew_at > clock.now():
                continue
            try:
                await _renew_or_create(box, listen, existing, gateway)
            except (Refused, Unclear, NotThere, TryLater) as error:
                await in_thread(_put_off, box, listen, error)


@job("mailboxes.clean-up", try_again=True)
async def clean_up(workspace: str, mailbox: str) -> None:
    """Subscriptions, drafts and briefs of a disconnected mailbox are gone at Microsoft, and then its tokens here.

    What Microsoft does not let us end in time is left, and the mailbox's page says what and how to remove it.
    """
    box = await in_thread(queries.load_to_clean_up, UUID(workspace), UUID(mailbox))
    if box is None:
        return
    assert box.clean_up_until is not None  # load_to_clean_up looked
    in_time = datetime.now(UTC) < box.clean_up_until
    left = []
    async with gateway_to_clean_up(box) as gateway:
        ends = (
            ("notifications", _end_subscriptions),
            ("drafts", _remove_drafts),
            ("briefs", _remove_briefs),
        )
        for what, end in ends:
            try:
                await end(box, gateway)
            except (TryLater, Unclear, RegistrationWrong):
                if in_time:
                    raise  # the job is tried again; removing what is gone already does no harm
                left.append(what)
            except GraphError:
                left.append(what)
    await in_thread(actions.cleaned_up, box.id, left, workspace_id=box.workspace_id)


async def _end_subscriptions(box: Mailbox, gateway: Gateway) -> None:
    for each in await in_thread(_subscriptions, box):
        if each.microsoft_id:
            with suppress(NotThere):
                await subscriptions.delete(gateway, each.microsoft_id)
        await in_thread(_forget, each)


async def _remove_drafts(box: Mailbox, gateway: Gateway) -> None:
    if rules.granted("Mail.ReadWrite", box.scopes):  # else none was ever made
        await housekeeping.remove_own_drafts(gateway)


async def _remove_briefs(box: Mailbox, gateway: Gateway) -> None:
    if rules.granted("Calendars.ReadWrite", box.scopes):
        await housekeeping.remove_own_briefs(gateway)


async def _renew_or_create(
    box: Mailbox, listen: Listen, existing: Subscription | None, gateway: Gateway
) -> None:
    expires = clock.now() + rules.SUBSCRIPTION_LIFE
    if existing is not None and existing.microsoft_id:
        try:
            renewed = await subscriptions.renew(gateway, existing.microsoft_id, expires=expires)
        except NotThere:
            pass  # Microsoft dropped it: make it anew
        else:
            await in_thread(_store, box, listen, existing.secret_index, renewed)
            return
    secret = secrets.token_urlsafe(48)
    assert settings.GATEPOST_HOOKS_URL  # subscribe() looked
    created = await subscriptions.create(
        gateway, listen.resource, address=settings.GATEPOST_HOOKS_URL, secret=secret, expires=expires
    )
    await in_thread(_store, box, listen, installation_index("hook-secret", secret), created)


async def _end(existing: Subscription, gateway: Gateway) -> None:
    """What it was for is off. Where Microsoft cannot be told, it ends there by itself within a week."""
    if existing.microsoft_id:
        with suppress(GraphError):
            await subscriptions.delete(gateway, existing.microsoft_id)
    await in_thread(_forget, existing)


@job("mailboxes.probe")
async def probe(workspace: str, mailbox: str, drafts: str = "") -> None:
    """What works in this mailbox stands on its page; a draft was made and removed only where the rep agreed."""
    box = await in_thread(queries.load, UUID(workspace), UUID(mailbox))
    if box is not None:
        async with gateway_for(box, reason="trying what works") as gateway:
            await probes.try_all(box, gateway, drafts=bool(drafts))


@tick("mailboxes.watch", every_seconds=2)
def find_news() -> int:
    found = watch.to_tell(clock.now())
    for each in found:
        with inside(each.workspace_id):
            enqueue(
                "mailboxes.tell", once_for=each.id, workspace=str(each.workspace_id), mailbox=str(each.id)
            )
    return len(found)


@job("mailboxes.tell")
async def tell(workspace: str, mailbox: str) -> None:
    await in_thread(watch.tell_news, UUID(mailbox), workspace_id=UUID(workspace))


@tick("mailboxes.credential", every_seconds=30)
def find_ending_credential() -> int:
    return int(credential.warn_of_end())


@job("mailboxes.alarm", try_again=True)
async def alarm(kind: str, about: str) -> None:
    """Owners and administrators know what is wrong with the app registration, or when its credential ends."""
    await in_thread(notices.tell_administrators, kind, about)


def _subscriptions(mailbox: Mailbox) -> list[Subscription]:
    with inside(mailbox.workspace_id):
        return list(mailbox.subscriptions.all())


def _forget(subscription: Subscription) -> None:
    with inside(subscription.workspace_id):
        Subscription.objects.filter(pk=subscription.pk, microsoft_id=subscription.microsoft_id).delete()


def _store(mailbox: Mailbox, listen: Listen, secret_index: str, subscribed: subscriptions.Subscribed) -> None:
    renew_at = rules.renewal_due(created=clock.now(), expires=subscribed.expires)
    _write(mailbox, listen, subscribed.microsoft_id, secret_index, subscribed.expires, renew_at, "")


def _put_off(mailbox: Mailbox, listen: Listen, error: GraphError) -> None:
    """No notifications from here for now. Its row says why, and when it is tried again."""
    again = clock.now() + clock.at_least(TRY_AGAIN, real=REAL_PAUSE)
    _write(mailbox, listen, None, "", clock.now(), again, error.message)


def _write(
    mailbox: Mailbox, listen: Listen, microsoft_id: str | None, secret_index: str, expires_at: datetime,
    renew_at: datetime, problem: str,
) -> None:  # fmt: skip
    with inside(mailbox.workspace_id):
        Subscription.objects.update_or_create(
            mailbox=mailbox,
            resource=listen.resource,
            defaults={
                "workspace_id": mailbox.workspace_id,
                "microsoft_id": microsoft_id,
                "wakes": listen.wakes,
                "secret_index": secret_index,
                "expires_at": expires_at,
                "renew_at": renew_at,
                "problem": problem[:200],
            },
        )
