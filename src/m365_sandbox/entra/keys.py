"""The signing key and the OpenID discovery documents. Printed hosts are always the genuine ones."""

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from m365_sandbox.sandbox import Sandbox

LOGIN = "https://login.microsoftonline.com"
KEY_ID = "m365-sandbox-1"


def private_key(sandbox: Sandbox) -> str:
    """The sandbox's key, made at first use and kept with everything else."""
    pem = sandbox.store.meta.get("signing_key")
    if pem is None:
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        sandbox.store.set_meta("signing_key", pem)
        sandbox.store.commit()
    return pem


def sign(sandbox: Sandbox, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, private_key(sandbox), algorithm="RS256", headers={"kid": KEY_ID})


def key_set(sandbox: Sandbox) -> dict[str, Any]:
    key = serialization.load_pem_private_key(private_key(sandbox).encode(), password=None)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))  # type: ignore[arg-type]
    public.pop("key_ops", None)
    return {
        "keys": [
            {
                **public,
                "use": "sig",
                "kid": KEY_ID,
                "x5t": KEY_ID,
                "cloud_instance_name": "microsoftonline.com",
            }
        ]
    }


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
        "tenant_region_scope": None,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }  # fmt: skip
