from django.urls import path

from gatepost.reports import views

app_name = "reports"
urlpatterns = [
    path("reports/", views.reports, name="reports"),
    path("reports/health/", views.health, name="health"),
    path("reports/health/look/", views.look, name="look"),
    path("reports/views/", views.saved_views, name="saved_views"),
    path("reports/views/save/", views.save_view, name="save_view"),
    path("reports/views/<uuid:view_id>/", views.change_view, name="change_view"),
    path("reports/compare/", views.compare, name="compare"),
    path("reports/export.<str:form>", views.export, name="export"),
    path("privacy/", views.privacy, name="privacy"),
    path("privacy/records.csv", views.records_file, {"kind": "record"}, name="record_file"),
    path("privacy/ledger.csv", views.records_file, {"kind": "ledger"}, name="ledger_file"),
    path("privacy/anchors.jsonl", views.anchors, name="anchors"),
    path("privacy/looked-at/<uuid:mailbox_id>/", views.looked_at, name="looked_at"),
]
