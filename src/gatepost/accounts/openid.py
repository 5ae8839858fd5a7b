"""Signing in by an OpenID Connect provider that the operator chose. allauth does it; of what it is told little is kept."""

from typing import Any

from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import callback, login
from django.http import HttpRequest, HttpResponse


class OpenID(OpenIDConnectProvider):
    pkce_enabled_default = True

    def get_scope_from_request(self, request: Any) -> list[str]:
        return self.get_scope()  # no more than that, whatever the address says

    def get_auth_params_from_request(self, request: Any, action: Any) -> dict[str, str]:
        return {}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        claims = {**data.get("id_token", {}), **data.get("userinfo", {})}
        return {"account": claims.get("email", ""), "name": claims.get("name", "")}


def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    return login(request, provider_id)


def back(request: HttpRequest, provider_id: str) -> HttpResponse:
    return callback(request, provider_id)
