"""Signing in with Microsoft: allauth keeps the session and the links, `graph.oauth` talks to Microsoft and checks.

Somebody is known by (tenant, object id). Neither `email` nor `preferred_username` says who he is: whoever
administers any tenant can write another company's address into them (learn.microsoft.com, "Migrate away from using
email claims for user identification or authorization").
"""

import hashlib
from functools import cache
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.microsoft.provider import MicrosoftGraphProvider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView, OAuth2LoginView
from django.conf import settings

from gatepost.graph.credentials import Credential, read_certificate
from gatepost.graph.errors import GraphError
from gatepost.graph.gateway import LOGIN
from gatepost.graph.oauth import Entra, for_browser

CALLBACK_PATH = "/sign-in/microsoft/back/"


@cache
def entra() -> Entra:
    """The app registration that people sign in with: the mailboxes', unless it has one of its own."""
    credentials = _credentials()
    return Entra(
        settings.GATEPOST_SIGN_IN_CLIENT_ID,
        credentials[0] if credentials else None,
        settings.GATEPOST_TENANT,
        settings.GATEPOST_SANDBOX_URL,
        spares=credentials[1:],
        offline=False,
    )


def _credentials() -> list[Credential]:
    """The secret of the own registration; else what the mailboxes' registration has, in the same order as there."""
    if settings.GATEPOST_SIGN_IN_CLIENT_ID != settings.GATEPOST_CLIENT_ID:
        return list(filter(None, [settings.GATEPOST_SIGN_IN_CLIENT_SECRET]))
    file = settings.GATEPOST_CLIENT_CERTIFICATE
    certificates = [read_certificate(file.read_bytes())] if file is not None else []
    secrets = (settings.GATEPOST_CLIENT_SECRET, settings.GATEPOST_CLIENT_SECRET_SPARE)
    return [*certificates, *filter(None, secrets)]


class MicrosoftAdapter(OAuth2Adapter):
    """One sign-in at Microsoft."""

    provider_id = "microsoft"
    access_token_url = ""  # graph.oauth knows it

    @property
    def authorize_url(self) -> str:
        return for_browser(
            f"{LOGIN}/{settings.GATEPOST_TENANT}/oauth2/v2.0/authorize", settings.GATEPOST_SANDBOX_URL
        )

    def get_callback_url(self, request: Any, app: Any) -> str:
        """The registered address, whatever host the request came by."""
        return settings.GATEPOST_PUBLIC_URL + CALLBACK_PATH

    def get_access_token_data(
        self, request: Any, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """What the identity token says, checked. No token is kept."""
        if not pkce_code_verifier:
            raise ProviderException("This sign-in was not begun here.")
        try:
            return entra().who(
                request.GET["code"],
                redirect_uri=self.get_callback_url(request, app),
                verifier=pkce_code_verifier,
            )
        except GraphError as error:
            raise ProviderException(error.message) from error

    def parse_token(self, data: dict[str, Any]) -> None:
        return None

    def complete_login(self, request: Any, app: Any, token: None, **kwargs: Any) -> Any:
        return self.get_provider().sociallogin_from_response(request, kwargs["response"])


class Microsoft(MicrosoftGraphProvider):
    """allauth's Microsoft, but known by tenant and object id, from a checked identity token."""

    oauth2_adapter_class = MicrosoftAdapter
    pkce_enabled_default = True

    def get_default_scope(self) -> list[str]:
        return ["openid", "profile", "email"]

    def get_scope_from_request(self, request: Any) -> list[str]:
        return self.get_scope()  # no more than that, whatever the address says

    def get_auth_params(self) -> dict[str, str]:
        return {"prompt": "select_account"}

    def get_auth_params_from_request(self, request: Any, action: Any) -> dict[str, str]:
        return self.get_auth_params()

    def get_pkce_params(self) -> dict[str, Any]:
        """The nonce follows from the verifier, which the session keeps and nobody else knows."""
        parameters = super().get_pkce_params()
        nonce = hashlib.sha256(parameters["code_verifier"].encode()).hexdigest()
        return {**parameters, "nonce": nonce}

    def extract_uid(self, data: dict[str, Any]) -> str:
        return f"{data['tid']}/{data['oid']}"

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        # To show which account is linked, and what to call a new member; never to find anybody.
        return {"account": data.get("preferred_username", ""), "name": data.get("name", "")}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """The address, where Microsoft says that the tenant has proved that its domain is its own.

        `xms_edov` is an optional claim, set in the app registration (docs/how-to/people.md).
        """
        if data.get("email") and str(data.get("xms_edov")).lower() in ("1", "true"):
            return [EmailAddress(email=str(data["email"]).lower(), verified=True, primary=True)]
        return []


begin = OAuth2LoginView.adapter_view(MicrosoftAdapter)
back = OAuth2CallbackView.adapter_view(MicrosoftAdapter)
