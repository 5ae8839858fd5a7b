from django.urls import path

from gatepost.contacts import views

app_name = "contacts"
urlpatterns = [
    path("", views.contacts, name="contacts"),
    path("new/", views.new, name="new"),
    path("import/", views.import_file, name="import"),
    path("outlook/", views.outlook_people, name="outlook"),
    path("imports/<uuid:import_id>/", views.imported, name="imported"),
    path("imports/<uuid:import_id>/rejected.csv", views.rejected, name="rejected"),
    path("do-not-contact/", views.suppressions, name="suppressions"),
    path("do-not-contact/export.csv", views.export_suppressions, name="export_suppressions"),
    path("do-not-contact/<uuid:suppression_id>/lift/", views.lift, name="lift"),
    path("companies/", views.companies, name="companies"),
    path("companies/<uuid:company_id>/", views.company, name="company"),
    path("fields/", views.fields, name="fields"),
    path("<uuid:contact_id>/edit/", views.edit, name="edit"),
    path("<uuid:contact_id>/merge/", views.merge, name="merge"),
    path("<uuid:contact_id>/", views.contact, name="contact"),
    path("<uuid:contact_id>/suppress/", views.suppress, name="suppress"),
]
