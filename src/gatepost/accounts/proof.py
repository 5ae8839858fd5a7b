"""How the person of a session has shown who he is."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator

from gatepost.accounts.rules import Proof

MICROSOFT, OPENID = "microsoft", "openid"


def proof_of(request: Any, *, with_second_factor: bool = True) -> Proof:
    """From allauth's notes in the session. `with_second_factor` costs a query."""
    tenant, other_provider = "", False
    for each in get_authentication_records(request, request.user):
        if each.get("method") == "socialaccount" and each.get("provider") == MICROSOFT:
            tenant = str(each.get("uid", "")).partition("/")[0]
        elif each.get("method") == "socialaccount":
            other_provider = True
    return Proof(tenant, other_provider, with_second_factor and has_second_factor(request.user))


def has_second_factor(user: Any) -> bool:
    """Recovery codes alone are none: they stand in for one that is lost."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return Authenticator.objects.filter(user_id=user.pk, type__in=kinds).exists()
