"""Connecting, changing and disconnecting a mailbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import IntegrityError

from gatepost import clock
from gatepost.accounts.models import Member, Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, job, record
from gatepost.errors import BadInput, Conflict
from gatepost.graph import housekeeping
from gatepost.graph.errors import (
    ApprovalNeeded,
    GraphError,
    MailboxUnusable,
    ReconnectNeeded,
)
from gatepost.graph.gateway import Asked, Gateway, http_session
from gatepost.graph.oauth import Tokens
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import gaps, refusals, rules, waiting_room
from gatepost.mailboxes.connection import Requested, entra, open_flow, store_tokens, write_ledger
from gatepost.mailboxes.models import ConnectAttempt, Connection, Folder, Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.mailboxes.refusals import Refusal
from gatepost.vault import names
from gatepost.vault.sealing import index, installation_index, seal

FOLDERS = ("inbox", "junkemail", "sentitems")
Outcome = ConnectAttempt.Outcome
# The first walk looks a day back: a reply may be older than the connection.
LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Connected:
    mailbox_id: UUID
    again: bool  # it had been connected before


@dataclass(frozen=True, slots=True)
class NotApproved:
    """Microsoft sent the rep back without consent, or with another account: the waiting room goes on from here."""

    attempt_id: UUID
    problem: str


@dataclass(frozen=True, slots=True)
class NotConnected:
    """It failed, and nothing was changed. `attempt_id`: where the rep can go on, if anywhere."""

    refusal: Refusal
    attempt_id: UUID | None = None


class NotThisAccount(Exception):
    """The sign-in is right, and this account cannot be connected here: `problem` is a name of refusals.IDENTITIES."""

    def __init__(self, problem: str, *, account: str = "") -> None:
        super().__init__(problem)
        self.problem, self.account = problem, account


def start_connect(
    member: Member,
    *,
    session_key: str,
    send_only: bool = False,
    mailbox_id: UUID | None = None,
    account: str | None = None,
) -> str:
    """An attempt is stored; the address to send the browser to. Raises RegistrationWrong or TryLater.

    Asked for is all that the features in use need; where a mailbox is connected again, those meant for that one, with
    its account and no other. Microsoft's page shows of it only what is new, and the tokens that come back carry all of
    it. `account`: the one to sign in with, where it is known.
    """
    workspace = member.workspace
    with inside(workspace.id):
        again = Mailbox.objects.filter(pk=mailbox_id).first() if mailbox_id else None
        briefs = again is None or again.briefs_on_calendar
        scopes = rules.scopes_to_ask(
            rules.wanted_features(workspace.features, send_only=send_only, briefs=briefs)
        )
        attempt = waiting_room.open_attempt(member, scopes, send_only=send_only, again=mailbox_id)
    return waiting_room.leave(attempt, session_key=session_key, how="choose", account=account)


def finish_connect(
    parameters: Mapping[str, str], *, session_key: str
) -> Connected | NotApproved | NotConnected:
    """What became of an attempt, from what Microsoft sent back. The way back is used up."""
    departure = waiting_room.come_back(parameters.get("state", ""), session_key)
    if departure is None:
        return NotConnected(refusals.LOST)
    attempt = departure.attempt
    if not waiting_room.standing_of(attempt).open and attempt.outcome != Outcome.CONNECTED:
        return NotConnected(refusals.GIVEN_UP)
    flow = json.loads(open_flow(departure))
    try:
        tokens = entra().finish(flow, dict(parameters))
        if departure.quiet and tokens.account.casefold() != str(flow["account"]).casefold():
            raise ApprovalNeeded("Another account than expected is signed in.", code="account")
        mailbox_id, profile = _look_at_account(attempt, tokens)
        return _save(attempt, tokens, mailbox_id, profile)
    except (GraphError, NotThisAccount, Conflict) as error:
        return _not_connected(attempt, error, quiet=departure.quiet)


def _not_connected(
    attempt: ConnectAttempt, error: GraphError | NotThisAccount | Conflict, *, quiet: bool
) -> NotApproved | NotConnected:
    """The rep's way on: the waiting room where somebody may still approve or another account is meant, else a page."""
    if isinstance(error, NotThisAccount):
        if error.problem == "other_account":
            waiting_room.note_outcome(attempt, Outcome.OTHER_ACCOUNT, error.problem, account=error.account)
            return NotApproved(attempt.id, error.problem)
        problem, refusal = error.problem, refusals.of_identity(error.problem)
    elif isinstance(error, Conflict):
        problem, refusal = "conflict", refusals.of_conflict(error)
    else:
        problem, refusal = error.code or type(error).__name__, refusals.of_error(error)
        # Asked quietly, Microsoft answers with an error whenever it would rather show a page.
        if isinstance(error, ApprovalNeeded) or (quiet and isinstance(error, ReconnectNeeded)):
            waiting_room.note_outcome(attempt, Outcome.NOT_APPROVED, problem)
            return NotApproved(attempt.id, problem)
    waiting_room.note_outcome(attempt, Outcome.FAILED, problem)
    with inside(attempt.workspace_id):
        attempt.refresh_from_db(fields=["outcome"])
    return NotConnected(refusal, attempt.id if waiting_room.standing_of(attempt).open else None)


def disconnect(
    mailbox_id: UUID, *, workspace_id: UUID, actor: Actor, clean_up_for: timedelta = rules.CLEAN_UP_FOR
) -> None:
    """The mailbox sends and reads nothing more, at once. What it sent and received stays, and enrolments wait.

    A job then ends what is ours at Microsoft with the tokens, which serve for nothing else from now on, and destroys
    them; at the latest after `clean_up_for`. A second time changes nothing but can shorten that.
    """
    until = datetime.now(UTC) + clean_up_for
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        if mailbox.state == Mailbox.State.DISCONNECTED:
            Mailbox.objects.filter(pk=mailbox_id, clean_up_until__gt=until).update(clean_up_until=until)
            return
        mailbox.state, mailbox.state_reason, mailbox.state_code = Mailbox.State.DISCONNECTED, "", ""
        mailbox.state_since = mailbox.tell_at = clock.now()
        mailbox.sync_due_at = mailbox.calendar_due_at = None
        mailbox.disconnected_at = mailbox.drafts_removed_at = clock.now()
        mailbox.clean_up_until, mailbox.left_at_microsoft = until, []
        mailbox.save()
        record(actor, tags.MAILBOX_DISCONNECT, mailbox, mailbox_id=mailbox.id)
        enqueue("mailboxes.clean-up", workspace=str(workspace_id), mailbox=str(mailbox_id))


def cleaned_up(mailbox_id: UUID, left: list[str], *, workspace_id: UUID) -> None:
    """The tokens of a disconnected mailbox are destroyed. `left`: what of ours may still be at Microsoft.

    Not where the mailbox was connected again meanwhile: those are new tokens.
    """
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().filter(pk=mailbox_id).first()
        if mailbox is None or mailbox.state != Mailbox.State.DISCONNECTED or mailbox.clean_up_until is None:
            return
        mailbox.clean_up_until, mailbox.left_at_microsoft = None, left
        # Again: a draft that was under way when the mailbox was disconnected was removed with the others.
        mailbox.drafts_removed_at = clock.now()
        mailbox.save(update_fields=["clean_up_until", "left_at_microsoft", "drafts_removed_at"])
        Connection.objects.filter(mailbox=mailbox).delete()
        mailbox.subscriptions.all().delete()
        record(job("mailboxes.clean-up"), tags.MAILBOX_CLEAN_UP, mailbox, mailbox_id=mailbox_id, left=left)


def change_settings(
    mailbox_id: UUID,
    *,
    workspace_id: UUID,
    daily_limit: int,
    gap_seconds: int,
    hourly_limit: int | None = None,
    longest_gap_seconds: int | None = None,
    slow_start_days: int | None = None,
    briefs_on_calendar: bool,
    actor: Actor,
) -> None:
    """How much the mailbox sends. Raises BadInput."""
    if not 1 <= daily_limit <= 10_000:
        raise BadInput("Mails a day must be between 1 and 10,000: Microsoft takes no more from one mailbox.")
    if not 2 <= gap_seconds <= 3600:
        raise BadInput("The pause between two mails must be between 2 seconds and an hour.")
    longest_gap_seconds, slow_start_days = longest_gap_seconds or 0, slow_start_days or 0
    if hourly_limit is not None and not 1 <= hourly_limit <= 1800:
        raise BadInput("Mails an hour must be between 1 and 1,800, or empty for no limit of their own.")
    if longest_gap_seconds and not gap_seconds <= longest_gap_seconds <= 3600:
        raise BadInput("The longest pause must be at least the shortest one, and at most an hour.")
    if not 0 <= slow_start_days <= 90:
        raise BadInput("The slow start takes at most 90 days.")
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        mailbox.daily_limit, mailbox.gap_seconds = daily_limit, gap_seconds
        mailbox.hourly_limit, mailbox.longest_gap_seconds = hourly_limit, longest_gap_seconds
        if slow_start_days != mailbox.slow_start_days:
            mailbox.slow_start_days = slow_start_days
            mailbox.slow_start_at = clock.now() if slow_start_days else None
        mailbox.briefs_on_calendar = briefs_on_calendar
        # What waits for the old limit or pause is looked at anew; the gate says whether it may go now.
        mailbox.sending_not_before = None
        mailbox.save()
        record(actor, tags.MAILBOX_SETTINGS, mailbox, mailbox_id=mailbox.id, daily_limit=daily_limit)
        for woken in ("sequences.send", "meetings.sync"):
            enqueue(woken, once_for=mailbox.id, workspace=str(workspace_id), mailbox=str(mailbox.id))


class _NewAccess:
    """Access to an account that is no mailbox of ours yet."""

    def __init__(self, workspace_id: UUID, mailbox_id: UUID, tokens: Tokens) -> None:
        self.workspace_id, self.mailbox_id, self.tokens = workspace_id, mailbox_id, tokens
        self.asked: list[Asked] = []

    @property
    def scopes(self) -> frozenset[str]:
        return self.tokens.scopes

    async def token(self, *, renew: bool = False, claims: str = "") -> str:
        return self.tokens.access_token

    async def record(self, asked: Asked) -> None:
        self.asked.append(asked)


def _look_at_account(attempt: ConnectAttempt, tokens: Tokens) -> tuple[UUID, housekeeping.Profile]:
    """Whose account it is, and that its mailbox can be used. The id is the mailbox's, known or new."""
    assert tokens.tenant is not None  # Entra.finish sets it
    found = across_workspaces("mailbox_of_identity", _identity(tokens))
    known = rules.Known(found[0].id, found[0].workspace_id) if found else None
    problem = rules.identity_problem(
        tenant=tokens.tenant,
        guest=tokens.is_guest,
        known=known,
        workspace_id=attempt.workspace_id,
        again=attempt.again_id,
    )
    if problem:
        raise NotThisAccount(problem, account=tokens.account)
    mailbox_id = known.mailbox_id if known else uuid7()
    access = _NewAccess(attempt.workspace_id, mailbox_id, tokens)

    async def look() -> housekeeping.Profile:
        async with http_session() as http:
            gateway = Gateway(http, access, sandbox_url=settings.GATEPOST_SANDBOX_URL)
            profile = await housekeeping.profile(gateway)
            _require_allowed(attempt, tokens, profile)
            if rules.granted("Mail.Read", tokens.scopes):
                try:
                    await housekeeping.check_inbox(gateway)
                except MailboxUnusable:
                    licensed = await housekeeping.has_licence(gateway)
                    raise NotThisAccount("elsewhere" if licensed else "unlicensed") from None
            return profile

    try:
        return mailbox_id, async_to_sync(look)()
    finally:
        if access.asked:
            write_ledger(
                [Requested(attempt.workspace_id, mailbox_id, "connect", asked) for asked in access.asked]
            )


def _require_allowed(attempt: ConnectAttempt, tokens: Tokens, profile: housekeeping.Profile) -> None:
    """The workspace takes mailboxes of this domain and this Microsoft tenant. Raises Conflict."""
    workspace = attempt.workspace
    domain = profile.address.rpartition("@")[2]
    assert tokens.tenant is not None  # Entra.finish sets it
    problem = rules.why_not_here(
        domain, tokens.tenant, domains=workspace.mailbox_domains, tenants=workspace.mailbox_tenants
    )
    if problem:
        raise Conflict(
            f"{problem} Nothing of it was kept. Start again with another account, or ask an administrator of this "
            "workspace to allow it under Mailboxes → Permissions."
        )


def _identity(tokens: Tokens) -> str:
    return installation_index("microsoft-identity", f"{tokens.tenant}/{tokens.object_id}")


def _save(
    attempt: ConnectAttempt, tokens: Tokens, mailbox_id: UUID, profile: housekeeping.Profile
) -> Connected:
    """The mailbox is connected: new, or again with everything it had."""
    actor = Actor("member", str(attempt.member_id))
    try:
        with inside(attempt.workspace_id):
            if Workspace.objects.filter(pk=attempt.workspace_id, closed_at__isnull=False).exists():
                raise Conflict("This workspace was closed. No mailbox can be connected to it any more.")
            mailbox = Mailbox.objects.select_for_update().filter(pk=mailbox_id).first()
            if mailbox is not None and mailbox.is_being_erased:
                raise Conflict("This mailbox is being erased. Wait a minute, then connect it anew.")
            again = mailbox is not None
            handed_over: dict[str, Any] = {}
            if mailbox is None:
                mailbox = Mailbox(id=mailbox_id, workspace_id=attempt.workspace_id, member=attempt.member)
                mailbox.time_zone = attempt.workspace.time_zone
            elif mailbox.member_id != attempt.member_id:
                if mailbox.state != Mailbox.State.DISCONNECTED:
                    raise NotThisAccount("colleague")
                handed_over, mailbox.member = {"member_before": str(mailbox.member_id)}, attempt.member
            ran = mailbox.running if again else frozenset()
            if again:
                gaps.begin_at_reconnect(mailbox)
            mailbox.send_only = attempt.send_only
            _describe(mailbox, tokens, profile)
            may_write_now = again and "drafts" in mailbox.running - ran
            if may_write_now:
                mailbox.sync_due_at = None  # what was sent without drafts is found first: outbox.find-sent
            mailbox.save()
            connection = Connection.objects.filter(mailbox=mailbox).first() or Connection(
                workspace_id=mailbox.workspace_id, mailbox=mailbox
            )
            store_tokens(connection, tokens)
            connection.save()
            for name in FOLDERS:
                Folder.objects.get_or_create(
                    mailbox=mailbox,
                    name=name,
                    defaults={"workspace_id": mailbox.workspace_id, "anchored_at": clock.now() - LOOK_BACK},
                )
            attempt.outcome, attempt.mailbox = Outcome.CONNECTED, mailbox
            attempt.problem, attempt.account = "", None
            attempt.save(update_fields=["outcome", "mailbox", "problem", "account"])
            tag = tags.MAILBOX_RECONNECT if again else tags.MAILBOX_CONNECT
            record(actor, tag, mailbox, mailbox_id=mailbox.id, scopes=sorted(tokens.scopes), **handed_over)
            ids = {"workspace": str(mailbox.workspace_id), "mailbox": str(mailbox.id)}
            enqueue("mailboxes.subscribe", once_for=mailbox.id, **ids)
            enqueue("mailboxes.probe", once_for=mailbox.id, **ids)
            if may_write_now:
                enqueue("outbox.find-sent", once_for=mailbox.id, **ids)
    except IntegrityError as error:
        raise NotThisAccount("same_moment") from error
    return Connected(mailbox.id, again)


def _describe(mailbox: Mailbox, tokens: Tokens, profile: housekeeping.Profile) -> None:
    now = clock.now()
    assert tokens.tenant is not None and tokens.object_id is not None  # Entra.finish sets both
    mailbox.microsoft_tenant, mailbox.microsoft_object = tokens.tenant, tokens.object_id
    mailbox.identity_index = _identity(tokens)
    mailbox.state, mailbox.state_reason, mailbox.state_code = Mailbox.State.CONNECTED, "", ""
    mailbox.sync_problem = mailbox.problem_who = mailbox.problem_code = mailbox.calendar_problem = ""
    mailbox.state_since = mailbox.problem_since = None
    mailbox.tell_at = now
    mailbox.scopes = sorted(tokens.scopes)
    mailbox.connected_at = now
    mailbox.disconnected_at = mailbox.clean_up_until = None
    mailbox.left_at_microsoft = []
    mailbox.not_before = None
    # Catches up before it speaks: nothing is sent until the mail and the meetings of the gap are in.
    mailbox.read_through = mailbox.calendar_read_through = None
    mailbox.sync_due_at = now if "replies" in mailbox.running else None
    mailbox.calendar_due_at = now
    seal(mailbox, "address", profile.address)
    seal(mailbox, "name", profile.name)
    seal(mailbox, "aliases", "\n".join(sorted(profile.own_addresses - {profile.address.casefold()})))
    mailbox.address_index = index(mailbox.workspace_id, "address", profile.address)
    mailbox.own_address_indexes = sorted(
        index(mailbox.workspace_id, "address", a) for a in profile.own_addresses
    )
    domains = {address.rpartition("@")[2] for address in profile.own_addresses}
    mailbox.domain_indexes = sorted(index(mailbox.workspace_id, "domain", d) for d in domains)


def own_address(mailbox: Mailbox) -> str:
    return names.open(mailbox, "address") or ""
