"""What surrounds every page: the navigation, and the bar that says when Microsoft is a stand-in."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gatepost import clock


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation: everything below `path` belongs to it."""

    path: str
    name: str | Promise
    icon: str


PLACES = (
    Place("/inbox/", _("Inbox"), "inbox"),
    Place("/sequences/", _("Sequences"), "sequences"),
    Place("/contacts/", _("Contacts"), "contacts"),
    Place("/outbox/", _("Outbox"), "outbox"),
    Place("/meetings/", _("Meetings"), "meetings"),
    Place("/reports/", _("Reports"), "reports"),
    Place("/mailboxes/", _("Mailboxes"), "mailboxes"),
    Place("/privacy/", _("Privacy"), "privacy"),
    Place("/settings/", _("Settings"), "settings"),
)


@dataclass(frozen=True, slots=True)
class StandIn:
    """The sandbox in Microsoft's place, and the clock that both follow."""

    address: str
    letters: str | None  # where mail of our own can be read, if it is caught
    now: datetime
    rate: float


def frame(request: HttpRequest) -> dict[str, object]:
    """The frame's part of every template's context."""
    workspace = getattr(request, "workspace", None)
    return {
        "places": PLACES,
        "here": next((place for place in PLACES if request.path.startswith(place.path)), None),
        "zone": workspace and workspace.time_zone,  # the frame shows every time in it
        "stand_in": _stand_in(),
        "base": _base(request),
        "can_send_letters": bool(settings.GATEPOST_SMTP_URL),
        "may_write": workspace is not None and request.member.may_write,  # type: ignore[attr-defined]
        "anybody": anybody,  # called by the sign-in page only
        "may_administer": workspace is not None and request.member.may_administer,  # type: ignore[attr-defined]
    }


def _base(request: HttpRequest) -> str:
    """What a page stands in: nothing for a part, no navigation for whoever is not signed in."""
    if is_part(request):
        return "part.html"
    return "frame.html" if getattr(request, "workspace", None) is not None else "bare.html"


def is_part(request: HttpRequest) -> bool:
    """htmx asks for a part of a page; a browser that opens the same address gets a whole one."""
    return request.headers.get("HX-Request") == "true"


def anybody() -> bool:
    """Whether anybody can sign in at all."""
    return get_user_model().objects.exists()


def _stand_in() -> StandIn | None:
    address = settings.GATEPOST_SANDBOX_URL
    letters = "/letters/" if (settings.GATEPOST_SMTP_URL or "").startswith("file:") else None
    return StandIn(f"{address}/_sandbox/", letters, clock.now(), clock.rate()) if address else None
