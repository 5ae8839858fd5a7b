"""Signing in, the link of an invitation, and a person's own sign-in. allauth names its pages by these names."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as linked
from django.urls import path, re_path
from django.views.generic import RedirectView

from gatepost.accounts import microsoft, openid, views

to_own_page = RedirectView.as_view(pattern_name="accounts_own")

urlpatterns = [
    path("sign-in/", account.login, name="account_login"),
    path("sign-out/", account.logout, name="account_logout"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/factor/", factors.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/password/", account.password_reset, name="account_reset_password"),
    path("sign-in/password/sent/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "sign-in/password/set/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^sign-in/password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[\w-]+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("sign-in/microsoft/", microsoft.begin, name="microsoft_login"),
    path("sign-in/microsoft/back/", microsoft.back, name="microsoft_callback"),
    path("sign-in/<str:provider_id>/", openid.begin, name="openid_connect_login"),
    path("sign-in/<str:provider_id>/back/", openid.back, name="openid_connect_callback"),
    path("sign-in/cancelled/", views.cancelled, name="socialaccount_login_cancelled"),
    path("join/<str:token>/", views.join, name="accounts_join"),
    path("account/", views.own, name="accounts_own"),
    path("account/workspace/", views.choose_workspace, name="accounts_choose_workspace"),
    path("account/sessions/", views.end_own_sessions, name="accounts_end_own_sessions"),
    path("account/linked/", linked.connections, name="socialaccount_connections"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/first/", account.password_set, name="account_set_password"),
    path("account/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/factor/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("account/confirm/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/factors/", to_own_page, name="mfa_index"),
    path("account/app/", app.activate_totp, name="mfa_activate_totp"),
    path("account/app/remove/", app.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("account/passkeys/", to_own_page, name="mfa_list_webauthn"),
    path("account/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
]
