"""Alerts of unusual access, and how far what was opened has been judged."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

# Two partial indexes: jobs open texts far oftener than people and programs do. The conditions stand in alerts.queries, too.
READS = """
    CREATE INDEX gatepost_auditentry_reads ON gatepost_auditentry (workspace_id, number)
        WHERE tag = 'content:read' AND actor_kind IN ('member', 'token');
    CREATE INDEX gatepost_auditentry_reader ON gatepost_auditentry (workspace_id, actor_id, at)
        WHERE tag = 'content:read' AND actor_kind IN ('member', 'token');
    -- What was opened before this version was not judged and is not judged now.
    UPDATE gatepost_workspace SET watched_through = (SELECT last_value FROM gatepost_record_number);
"""
NO_READS = "DROP INDEX gatepost_auditentry_reads; DROP INDEX gatepost_auditentry_reader;"
WITH_READS = """
    CREATE FUNCTION workspaces_with_reads() RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT w.id, w.id FROM gatepost_workspace w
        WHERE EXISTS (
            SELECT 1 FROM gatepost_auditentry r
            WHERE r.workspace_id = w.id AND r.number > w.watched_through
            AND r.tag = 'content:read' AND r.actor_kind IN ('member', 'token')
        )
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0020_reports_seen")]

    operations = [
        migrations.AddField(
            model_name="workspace", name="usual_access", field=models.JSONField(default=dict)
        ),
        migrations.AddField(
            model_name="workspace", name="watched_through", field=models.BigIntegerField(default=0)
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("many", "Many texts at once"),
                            ("night", "At night"),
                            ("place", "From a new place"),
                            ("token", "By a new token"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=32)),
                ("reader_id", models.UUIDField()),
                ("texts", models.PositiveIntegerField()),
                (
                    "mailbox_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="gatepost.member",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to="gatepost.apitoken"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["workspace", "-at"], name="alert_of_workspace")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "cause", "reader_id", "key"), name="one_alert_of_a_kind"
                    )
                ],
            },
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("health", "The health of a mailbox changed"),
                    ("gap", "What happened in a gap"),
                    ("registration", "Microsoft refuses the app registration"),
                    ("credential_ends", "Its secret or certificate ends soon"),
                    ("sequence_paused", "A sequence was paused by itself"),
                    ("meeting_off", "A meeting is off"),
                    ("briefs", "Meetings ahead and their briefs"),
                    ("access", "Somebody opened texts in an unusual way"),
                ],
                max_length=16,
            ),
        ),
        migrations.RunSQL(READS, NO_READS),
        migrations.RunSQL(WITH_READS, "DROP FUNCTION workspaces_with_reads"),
    ]
