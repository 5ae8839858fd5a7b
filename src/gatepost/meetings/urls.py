from django.urls import path

from gatepost.meetings import views

app_name = "meetings"
urlpatterns = [
    path("", views.meetings, name="meetings"),
    path("<uuid:meeting_id>/", views.meeting, name="meeting"),
    path("of-contact/<uuid:contact_id>/", views.of_contact, name="of_contact"),
]
