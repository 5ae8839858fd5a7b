from django.urls import path

from gatepost.meetings import views

app_name = "meetings"
urlpatterns = [
    path("", views.meetings, name="meetings"),
    path("brief-time/", views.brief_time, name="brief_time"),
    path("<uuid:meeting_id>/", views.meeting, name="meeting"),
    path("<uuid:meeting_id>/notes/", views.notes, name="notes"),
    path("<uuid:meeting_id>/attribution/", views.attribution, name="attribution"),
    path("<uuid:meeting_id>/no-show/", views.no_show, name="no_show"),
    path("<uuid:meeting_id>/theirs/", views.theirs, name="theirs"),
    path("<uuid:meeting_id>/go-on/", views.go_on, name="go_on"),
    path("<uuid:meeting_id>/brief/", views.brief, name="brief"),
    path("of-contact/<uuid:contact_id>/", views.of_contact, name="of_contact"),
]
