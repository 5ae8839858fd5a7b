"""The tokens of a mailbox: the only file that opens them, and the only way to a gateway.

The rotated refresh token is stored before the access token is used, one refresher at a time over all processes.
`invalid_grant` asks the rep; a wrong app registration is the operator's and marks no mailbox as broken.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q

from gatepost import clock, rows
from gatepost.audit import tags
from gatepost.audit.models import LedgerRow
from gatepost.audit.record import job as by_job
from gatepost.audit.record import record
from gatepost.graph import housekeeping
from gatepost.graph.errors import ReconnectNeeded, Refused, RegistrationWrong, TryLater
from gatepost.graph.gateway import Asked, ClientSession, Gateway, shared_session
from gatepost.graph.oauth import Entra, Tokens
from gatepost.isolation import inside
from gatepost.jobs import rounds
from gatepost.jobs.threads import in_thread
from gatepost.mailboxes import credential, watch
from gatepost.mailboxes.models import ConnectAttempt, Connection, Departure, Mailbox
from gatepost.vault import tokens as vault_tokens
from gatepost.vault.sealing import index, seal

log = logging.getLogger(__name__)

# An access token is renewed when it has less than this left; on a fast clock at least a real second.
MARGIN = timedelta(minutes=2)
# One refresher holds the row for so long (real time); a killed one is forgotten after that.
REFRESH_LEASE = timedelta(seconds=30)


@cache
def entra() -> Entra:
    """Our app registration, from the settings."""
    credentials = credential.credentials()
    return Entra(
        settings.GATEPOST_CLIENT_ID,
        credentials[0] if credentials else None,
        settings.GATEPOST_TENANT,
        settings.GATEPOST_SANDBOX_URL,
        spares=credentials[1:],
    )


class MailboxAccess:
    """What a gateway needs of one mailbox: its token, what was granted, and its ledger."""

    def __init__(
        self,
        workspace_id: UUID,
        mailbox_id: UUID,
        scopes: frozenset[str],
        reason: str,
        *,
        cleaning_up: bool = False,
    ) -> None:
        self.workspace_id, self.mailbox_id, self._scopes, self.reason = (
            workspace_id,
            mailbox_id,
            scopes,
            reason,
        )
        self._cleaning_up = cleaning_up
        self._token: tuple[str, datetime] | None = None
        # The row of the last request, and its way into the ledger.
        self._row: tuple[Requested, Awaitable[bool]] | None = None

    @property
    def scopes(self) -> frozenset[str]:
        return self._scopes

    async def token(self, *, renew: bool = False, claims: str = "") -> str:
        """An access token that is still good. Raises ReconnectNeeded, RegistrationWrong or TryLater.

        `claims` are what Graph demands of the next one, whoever renews it. No request leaves before the row of the one
        before it is in the ledger.
        """
        await self.settled()
        if renew:
            await in_thread(_forget_access_token, self.workspace_id, self.mailbox_id, claims)
            self._token = None
        if self._token is None or self._token[1] <= clock.now():
            self._token = await self._good_token()
        return self._token[0]

    async def _good_token(self) -> tuple[str, datetime]:
        """Most often the stored one is good: that is asked together with whoever else asks."""
        if not self._cleaning_up:
            stored = rounds.read(_stored_tokens, self.mailbox_id)
            if known := await rounds.in_rounds(self.workspace_id, stored):
                return known
        return await _usable_token(self.workspace_id, self.mailbox_id, cleaning_up=self._cleaning_up)

    async def record(self, asked: Asked) -> None:
        """The request is part of the next round: whatever follows from its answer is stored with its row, or after it."""
        row = Requested(self.workspace_id, self.mailbox_id, self.reason, asked)
        await self.settled()
        self._row = row, rounds.start(self.workspace_id, rounds.each(write_ledger, row))

    async def settled(self) -> None:
        """The ledger holds every request that was made."""
        if self._row is None:
            return
        (row, written), self._row = self._row, None
        try:
            connected = await written
        except DatabaseError:
            # Its round was taken back, or nobody knows. The request was made all the same.
            connected = await in_thread(_write_once, row)
        if not connected:
            self._token = None  # disconnected meanwhile: the next request asks for a token and gets none


@asynccontextmanager
async def gateway_for(
    mailbox: Mailbox, *, reason: str, http: ClientSession | None = None
) -> AsyncIterator[Gateway]:
    """A gateway to this mailbox; each request is in the ledger with `reason`. A page brings its own connections.

    A token that Microsoft no longer takes marks the mailbox as needing its rep before the error goes on.
    """
    access = MailboxAccess(mailbox.workspace_id, mailbox.id, frozenset(mailbox.scopes), reason)
    try:
        yield Gateway(http or await shared_session(), access, sandbox_url=settings.GATEPOST_SANDBOX_URL)
    except ReconnectNeeded as error:
        await in_thread(needs_reconnect, mailbox.workspace_id, mailbox.id, error.code)
        raise
    except TryLater as error:
        if error.retry_after is not None:
            await in_thread(_wait_until, mailbox.workspace_id, mailbox.id, clock.now() + error.retry_after)
        raise
    finally:
        await access.settled()


@asynccontextmanager
async def gateway_to_clean_up(mailbox: Mailbox) -> AsyncIterator[Gateway]:
    """A gateway to a disconnected mailbox that can end what is ours there, and ask for nothing else."""
    access = MailboxAccess(
        mailbox.workspace_id, mailbox.id, frozenset(mailbox.scopes), "disconnected", cleaning_up=True
    )
    try:
        yield Gateway(
            await shared_session(),
            access,
            sandbox_url=settings.GATEPOST_SANDBOX_URL,
            only=housekeeping.CLEAN_UP,
        )
    finally:
        await access.settled()


def store_tokens(connection: Connection, tokens: Tokens) -> None:
    """The tokens are sealed in the row, the refresh token before it kept for one generation. Saves nothing."""
    if tokens.refresh_token:
        previous = vault_tokens.open(connection, "refresh_token")
        seal(connection, "previous_refresh_token", previous)
        seal(connection, "refresh_token", tokens.refresh_token)
    seal(connection, "access_token", tokens.access_token)
    connection.access_token_expires_at = clock.now() + timedelta(seconds=tokens.expires_in_seconds)
    connection.refreshed_at = clock.now()
    connection.claims = ""
    connection.refusals, connection.refused_since = 0, None


def open_flow(departure: Departure) -> str:
    return vault_tokens.open(departure, "flow") or "{}"


def open_page_token(attempt: ConnectAttempt) -> str:
    """The secret part of the link to the page for IT; "" where the link is switched off."""
    return vault_tokens.open(attempt, "page_token") or ""


def _stored_tokens(mailbox_ids: Sequence[UUID]) -> list[tuple[str, datetime] | None]:
    """The access token of each mailbox and until when it may be used; None where it is used up, or where the mailbox is
    not connected. Of one workspace, inside it."""
    margin = _margin()
    good = Connection.objects.filter(
        mailbox_id__in=mailbox_ids,
        mailbox__state=Mailbox.State.CONNECTED,
        access_token__isnull=False,
        access_token_expires_at__gt=clock.now() + margin,
    )
    found = {
        each.mailbox_id: (
            vault_tokens.open(each, "access_token") or "",
            each.access_token_expires_at - margin,
        )
        for each in good.only("mailbox_id", "access_token", "access_token_expires_at")
        if each.access_token_expires_at is not None
    }
    return [found.get(mailbox_id) for mailbox_id in mailbox_ids]


async def _usable_token(
    workspace_id: UUID, mailbox_id: UUID, *, cleaning_up: bool = False
) -> tuple[str, datetime]:
    for _ in range(100):
        step, connection, scopes, tenant = await in_thread(
            _token_or_lease, workspace_id, mailbox_id, cleaning_up=cleaning_up
        )
        if step == "use":
            token = await in_thread(vault_tokens.open, connection, "access_token")
            assert connection.access_token_expires_at is not None  # _token_or_lease looked
            return str(token), connection.access_token_expires_at - _margin()
        if step == "refresh":
            return await _refresh(workspace_id, connection, scopes, tenant)
        await asyncio.sleep(0.1)  # another one is refreshing
    raise TryLater("Another worker is renewing this mailbox's token.")


async def _refresh(
    workspace_id: UUID, connection: Connection, scopes: list[str], tenant: UUID
) -> tuple[str, datetime]:
    try:
        await in_thread(credential.require_accepted)
        tokens = await _ask_for_tokens(workspace_id, connection, scopes, tenant)
    except BaseException:
        await in_thread(_release, workspace_id, connection.id)
        raise
    # Stored before it is used: Microsoft's rotation makes the old one grow old.
    expires_at = await in_thread(_save_refreshed, workspace_id, connection.id, tokens)
    return tokens.access_token, expires_at - _margin()


async def _ask_for_tokens(
    workspace_id: UUID, connection: Connection, scopes: list[str], tenant: UUID
) -> Tokens:
    """Microsoft's answer. A refusal of the registration is noted for all; one of an unknown kind waits at first."""
    old = await in_thread(vault_tokens.open, connection, "refresh_token")
    try:
        tokens = await in_thread(entra().refresh, old or "", scopes, tenant=tenant, claims=connection.claims)
    except RegistrationWrong as error:
        await in_thread(credential.refused, error.code)
        raise
    except Refused as error:
        if await in_thread(watch.refused_unknown, workspace_id, connection.mailbox_id):
            raise ReconnectNeeded(error.message, code=error.code) from error
        raise
    await in_thread(credential.accepted)
    return tokens


def _margin() -> timedelta:
    return min(clock.at_least(MARGIN, real=timedelta(seconds=1)), timedelta(minutes=30))


def _token_or_lease(
    workspace_id: UUID, mailbox_id: UUID, *, cleaning_up: bool = False
) -> tuple[str, Connection, list[str], UUID]:
    """What to do: "use" the stored token, "refresh" it (the lease is ours now), or "wait" for who does."""
    with inside(workspace_id):
        found = Connection.objects.select_for_update(of=("self",)).select_related("mailbox")
        connection = found.filter(mailbox_id=mailbox_id).first()
        # Disconnecting comes also in the middle of a job: that is no error of ours.
        if connection is None or not _may_use_tokens(connection.mailbox, cleaning_up=cleaning_up):
            raise ReconnectNeeded("This mailbox is not connected.", code="not_connected")
        mailbox = connection.mailbox
        good_until = connection.access_token_expires_at
        if connection.access_token is not None and good_until and good_until - _margin() > clock.now():
            return "use", connection, mailbox.scopes, mailbox.microsoft_tenant
        now = datetime.now(UTC)
        if connection.refreshing_until and connection.refreshing_until > now:
            return "wait", connection, mailbox.scopes, mailbox.microsoft_tenant
        connection.refreshing_until = now + REFRESH_LEASE
        connection.save(update_fields=["refreshing_until"])
        return "refresh", connection, mailbox.scopes, mailbox.microsoft_tenant


def _may_use_tokens(mailbox: Mailbox, *, cleaning_up: bool) -> bool:
    """A connected mailbox's for everything; a disconnected one's for cleaning up, and for a while only."""
    if cleaning_up:
        return mailbox.state == Mailbox.State.DISCONNECTED and mailbox.clean_up_until is not None
    return mailbox.state == Mailbox.State.CONNECTED


def _save_refreshed(workspace_id: UUID, connection_id: UUID, tokens: Tokens) -> datetime:
    with inside(workspace_id):
        connection = Connection.objects.select_for_update().filter(pk=connection_id).first()
        if connection is None:
            raise ReconnectNeeded("This mailbox was disconnected meanwhile.", code="not_connected")
        store_tokens(connection, tokens)
        connection.refreshing_until = None
        connection.save()
        return connection.access_token_expires_at  # type: ignore[return-value]


def _release(workspace_id: UUID, connection_id: UUID) -> None:
    with inside(workspace_id):
        Connection.objects.filter(pk=connection_id).update(refreshing_until=None)


def _forget_access_token(workspace_id: UUID, mailbox_id: UUID, claims: str) -> None:
    """The next token is made anew; what Graph demands of it is remembered until somebody has got it."""
    changes: dict[str, object] = {"access_token_expires_at": None}
    if claims:
        changes["claims"] = claims
    with inside(workspace_id):
        Connection.objects.filter(mailbox_id=mailbox_id).update(**changes)


def needs_reconnect(workspace_id: UUID, mailbox_id: UUID, code: str) -> None:
    """The rep is asked to sign in again. Nothing is deleted: positions and tokens stay for the reconnect."""
    with inside(workspace_id):
        changed = watch.look_soon(
            Mailbox.objects.filter(pk=mailbox_id, state=Mailbox.State.CONNECTED),
            state=Mailbox.State.NEEDS_RECONNECT,
            state_reason=f"Microsoft asks you to sign in again ({code})."[:200],
            state_code=code[:40],
            state_since=clock.now(),
        )
        if changed:
            mailbox = Mailbox.objects.get(pk=mailbox_id)
            record(
                by_job("connection"), tags.MAILBOX_NEEDS_RECONNECT, mailbox, mailbox_id=mailbox.id, code=code
            )


def _wait_until(workspace_id: UUID, mailbox_id: UUID, moment: datetime) -> None:
    with inside(workspace_id):
        Mailbox.objects.filter(Q(not_before__isnull=True) | Q(not_before__lt=moment), pk=mailbox_id).update(
            not_before=moment
        )


@dataclass(frozen=True, slots=True)
class Requested:
    """A request that was made of Microsoft, of which mailbox and why."""

    workspace_id: UUID
    mailbox_id: UUID
    reason: str
    asked: Asked


def _write_once(request: Requested) -> bool:
    """The request is in the ledger, and not twice where the round that failed had stored it."""
    with inside(request.workspace_id):
        known = LedgerRow.objects.filter(
            mailbox_id=request.mailbox_id, client_request_id=request.asked.client_request_id
        )
        if not known.exists():
            return write_ledger([request])[0]
        return Mailbox.objects.filter(pk=request.mailbox_id, state=Mailbox.State.CONNECTED).exists()


def write_ledger(requests: Sequence[Requested]) -> list[bool]:
    """The requests, all of one workspace, are in the ledger. Returns of each whether its mailbox is connected."""
    workspace_id = requests[0].workspace_id
    with inside(workspace_id):
        rows.add(
            [
                LedgerRow(
                    workspace_id=workspace_id,
                    mailbox_id=each.mailbox_id,
                    at=clock.now(),
                    shape=each.asked.shape,
                    item_hash=index(workspace_id, "item", each.asked.item) if each.asked.item else "",
                    client_request_id=each.asked.client_request_id,
                    status=each.asked.status,
                    bytes=each.asked.bytes,
                    milliseconds=each.asked.milliseconds,
                    reason=each.reason[:80],
                )
                for each in requests
            ]
        )
        asked_of = {each.mailbox_id for each in requests}
        connected = set(
            Mailbox.objects.filter(pk__in=asked_of, state=Mailbox.State.CONNECTED).values_list(
                "pk", flat=True
            )
        )
    return [each.mailbox_id in connected for each in requests]
