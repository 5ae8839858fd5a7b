from django.urls import path

from gatepost.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("members/", views.add_member, name="add_member"),
]
