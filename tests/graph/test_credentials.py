"""A certificate instead of a secret, and a spare beside either, at the sandbox's own token endpoint."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)  # fmt: skip
from cryptography.x509.oid import NameOID

from gatepost.graph import errors
from gatepost.graph.credentials import read_certificate
from gatepost.graph.oauth import Entra
from tests.graph.entra import CLIENT, TENANT, sign_in_host

SCOPES = ("User.Read", "Mail.Read")
ENDS = datetime(2030, 3, 1, tzinfo=UTC)


def make_pem(*, key=None, encryption=None):
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gatepost")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(ENDS - timedelta(days=3000)).not_valid_after(ENDS)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


CERTIFICATE, KEY = make_pem()
OTHER_CERTIFICATE, OTHER_KEY = make_pem()


@pytest.fixture(scope="module")
def host():
    with sign_in_host() as host:
        yield host


def entra(host, *credentials):
    first, *spares = credentials
    return Entra(CLIENT, first, "organizations", host.entra.sandbox_url, spares=spares)


def test_a_certificate_says_when_it_ends_and_keeps_its_key_to_itself():
    read = read_certificate(CERTIFICATE + KEY)
    assert read.ends == ENDS
    assert "PRIVATE" not in repr(read) and "2030-03-01" in repr(read)


@pytest.mark.parametrize(
    ("pem", "missing"),
    [
        (b"", "no certificate"),
        (CERTIFICATE, "no private key"),
        (KEY, "no certificate"),
        (CERTIFICATE + make_pem(encryption=BestAvailableEncryption(b"x"))[1], "without a password"),
        (CERTIFICATE + OTHER_KEY, "does not belong"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_it_lacks(pem, missing):
    with pytest.raises(ValueError, match=missing):
        read_certificate(pem)


def test_with_a_certificate_microsoft_gets_a_signature_and_no_secret(host):
    host.asked.clear()
    host.grants()
    entra(host, read_certificate(CERTIFICATE + KEY)).refresh("r-certificate", SCOPES, tenant=UUID(TENANT))
    asked = host.asked[0]
    assert "client_secret" not in asked and KEY.decode() not in json.dumps(asked)
    header = jwt.get_unverified_header(asked["client_assertion"])
    public = x509.load_pem_x509_certificate(CERTIFICATE)
    claims = jwt.decode(
        asked["client_assertion"], public.public_key(), algorithms=["PS256"],
        audience=f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
    )  # fmt: skip
    assert (claims["iss"], claims["sub"], header["alg"]) == (CLIENT, CLIENT, "PS256")


def test_a_refused_secret_gives_way_to_the_spare_and_the_spare_stays_in_use(host):
    app = entra(host, "old-secret", "new-secret")
    host.asked.clear()
    refused = {
        "error": "invalid_client",
        "error_codes": [7000222],
        "error_description": "AADSTS7000222: expired",
    }
    answers = iter([(401, refused), (200, {"access_token": "a", "refresh_token": "r", "expires_in": 1})])
    host.answers = answers
    app.refresh("r-spare", SCOPES, tenant=UUID(TENANT))
    host.answers = None
    host.grants()
    app.refresh("r-spare-2", SCOPES, tenant=UUID(TENANT))
    assert [asked["client_secret"] for asked in host.asked] == ["old-secret", "new-secret", "new-secret"]


def test_where_none_is_taken_the_operator_must_act(host):
    host.asked.clear()
    host.answer = (401, {"error": "invalid_client", "error_codes": [7000215], "error_description": "no"})
    with pytest.raises(errors.RegistrationWrong) as raised:
        entra(host, "one", "two").refresh("r-none", SCOPES, tenant=UUID(TENANT))
    assert raised.value.code == "AADSTS7000215" and len(host.asked) == 2


def test_a_refused_rep_tries_no_other_secret(host):
    host.asked.clear()
    host.answer = (400, {"error": "invalid_grant", "error_codes": [50173], "error_description": "no"})
    with pytest.raises(errors.ReconnectNeeded):
        entra(host, "one", "two").refresh("r-rep", SCOPES, tenant=UUID(TENANT))
    assert len(host.asked) == 1


def test_every_token_says_that_we_can_answer_a_challenge_and_a_challenge_is_passed_on(host):
    host.asked.clear()
    host.grants()
    app = entra(host, "secret")
    app.refresh("r-cae", SCOPES, tenant=UUID(TENANT))
    app.refresh("r-cae-2", SCOPES, tenant=UUID(TENANT), claims='{"access_token": {"nbf": {"value": "7"}}}')
    first, second = (json.loads(asked["claims"])["access_token"] for asked in host.asked)
    assert first == {"xms_cc": {"values": ["CP1"]}}
    assert second == {"nbf": {"value": "7"}, "xms_cc": {"values": ["CP1"]}}
