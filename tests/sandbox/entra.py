"""Hands for the tests of Entra: browsers that keep their cookie, codes, refreshes, certificates."""

import re
import urllib.parse
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .conftest import (
    APP_ID,
    APP_SECRET,
    EVERYTHING,
    REDIRECT,
    Answer,
    Served,
    authorize_query,
    callback,
    form_fields,
)

MAIL = "openid profile offline_access User.Read Mail.ReadWrite Mail.Send"
ALICE, BEN, DANA = "alice@northwind.example", "ben@northwind.example", "dana@northwind.example"
ERIN, FRANK = "erin@fabrikam.example", "frank@fabrikam.example"


class Browser:
    """Keeps the cookie of the sign-in pages, and fills in their forms."""

    def __init__(self, served: Served) -> None:
        self._served, self._cookie = served, ""

    def _kept(self, answer: Answer) -> Answer:
        set_cookie = answer.headers["set-cookie"]
        if set_cookie:
            self._cookie = set_cookie.partition(";")[0]
        return answer

    def go(self, path: str) -> Answer:
        return self._kept(self._served.get(path, headers={"Cookie": self._cookie}))

    def authorize(self, scopes: str = MAIL, tenant: str = "common", **more: str) -> Answer:
        return self.go(f"/{tenant}/oauth2/v2.0/authorize?{authorize_query(scopes, **more)[0]}")

    def submit(self, page: Answer, form: str, **fields: str) -> Answer:
        """Send the form of that id with these fields filled in, or buttons pressed."""
        action = re.search(rf'action="([^"]+)" id="{form}"', page.text)
        assert action is not None, page.text
        hidden = {**form_fields(page.text, form), **fields}
        return self._kept(self._served.post(action[1], form=hidden, headers={"Cookie": self._cookie}))

    def sign_in(self, account: str, scopes: str = MAIL, tenant: str = "common", **more: str) -> Answer:
        """To the page (or redirect) after the account picker."""
        query = authorize_query(scopes, **{"prompt": "select_account", **more})[0]
        page = self.go(f"/{tenant}/oauth2/v2.0/authorize?{query}")
        return self.submit(page, "other", account=account)


def code_for(sandbox: Served, account: str, scopes: str = MAIL, tenant: str = "common", **more: str) -> str:
    """A code, with consent given where it is asked for."""
    browser = Browser(sandbox)
    page = browser.sign_in(account, scopes, tenant, **more)
    if page.status == 200 and 'id="mfa"' in page.text:
        page = browser.submit(page, "mfa", mfa="approve")
    if page.status == 200:
        page = browser.submit(page, "consent", decision="accept")
    return answered(page)["code"]


def answered(page: Answer) -> dict[str, str]:
    """What the app is told, in whichever part of the redirect it stands."""
    assert page.status == 302, page.text
    parts = urllib.parse.urlsplit(page.headers["location"])
    return dict(urllib.parse.parse_qsl(parts.query or parts.fragment))


def redeem(sandbox: Served, code: str, tenant: str = "common", **changes: Any) -> Answer:
    fields = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": "v" * 64,
    }  # fmt: skip
    return ask(sandbox, tenant, **{**fields, **changes})


def refresh(sandbox: Served, token: str, tenant: str = "common", **changes: Any) -> Answer:
    return ask(sandbox, tenant, grant_type="refresh_token", refresh_token=token, **changes)


def ask(sandbox: Served, tenant: str = "common", **fields: Any) -> Answer:
    """POST /token; a field set to None is left out."""
    form = {"client_id": APP_ID, "client_secret": APP_SECRET, **fields}
    form = {name: value for name, value in form.items() if value is not None}
    return sandbox.post(f"/{tenant}/oauth2/v2.0/token", form=form)


def tokens_for(
    sandbox: Served, account: str, scopes: str = MAIL, tenant: str = "common", **more: str
) -> dict[str, Any]:
    answer = redeem(sandbox, code_for(sandbox, account, scopes, tenant, **more), tenant)
    assert answer.status == 200, answer.text
    return answer.json


def error_of(answer: Answer) -> tuple[int, str, list[int]]:
    body = answer.json
    return answer.status, body["error"], body["error_codes"]


@cache
def certificate() -> tuple[str, str]:
    """A private key and its self-signed certificate, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gatepost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now)
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()


def assertion(
    *, algorithm: str = "PS256", header: dict[str, str] | None = None, **changes: Any
) -> dict[str, str]:
    """The fields that prove the app by its certificate; a claim set to None is left out."""
    private, public = certificate()
    loaded = x509.load_pem_x509_certificate(public.encode())
    thumbprint = jwt.utils.base64url_encode(loaded.fingerprint(hashes.SHA256())).decode()
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token", "iss": APP_ID, "sub": APP_ID,
        "jti": "once", "nbf": now, "exp": now + 600, **changes,
    }  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    signed = jwt.encode(claims, private, algorithm=algorithm, headers=header or {"x5t#S256": thumbprint})
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": kind, "client_assertion": signed}


__all__ = [
    "ALICE", "BEN", "DANA", "ERIN", "EVERYTHING", "FRANK", "MAIL", "REDIRECT", "Answer", "Browser", "Served",
    "answered",
    "ask", "assertion", "callback", "certificate", "code_for", "error_of", "redeem", "refresh", "tokens_for",
]  # fmt: skip
