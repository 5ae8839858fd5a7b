"""Leaving for the sandbox's sign-in pages and coming back, without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gatepost.accounts.models import Member
from gatepost.graph.oauth import Entra
from gatepost.mailboxes import actions, connection
from tests.sandbox.conftest import APP_ID, APP_SECRET, Served, form_fields


@contextmanager
def signing_in_at(sandbox: Served, settings: Any) -> Iterator[None]:
    """The product takes this sandbox for Microsoft."""
    settings.GATEPOST_SANDBOX_URL = sandbox.url
    entra = Entra(APP_ID, APP_SECRET, "organizations", sandbox.url)
    with pytest.MonkeyPatch.context() as patch:
        for module in (actions, connection):
            patch.setattr(module, "entra", lambda: entra)
        yield


def leave(member: Member, session: str, **options: Any) -> str:
    """The rep leaves; the query that Microsoft is given."""
    return urlsplit(actions.start_connect(member, session_key=session, **options)).query


def accept(sandbox: Served, query: str, account: str) -> dict[str, str]:
    """The account signs in and accepts; what Microsoft sends back."""
    answer = sandbox.post("/organizations/oauth2/v2.0/signin", form={"account": account, "request": query})
    if answer.status == 200:
        fields = {**form_fields(answer.text, "consent"), "decision": "accept"}
        answer = sandbox.post("/organizations/oauth2/v2.0/consent", form=fields)
    assert answer.status == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))
