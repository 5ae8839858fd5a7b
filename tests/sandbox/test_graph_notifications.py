"""Rich notifications and the life of subscriptions: change-notifications pages of learn.microsoft.com."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

from m365_sandbox.notifications import pace

from .conftest import APP_ID, Mailbox, Served, until

BEN = "ben@northwind.example"


class Endpoint:
    """A place that takes notifications, and keeps them."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 202
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                token = parse_qs(urlsplit(self.path).query).get("validationToken")
                if token:
                    content = token[0].encode()
                    self.send_response(200)
                else:
                    outer.got.append(json.loads(body))
                    content = b""
                    self.send_response(outer.status)
                self.send_header("content-type", "text/plain")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def events(self) -> list[str]:
        return [
            row["lifecycleEvent"] for post in self.got for row in post["value"] if "lifecycleEvent" in row
        ]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "subscriber")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def wish(sandbox: Served, url: str, minutes: float, **more: Any) -> dict[str, Any]:
    ends = datetime.fromtimestamp(sandbox.app.state.sandbox.now() + minutes * 60, UTC)
    return {
        "changeType": "created", "notificationUrl": url, "resource": "me/mailFolders('inbox')/messages",
        "expirationDateTime": ends.strftime("%Y-%m-%dT%H:%M:%SZ"), **more,
    }  # fmt: skip


def rich(
    sandbox: Served, url: str, key: rsa.RSAPrivateKey, minutes: float = 1400, **more: Any
) -> dict[str, Any]:
    return wish(sandbox, url, minutes) | {
        "resource": "me/mailFolders('inbox')/messages?$select=subject,from", "includeResourceData": True,
        "encryptionCertificate": certificate(key), "encryptionCertificateId": "c1", **more,
    }  # fmt: skip


def opened(content: dict[str, str], key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """As the page on resource data tells a subscriber to do it."""
    oaep = asymmetric.OAEP(asymmetric.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    secret = key.decrypt(base64.b64decode(content["dataKey"]), oaep)
    data = base64.b64decode(content["data"])
    assert hmac.digest(secret, data, hashlib.sha256) == base64.b64decode(content["dataSignature"])
    decryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).decryptor()
    padder = padding.PKCS7(128).unpadder()
    plain = padder.update(decryptor.update(data) + decryptor.finalize()) + padder.finalize()
    return json.loads(plain)


def deliver(sandbox: Served, subject: str) -> None:
    sandbox.control(
        "deliver", {"mailbox": BEN, "from": "x@elsewhere.example", "subject": subject, "text": "Hi"}
    )


@pytest.fixture
def ben(sandbox: Served) -> Mailbox:
    return sandbox.sign_in(BEN)


def test_the_item_comes_sealed_and_signed(
    ben: Mailbox, sandbox: Served, endpoint: Endpoint, key: rsa.RSAPrivateKey
) -> None:
    made = ben.post("/subscriptions", rich(sandbox, endpoint.url, key))
    assert made.status == 201, made.text
    deliver(sandbox, "Secret plan")
    until(lambda: len(endpoint.got) == 1)

    [post] = endpoint.got
    [row] = post["value"]
    item = opened(row["encryptedContent"], key)
    assert (item["subject"], "body" in item) == ("Secret plan", False)
    assert row["encryptedContent"]["encryptionCertificateId"] == "c1"
    [token] = post["validationTokens"]
    kid = jwt.get_unverified_header(token)["kid"]
    [known] = [k for k in sandbox.get("/common/discovery/v2.0/keys").json["keys"] if k["kid"] == kid]
    claims = jwt.decode(token, jwt.PyJWK(known).key, algorithms=["RS256"], audience=APP_ID)
    assert claims["appid"] == "0bf30f3b-4a52-48df-9a82-234910c4a086"
    assert claims["iss"] == f"https://sts.windows.net/{claims['tid']}/"


def test_resource_data_needs_a_select_a_certificate_and_less_than_a_day(
    ben: Mailbox, sandbox: Served, endpoint: Endpoint, key: rsa.RSAPrivateKey
) -> None:
    unfit = (
        {"resource": "me/messages"}, {"resource": "me/messages?$select=subject&$top=1"},
        {"resource": "me/messages?$select=body,uniqueBody"}, {"encryptionCertificate": "bm9uZQ=="},
        {"encryptionCertificateId": "x" * 129},
    )  # fmt: skip
    for change in unfit:
        assert ben.post("/subscriptions", rich(sandbox, endpoint.url, key, **change)).status == 400
    assert ben.post("/subscriptions", rich(sandbox, endpoint.url, key, minutes=1450)).status == 400
    assert ben.post("/subscriptions", wish(sandbox, endpoint.url, 10000)).status == 201


@pytest.mark.parametrize(("setting", "minutes"), [("subscription", 300 - 14), ("token", 90)])
def test_reauthorization_is_asked_for_in_time(
    ben: Mailbox, sandbox: Served, endpoint: Endpoint, setting: str, minutes: float
) -> None:
    sandbox.control("switches", {"reauthorization": setting})
    made = ben.post("/subscriptions", wish(sandbox, endpoint.url, 300, lifecycleNotificationUrl=endpoint.url))
    assert made.status == 201
    assert endpoint.events() == []
    sandbox.advance(minutes * 60)
    until(lambda: endpoint.events() == ["reauthorizationRequired"])


def test_what_was_renewed_is_not_asked_for(ben: Mailbox, sandbox: Served, endpoint: Endpoint) -> None:
    body = wish(sandbox, endpoint.url, 50, lifecycleNotificationUrl=endpoint.url)
    made = ben.post("/subscriptions", body).json
    later = {"expirationDateTime": wish(sandbox, endpoint.url, 600)["expirationDateTime"]}
    assert ben.call("PATCH", f"/subscriptions/{made['id']}", body=later).status == 200
    sandbox.advance(45 * 60)
    assert endpoint.events() == []


def test_a_deaf_endpoint_is_told_again_for_four_hours_and_then_that_it_missed_something(
    ben: Mailbox, sandbox: Served, endpoint: Endpoint
) -> None:
    body = wish(sandbox, endpoint.url, 6000, lifecycleNotificationUrl=endpoint.url)
    assert ben.post("/subscriptions", body).status == 201
    endpoint.status = 500
    deliver(sandbox, "One")
    until(lambda: len(endpoint.got) >= 1)
    sandbox.control("clock", {"advance_seconds": 3600})
    until(lambda: len(endpoint.got) >= 2)
    endpoint.status = 202
    sandbox.control("clock", {"advance_seconds": 3600})
    sandbox.settle()
    assert endpoint.events() == []

    endpoint.status = 500
    deliver(sandbox, "Two")
    seen = len(endpoint.got)
    until(lambda: len(endpoint.got) > seen)
    sandbox.control("clock", {"advance_seconds": 4 * 3600 + 60})
    until(lambda: "missed" in endpoint.events())


@pytest.mark.parametrize(
    ("rule", "seconds", "state"),
    [
        ("slow", [0.1] * 9 + [3.5], "well"), ("slow", [0.1] * 8 + [3.5] * 2, "slow"),
        ("drop", [0.1] * 8 + [3.5] * 2, "well"), ("drop", [0.1] * 8 + [10.5] * 2, "drop"),
        ("slow", [3.5], "well"),
    ],
)  # fmt: skip
def test_a_slow_endpoint_is_told_later_or_not_at_all(rule: str, seconds: list[float], state: str) -> None:
    assert pace(seconds, rule) == state


def test_contacts_notify_too(sandbox: Served, endpoint: Endpoint) -> None:
    ben = sandbox.sign_in(BEN, "openid offline_access User.Read Contacts.ReadWrite")
    body = wish(sandbox, endpoint.url, 100) | {"resource": "me/contacts"}
    assert ben.post("/subscriptions", body).status == 201
    made = ben.post("/me/contacts", {"givenName": "Ann"}).json
    until(lambda: len(endpoint.got) == 1)
    [row] = endpoint.got[0]["value"]
    assert row["resourceData"]["@odata.type"] == "#Microsoft.Graph.Contact"
    assert row["resourceData"]["id"] == made["id"]


@pytest.mark.parametrize("setting", ["slow", "drop"])
def test_ten_minutes_of_slowness_delay_or_lose_what_is_told(
    ben: Mailbox, sandbox: Served, endpoint: Endpoint, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("clock", {"rate": 0})
    sandbox.control("switches", {"slow_endpoint": setting})
    assert ben.post("/subscriptions", wish(sandbox, endpoint.url, 1000)).status == 201
    monkeypatch.setattr("m365_sandbox.notifications.pace", lambda answers, rule: rule)
    deliver(sandbox, "Late")
    sandbox.settle()
    assert endpoint.got == []

    sandbox.advance(601)
    if setting == "slow":
        until(lambda: len(endpoint.got) == 1)
    assert len(endpoint.got) == (1 if setting == "slow" else 0)
