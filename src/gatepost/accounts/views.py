"""The settings of a workspace, its members, the link of an invitation, and a person's own sign-in."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost import clock
from gatepost.accounts import actions, invitations, leaving, rules, sessions
from gatepost.accounts.forms import Joining, NewInvitation, SignInRules, WorkspaceSettings
from gatepost.accounts.membership import CHOSEN, by, page
from gatepost.accounts.models import ApiToken, Invitation, Member, User, Workspace
from gatepost.accounts.proof import MICROSOFT, OPENID, proof_of
from gatepost.accounts.rules import Ability
from gatepost.accounts.signin import ACCEPTING
from gatepost.errors import BadInput, Conflict, NotAllowed
from gatepost.isolation import inside
from gatepost.post.letters import can_send
from gatepost.web.parameters import id_in


@page(changes=Ability.ADMINISTER)
def settings(request: Any) -> HttpResponse:
    workspace = request.workspace
    if request.method == "POST":
        form = WorkspaceSettings(request.POST)
        if form.is_valid():
            actions.change_workspace(workspace.id, actor=by(request.member), **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("accounts:settings")
    else:
        form = WorkspaceSettings(
            initial={
                "name": workspace.name,
                "time_zone": workspace.time_zone,
                "internal_domains": "\n".join(workspace.internal_domains),
            }
        )
    with inside(workspace.id):
        context = {
            "form": form,
            "members": Member.objects.filter(removed_at__isnull=True).count(),
            "tokens": _tokens(request.member),
        }
        return render(request, "accounts/settings.html", context)


@page(write=True)
@require_POST
def create_token(request: Any) -> HttpResponse:
    """The one time that the token is shown."""
    name = request.POST.get("name", "")
    token = actions.create_token(request.member, name, actor=by(request.member))
    return render(request, "accounts/token.html", {"name": name, "token": token})


@page(write=True)
@require_POST
def revoke_token(request: Any) -> HttpResponse:
    with inside(request.workspace.id):
        token = get_object_or_404(ApiToken, pk=id_in(request.POST, "token"))
        if token.member_id != request.member.pk and not request.member.may_administer:
            raise NotAllowed(_("Only an owner or administrator of the workspace can do this."))
    actions.revoke_token(token.pk, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Revoked. The program that used it is refused from now on."))
    return redirect("accounts:settings")


def _tokens(member: Member) -> "QuerySet[ApiToken]":
    """A member's own tokens; an administrator sees all."""
    tokens = ApiToken.objects.filter(revoked_at__isnull=True).select_related("member").order_by("created_at")
    return tokens if member.may_administer else tokens.filter(member=member)


# Members and invitations


@page
def members(request: Any) -> HttpResponse:
    present = Member.objects.filter(removed_at__isnull=True).select_related("user").order_by("created_at")
    invited = invitations.open_invitations() if request.member.may_administer else []
    context = {
        "members": present,
        "invited": [_invited(each) for each in invited],
        "can_send": can_send(),
        "roles": Member.Role.choices,
        "table": [
            {"words": row.words, "has": [role in row.roles for role in rules.ROLES]} for row in rules.TABLE
        ],
    }
    return render(request, "accounts/members.html", context)


@dataclass(frozen=True, slots=True)
class Invited:
    """An open invitation as the page shows it."""

    invitation: Invitation
    address: str
    link: str  # only where no letter carried it
    has_run_out: bool


def _invited(invitation: Invitation) -> Invited:
    over = invitation.expires_at <= clock.now()
    link = "" if invitation.mailed or over else invitations.link_of(invitation)
    return Invited(invitation, invitations.address_of(invitation), link, over)


@page(administer=True)
def invite(request: Any) -> HttpResponse:
    form = NewInvitation(request.POST or None, by=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            sent = invitations.invite(
                form.cleaned_data["email"],
                form.cleaned_data["role"],
                by=request.member,
                actor=by(request.member),
            )
        except (BadInput, Conflict) as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _say_sent(sent))
            return redirect("accounts:members")
    return render(request, "accounts/invite.html", {"form": form, "can_send": can_send()})


@page(administer=True)
@require_POST
def change_invitation(request: Any, invitation_id: UUID) -> HttpResponse:
    """Sent again, or revoked."""
    if request.POST.get("do") == "revoke":
        invitations.revoke(invitation_id, by=request.member, actor=by(request.member))
        messages.success(request, _("Revoked. The link works no more."))
    else:
        sent = invitations.send_again(invitation_id, by=request.member, actor=by(request.member))
        messages.success(request, _say_sent(sent))
    return redirect("accounts:members")


def _say_sent(sent: invitations.Sent) -> str:
    if sent.by_letter:
        return _("The invitation is on its way.")
    return _(
        "No mail server is set, so no letter was sent. Give them the link yourself: it is in the list below."
    )


@page(administer=True)
@reauthentication_required(allow_get=True)
def member(request: Any, member_id: UUID) -> HttpResponse:
    """A member's role and sessions, and the way to remove him."""
    with inside(request.workspace.id):
        found = _present(member_id)
    if request.method == "POST":
        role = request.POST.get("role", "")
        actions.change_role(member_id, role, by=request.member, actor=by(request.member))
        messages.success(request, _("Saved. It holds from the next page on."))
        return redirect("accounts:members")
    context = {
        "member": found,
        "roles": [
            (role, words)
            for role, words in Member.Role.choices
            if role in (found.role,) or _may_change(request.member, found, role)
        ],
        "may_change": _may_change(request.member, found, found.role),
        "may_remove": _may_change(request.member, found, None),
        "sessions": sessions.sessions_of(found.user),
    }
    return render(request, "accounts/member.html", context)


@page(administer=True)
@require_POST
def end_member_sessions(request: Any, member_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        _present(member_id)
    actions.end_sessions(member_id, by=request.member, actor=by(request.member))
    messages.success(request, _("Ended. They must sign in again everywhere."))
    return redirect("accounts:members")


@page(administer=True)
@reauthentication_required(allow_get=True)
def remove_member(request: Any, member_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        found = _present(member_id)
        left = leaving.left_behind(found)
        others = Member.objects.filter(removed_at__isnull=True).exclude(pk=found.pk)
        heirs = [each for each in others.order_by("name") if each.may(Ability.WORK)]
    if request.method == "POST":
        actions.remove_member(
            member_id, heir_id=id_in(request.POST, "heir"), by=request.member, actor=by(request.member)
        )
        messages.success(request, _("Removed. Their sessions and API tokens have ended."))
        return redirect("accounts:members")
    return render(request, "accounts/remove_member.html", {"member": found, "left": left, "heirs": heirs})


def _present(member_id: UUID) -> Member:
    present = Member.objects.select_related("user").filter(removed_at__isnull=True)
    return get_object_or_404(present, pk=member_id)


def _may_change(actor: Member, found: Member, role_after: str | None) -> bool:
    """Whether the page offers it; the action decides again, with the number of owners."""
    no = rules.may_change_member(
        actor_role=actor.role,
        role_before=found.role,
        role_after=role_after,
        owners=2,
        themselves=actor.pk == found.pk,
    )
    return no is None


# Rules for signing in


@page(administer=True)
@reauthentication_required(allow_get=True)
def sign_in_rules(request: Any) -> HttpResponse:
    workspace = request.workspace
    if request.method == "POST":
        form = SignInRules(request.POST)
        if form.is_valid():
            try:
                actions.change_sign_in(
                    workspace.id, proof=proof_of(request), actor=by(request.member), **form.cleaned_data
                )
            except BadInput as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Saved. It holds from the next page on, for everybody."))
                return redirect("accounts:sign_in_rules")
    else:
        form = SignInRules(
            initial={"requires": workspace.sign_in_requires, "tenants": "\n".join(workspace.sign_in_tenants)}
        )
    own = SocialAccount.objects.filter(user=request.user, provider=MICROSOFT).first()
    context = {
        "form": form,
        "own_tenant": own.uid.partition("/")[0] if own else "",
        "with_microsoft": django_settings.GATEPOST_SIGN_IN_WITH_MICROSOFT,
    }
    return render(request, "accounts/sign_in_rules.html", context)


@login_required
def closed(request: Any) -> HttpResponse:
    """Why the workspace does not open for this session, and what opens it."""
    if request.closed is None:
        return redirect("/")
    linked = SocialAccount.objects.filter(user=request.user).values_list("provider", flat=True)
    context = {"needs": request.closed.needs, "linked": set(linked), **_providers()}
    return render(request, "accounts/closed.html", context)


# Joining


def join(request: Any, token: str) -> HttpResponse:
    """The link of an invitation."""
    invitation = invitations.find(token)
    if invitation is None:
        return render(request, "accounts/not_invited.html", status=410)
    with inside(invitation.workspace_id):
        address = invitations.address_of(invitation)
    known = User.objects.filter(email=address).exists()
    form = Joining(request.POST or None)
    if request.method == "POST":
        if (
            "by" in request.POST
        ):  # by single sign-on: the browser goes on to the provider, and comes back linked
            request.session[ACCEPTING] = token
            return _leave_for_provider(request)
        if request.user.is_authenticated:
            return _join_as(request, token, request.user)
        if not known and form.is_valid():
            return _join_new(request, token, form)
    context = {
        "invitation": invitation,
        "address": address,
        "known": known,
        "form": form,
        "other_user": request.user.is_authenticated and request.user.email != address,
        "password": invitation.workspace.sign_in_requires != rules.SINGLE_SIGN_ON,
        **_providers(),
    }
    context["microsoft"] = context["microsoft"] and bool(invitation.workspace.sign_in_tenants)
    return render(request, "accounts/join.html", context)


def _leave_for_provider(request: Any) -> HttpResponse:
    kind = MICROSOFT if request.POST["by"] == MICROSOFT else OPENID
    try:
        provider = get_adapter().get_provider(request, kind)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    response: HttpResponse = provider.redirect(request, AuthProcess.LOGIN, next_url="/")
    return response


def _join_as(request: Any, token: str, user: User) -> HttpResponse:
    name = request.member.name if request.member is not None else ""
    member = invitations.accept(token, name=name, user=user)
    request.session[CHOSEN] = str(member.workspace_id)
    messages.success(request, _("Welcome to %(workspace)s.") % {"workspace": _workspace(member).name})
    return redirect("/")


def _join_new(request: Any, token: str, form: Joining) -> HttpResponse:
    member = invitations.accept(token, name=form.cleaned_data["name"], password=form.cleaned_data["password"])
    record_authentication(request, member.user, method="password", email=member.user.email)
    response: HttpResponse = perform_login(request, member.user, email_verification="none")
    return response


def _workspace(member: Member) -> Workspace:
    return Workspace.objects.get(pk=member.workspace_id)


def _providers() -> dict[str, Any]:
    """Which kinds of single sign-on this installation has."""
    return {
        "microsoft": django_settings.GATEPOST_SIGN_IN_WITH_MICROSOFT,
        "openid": django_settings.GATEPOST_OIDC_NAME,
    }


# A person's own sign-in


@login_required
def own(request: Any) -> HttpResponse:
    """Password, second factors, linked accounts and sessions."""
    factors = list(Authenticator.objects.filter(user=request.user).order_by("created_at"))
    kinds = Authenticator.Type
    codes = next((each for each in factors if each.type == kinds.RECOVERY_CODES), None)
    context = {
        "app": next((each for each in factors if each.type == kinds.TOTP), None),
        "passkeys": [each for each in factors if each.type == kinds.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "has_password": request.user.has_usable_password(),
        "linked": SocialAccount.objects.filter(user=request.user).order_by("date_joined"),
        "sessions": sessions.sessions_of(request.user, this=request.session.session_key),
        **_providers(),
    }
    return render(request, "accounts/own.html", context)


@login_required
@require_POST
def end_own_sessions(request: Any) -> HttpResponse:
    """One of the own sessions ends, or all but this one."""
    if request.POST.get("session") == "others":
        sessions.end(request.user.pk, but=request.session.session_key)
        messages.success(request, _("You are signed in nowhere else any more."))
    else:
        try:
            chosen = int(request.POST.get("session", ""))
        except ValueError:
            raise Http404 from None
        sessions.end(request.user.pk, only=chosen)
        messages.success(request, _("Ended."))
    return redirect("accounts_own")


@login_required
@require_POST
def choose_workspace(request: Any) -> HttpResponse:
    """Which of several workspaces the session looks at."""
    wanted = id_in(request.POST, "workspace")
    if wanted not in [each.workspace_id for each in request.memberships]:
        raise Http404("There is no such workspace, or it is not yours.")
    request.session[CHOSEN] = str(wanted)
    return redirect("/")


def cancelled(request: HttpRequest) -> HttpResponse:
    return redirect("account_login")


def too_often(request: HttpRequest) -> HttpResponse:
    return render(request, "429.html", status=429)
