"""What somebody sees when something did not happen: what it was, and what to do now."""

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from gatepost.errors import GatepostError

log = logging.getLogger(__name__)

# Who can act decides the heading; the error's own sentence says the rest.
HEADINGS = {
    "wait": "Not just now",
    "rep": "That did not work",
    "it": "Not permitted",
    "operator": "Gatepost itself needs attention",
    "us": "Gatepost made a mistake",
}


class FailureMiddleware:
    """An error of ours becomes a page (or, for htmx, a notice) with its sentence and the status it names."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, GatepostError) or request.path.startswith("/api/"):
            return None
        if error.status >= 500:
            log.error("page failed: %s", type(error).__name__, exc_info=error)
        context = {"heading": _(HEADINGS[error.who]), "message": error.message, "back": came_from(request)}
        return render(request, "failure.html", context, status=error.status)


def came_from(request: HttpRequest) -> str:
    """The page of ours that led here, to go back to; the start page where there is none."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    if referrer.netloc != request.get_host() or referrer.path == request.path:
        return "/"
    return referrer.path + (f"?{referrer.query}" if referrer.query else "")
