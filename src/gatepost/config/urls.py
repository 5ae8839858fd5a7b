"""Every address. Each concept's own are in its urls.py."""

from allauth.account import views as sign_in
from django.urls import include, path
from django.views.generic import RedirectView

from gatepost.config.api import api
from gatepost.outbox.views import unsubscribe

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="conversations:inbox")),
    path("sign-in/", sign_in.login, name="account_login"),
    path("sign-out/", sign_in.logout, name="account_logout"),
    path("inbox/", include("gatepost.conversations.urls")),
    path("quarantine/", include("gatepost.intake.urls")),
    path("sequences/", include("gatepost.sequences.urls")),
    path("contacts/", include("gatepost.contacts.urls")),
    path("outbox/", include("gatepost.outbox.urls")),
    path("unsubscribe/<str:token>/", unsubscribe, name="unsubscribe"),
    path("meetings/", include("gatepost.meetings.urls")),
    path("mailboxes/", include("gatepost.mailboxes.urls")),
    path("settings/", include("gatepost.accounts.urls")),
    path("api/v1/", api.urls),
    path("", include("gatepost.reports.urls")),
]
