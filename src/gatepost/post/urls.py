from django.urls import path

from gatepost.post import views

app_name = "post"
urlpatterns = [path("", views.letters, name="letters")]
