from django.urls import path

from gatepost.alerts import views

app_name = "alerts"
urlpatterns = [path("", views.alerts, name="alerts")]
