from django.urls import path

from gatepost.reports import views

app_name = "reports"
urlpatterns = [
    path("reports/", views.reports, name="reports"),
    path("reports/compare/", views.compare, name="compare"),
    path("reports/export.<str:form>", views.export, name="export"),
    path("privacy/", views.privacy, name="privacy"),
    path("privacy/looked-at/<uuid:mailbox_id>/", views.looked_at, name="looked_at"),
]
