"""The letterbox of the demo. With a real mail server there is no such page."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from gatepost.post import letterbox


def letters(request: HttpRequest) -> HttpResponse:
    """Every letter that the demo caught, for whoever sits before it: it has no sign-in of its own."""
    if letterbox.folder() is None:
        raise Http404("Mail of our own goes to a mail server here.")
    return render(request, "post/letters.html", {"letters": letterbox.caught()})
