from django.urls import path

from gatepost.snippets import views

app_name = "snippets"
urlpatterns = [
    path("", views.snippets, name="snippets"),
    path("new/", views.new, name="new"),
    path("called/<slug:name>/", views.snippet, name="snippet"),
]
