from django.urls import path

from gatepost.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("tokens/", views.create_token, name="create_token"),
    path("tokens/revoke/", views.revoke_token, name="revoke_token"),
    path("members/", views.members, name="members"),
    path("members/invite/", views.invite, name="invite"),
    path("members/invitations/<uuid:invitation_id>/", views.change_invitation, name="change_invitation"),
    path("members/<uuid:member_id>/", views.member, name="member"),
    path("members/<uuid:member_id>/sessions/", views.end_member_sessions, name="end_member_sessions"),
    path("members/<uuid:member_id>/remove/", views.remove_member, name="remove_member"),
    path("sign-in/", views.sign_in_rules, name="sign_in_rules"),
    path("closed/", views.closed, name="closed"),
]
