"""A sign-in host of one function, with a key of its own to sign identity tokens."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from gatepost import clock
from gatepost.graph.gateway import LOGIN
from gatepost.graph.oauth import Entra

TENANT = "11111111-2222-4333-8444-555555555555"
OBJECT = "99999999-8888-4777-8666-555555555555"
CLIENT = "6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SCOPE = "https://graph.microsoft.com/Mail.Read openid profile"
PROFILE = {
    "id": OBJECT,
    "displayName": "Alice Berger",
    "mail": "alice@northwind.example",
    "userPrincipalName": "alice@northwind.example",
    "proxyAddresses": ["SMTP:alice@northwind.example", "smtp:a.berger@northwind-labs.example"],
}


@dataclass
class SignIn:
    """What the host answers to a token request, and what it was asked."""

    entra: Entra
    answer: tuple[int, Any] = (200, {})
    answers: Iterator[tuple[int, Any]] | None = None  # one for each request, in place of `answer`
    asked: list[dict[str, str]] = field(default_factory=list)
    keys_answer: bytes | None = None
    profile: dict[str, Any] = field(default_factory=lambda: dict(PROFILE))
    inbox: tuple[int, Any] = (200, {"id": "inbox"})

    def grants(self, **more: Any) -> None:
        self.answer = (200, {**granted(), **more})


def granted() -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "scope": SCOPE,
        "expires_in": 3600,
        "access_token": "access-1",
        "refresh_token": "refresh-1",
    }


def id_token(flow_nonce: str, *, key: rsa.RSAPrivateKey = KEY, kid: str = "k1", **claims: Any) -> str:
    """An identity token as Entra signs it; claims may be wrong on purpose, None leaves one out."""
    now = int(clock.now().timestamp())  # Microsoft and the product live in the same time
    body = {
        "aud": CLIENT, "iss": f"{LOGIN}/{TENANT}/v2.0", "tid": TENANT, "oid": OBJECT, "sub": "s", "iat": now,
        "nbf": now, "exp": now + 3600, "nonce": hashlib.sha256(flow_nonce.encode()).hexdigest(), **claims,
    }  # fmt: skip
    return jwt.encode(
        {k: v for k, v in body.items() if v is not None}, key, algorithm="RS256", headers={"kid": kid}
    )


def _public() -> dict[str, Any]:
    numbers = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    return {"keys": [{**numbers, "kid": "k1", "use": "sig"}]}


@contextmanager
def sign_in_host() -> Iterator[SignIn]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("openid-configuration"):
                tenant = self.path.split("/")[1]
                base = f"{LOGIN}/{tenant}"
                self._send(200, {
                    "issuer": f"{base}/v2.0", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token", "jwks_uri": f"{base}/discovery/v2.0/keys",
                })  # fmt: skip
            elif self.path.startswith("/v1.0/me/mailFolders/inbox"):
                self._send(*host.inbox)
            elif self.path.startswith("/v1.0/me"):
                self._send(200, host.profile)
            else:
                self._send(200, _public() if host.keys_answer is None else host.keys_answer)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            host.asked.append({"path": self.path, **{key: values[0] for key, values in form.items()}})
            self._send(*(next(host.answers) if host.answers else host.answer))

        def _send(self, status: int, body: Any) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    host = SignIn(Entra(CLIENT, "sandbox-secret", "organizations", f"http://127.0.0.1:{server.server_port}"))
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
