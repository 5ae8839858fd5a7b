"""What the health of a mailbox is made of: problems, probes, gaps, notices, and our app registration."""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

TO_TELL = """
    CREATE FUNCTION mailboxes_to_tell(moment timestamptz)
    RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT workspace_id, id FROM gatepost_mailbox WHERE tell_at <= moment $$
"""
# As in 0002, and the subscriptions know when they were last heard of. Once a minute is enough for a page.
WAKE = """
    CREATE OR REPLACE FUNCTION wake_mailboxes(wanted uuid[], what text, moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        UPDATE gatepost_mailbox SET
            sync_due_at = CASE WHEN what = 'mail' THEN moment ELSE sync_due_at END,
            calendar_due_at = CASE WHEN what = 'calendar' THEN moment ELSE calendar_due_at END
        WHERE id = ANY (wanted) AND state = 'connected';
        UPDATE gatepost_subscription SET notified_at = moment
        WHERE mailbox_id = ANY (wanted) AND wakes = what
          AND (notified_at IS NULL OR notified_at < moment - interval '1 minute')
    $$
"""
WAKE_BEFORE = """
    CREATE OR REPLACE FUNCTION wake_mailboxes(wanted uuid[], what text, moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        UPDATE gatepost_mailbox SET
            sync_due_at = CASE WHEN what = 'mail' THEN moment ELSE sync_due_at END,
            calendar_due_at = CASE WHEN what = 'calendar' THEN moment ELSE calendar_due_at END
        WHERE id = ANY (wanted) AND state = 'connected'
    $$
"""
# Microsoft says that it dropped a subscription, or wants to hear that it is still wanted.
RENEW = """
    CREATE FUNCTION renew_subscription(wanted text, moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ UPDATE gatepost_subscription SET renew_at = moment WHERE microsoft_id = wanted AND renew_at > moment $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0006_figures"),
    ]

    operations = [
        migrations.CreateModel(
            name="Registration",
            fields=[
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("refused_code", models.CharField(blank=True, max_length=40)),
                ("refused_since", models.DateTimeField(null=True)),
                ("try_again_at", models.DateTimeField(null=True)),
                ("alarmed_at", models.DateTimeField(null=True)),
                ("warned_days", models.PositiveIntegerField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="connection",
            name="claims",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="refusals",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="connection",
            name="refused_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="calendar_problem",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="calendar_read_through",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="health_told",
            field=models.CharField(default="connected", max_length=24),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="paused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="problem_code",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="problem_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="problem_who",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="state_code",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="state_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="tell_at",
            field=models.DateTimeField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="notified_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="Gap",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("sign_in", "Microsoft asked for a new sign-in"),
                            ("disconnected", "The mailbox was disconnected"),
                            ("registration", "Microsoft refused Gatepost's app registration"),
                            ("microsoft", "Microsoft did not let the mailbox be read"),
                            ("downtime", "Gatepost was not running"),
                            ("position_lost", "Microsoft forgot how far the mailbox had been read"),
                        ],
                        max_length=16,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=60)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("mail_read_at", models.DateTimeField(null=True)),
                ("calendar_read_at", models.DateTimeField(null=True)),
                ("resumed_at", models.DateTimeField(null=True)),
                ("replies", models.PositiveIntegerField(default=0)),
                ("bounces", models.PositiveIntegerField(default=0)),
                ("meetings", models.PositiveIntegerField(default=0)),
                ("waiting_steps", models.PositiveIntegerField(default=0)),
                ("last_step_due_at", models.DateTimeField(null=True)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="gaps",
                        to="gatepost.mailbox",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("health", "The health of a mailbox changed"),
                            ("gap", "What happened in a gap"),
                            ("registration", "Microsoft refuses the app registration"),
                            ("credential_ends", "Its secret or certificate ends soon"),
                        ],
                        max_length=16,
                    ),
                ),
                ("about", models.CharField(blank=True, max_length=60)),
                ("created_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(null=True)),
                (
                    "gap",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to="gatepost.gap"
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="gatepost.mailbox",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="gatepost.member",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Probe",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=16)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("works", "Works"), ("fails", "Does not work"), ("not_tried", "Not tried")],
                        max_length=10,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=60)),
                ("who", models.CharField(blank=True, max_length=10)),
                ("tried_at", models.DateTimeField()),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="probes",
                        to="gatepost.mailbox",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="gap",
            index=models.Index(fields=["mailbox", "-ended_at"], name="gatepost_ga_mailbox_25bac1_idx"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["member", "seen_at"], name="gatepost_no_member__45689f_idx"),
        ),
        migrations.AddConstraint(
            model_name="probe",
            constraint=models.UniqueConstraint(fields=("mailbox", "name"), name="one_row_per_probe"),
        ),
        migrations.RunSQL(TO_TELL, "DROP FUNCTION mailboxes_to_tell"),
        migrations.RunSQL(WAKE, WAKE_BEFORE),
        migrations.RunSQL(RENEW, "DROP FUNCTION renew_subscription"),
    ]
