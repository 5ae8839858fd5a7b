from django.urls import path

from gatepost.mailboxes import registration_page, views

app_name = "mailboxes"
urlpatterns = [
    path("", views.mailboxes, name="mailboxes"),
    path("new/", views.new, name="new"),
    path("permissions/", views.permissions, name="permissions"),
    path("permissions/switch/", views.switch, name="switch"),
    path("connected/", views.connected, name="connected"),
    path("connected/refused/", views.refused, name="refused"),
    path("registration/", registration_page.registration, name="registration"),
    path("attempts/<uuid:attempt_id>/", views.attempt, name="attempt"),
    path("notices/", views.notice_list, name="notices"),
    path("notices/<uuid:notice_id>/put-away/", views.put_away, name="put_away"),
    path("<uuid:mailbox_id>/", views.mailbox, name="mailbox"),
    path("<uuid:mailbox_id>/outreach-only/", views.mark, name="mark"),
    path("<uuid:mailbox_id>/disconnect/", views.disconnect, name="disconnect"),
    path("<uuid:mailbox_id>/pause/", views.pause, name="pause"),
    path("<uuid:mailbox_id>/resume/", views.resume, name="resume"),
    path("<uuid:mailbox_id>/probe/", views.probe, name="probe"),
]
