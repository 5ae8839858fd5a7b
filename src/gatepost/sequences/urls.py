from django.urls import path

from gatepost.sequences import views

app_name = "sequences"
urlpatterns = [
    path("", views.sequences, name="sequences"),
    path("new/", views.new, name="new"),
    path("tasks/", views.tasks, name="tasks"),
    path("tasks/count/", views.count_tasks, name="count_tasks"),
    path("tasks/<uuid:task_id>/", views.task, name="task"),
    path("days-off/", views.days_off, name="days_off"),
    path("days-off/<uuid:absence_id>/give-back/", views.give_back, name="give_back"),
    path("naming/<slug:snippet>/", views.naming, name="naming"),
    path("would-send/", views.would_send, name="would_send"),
    path("<uuid:sequence_id>/", views.sequence, name="sequence"),
    path("<uuid:sequence_id>/edit/", views.edit, name="edit"),
    path("<uuid:sequence_id>/preview/", views.preview, name="preview"),
    path("<uuid:sequence_id>/schedule/", views.schedule, name="schedule"),
    path("<uuid:sequence_id>/activate/", views.activate, name="activate"),
    path("<uuid:sequence_id>/pause/", views.pause, name="pause"),
    path("<uuid:sequence_id>/archive/", views.archive, name="archive"),
    path("<uuid:sequence_id>/life/", views.life, name="life"),
    path("<uuid:sequence_id>/dry-run/", views.dry_run, name="dry_run"),
    path("<uuid:sequence_id>/enrol/", views.enrol, name="enrol"),
    path("waiting/<uuid:mailbox_id>/", views.waiting, name="waiting"),
    path("enrolments/<uuid:enrolment_id>/stop/", views.stop, name="stop"),
    path("enrolments/<uuid:enrolment_id>/resume/", views.resume, name="resume"),
]
