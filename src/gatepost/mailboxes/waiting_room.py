"""The waiting room: what becomes of an attempt to connect a mailbox while Microsoft, the rep or IT take their time.

Microsoft does not say whether a rep cancelled or must wait for an administrator, and where its own request for approval
is on, says nothing at all. So an attempt is held from the moment that the rep leaves, and can be finished for 30 days.

Nothing that comes without a sign-in is taken for a proof: the return of an administrator's browser is a reason to tell
the rep that it is worth trying, and no more. Whether it was approved is seen when the rep's own sign-in succeeds.
"""

import json
import secrets
from datetime import timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.core import signing

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput, NotAllowed
from gatepost.isolation import inside
from gatepost.mailboxes import connection, letters, rules
from gatepost.mailboxes.models import ConnectAttempt, Departure, Mailbox
from gatepost.mailboxes.queries import Found, across_workspaces
from gatepost.post import letters as post
from gatepost.vault import names
from gatepost.vault.sealing import installation_index, seal

CALLBACK_PATH = "/mailboxes/connected/"
Outcome = ConnectAttempt.Outcome
CONSENT_SALT = "mailboxes.admin-consent"
STATE_AGE = timedelta(days=60)  # real time, only so that old ones are let go: the attempt itself ends earlier

# How to leave for Microsoft: to choose an account; straight on, where one is signed in or known; or without any page.
How = Literal["choose", "straight", "quietly"]
PROMPTS: dict[How, str | None] = {"choose": "select_account", "straight": None, "quietly": "none"}


def redirect_uri() -> str:
    return settings.GATEPOST_PUBLIC_URL + CALLBACK_PATH


# What the rep does


def open_attempt(
    member: Member, scopes: frozenset[str], *, send_only: bool = False, again: UUID | None = None
) -> ConnectAttempt:
    """Inside the workspace: the rep's attempt at this, where one is still open, else a new one.

    Pressing “Add mailbox” once more is nearly always another try at the same thing: IT's link stays the same.
    """
    Member.objects.select_for_update().get(pk=member.pk)  # two quick clicks are one attempt
    for attempt in ConnectAttempt.objects.filter(
        member=member, again_id=again, scopes=sorted(scopes), send_only=send_only, outcome__in=OPEN
    ).order_by("-created_at"):
        if standing_of(attempt).open:
            return attempt
    now = clock.now()
    attempt = ConnectAttempt(
        workspace_id=member.workspace_id, member=member, again_id=again, scopes=sorted(scopes),
        send_only=send_only, created_at=now, left_at=now,
    )  # fmt: skip
    _make_link(attempt)
    attempt.save(force_insert=True)
    return attempt


def leave(attempt: ConnectAttempt, *, session_key: str, how: How, account: str | None = None) -> str:
    """The rep is on the way to Microsoft; the address to send the browser to. Raises RegistrationWrong or TryLater.

    `account`: the one to sign in with, where it is known. Raises BadInput where the attempt is over.
    """
    with inside(attempt.workspace_id):
        hint = account or _known_account(attempt, guess=how == "quietly")
    prompt = PROMPTS["straight" if hint and how == "choose" else how]
    flow = connection.entra().begin(attempt.scopes, redirect_uri(), login_hint=hint, prompt=prompt)
    with inside(attempt.workspace_id):
        attempt = ConnectAttempt.objects.select_for_update().get(pk=attempt.pk)
        if not standing_of(attempt).open:
            raise BadInput("This is over. Start again with “Add mailbox”.")
        now = clock.now()
        if how != "quietly":
            attempt.left_at = now
            attempt.save(update_fields=["left_at"])
        departure = Departure(
            workspace_id=attempt.workspace_id,
            attempt=attempt,
            state_index=installation_index("connect-state", flow["state"]),
            session_index=installation_index("connect-session", session_key),
            quiet=how == "quietly",
            left_at=now,
        )
        seal(departure, "flow", json.dumps({**flow, "account": hint or ""}))
        departure.save(force_insert=True)
        record(_rep(attempt), tags.MAILBOX_CONNECT_START, attempt, scopes=attempt.scopes, how=how)
    return str(flow["auth_uri"])


def come_back(state: str, session_key: str) -> Departure | None:
    """The departure, if it was begun in this browser session, is recent and was never finished; once."""
    for found in across_workspaces("departure_of_state", installation_index("connect-state", state)):
        with inside(found.workspace_id):
            departure = (
                Departure.objects.select_for_update(of=("self",))
                .select_related("attempt__member", "attempt__workspace")
                .get(pk=found.id)
            )
            session = installation_index("connect-session", session_key)
            life = clock.at_least(rules.DEPARTURE_LIFE, real=rules.DEPARTURE_LIFE)
            fresh = departure.left_at > clock.now() - life
            if not departure.claimed and fresh and secrets.compare_digest(departure.session_index, session):
                Departure.objects.filter(pk=departure.pk).update(claimed=True, flow=None)
                return departure
    return None


def note_outcome(attempt: ConnectAttempt, outcome: str, problem: str, *, account: str = "") -> None:
    """How the rep came back, where nothing was connected. An attempt that is held stays held when another try fails."""
    with inside(attempt.workspace_id):
        attempt = ConnectAttempt.objects.select_for_update().get(pk=attempt.pk)
        if outcome == Outcome.FAILED and attempt.departures.count() > 1:
            outcome = Outcome.NOT_APPROVED
        if attempt.outcome in OPEN:
            attempt.outcome = outcome
        attempt.problem = problem[:40]
        seal(attempt, "account", account or None)
        attempt.save()
        record(_rep(attempt), tags.MAILBOX_CONNECT_REFUSED, attempt, problem=problem[:40])


def give_up(attempt_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """The attempt is over, and its link with it."""
    with inside(workspace_id):
        attempt = ConnectAttempt.objects.select_for_update().get(pk=attempt_id)
        if attempt.outcome in OPEN:
            attempt.outcome = Outcome.GIVEN_UP
            _switch_link_off(attempt)
            attempt.save()
            record(actor, tags.MAILBOX_CONNECT_GIVE_UP, attempt)


# The page for IT


def page_link(attempt: ConnectAttempt) -> str:
    """The address of the page for IT; "" where it is switched off."""
    token = connection.open_page_token(attempt)
    return f"{settings.GATEPOST_PUBLIC_URL}/mailboxes/for-it/{token}/" if token else ""


def renew_link(attempt_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """There is a new link to the page for IT; one that was there before leads nowhere any more."""
    with inside(workspace_id):
        attempt = ConnectAttempt.objects.select_for_update().get(pk=attempt_id)
        _make_link(attempt)
        attempt.save(update_fields=["page_token", "page_index"])
        record(actor, tags.MAILBOX_CONNECT_LINK, attempt, on=True)


def switch_link_off(attempt_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """The link to the page for IT leads nowhere any more."""
    with inside(workspace_id):
        attempt = ConnectAttempt.objects.select_for_update().get(pk=attempt_id)
        _switch_link_off(attempt)
        attempt.save(update_fields=["page_token", "page_index"])
        record(actor, tags.MAILBOX_CONNECT_LINK, attempt, on=False)


def attempt_of_link(token: str) -> ConnectAttempt | None:
    """The attempt whose link this is, for 30 days; None where the link leads nowhere."""
    for found in across_workspaces("attempt_of_page", _index(token)):
        return _load(found)
    return None


def consent_link(attempt: ConnectAttempt) -> str:
    """Where an administrator approves at Microsoft, for everybody in the organisation."""
    state = signing.dumps(
        [str(attempt.workspace_id), str(attempt.pk), attempt.approvals_reported], salt=CONSENT_SALT
    )
    return connection.entra().admin_consent_url(
        attempt.scopes, redirect_uri(), state=state, tenant=settings.GATEPOST_TENANT
    )


def is_consent_state(state: str) -> bool:
    return _read_state(state) is not None


def hear_of_approval(state: str) -> ConnectAttempt | None:
    """Somebody's browser came back from Microsoft saying that an administrator approved: the rep is told, once.

    Anybody can open that address, so it proves nothing. `state` is one that we signed, and works once.
    """
    read = _read_state(state)
    if read is None:
        return None
    workspace_id, attempt_id, number = read
    with inside(workspace_id):
        found = ConnectAttempt.objects.select_for_update().filter(pk=attempt_id).first()
        if found is None or found.approvals_reported != number or not standing_of(found).open:
            return found
        told_already = found.approval_reported_at is not None and found.approval_reported_at >= found.left_at
        found.approvals_reported += 1
        found.approval_reported_at = clock.now()
        found.save(update_fields=["approvals_reported", "approval_reported_at"])
        record(Actor("it"), tags.MAILBOX_CONNECT_REPORTED, found)
        if not told_already:
            post.send(letters.APPROVED, workspace_id=workspace_id, about=found.pk)
        return found


# How it stands


OPEN = (Outcome.WAITING, Outcome.NOT_APPROVED, Outcome.OTHER_ACCOUNT)


def standing_of(attempt: ConnectAttempt) -> rules.Standing:
    return rules.standing_of(
        attempt.outcome,
        created=attempt.created_at,
        left=attempt.left_at,
        reported=attempt.approval_reported_at,
        now=clock.now(),
        silence=clock.at_least(rules.SILENCE, real=rules.SILENCE),
    )


def held(member: Member) -> list[ConnectAttempt]:
    """Inside the workspace: what is not finished, a member's own; an administrator sees everybody's."""
    found = ConnectAttempt.objects.filter(outcome__in=OPEN).select_related("member").order_by("-left_at")
    if not member.may_administer:
        found = found.filter(member=member)
    return [attempt for attempt in found[:50] if standing_of(attempt).open]


def may_ask_quietly(attempt: ConnectAttempt, member: Member) -> bool:
    """Whether it is time to ask Microsoft, without a page, if it was approved meanwhile. Only in the rep's browser."""
    if attempt.member_id != member.pk:
        return False
    standing = standing_of(attempt)
    pause = clock.at_least(rules.QUIET_EVERY, real=rules.QUIET_EVERY)
    last = max(attempt.departures.values_list("left_at", flat=True), default=attempt.left_at)
    if standing == rules.REPORTED:
        return attempt.approval_reported_at is not None and last < attempt.approval_reported_at
    return standing in (rules.SILENT, rules.NOT_APPROVED) and clock.now() - last > pause


def require_own(attempt: ConnectAttempt, member: Member, *, or_administer: bool = False) -> None:
    """Raises NotAllowed: only the rep goes to Microsoft; administrators look, switch links off and give up."""
    if attempt.member_id != member.pk and not (or_administer and member.may_administer):
        raise NotAllowed("Only whoever began this can finish it: it is their own account at Microsoft.")


def _known_account(attempt: ConnectAttempt, *, guess: bool) -> str | None:
    """The account to sign in with: that of the mailbox to connect again. For asking quietly, also a guess: a wrong one
    makes Microsoft answer that it must ask, while none at all could connect any account that is signed in."""
    if attempt.again_id:
        return names.open(Mailbox.objects.get(pk=attempt.again_id), "address")
    return Member.objects.select_related("user").get(pk=attempt.member_id).user.email if guess else None


def _load(found: Found) -> ConnectAttempt | None:
    with inside(found.workspace_id):
        attempt = ConnectAttempt.objects.select_related("member", "workspace").get(pk=found.id)
        return attempt if clock.now() - attempt.created_at <= rules.ATTEMPT_HELD else None


def _make_link(attempt: ConnectAttempt) -> None:
    token = secrets.token_urlsafe(24)
    seal(attempt, "page_token", token)
    attempt.page_index = _index(token)


def _switch_link_off(attempt: ConnectAttempt) -> None:
    attempt.page_token = attempt.page_index = None


def _index(token: str) -> str:
    return installation_index("page-for-it", token)


def _read_state(state: str) -> tuple[UUID, UUID, int] | None:
    try:
        workspace, attempt, number = signing.loads(state, salt=CONSENT_SALT, max_age=STATE_AGE)
        return UUID(workspace), UUID(attempt), int(number)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _rep(attempt: ConnectAttempt) -> Actor:
    return Actor("member", str(attempt.member_id))
