"""An attempt to connect a mailbox is held while an administrator decides; each way to Microsoft is a row of its own."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import gatepost.ids
import gatepost.vault.fields


def _finds(name: str, body: str) -> migrations.RunSQL:
    """A function as those of 0002: with the owner's rights, and ids only."""
    return migrations.RunSQL(
        f"CREATE FUNCTION {name} RETURNS TABLE (workspace_id uuid, id uuid) "
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp "
        f"AS $$ {body} $$",
        f"DROP FUNCTION {name.split('(')[0]}",
    )


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0007_health")]

    operations = [
        # Nobody is at Microsoft's page across an upgrade for longer than half an hour: what was begun is begun again.
        migrations.RunSQL("DROP FUNCTION attempt_of_state", migrations.RunSQL.noop),
        migrations.RemoveField("connectattempt", "state_index"),
        migrations.RemoveField("connectattempt", "session_index"),
        migrations.RemoveField("connectattempt", "flow"),
        migrations.RemoveField("connectattempt", "claimed"),
        migrations.AlterField(
            "connectattempt",
            "outcome",
            models.CharField(
                choices=[
                    ("waiting", "Waiting for Microsoft"),
                    ("connected", "Connected"),
                    ("not_approved", "Cancelled, or waiting for an administrator"),
                    ("other_account", "Another account signed in"),
                    ("failed", "Failed"),
                    ("given_up", "Given up"),
                ],
                default="waiting",
                max_length=16,
            ),
        ),
        migrations.AddField(
            "connectattempt",
            "left_at",
            models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            "connectattempt",
            "again",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="gatepost.mailbox",
            ),
        ),
        migrations.AddField(
            "connectattempt", "account", gatepost.vault.fields.SealedField(holds="name", null=True)
        ),
        migrations.AddField(
            "connectattempt", "page_token", gatepost.vault.fields.SealedField(holds="token", null=True)
        ),
        migrations.AddField(
            "connectattempt", "page_index", models.CharField(max_length=32, null=True, unique=True)
        ),
        migrations.AddField("connectattempt", "approval_reported_at", models.DateTimeField(null=True)),
        migrations.AddField("connectattempt", "approvals_reported", models.PositiveIntegerField(default=0)),
        migrations.CreateModel(
            "Departure",
            [
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("state_index", models.CharField(max_length=32, unique=True)),
                ("session_index", models.CharField(max_length=32)),
                ("flow", gatepost.vault.fields.SealedField(holds="token", null=True)),
                ("quiet", models.BooleanField(default=False)),
                ("left_at", models.DateTimeField()),
                ("claimed", models.BooleanField(default=False)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="departures",
                        to="gatepost.connectattempt",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.RunSQL("UPDATE gatepost_connectattempt SET left_at = created_at", migrations.RunSQL.noop),
        _finds(
            "departure_of_state(wanted text)",
            "SELECT workspace_id, id FROM gatepost_departure WHERE state_index = wanted",
        ),
        _finds(
            "attempt_of_page(wanted text)",
            "SELECT workspace_id, id FROM gatepost_connectattempt WHERE page_index = wanted",
        ),
    ]
