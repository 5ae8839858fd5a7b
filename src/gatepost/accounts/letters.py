"""Letters about somebody's sign-in: a new password, a new device, a change. Invitations write their own."""

from dataclasses import dataclass
from uuid import UUID

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.urls import reverse

from gatepost.accounts.membership import memberships
from gatepost.accounts.models import User
from gatepost.accounts.sessions import device
from gatepost.post.letters import Letter, from_template, letter, send

NEW_PASSWORD = "accounts.new-password"
NEW_DEVICE = "accounts.new-device"


@dataclass(frozen=True, slots=True)
class Notice:
    """A change of somebody's sign-in: the name in the record, and the sentence of the letter."""

    name: str
    says: str


# By the name that allauth gives its mail.
NOTICES = {
    "account/email/password_changed": Notice("password-changed", "The password was changed."),
    "account/email/password_reset": Notice("password-reset", "A new password was set with a link by mail."),
    "account/email/password_set": Notice("password-set", "A password was set."),
    "mfa/email/totp_activated": Notice("app-added", "An authenticator app was added."),
    "mfa/email/totp_deactivated": Notice("app-removed", "The authenticator app was removed."),
    "mfa/email/recovery_codes_generated": Notice("codes-made", "New recovery codes were made."),
    "mfa/email/webauthn_added": Notice("passkey-added", "A passkey was added."),
    "mfa/email/webauthn_removed": Notice("passkey-removed", "A passkey was removed."),
    "socialaccount/email/account_connected": Notice(
        "account-linked", "An account was linked for single sign-on."
    ),
    "socialaccount/email/account_disconnected": Notice("account-unlinked", "A linked account was removed."),
}


def tell(kind: str, user: User) -> bool:
    """A letter of this kind goes to the user. False where he belongs nowhere, or no mail server is set."""
    places = memberships(user.pk)
    return bool(places) and send(kind, workspace_id=places[0].workspace_id, about=user.pk)


def kind_of(notice: Notice) -> str:
    return f"accounts.{notice.name}"


@letter(NEW_PASSWORD)
def new_password(about: UUID) -> Letter | None:
    user = User.objects.filter(pk=about, is_active=True).first()
    if user is None:
        return None
    return from_template("accounts/letters/new_password.txt", {"link": password_link(user)}, to=user.email)


def password_link(user: User) -> str:
    """The address that sets a new password. It works once, and for some days (Django's PASSWORD_RESET_TIMEOUT)."""
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    parts = {"uidb36": user_pk_to_url_str(user), "key": key}
    return settings.GATEPOST_PUBLIC_URL + reverse("account_reset_password_from_key", kwargs=parts)


@letter(NEW_DEVICE)
def new_device(about: UUID) -> Letter | None:
    session = UserSession.objects.filter(user_id=about).select_related("user").order_by("-created_at").first()
    if session is None:
        return None
    context = {"device": device(session.user_agent), "address": session.ip}
    return from_template("accounts/letters/new_device.txt", context, to=session.user.email)


def _register(notice: Notice) -> None:
    @letter(kind_of(notice))
    def changed(about: UUID) -> Letter | None:
        user = User.objects.filter(pk=about).first()
        if user is None:
            return None
        return from_template("accounts/letters/sign_in_changed.txt", {"says": notice.says}, to=user.email)


for _notice in NOTICES.values():
    _register(_notice)
