from django.urls import path

from gatepost.intake import views

app_name = "intake"
urlpatterns = [
    path("", views.quarantine, name="quarantine"),
    path("count/", views.count, name="count"),
    path("decide/", views.decide, name="decide"),
]
