"""What Microsoft's sign-in says of our app registration, without a user. Only `mailboxes` imports this.

Nothing is changed there, and the one token that may come back (of the app itself, which has no permission of its own)
is thrown away. Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

import requests

from gatepost.graph.errors import TryLater
from gatepost.graph.gateway import LOGIN
from gatepost.graph.oauth import Entra, SandboxSession

CODE_ON_PAGE = re.compile(r"AADSTS(\d{5,8})|\"sErrorCode\":\"(\d{5,8})\"")


@dataclass(frozen=True, slots=True)
class Told:
    """One answer: `good`, or the AADSTS code of a refusal (0 where it has none). `good` None: it tells nothing."""

    good: bool | None
    code: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found. None: it was not asked, since something before it failed."""

    unreachable: str = ""  # why no answer came at all
    clock_ahead: timedelta | None = None  # how far this machine's clock is before Microsoft's
    tenant: Told | None = None
    sign_in_page: Told | None = None  # good: it knows the app, and would send browsers back to our address
    credential: Told | None = None


def look(entra: Entra, redirect_uri: str) -> Seen:
    """Ask in the order in which Microsoft checks: the tenant, then app and redirect address, then secret or certificate."""
    http = SandboxSession(entra.sandbox_url)
    try:
        discovery = http.get(f"{LOGIN}/{entra.tenant}/v2.0/.well-known/openid-configuration")
        tenant, ahead = _of_json(discovery), _clock_ahead(discovery)
        if not tenant.good:
            return Seen(tenant=tenant, clock_ahead=ahead)
        page = _of_page(http.get(_sign_in_address(entra, redirect_uri), allow_redirects=False), redirect_uri)
        return Seen(tenant=tenant, clock_ahead=ahead, sign_in_page=page, credential=_credential(entra))
    except (requests.RequestException, TryLater) as error:
        cause = error.__cause__ if isinstance(error, TryLater) else error
        return Seen(unreachable=type(cause or error).__name__)


def _sign_in_address(entra: Entra, redirect_uri: str) -> str:
    """prompt=none shows nobody a page: Microsoft answers at once, on the redirect address if it is a registered one."""
    query = {
        "client_id": entra.client_id, "response_type": "code", "response_mode": "query", "prompt": "none",
        "redirect_uri": redirect_uri, "scope": "openid", "state": "registration-check", "nonce": token_urlsafe(12),
    }  # fmt: skip
    return f"{LOGIN}/{entra.tenant}/oauth2/v2.0/authorize?{urlencode(query)}"


def _of_page(answer: requests.Response, redirect_uri: str) -> Told:
    """Browsers are sent to registered addresses only, so being sent there proves app and address."""
    if answer.headers.get("Location", "").startswith(redirect_uri):
        return Told(True)
    found = CODE_ON_PAGE.search(answer.text)
    # A page without a code asks for a sign-in first: only the first connect will show the rest.
    return Told(False, int(found[1] or found[2])) if found else Told(None)


def _of_json(answer: requests.Response) -> Told:
    if answer.ok:
        return Told(True)
    try:
        return _of_result(answer.json())
    except ValueError:
        return Told(None)


def _credential(entra: Entra) -> Told:
    """Where the tenant is named, the app itself can be let in. `organizations` names none in which it could."""
    if entra.tenant != "organizations":
        return _of_result(entra.ask_as_app())
    told = _of_result(entra.ask_with_refresh_token(f"none-{token_urlsafe(24)}"))
    if told.code in NO_SUCH_GRANT:
        return Told(True)  # the credential is looked at before the grant, which is nobody's
    return Told(None, told.code) if told.code in NOT_READ else told


NO_SUCH_GRANT = frozenset({70000, 70008})
NOT_READ = frozenset({9002313})  # the request was malformed, and perhaps nothing else was looked at


def _of_result(result: Mapping[str, Any]) -> Told:
    if "error" not in result:
        return Told(True)
    codes = [int(code) for code in result.get("error_codes") or ()]
    return Told(False, min(codes) if codes else 0)


def _clock_ahead(answer: requests.Response) -> timedelta | None:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return None
    return datetime.now(UTC) - theirs  # real time, also where the product's clock runs fast
