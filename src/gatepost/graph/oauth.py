"""Signing in with Microsoft: authorization code with PKCE, and refreshing. Only `mailboxes` imports this.

msal talks to Entra; what it returns is checked here, since it no longer verifies the id token itself.
Its token cache stays empty: it would keep tokens in plain text.
"""

import hashlib
import json
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import jwt
import msal
import requests

from gatepost import clock
from gatepost.graph.credentials import Credential, for_msal
from gatepost.graph.errors import (
    ApprovalNeeded,
    GraphError,
    ReconnectNeeded,
    Refused,
    RegistrationWrong,
    TryLater,
)
from gatepost.graph.gateway import LOGIN

# Entra adds these by itself, and msal refuses to be asked for them.
ALWAYS = frozenset({"openid", "profile", "offline_access", "email"})
# msal would rather have response_mode=form_post. That is a POST from another site, which arrives without our
# SameSite=Lax session cookie: the state could not be bound to the browser session that began it.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", module="msal")

GRAPH_PREFIX = "https://graph.microsoft.com/"
TIMEOUT_SECONDS = 20
CLOCK_SKEW = timedelta(minutes=5)

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes; branch on `error` first, since
# Microsoft says not to code against the AADSTS text. These numbers are the exceptions it leaves no word for.
REGISTRATION_ERRORS = frozenset({"invalid_client", "unauthorized_client"})
REGISTRATION_CODES = frozenset({7000215, 7000222, 7000218, 700027, 700016, 50194})
# The registration is found, and the credential does not prove it: another one may.
CREDENTIAL_CODES = frozenset({7000215, 7000222, 700027})
WAIT_ERRORS = frozenset({"temporarily_unavailable", "server_error"})
APPROVAL_CODES = frozenset({90094, 90095, 900941, 900981, 90093})
# We can answer a claims challenge; in return an access token lives for a day, and ends at once when the account is
# disabled or signed out (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
CAPABILITIES = ["CP1"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Microsoft granted. `scopes` are short names ("Mail.Read")."""

    access_token: str
    refresh_token: str
    expires_in_seconds: int
    scopes: frozenset[str]
    tenant: UUID | None = None
    object_id: UUID | None = None
    # How Microsoft writes the account's name. It changes: to show, never to know the account by.
    account: str = ""
    is_guest: bool = False

    def __repr__(self) -> str:
        return f"Tokens(***, scopes={sorted(self.scopes)})"


class EmptyCache(msal.TokenCache):
    """Keeps nothing."""

    def add(self, event: Any, now: Any = None) -> None: ...

    def modify(self, *args: Any, **kwargs: Any) -> None: ...


class SandboxSession(requests.Session):
    """Sends what is meant for Microsoft's sign-in host to the sandbox."""

    def __init__(self, sandbox_url: str | None) -> None:
        super().__init__()
        self.sandbox_url = sandbox_url

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", TIMEOUT_SECONDS)
        return super().request(method, for_browser(str(url), self.sandbox_url), *args, **kwargs)


def for_browser(address: str, sandbox_url: str | None) -> str:
    """The address to open: Microsoft's, or the sandbox's with the same path."""
    if sandbox_url and address.startswith(LOGIN):
        return sandbox_url + address.removeprefix(LOGIN)
    return address


class Entra:
    """Our app registration at Microsoft. One msal object per authority, kept; safe for several threads."""

    def __init__(
        self,
        client_id: str,
        credential: Credential | None,
        tenant: str,
        sandbox_url: str | None,
        *,
        spares: Iterable[Credential] = (),
        offline: bool = True,
    ) -> None:
        """`spares` are tried where Microsoft refuses `credential`: so that one can be renewed without a pause.

        `offline`: access lasts when the person has gone. Signing in to Gatepost itself does without.
        """
        if not client_id or not credential:
            raise RegistrationWrong(
                "No app registration is set. Set GATEPOST_CLIENT_ID and GATEPOST_CLIENT_SECRET "
                "(docs/how-to/register-the-app.md)."
            )
        self.client_id, self.tenant, self.sandbox_url = client_id, tenant, sandbox_url
        self._credentials = (credential, *spares)
        self._in_use = 0
        self._left_out = [] if offline else ["offline_access"]
        self._http = SandboxSession(sandbox_url)
        self._apps: dict[tuple[str, int], msal.ConfidentialClientApplication] = {}
        self._keys: dict[str, jwt.PyJWK] = {}
        self._lock = threading.Lock()

    def begin(
        self,
        scopes: Iterable[str],
        redirect_uri: str,
        *,
        login_hint: str | None = None,
        prompt: str | None = "select_account",
        claims: str = "",
    ) -> dict[str, Any]:
        """A new flow: its `auth_uri` is where to send the browser; the rest is needed again by `finish`.

        `prompt`: "select_account", under which Microsoft ignores the hint; None, where an account is known; "none",
        where no page may be shown. Never "consent": that fails for everybody but administrators (AADSTS90095).
        """
        with _microsoft():
            flow = self._app(self.tenant).initiate_auth_code_flow(
                sorted(set(scopes) - ALWAYS),
                redirect_uri=redirect_uri,
                prompt=prompt,
                login_hint=login_hint,
                claims_challenge=claims or None,
            )
        if "error" in flow:
            raise _error(flow)
        return {**flow, "auth_uri": for_browser(flow["auth_uri"], self.sandbox_url)}

    def finish(self, flow: Mapping[str, Any], parameters: Mapping[str, str]) -> Tokens:
        """The tokens for what came back to the redirect address. Raises one of graph.errors."""
        with _microsoft():
            try:
                result = self._ask(
                    self.tenant, lambda app: app.acquire_token_by_auth_code_flow(dict(flow), dict(parameters))
                )
            except json.JSONDecodeError:
                raise
            except RuntimeError as error:  # msal: the nonce does not match
                raise Refused(
                    "Microsoft's identity token belongs to another sign-in.", code="nonce"
                ) from error
            except ValueError as error:  # msal: the state does not match
                raise Refused(
                    "Microsoft's answer does not belong to this sign-in.", code="state_mismatch"
                ) from error
        if "error" in result:
            raise _error(result)
        with _microsoft():
            claims = self._verified(str(result.get("id_token") or ""), nonce=flow["nonce"])
        tokens = _tokens(result)
        return Tokens(
            tokens.access_token, tokens.refresh_token, tokens.expires_in_seconds, tokens.scopes,
            tenant=UUID(claims["tid"]), object_id=UUID(claims["oid"]),
            account=str(claims.get("preferred_username") or ""), is_guest=_is_guest(claims),
        )  # fmt: skip

    def who(self, code: str, *, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """The checked claims of somebody who signs in to Gatepost itself; of the tokens nothing is kept.

        Its nonce is the SHA-256 of the PKCE verifier.
        """
        with _microsoft():
            result = self._ask(
                self.tenant,
                lambda app: app.acquire_token_by_authorization_code(
                    code, [], redirect_uri=redirect_uri, data={"code_verifier": verifier}
                ),
            )
        if "error" in result:
            raise _error(result)
        with _microsoft():
            return self._verified(str(result.get("id_token") or ""), nonce=verifier)

    def refresh(self, refresh_token: str, scopes: Iterable[str], *, tenant: UUID, claims: str = "") -> Tokens:
        """New tokens. The old refresh token stays valid at Microsoft; ours to forget once the new one is stored.

        `claims` answers Graph's challenge: without them Microsoft would give the same token again, for ever.
        """
        wanted = sorted(set(scopes) - ALWAYS)
        with _microsoft():
            result = self._ask(
                str(tenant),
                # msal adds its capabilities everywhere but here.
                lambda app: app.acquire_token_by_refresh_token(
                    refresh_token, wanted, data={"claims": _with_capabilities(claims)}
                ),
            )
        if "error" in result:
            raise _error(result)
        return _tokens({"refresh_token": refresh_token, **result})

    def ask_as_app(self) -> Mapping[str, Any]:
        """Microsoft's answer to our secret or certificate alone, in its own words. A token in it is of no use to us."""
        with _microsoft():
            return self._ask(
                self.tenant, lambda app: app.acquire_token_for_client([f"{GRAPH_PREFIX}.default"])
            )

    def ask_with_refresh_token(self, token: str) -> Mapping[str, Any]:
        """Microsoft's answer to a refresh token of nobody, in its own words."""
        with _microsoft():
            return self._ask(
                self.tenant, lambda app: app.acquire_token_by_refresh_token(token, ["User.Read"])
            )

    def admin_consent_url(self, scopes: Iterable[str], redirect_uri: str, *, state: str, tenant: str) -> str:
        """Where an administrator approves for the whole organisation."""
        query = urlencode(
            {
                "client_id": self.client_id,
                "scope": " ".join(f"{GRAPH_PREFIX}{scope}" for scope in sorted(set(scopes) - ALWAYS)),
                "redirect_uri": redirect_uri,
                "state": state,
            }
        )
        return for_browser(f"{LOGIN}/{tenant}/v2.0/adminconsent?{query}", self.sandbox_url)

    def _ask(
        self, tenant: str, request: Callable[[msal.ConfidentialClientApplication], dict[str, Any]]
    ) -> dict[str, Any]:
        """The answer to the first of our credentials that Microsoft takes, which stays in use; else the last refusal."""
        result: dict[str, Any] = {}
        for turn in range(len(self._credentials)):
            number = (self._in_use + turn) % len(self._credentials)
            result = request(self._app(tenant, number))
            if not CREDENTIAL_CODES.intersection(_codes(result)):
                self._in_use = number
                return result
        return result

    def _app(self, tenant: str, number: int = 0) -> msal.ConfidentialClientApplication:
        with self._lock:
            if (tenant, number) not in self._apps:
                self._apps[tenant, number] = msal.ConfidentialClientApplication(
                    self.client_id,
                    client_credential=for_msal(self._credentials[number]),
                    authority=f"{LOGIN}/{tenant}",
                    http_client=self._http,
                    token_cache=EmptyCache(),
                    instance_discovery=False,
                    client_capabilities=CAPABILITIES,
                    exclude_scopes=self._left_out,
                )
            return self._apps[tenant, number]

    def _verified(self, id_token: str, *, nonce: str) -> dict[str, Any]:
        """The id token's claims, after signature, issuer, audience, tenant and nonce were checked."""
        try:
            header = jwt.get_unverified_header(id_token)
            claimed = jwt.decode(id_token, options={"verify_signature": False})
            tenant = str(UUID(claimed["tid"]))
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._key(header["kid"], tenant).key,
                algorithms=["RS256"],
                audience=self.client_id,
                issuer=f"{LOGIN}/{tenant}/v2.0",
                # Its times are checked below: they follow the product's clock, which in the demo runs fast.
                options={"require": ["aud", "iss", "tid", "oid", "sub", "exp", "iat"], "verify_exp": False,
                         "verify_nbf": False, "verify_iat": False},
            )  # fmt: skip
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise Refused("Microsoft's identity token did not pass the checks.", code="id_token") from error
        _check_times(claims)
        if claims.get("nonce") != hashlib.sha256(nonce.encode("ascii")).hexdigest():
            raise Refused("Microsoft's identity token belongs to another sign-in.", code="nonce")
        return claims

    def _key(self, kid: str, tenant: str) -> jwt.PyJWK:
        if kid not in self._keys:
            answer = self._http.get(f"{LOGIN}/{tenant}/discovery/v2.0/keys").json()
            self._keys = {key["kid"]: jwt.PyJWK(key, algorithm="RS256") for key in answer["keys"]}
        return self._keys[kid]


def _check_times(claims: Mapping[str, Any]) -> None:
    """An identity token that is expired, or of another time than now, is refused; clocks may differ a little."""
    now = clock.now().timestamp()
    leeway = clock.at_least(CLOCK_SKEW, real=timedelta(seconds=5)).total_seconds()
    try:
        begins = max(float(claims["iat"]), float(claims.get("nbf", 0)))
        good = begins <= now + leeway and float(claims["exp"]) >= now - leeway
    except (TypeError, ValueError):
        good = False
    if not good:
        raise Refused(
            "Microsoft's identity token is of another time. Check this machine's clock.", code="id_token"
        )


@contextmanager
def _microsoft() -> Iterator[None]:
    """A sign-in host that cannot be reached, or answers with what is no answer, means waiting."""
    try:
        yield
    except (requests.RequestException, msal.exceptions.MsalError, json.JSONDecodeError) as error:
        raise TryLater(f"Microsoft's sign-in cannot be reached ({type(error).__name__}).") from error


def _tokens(result: Mapping[str, Any]) -> Tokens:
    scopes = {scope.removeprefix(GRAPH_PREFIX) for scope in str(result.get("scope") or "").split()}
    return Tokens(
        access_token=result["access_token"],
        refresh_token=result.get("refresh_token") or "",
        expires_in_seconds=int(result.get("expires_in") or 0),
        scopes=frozenset(scopes - ALWAYS),
    )


def _with_capabilities(claims: str) -> str:
    """The claims of a challenge, "" where there is none, together with what this client can handle."""
    wanted = json.loads(claims) if claims else {}
    wanted.setdefault("access_token", {})["xms_cc"] = {"values": CAPABILITIES}
    return json.dumps(wanted)


def _is_guest(claims: Mapping[str, Any]) -> bool:
    """`idp` names where an account comes from, where that is not the tenant that it signed in to
    (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference)."""
    return bool(claims.get("idp")) and str(claims["tid"]) not in str(claims["idp"])


def _codes(result: Mapping[str, Any]) -> set[int]:
    """Microsoft's numbers for what went wrong. The token endpoint lists them; a redirect names one in its address."""
    listed = {int(code) for code in result.get("error_codes") or ()}
    named = re.search(r"[?&]code=(\d{4,8})\b", str(result.get("error_uri") or ""))
    return listed or ({int(named[1])} if named else set())


def _error(result: Mapping[str, Any]) -> GraphError:
    """The error that says who must act. Unknown errors wait: a mailbox is not called broken for them."""
    error = str(result.get("error") or "")
    codes = _codes(result)
    code = f"AADSTS{min(codes)}" if codes else error
    if error in REGISTRATION_ERRORS or codes & REGISTRATION_CODES:
        return RegistrationWrong("Microsoft refuses our app registration or its secret.", code=code)
    if error == "access_denied" or codes & APPROVAL_CODES:
        return ApprovalNeeded("Cancelled, or an administrator must approve first.", code=code)
    if error in WAIT_ERRORS:
        return TryLater("Microsoft's sign-in is busy.", code=code)
    if error in ("invalid_grant", "interaction_required", "consent_required", "login_required"):
        return ReconnectNeeded("Microsoft asks the rep to sign in again.", code=code)
    return Refused(f"Microsoft refused the sign-in ({code}).", code=code)
