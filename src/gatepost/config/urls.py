"""Every address. Each concept's own are in its urls.py."""

from django.urls import include, path
from django.views.generic import RedirectView

from gatepost.config.api import api
from gatepost.outbox.views import unsubscribe
from gatepost.sequences.views import change_upcoming, upcoming

handler429 = "gatepost.accounts.views.too_often"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="conversations:inbox")),
    path("", include("gatepost.accounts.sign_in_urls")),
    path("inbox/", include("gatepost.conversations.urls")),
    path("quarantine/", include("gatepost.intake.urls")),
    path("sequences/", include("gatepost.sequences.urls")),
    path("snippets/", include("gatepost.snippets.urls")),
    path("contacts/", include("gatepost.contacts.urls")),
    path("outbox/", include("gatepost.outbox.urls")),
    path("outbox/upcoming/", upcoming, name="upcoming"),  # what sequences know of it; outbox lies below them
    path("outbox/upcoming/change/", change_upcoming, name="change_upcoming"),
    path("unsubscribe/<str:token>/", unsubscribe, name="unsubscribe"),
    path("meetings/", include("gatepost.meetings.urls")),
    path("", include("gatepost.erasure.urls")),
    path("mailboxes/", include("gatepost.mailboxes.urls")),
    path("letters/", include("gatepost.post.urls")),
    path("privacy/alerts/", include("gatepost.alerts.urls")),
    path("settings/", include("gatepost.accounts.urls")),
    path("api/v1/", api.urls),
    path("", include("gatepost.reports.urls")),
]
