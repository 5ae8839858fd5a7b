from django.urls import path

from gatepost.outbox import views

app_name = "outbox"
urlpatterns = [
    path("", views.outbox, name="outbox"),
    path("<uuid:message_id>/", views.message, name="message"),
    path("<uuid:message_id>/decide/", views.decide, name="decide"),
]
