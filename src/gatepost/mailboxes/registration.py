"""The app registration at Microsoft: what can be seen of it, and what to do. The page and `gatepost doctor` show it.

`look` asks Microsoft; everything else here judges what it found and is pure.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings

from gatepost.graph import registration as microsoft
from gatepost.graph.errors import RegistrationWrong
from gatepost.graph.registration import Seen, Told
from gatepost.mailboxes import credential
from gatepost.mailboxes.connection import entra
from gatepost.mailboxes.waiting_room import CALLBACK_PATH

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
OWN_HOSTS = ("localhost", "127.0.0.1", "::1")
# https://learn.microsoft.com/entra/identity-platform/reply-url#restrictions-on-wildcards-and-special-characters
LONGEST_ADDRESS, NOT_IN_ADDRESSES = 256, "!$'(),;"
MOST_SKEW = timedelta(minutes=5)  # identity tokens of another time are refused (graph/oauth.py)
SOON = timedelta(days=30)

Step = Literal["address", "app", "permissions", "credential", "notifications"]
State = Literal["good", "bad", "unseen"]


@dataclass(frozen=True, slots=True)
class Given:
    """What the settings say of the registration. The secret itself is not in here, only what is plain of it."""

    public_url: str
    client_id: str
    tenant: str
    sandbox_url: str | None
    has_secret: bool
    secret_is_an_id: bool  # the secret's ID was copied, and not its Value
    has_certificate: bool = False
    ends: date | None = None  # when secret or certificate does, as far as it is known
    problem: str = ""  # the certificate cannot be read

    @property
    def redirect_uri(self) -> str:
        return self.public_url + CALLBACK_PATH

    @property
    def has_credential(self) -> bool:
        return self.has_secret or self.has_certificate


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. A bad one says what to do; an unseen one, when it will show."""

    step: Step
    name: str
    state: State
    text: str


def given() -> Given:
    secret = settings.GATEPOST_CLIENT_SECRET or ""
    ends, problem = None, ""
    try:
        ends = credential.ends()
    except RegistrationWrong as error:  # the certificate's file
        problem = error.message
    return Given(
        public_url=settings.GATEPOST_PUBLIC_URL,
        client_id=settings.GATEPOST_CLIENT_ID,
        tenant=settings.GATEPOST_TENANT,
        sandbox_url=settings.GATEPOST_SANDBOX_URL,
        has_secret=bool(secret),
        secret_is_an_id=bool(GUID.fullmatch(secret)),
        has_certificate=settings.GATEPOST_CLIENT_CERTIFICATE is not None,
        ends=ends.at.date() if ends else None,
        problem=problem,
    )


def look() -> Seen:
    """Ask Microsoft, which takes a second or two. Needs an id and a secret or certificate in the settings."""
    # Not the kept one: msal answers a refused question from memory for a minute.
    return microsoft.look(entra.__wrapped__(), given().redirect_uri)


def of_settings(given: Given, *, today: date) -> list[Finding]:
    """What is plain without asking anybody."""
    found = [_address(given), _client_id(given), _tenant(given), _credential(given)]
    if given.ends is not None:
        found.append(_ends(given.ends, today))
    return found


def may_ask(given: Given) -> bool:
    """Whether there is enough to ask Microsoft about."""
    return bool(given.client_id and given.has_credential and not given.problem)


def of_microsoft(seen: Seen, given: Given) -> list[Finding]:
    """What Microsoft's answers mean."""
    if seen.unreachable:
        return [
            _bad(
                "app",
                "Microsoft",
                f"{_host(given)} cannot be reached ({seen.unreachable}). Let this machine call it.",
            )
        ]
    found = []
    if seen.clock_ahead is not None:
        found.append(_clock(seen.clock_ahead))
    if seen.tenant is not None:
        found.append(_tenant_seen(seen.tenant, given))
    if seen.sign_in_page is not None:
        found += _sign_in_page(seen.sign_in_page, given)
    if seen.credential is not None:
        found.append(_credential_seen(seen.credential, given))
    return found


# The settings


def _address(given: Given) -> Finding:
    parts, uri = urlsplit(given.public_url), given.redirect_uri
    name = "redirect address"
    if parts.scheme != "https" and parts.hostname not in OWN_HOSTS:
        return _bad(
            "address",
            name,
            f"GATEPOST_PUBLIC_URL={given.public_url} is not https. Microsoft sends browsers back to https addresses and to localhost only.",
        )
    wrong = sorted(set(uri) & set(NOT_IN_ADDRESSES))
    if len(uri) > LONGEST_ADDRESS or wrong:
        what = (
            f"longer than {LONGEST_ADDRESS} characters"
            if len(uri) > LONGEST_ADDRESS
            else f"with {' '.join(wrong)}"
        )
        return _bad(
            "address", name, f"{uri} is {what}; Microsoft takes no such address. Change GATEPOST_PUBLIC_URL."
        )
    return _good("address", name, f"must be at Microsoft exactly {uri}")


def _client_id(given: Given) -> Finding:
    if not given.client_id:
        return _bad("app", "client id", "set GATEPOST_CLIENT_ID to “Application (client) ID”.")
    if not GUID.fullmatch(given.client_id):
        return _bad(
            "app",
            "client id",
            "GATEPOST_CLIENT_ID is no id such as 00001111-aaaa-2222-bbbb-3333cccc4444: copy “Application (client) ID”.",
        )
    return _good("app", "client id", f"{given.client_id}.")


def _tenant(given: Given) -> Finding:
    if given.tenant in ("common", "consumers"):
        return _bad(
            "app",
            "tenant",
            f"GATEPOST_TENANT={given.tenant} lets personal accounts in: use organizations, or your tenant's id.",
        )
    if given.tenant == "organizations":
        return _good("app", "tenant", "every organisation may sign in; the registration must be for several.")
    return _good("app", "tenant", f"{given.tenant} alone.")


def _credential(given: Given) -> Finding:
    if given.problem:
        return _bad("credential", "secret or certificate", given.problem)
    if not given.has_credential:
        return _bad(
            "credential",
            "secret or certificate",
            "set GATEPOST_CLIENT_SECRET, GATEPOST_CLIENT_SECRET_FILE or GATEPOST_CLIENT_CERTIFICATE.",
        )
    if given.secret_is_an_id:
        return _bad(
            "credential",
            "secret or certificate",
            "GATEPOST_CLIENT_SECRET looks like the secret's ID: copy its “Value”, which is shown once.",
        )
    return _good(
        "credential",
        "secret or certificate",
        "a certificate is set." if given.has_certificate else "a secret is set.",
    )


def _ends(ends: date, today: date) -> Finding:
    left = ends - today
    if left <= timedelta(0):
        return _bad(
            "credential", "its end", f"it ended on {ends:%-d %B %Y}. Make a new one at Microsoft and set it."
        )
    if left <= SOON:
        return _bad(
            "credential",
            "its end",
            f"{ends:%-d %B %Y}, in {left.days} days. Make the next one now; both work until then.",
        )
    return _good("credential", "its end", f"{ends:%-d %B %Y}.")


# Microsoft's answers. Texts of all codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes


def _clock(ahead: timedelta) -> Finding:
    if abs(ahead) > MOST_SKEW:
        minutes = round(abs(ahead).total_seconds() / 60)
        which = "fast" if ahead > timedelta(0) else "slow"
        return _bad(
            "app",
            "clock",
            f"this machine's is {minutes} minutes {which} by Microsoft's, so sign-ins are refused. Switch on time synchronisation (NTP).",
        )
    return _good("app", "clock", "agrees with Microsoft's.")


def _tenant_seen(told: Told, given: Given) -> Finding:
    if told.good:
        return _good("app", "tenant at Microsoft", "is known.")
    if told.code in (90002, 900023, 90130):
        return _bad(
            "app",
            "tenant at Microsoft",
            f"there is no {given.tenant}. Set GATEPOST_TENANT to “Directory (tenant) ID”, or to organizations.",
        )
    return _unknown("app", "tenant at Microsoft", told)


def _sign_in_page(told: Told, given: Given) -> list[Finding]:
    if told.good:
        return [
            _good("app", "app at Microsoft", "is known."),
            _good("address", "redirect address at Microsoft", "is registered."),
        ]
    match told.code:
        case 50011:
            return [
                _good("app", "app at Microsoft", "is known."),
                _bad(
                    "address",
                    "redirect address at Microsoft",
                    f"is not registered. Authentication → Add a platform → Web: {given.redirect_uri}, letter by letter (AADSTS50011).",
                ),
            ]
        case 700016:
            return [
                _bad(
                    "app",
                    "app at Microsoft",
                    "no app has this id there. Copy “Application (client) ID” again, and set GATEPOST_TENANT to the tenant in which it is registered (AADSTS700016).",
                )
            ]
        case 50194:
            return [
                _bad(
                    "app",
                    "app at Microsoft",
                    "is for one tenant only. Set GATEPOST_TENANT to its “Directory (tenant) ID”, or register it for several (AADSTS50194).",
                )
            ]
        case 7000112:
            return [
                _bad(
                    "app",
                    "app at Microsoft",
                    "is disabled. Enterprise applications → the app → Properties → Enabled for users to sign in (AADSTS7000112).",
                )
            ]
    text = "Microsoft tells only after a sign-in; the first connect will show it."
    if told.code:
        text = f"Microsoft answers AADSTS{told.code}; the first connect will show more."
    return [Finding("address", "redirect address at Microsoft", "unseen", text)]


def _credential_seen(told: Told, given: Given) -> Finding:
    name = "secret or certificate at Microsoft"
    if told.good:
        return _good("credential", name, "is accepted.")
    match told.code:
        case 7000215:
            return _bad(
                "credential",
                name,
                "the secret is wrong. Copy its “Value”, not its “Secret ID”; where it is no longer shown, make a new one (AADSTS7000215).",
            )
        case 7000222:
            return _bad(
                "credential",
                name,
                "has expired. Make a new one under Certificates & secrets (AADSTS7000222).",
            )
        case 700027 | 50027:
            return _bad(
                "credential",
                name,
                f"the certificate is not the one that is registered. Upload its public part under Certificates & secrets → Certificates (AADSTS{told.code}).",
            )
        case 700016 if given.tenant != "organizations":
            return _bad("credential", name, "no app with this id is in the tenant (AADSTS700016).")
    return _unknown("credential", name, told)


def _unknown(step: Step, name: str, told: Told) -> Finding:
    code = f" (AADSTS{told.code})" if told.code else ""
    return Finding(
        step,
        name,
        "unseen",
        f"Microsoft does not tell it without a sign-in{code}; the first connect will show it.",
    )


def _host(given: Given) -> str:
    return given.sandbox_url or "login.microsoftonline.com"


def _good(step: Step, name: str, text: str) -> Finding:
    return Finding(step, name, "good", text)


def _bad(step: Step, name: str, text: str) -> Finding:
    return Finding(step, name, "bad", text)
