"""The pages of the waiting room: the rep's own, and the one for IT, which takes no sign-in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from gatepost.accounts.membership import by, page
from gatepost.accounts.models import Member
from gatepost.graph.shapes import SHAPES
from gatepost.isolation import inside
from gatepost.mailboxes import actions, refusals, rules, waiting_room
from gatepost.mailboxes.connection import entra
from gatepost.mailboxes.models import ConnectAttempt
from gatepost.post.letters import can_send
from gatepost.vault import names
from gatepost.web.limits import at_most
from gatepost.web.sessions import session_key

OPENINGS_A_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that is not finished, as the list of mailboxes shows it."""

    attempt: ConnectAttempt
    standing: rules.Standing
    address: str  # of the mailbox to connect again; "" for a new one
    own: bool


def rows_of_held(member: Member) -> list[Held]:
    return [
        Held(
            attempt,
            waiting_room.standing_of(attempt),
            _address_again(attempt),
            attempt.member_id == member.pk,
        )
        for attempt in waiting_room.held(member)
    ]


# The rep's own


@page
def attempt(request: Any, attempt_id: UUID) -> HttpResponse:
    """Cancelled, or an administrator must approve: what to do in either case, and how it stands."""
    found = _find(request, attempt_id)
    standing = waiting_room.standing_of(found)
    own = found.member_id == request.member.pk
    context = {
        "attempt": found,
        "standing": standing,
        "own": own,
        "address": _address_again(found),
        "account": names.open(found, "account") or "",
        "permissions": _permissions(found),
        "link": waiting_room.page_link(found),
        "consent": waiting_room.consent_link(found),
        "runs_at": settings.GATEPOST_PUBLIC_URL,
        "expires": found.created_at + rules.ATTEMPT_HELD,
        "quietly": own and waiting_room.may_ask_quietly(found, request.member),
        "would_ask": found.problem in WOULD_ASK,
        "meaning": _meaning(request, found),
        "can_send": can_send(),
    }
    return render(request, "mailboxes/attempt.html", context)


@page(write=True)
def go(request: Any, attempt_id: UUID) -> HttpResponse:
    """To Microsoft once more, with what was begun."""
    if request.method != "POST":
        return redirect("mailboxes:attempt", attempt_id)
    with inside(request.workspace.id):
        found = _find(request, attempt_id)
        waiting_room.require_own(found, request.member)
    ways: dict[str, waiting_room.How] = {"straight": "straight", "quietly": "quietly"}
    how = ways.get(request.POST.get("how", ""), "choose")
    return redirect(waiting_room.leave(found, session_key=session_key(request), how=how))


@page(write=True)
def add_other(request: Any, attempt_id: UUID) -> HttpResponse:
    """The account that signed in instead is added as a mailbox of its own, as the rep confirmed."""
    if request.method != "POST":
        return redirect("mailboxes:attempt", attempt_id)
    with inside(request.workspace.id):
        found = _find(request, attempt_id)
        waiting_room.require_own(found, request.member)
        account = names.open(found, "account")
    return redirect(actions.start_connect(request.member, session_key=session_key(request), account=account))


@page(write=True)
def link(request: Any, attempt_id: UUID) -> HttpResponse:
    """A new link to the page for IT, or none."""
    if request.method == "POST":
        with inside(request.workspace.id):
            _find(request, attempt_id)
        change = (
            waiting_room.renew_link if request.POST.get("do") == "renew" else waiting_room.switch_link_off
        )
        change(attempt_id, workspace_id=request.workspace.id, actor=by(request.member))
        messages.success(request, _("Done. The link from before leads nowhere now."))
    return redirect("mailboxes:attempt", attempt_id)


@page(write=True)
def give_up(request: Any, attempt_id: UUID) -> HttpResponse:
    if request.method != "POST":
        return redirect("mailboxes:attempt", attempt_id)
    with inside(request.workspace.id):
        _find(request, attempt_id)
    waiting_room.give_up(attempt_id, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Given up. Nothing was connected, and the link for IT leads nowhere now."))
    return redirect("mailboxes:mailboxes")


# Without a sign-in


def _public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page behind an address that is a secret: kept by no cache, and told to no search engine."""

    @wraps(view)
    @at_most(OPENINGS_A_MINUTE, "for-it")
    def wrapped(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, no_store=True, private=True)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return wrapped


@_public
def for_it(request: Any, token: str) -> HttpResponse:
    """What an administrator needs to decide, on one page."""
    found = _of_link(token)
    context = {
        "attempt": found,
        "permissions": _permissions(found),
        "consent": waiting_room.consent_link(found),
        "expires": found.created_at + rules.ATTEMPT_HELD,
        "app": entra().client_id,
        "publisher": settings.GATEPOST_PUBLISHER,
        "runs_at": settings.GATEPOST_PUBLIC_URL,
        "redirect_address": waiting_room.redirect_uri(),
        "tenant": "" if settings.GATEPOST_TENANT == "organizations" else settings.GATEPOST_TENANT,
        "zone": found.workspace.time_zone,
        "token": token,
    }
    return render(request, "mailboxes/for_it.html", context)


@_public
def requests_for_it(request: Any, token: str) -> HttpResponse:
    """Every request that this program can make to Microsoft Graph, from the table that it obeys."""
    found = _of_link(token)
    shapes = [shape for shape in SHAPES.values() if rules.granted(shape.scope, found.scopes)]
    return render(request, "mailboxes/requests_for_it.html", {"shapes": shapes, "token": token})


@at_most(OPENINGS_A_MINUTE, "approval")
def come_from_approval(request: Any, state: str) -> HttpResponse:
    """An administrator's browser comes back from Microsoft. Anybody can open this address: it proves nothing."""
    refused = "error" in request.GET
    found = None if refused else waiting_room.hear_of_approval(state)
    if found is not None and request.member is not None and found.member_id == request.member.pk:
        return redirect("mailboxes:attempt", found.pk)
    context = {"refused": refused, "told": found is not None and can_send()}
    return render(request, "mailboxes/approved.html", context)


# Microsoft's words for: not without showing a page.
WOULD_ASK = frozenset({"login_required", "interaction_required", "AADSTS50058", "AADSTS16000", "account"})


def _find(request: Any, attempt_id: UUID) -> ConnectAttempt:
    """Inside the workspace: an attempt of the member's own, or anybody's for an administrator."""
    found = get_object_or_404(ConnectAttempt.objects.select_related("member", "workspace"), pk=attempt_id)
    waiting_room.require_own(found, request.member, or_administer=True)
    return found


def _of_link(token: str) -> ConnectAttempt:
    found = waiting_room.attempt_of_link(token)
    if found is None:
        raise Http404("This link leads nowhere.")
    return found


def _permissions(found: ConnectAttempt) -> list[rules.Permission]:
    return list(rules.permissions_of(found.scopes))


def _address_again(found: ConnectAttempt) -> str:
    return (names.open(found.again, "address") or "") if found.again else ""


def _meaning(request: Any, found: ConnectAttempt) -> refusals.Refusal | None:
    """What Microsoft's number means: the one that the rep typed, else the one that Microsoft sent back."""
    digits = "".join(filter(str.isdigit, request.GET.get("number", "")))[:8]
    if digits:
        return refusals.of_number(int(digits))
    sent = found.problem.removeprefix("AADSTS")
    # The cancelled consent has this page for an explanation.
    return refusals.of_number(int(sent)) if sent.isdigit() and sent not in ("65004", "65001") else None
