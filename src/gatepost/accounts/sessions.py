"""Where somebody is signed in. allauth keeps the list; a session that is ended opens nothing from that moment."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse

from gatepost import clock

# Often enough to tell a forgotten session from one in use, without a write for every page.
NOTED_EVERY = timedelta(minutes=5)
NOTED = "noted_at"


class SessionsMiddleware:
    """Notes now and then that a session was used, and from which address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            noted = request.session.get(NOTED)
            now = clock.now()
            if noted is None or datetime.fromisoformat(noted) < now - clock.at_least(
                NOTED_EVERY, real=NOTED_EVERY
            ):
                _note(request, now, first=noted is None)
        return self.get_response(request)


def _note(request: Any, now: datetime, *, first: bool) -> None:
    if not request.session.session_key:
        request.session.save()
    seen = {
        "user": request.user,
        "ip": get_adapter().get_client_ip(request),
        "user_agent": request.headers.get("User-Agent", "")[:200],
        "last_seen_at": now,
    }
    if first:  # allauth noted the sign-in by the machine's clock; pages show the product's
        seen["created_at"] = now
    UserSession.objects.update_or_create(session_key=request.session.session_key, defaults=seen)
    request.session[NOTED] = now.isoformat()


@dataclass(frozen=True, slots=True)
class Session:
    """One place where somebody is signed in, as a page shows it."""

    id: int
    device: str
    address: str
    began: datetime
    last_used: datetime
    is_this: bool


def sessions_of(user: Any, *, this: str | None = None) -> list[Session]:
    """The sessions that still open something, last used first. `this`: the key of the one that asks."""
    found = UserSession.objects.purge_and_list(user)
    return [
        Session(
            each.pk,
            device(each.user_agent),
            each.ip,
            each.created_at,
            each.last_seen_at,
            each.session_key == this,
        )
        for each in sorted(found, key=lambda session: session.last_seen_at, reverse=True)
    ]


def end(user_id: UUID, *, only: int | None = None, but: str | None = None) -> int:
    """All sessions of somebody end (or `only` that one; or all `but` the one with this key). Returns how many."""
    found: Iterable[UserSession] = UserSession.objects.filter(user_id=user_id)
    chosen = [each for each in found if (only is None or each.pk == only) and each.session_key != but]
    for session in chosen:
        session.end()
    return len(chosen)


# Enough to recognise one's own machine. The order matters: every browser claims to be several others.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
           ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


def device(user_agent: str) -> str:
    """ "Firefox on Windows"; the beginning of what it calls itself where it is no browser that we know."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or user_agent.partition(" ")[0][:40] or "unknown"
