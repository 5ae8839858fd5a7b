"""Counts of the messages of weeks that are over, and a note of each later change to one of these messages."""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

# Nearly every change is of a message that was planned and sent in the last days: it costs a comparison and no more.
# How this keeps the counts exact: reports.counted.
_MOMENTS = "planned_at", "accepted_at", "bounced_at"
_COUNTED = (*_MOMENTS, "state", "reply_id", "mailbox_id", "sequence_id", "step_id", "variant_id")


def _of(row: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{row}.{each}" for each in columns)


NOTE = f"""
    CREATE FUNCTION note_late_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO gatepost_latechange (id, workspace_id, at)
        SELECT gen_random_uuid(), COALESCE(NEW.workspace_id, OLD.workspace_id), moment
        FROM (SELECT DISTINCT unnest(ARRAY[{_of("OLD", _MOMENTS)}, {_of("NEW", _MOMENTS)}]) AS moment) moments
        WHERE moment < now() - interval '7 days';
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_late_insert AFTER INSERT ON gatepost_message FOR EACH ROW
        WHEN (LEAST({_of("NEW", _MOMENTS)}) < now() - interval '7 days') EXECUTE FUNCTION note_late_change();
    CREATE TRIGGER note_late_update AFTER UPDATE ON gatepost_message FOR EACH ROW
        WHEN (LEAST({_of("OLD", _MOMENTS)}, {_of("NEW", _MOMENTS)}) < now() - interval '7 days'
              AND ({_of("OLD", _COUNTED)}) IS DISTINCT FROM ({_of("NEW", _COUNTED)}))
        EXECUTE FUNCTION note_late_change();
    CREATE TRIGGER note_late_delete AFTER DELETE ON gatepost_message FOR EACH ROW
        WHEN (LEAST({_of("OLD", _MOMENTS)}) < now() - interval '7 days') EXECUTE FUNCTION note_late_change();
"""
FORGET = """
    DROP TRIGGER note_late_insert ON gatepost_message;
    DROP TRIGGER note_late_update ON gatepost_message;
    DROP TRIGGER note_late_delete ON gatepost_message;
    DROP FUNCTION note_late_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0022_folders"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountedWeek",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LateChange",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WeekCount",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("sequence_id", models.UUIDField()),
                ("step_id", models.UUIDField()),
                ("variant_id", models.UUIDField(null=True)),
                ("planned", models.PositiveIntegerField()),
                ("sent", models.PositiveIntegerField()),
                ("confirmed", models.PositiveIntegerField()),
                ("bounced", models.PositiveIntegerField()),
                ("came_back", models.PositiveIntegerField()),
                (
                    "mailbox",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="gatepost.mailbox",
                    ),
                ),
                (
                    "week",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counts",
                        to="gatepost.countedweek",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="countedweek",
            constraint=models.UniqueConstraint(fields=("workspace", "starts_at"), name="one_count_of_a_week"),
        ),
        migrations.AddIndex(
            model_name="latechange",
            index=models.Index(fields=["workspace", "at"], name="late_change_at"),
        ),
        migrations.AddIndex(
            model_name="weekcount",
            index=models.Index(fields=["week", "mailbox"], name="week_count_of_mailbox"),
        ),
        migrations.RunSQL(NOTE, FORGET),
        migrations.AddIndex(
            "reply", models.Index(fields=["workspace", "received_at"], name="reply_received")
        ),
        migrations.AddIndex(
            "contact",
            models.Index(fields=["workspace"], include=["id", "company"], name="contact_company"),
        ),
        migrations.RemoveIndex("enrolment", "gatepost_en_sequenc_2e0fc9_idx"),
        migrations.AddIndex(
            "enrolment",
            models.Index(
                fields=["sequence", "state"], include=["cause", "workspace"], name="enrolment_counted"
            ),
        ),
        migrations.AddIndex(
            "enrolment",
            models.Index(fields=["sequence", "-created_at", "-id"], name="enrolment_of_sequence"),
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                fields=["workspace_id", "-at", "-id"],
                condition=models.Q(tag="content:read"),
                name="audit_of_content",
            ),
        ),
        migrations.AddIndex("meeting", models.Index(fields=["workspace", "found_at"], name="meeting_found")),
        migrations.AddIndex("task", models.Index(fields=["workspace", "ended_at"], name="task_ended")),
    ]
