from django.urls import path

from gatepost.outbox import views

app_name = "outbox"
urlpatterns = [
    path("", views.outbox, name="outbox"),
    path("change/", views.change, name="change"),
    path("recovery/", views.recovery, name="recovery"),
    path("recovery/go/", views.go, name="go"),
    path("<uuid:message_id>/", views.message, name="message"),
    path("<uuid:message_id>/decide/", views.decide, name="decide"),
]
