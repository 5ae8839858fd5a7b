from django.urls import path

from gatepost.conversations import views

app_name = "conversations"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("rules/", views.label_rules, name="label_rules"),
    path("corrections/", views.corrections, name="corrections"),
    path("<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("<uuid:conversation_id>/answer/", views.answer, name="answer"),
    path("<uuid:conversation_id>/done/", views.done, name="done"),
    path("<uuid:conversation_id>/snooze/", views.snooze, name="snooze"),
    path("<uuid:conversation_id>/assign/", views.assign, name="assign"),
    path("replies/<uuid:reply_id>/", views.reply, name="reply"),
    path("replies/<uuid:reply_id>/label/", views.correct_label, name="correct_label"),
    path("replies/<uuid:reply_id>/named/", views.add_named, name="add_named"),
    path("of-contact/<uuid:contact_id>/", views.timeline, name="timeline"),
]
