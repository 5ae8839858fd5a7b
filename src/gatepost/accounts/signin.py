"""What allauth asks us while somebody signs in. Nobody signs himself up: an invitation lets people in."""

import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from gatepost.accounts import invitations, letters, rules
from gatepost.accounts.membership import Membership, memberships
from gatepost.accounts.models import Member, User
from gatepost.accounts.proof import MICROSOFT
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import Conflict
from gatepost.isolation import inside
from gatepost.vault import factors

# The link of an invitation that somebody accepts by single sign-on, while he is at his provider.
ACCEPTING = "accepting"
# Which people have signed in from this browser before.
SEEN_COOKIE, SEEN_SALT, SEEN_SECONDS = "gatepost-seen", "seen", 365 * 24 * 3600


class InvitationOnly(DefaultAccountAdapter):
    """Sign-in with an address and a password, and what is told about it."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth's letters are ours: queued as ids, written when they leave."""
        if template_prefix == "account/email/password_reset_key":
            letters.tell(letters.NEW_PASSWORD, context["user"])
        elif template_prefix not in letters.NOTICES:
            raise LookupError(f"Nobody writes the letter {template_prefix!r}.")

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: Any = None, email: str | None = None
    ) -> None:
        """A change of somebody's sign-in is recorded in his workspaces, and he is told."""
        notice = letters.NOTICES[template_prefix]
        _record_everywhere(user, tags.MEMBER_SIGN_IN_CHANGE, what=notice.name)
        letters.tell(letters.kind_of(notice), user)

    def login(self, request: Any, user: Any) -> None:
        request.first_sign_in = user.last_login is None
        super().login(request, user)

    def post_login(self, request: Any, user: Any, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        methods = [str(each["method"]) for each in get_authentication_records(request, user)]
        _record_everywhere(user, tags.MEMBER_SIGN_IN, by=methods)
        seen = _seen(request)
        name = hashlib.sha256(user.pk.bytes).hexdigest()[:16]
        if name not in seen:
            if not request.first_sign_in:
                letters.tell(letters.NEW_DEVICE, user)
            response.set_cookie(
                SEEN_COOKIE,
                signing.dumps([*seen, name][-10:], salt=SEEN_SALT),
                max_age=SEEN_SECONDS,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response

    def add_message(
        self, request: Any, level: Any, message_template: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """That somebody signed in or out, he sees without being told."""
        if message_template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, level, message_template, *args, **kwargs)


def _seen(request: HttpRequest) -> list[str]:
    try:
        return list(signing.loads(request.COOKIES.get(SEEN_COOKIE, ""), salt=SEEN_SALT))
    except signing.BadSignature:
        return []


def _record_everywhere(user: Any, tag: str, **detail: Any) -> None:
    for place in memberships(user.pk):
        with inside(place.workspace_id):
            member = Member.objects.get(pk=place.member_id)
            record(Actor("member", str(member.pk)), tag, member, **detail)


class Factors(DefaultMFAAdapter):
    """Second factors and passkeys. Their secrets are sealed."""

    def encrypt(self, text: str) -> str:
        return factors.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return factors.open(encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Gatepost"

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return _("Passkey")


class SingleSignOn(DefaultSocialAccountAdapter):
    """Accounts of Microsoft and of the operator's OpenID provider.

    One is linked to a user by an invitation, by the signed-in user himself, or by an address that the provider has
    proved; never by an address that it merely claims. After that only its id counts.
    """

    def pre_social_login(self, request: Any, sociallogin: SocialLogin) -> None:
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            return
        if not sociallogin.is_existing:
            self._accept_invitation(request, sociallogin)
            return
        user = sociallogin.user
        assert isinstance(user, User)
        if not any(_lets_in(place, sociallogin) for place in memberships(user.pk)):
            # Here already, not only at the workspace's door: on the own pages a password could be set.
            raise _refused(
                request,
                _("No workspace of yours lets accounts of this organisation in"),
                _(
                    "Sign in in another way, or ask an administrator to allow the organisation under “Sign-in rules”."
                ),
            )

    def _accept_invitation(self, request: Any, sociallogin: SocialLogin) -> None:
        """The link of an invitation that was opened in this browser lets a new person in."""
        token = request.session.pop(ACCEPTING, "")
        invitation = invitations.find(token)
        if invitation is None:
            raise _refused(
                request,
                _("This account is not known here"),
                _("Ask an administrator of your workspace for an invitation. Do you sign in with a password already? "
                  "Then do so, and link this account under “Your sign-in”."),
            )  # fmt: skip
        tenant = _tenant(sociallogin)
        if tenant and tenant not in invitation.workspace.sign_in_tenants:
            raise _refused(
                request,
                _("This workspace lets nobody in from this organisation"),
                _("Choose an account of the organisation that invited you, or set a password instead."),
            )
        try:
            member = invitations.accept(token, name=str(sociallogin.account.extra_data.get("name", "")))
        except Conflict as error:
            raise _refused(request, _("You could not join"), error.message) from error
        sociallogin.user = member.user
        sociallogin.save(request, connect=True)

    def authenticate_by_email(self, sociallogin: SocialLogin) -> Any:
        """The user with this address, where the provider has proved it and a workspace lets the account in."""
        for address in sociallogin.email_addresses:
            user = User.objects.filter(email=address.email.lower()).first() if address.verified else None
            if user is not None and any(_lets_in(place, sociallogin) for place in memberships(user.pk)):
                return user, user.email
        return None

    def get_connect_redirect_url(self, request: Any, socialaccount: Any) -> str:
        return "/account/"

    def on_authentication_error(self, request: Any, provider: Any, **kwargs: Any) -> None:
        error = kwargs.get("exception")
        said = str(error) if isinstance(error, Exception) and error.args else ""
        raise _refused(
            request,
            _("The sign-in was not finished"),
            said
            or _("It was cancelled, took too long, or was begun in another browser. Nothing was changed."),
        )


def _lets_in(place: Membership, sociallogin: SocialLogin) -> bool:
    """Whether the workspace lets this provider's accounts in: of Microsoft's, those of the organisations it named."""
    tenant = _tenant(sociallogin)
    if not tenant:
        return True
    with inside(place.workspace_id):
        member = Member.objects.select_related("workspace").get(pk=place.member_id)
    proof = rules.Proof(tenant=tenant)
    return rules.closed(requires="", tenants=member.workspace.sign_in_tenants, proof=proof) is None


def _tenant(sociallogin: SocialLogin) -> str:
    account = sociallogin.account
    return account.uid.partition("/")[0] if account.provider == MICROSOFT else ""


def _refused(request: Any, heading: str, message: str) -> ImmediateHttpResponse:
    context = {"heading": heading, "message": message}
    return ImmediateHttpResponse(render(request, "account/refused.html", context, status=403))
