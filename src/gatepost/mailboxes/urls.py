from django.urls import path

from gatepost.mailboxes import registration_page, views, waiting_views

app_name = "mailboxes"
urlpatterns = [
    path("", views.mailboxes, name="mailboxes"),
    path("new/", views.new, name="new"),
    path("permissions/", views.permissions, name="permissions"),
    path("permissions/switch/", views.switch, name="switch"),
    path("connected/", views.connected, name="connected"),
    path("connected/refused/", views.refused, name="refused"),
    path("registration/", registration_page.registration, name="registration"),
    path("notices/", views.notice_list, name="notices"),
    path("notices/<uuid:notice_id>/put-away/", views.put_away, name="put_away"),
    path("attempts/<uuid:attempt_id>/", waiting_views.attempt, name="attempt"),
    path("attempts/<uuid:attempt_id>/go/", waiting_views.go, name="go"),
    path("attempts/<uuid:attempt_id>/link/", waiting_views.link, name="link"),
    path("attempts/<uuid:attempt_id>/give-up/", waiting_views.give_up, name="give_up"),
    path("attempts/<uuid:attempt_id>/add/", waiting_views.add_other, name="add_other"),
    path("for-it/<str:token>/", waiting_views.for_it, name="for_it"),
    path("for-it/<str:token>/requests/", waiting_views.requests_for_it, name="requests_for_it"),
    path("<uuid:mailbox_id>/", views.mailbox, name="mailbox"),
    path("<uuid:mailbox_id>/letterhead/", views.letterhead_of, name="letterhead"),
    path("<uuid:mailbox_id>/outreach-only/", views.mark, name="mark"),
    path("<uuid:mailbox_id>/disconnect/", views.disconnect, name="disconnect"),
    path("<uuid:mailbox_id>/pause/", views.pause, name="pause"),
    path("<uuid:mailbox_id>/resume/", views.resume, name="resume"),
    path("<uuid:mailbox_id>/probe/", views.probe, name="probe"),
]
