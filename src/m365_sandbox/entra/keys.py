"""The signing key and the OpenID discovery documents. Printed hosts are always the genuine ones."""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from m365_sandbox.sandbox import Sandbox

LOGIN = "https://login.microsoftonline.com"


def private_key(sandbox: Sandbox) -> str:
    """The sandbox's key, made at first use and kept with everything else."""
    pem = sandbox.store.meta.get("signing_key")
    if pem is None:
        pem = make_key()
        sandbox.store.set_meta("signing_key", pem)
        sandbox.store.commit()
    return pem


def make_key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def rotate(sandbox: Sandbox, *, keep_old: bool = True) -> None:
    """Sign with a new key from now on; the old one stays published, or is gone at once."""
    old = [public_key(private_key(sandbox)), *sandbox.store.meta.get("old_keys", [])]
    sandbox.store.set_meta("old_keys", old if keep_old else [])
    sandbox.store.set_meta("signing_key", make_key())


def key_id(pem: str) -> str:
    return public_key(pem)["kid"]


def sign(pem: str, claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key_id(pem), **header})


@lru_cache(maxsize=16)
def public_key(pem: str) -> dict[str, Any]:
    """As the key set shows it. Its id is a digest of it, so that a client never takes one for another."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))  # type: ignore[arg-type]
    public.pop("key_ops", None)
    name = base64.urlsafe_b64encode(hashlib.sha1(public["n"].encode()).digest()).decode().rstrip("=")
    return {**public, "use": "sig", "kid": name, "x5t": name, "cloud_instance_name": "microsoftonline.com"}


def key_set(sandbox: Sandbox) -> dict[str, Any]:
    return {"keys": [public_key(private_key(sandbox)), *sandbox.store.meta.get("old_keys", [])]}


def discovery(tenant: str, tenant_id: str | None) -> dict[str, Any]:
    """For `common` and `organizations` the issuer holds the literal `{tenantid}`."""
    issuer = tenant_id or "{tenantid}"
    base = f"{LOGIN}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt",
        "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{LOGIN}/{issuer}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name",
            "tid",
            "ver", "at_hash", "c_hash", "email",
        ],
        "kerberos_endpoint": f"{base}/kerberos",
        "tenant_region_scope": None,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }  # fmt: skip


def instances(tenant: str) -> dict[str, Any]:
    """Which host names are one and the same cloud: what msal asks before it looks into its cache."""
    names = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    cloud = {"preferred_network": names[0], "preferred_cache": names[1], "aliases": names}
    found = f"{LOGIN}/{tenant}/v2.0/.well-known/openid-configuration"
    return {"tenant_discovery_endpoint": found, "api-version": "1.1", "metadata": [cloud]}
