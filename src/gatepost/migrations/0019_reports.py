"""Saved views of the reports and their weekly mail, what name servers said of a domain, and indexes that reports count by."""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

DUE = """
    CREATE FUNCTION saved_views_due(moment timestamptz) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT workspace_id, id FROM gatepost_savedview WHERE mail_due_at <= moment $$
"""


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0018_meetings")]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("address", models.CharField(blank=True, max_length=500)),
                ("mail_due_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to="gatepost.member",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("mail_due_at__isnull", False)),
                        fields=["mail_due_at"],
                        name="view_to_mail",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("member", "name"), name="one_view_per_name")],
            },
        ),
        migrations.CreateModel(
            name="DomainCheck",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("domain", models.CharField(max_length=253)),
                ("looked_at", models.DateTimeField()),
                ("findings", models.JSONField(default=list)),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "domain"), name="one_check_per_domain")
                ],
            },
        ),
        migrations.RunSQL(DUE, "DROP FUNCTION saved_views_due"),
    ]
