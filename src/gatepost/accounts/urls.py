from django.urls import path

from gatepost.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("tokens/", views.create_token, name="create_token"),
    path("tokens/revoke/", views.revoke_token, name="revoke_token"),
    path("members/", views.add_member, name="add_member"),
]
