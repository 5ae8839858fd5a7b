from django.urls import path

from gatepost.erasure import views

app_name = "erasure"
urlpatterns = [
    path("mailboxes/<uuid:mailbox_id>/erase/", views.erase_mailbox, name="mailbox"),
    path("mailboxes/<uuid:mailbox_id>/kept/", views.mailbox_kept, name="mailbox_kept"),
    path("contacts/<uuid:contact_id>/erase/", views.erase_contact, name="contact"),
    path("contacts/<uuid:contact_id>/export.json", views.export_contact, name="export_contact"),
    path("settings/close/", views.close_workspace, name="workspace"),
    path("settings/export.zip", views.export_workspace, name="export_workspace"),
    path("privacy/erased/", views.erased, name="erased"),
    path("privacy/kept/", views.kept, name="kept"),
    path("receipts/<str:ticket>/", views.receipt, name="receipt"),
    path("receipts/<str:ticket>/receipt.json", views.receipt_file, name="receipt_file"),
]
