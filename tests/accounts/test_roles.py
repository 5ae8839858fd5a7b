"""Every address of the product with every role: what the table of rules.py says is what the pages do."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from gatepost.accounts.models import Member
from gatepost.accounts.rules import ROLES, Ability, may
from tests.api.test_api import Program
from tests.makers import make_member, make_workspace
from tests.pages import confirmed, signed_in

SOME_ID = UUID("00000000-0000-7000-8000-000000000000")
# Open to everybody, or to whoever is signed in, whatever his role: signing in and the own sign-in, Microsoft's way
# back, the page for IT, receipts of erasures, the letterbox of the demo, the way to the start page.
WITHOUT_A_ROLE = (
    "sign-in/",
    "unsubscribe/",
    "sign-out/",
    "join/",
    "account/",
    "mailboxes/connected/",
    "mailboxes/for-it/",
    "letters/",
    "receipts/",
    "settings/closed/",
)

NEEDS_A_REGISTRATION = "mailboxes/new/"  # says so with a 500, since only the operator can act


def pages(resolver: Any = None, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every address that is no part of the API, with its view."""
    for each in (resolver or get_resolver()).url_patterns:
        route = before + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            if not route.startswith("api/"):
                yield from pages(each, route)
        elif isinstance(each, URLPattern):
            yield route, each.callback


ROUTES = {route: view for route, view in pages() if route and not route.startswith(WITHOUT_A_ROLE)}


def address(route: str) -> str:
    return "/" + re.sub(r"<uuid:\w+>", str(SOME_ID), re.sub(r"<(?:str|slug):\w+>", "something", route))


@pytest.fixture
def visitors(committed_db: None) -> dict[str, Client]:
    workspace = make_workspace()
    return {role: confirmed(signed_in(make_member(workspace, role.title(), role=role))) for role in ROLES}


def test_every_page_says_what_it_needs() -> None:
    assert [route for route, view in ROUTES.items() if not hasattr(view, "needs")] == []
    assert len(ROUTES) > 40


def test_every_page_is_closed_to_exactly_those_roles_that_lack_what_it_needs(
    visitors: dict[str, Client],
) -> None:
    wrong = []
    for route, view in ROUTES.items():
        for method in ("GET", "POST"):
            for role, client in visitors.items():
                answer = getattr(client, method.lower())(address(route))
                allowed = may(role, view.needs[method])
                broken = answer.status_code >= 500 and route != NEEDS_A_REGISTRATION
                if (answer.status_code == 403) == allowed or broken:
                    wrong.append((route, method, role, answer.status_code))
    assert wrong == []


# What the API needs beyond "look" for reading and "work" for changing.
ADMINISTRATIVE = {
    ("put", "/members/{member_id}/role"),
    ("delete", "/members/{member_id}"),
    ("get", "/invitations"),
    ("post", "/invitations"),
    ("delete", "/invitations/{invitation_id}"),
    ("post", "/contacts/{contact_id}/export"),
    ("put", "/retention"),
    ("patch", "/limits"),
    ("put", "/label-rules/{label}"),
}
BODIES = {
    "/members/{member_id}/role": {"role": "rep"},
    "/invitations": {"email": "x@northwind.example", "role": "rep"},
    "/retention": {"days": {}},
    "/label-rules/{label}": {"course": "end"},
}


def test_the_api_is_closed_to_exactly_those_roles_that_lack_what_it_needs(committed_db: None) -> None:
    workspace = make_workspace()
    programs = {role: Program(make_member(workspace, role.title(), role=role)) for role in ROLES}
    contract = Client().get("/api/v1/openapi.json").json()
    wrong = []
    for path, methods in contract["paths"].items():
        short = path.removeprefix("/api/v1")
        for method in methods:
            needed = Ability.LOOK if method == "get" else Ability.WORK
            if (method, short) in ADMINISTRATIVE:
                needed = Ability.ADMINISTER
            for role, program in programs.items():
                answer = getattr(program.client, method)(
                    filled(path),
                    BODIES.get(short, {}),
                    content_type="application/json",
                )
                # 422 says that the body was looked at, so the role was let through to there.
                refused = answer.status_code == 403
                if refused == may(role, needed) or answer.status_code >= 500:
                    wrong.append((method, short, role, answer.status_code))
    assert wrong == []


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", str(SOME_ID), path)


def test_the_page_of_members_shows_the_table(db: None) -> None:
    alice: Member = make_member(make_workspace())
    page = signed_in(alice).get("/settings/members/").content.decode()
    assert "Open everybody&#x27;s texts, and send from every mailbox" in page
    assert "Make, change and remove owners" in page
