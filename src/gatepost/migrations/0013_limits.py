"""Limits of a mailbox, a workspace, a company and a Microsoft tenant; what a member asked of a waiting message."""

import django.db.models.functions.comparison
from django.db import migrations, models

TENANT = """
    CREATE FUNCTION tenant_left_at(tenant uuid, since timestamptz, nth integer) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT o.left_at FROM gatepost_mailbox m JOIN gatepost_message o ON o.mailbox_id = m.id
        WHERE m.microsoft_tenant = tenant AND o.left_at >= since
        ORDER BY o.left_at DESC OFFSET nth - 1 LIMIT 1
    $$
"""


# Begins with what is due, not with the mailboxes: a tick with nothing due costs nothing.
WITH_WORK = """
    CREATE OR REPLACE FUNCTION mailboxes_with_work(moment timestamptz) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT m.workspace_id, m.id FROM (
            SELECT e.mailbox_id FROM gatepost_enrolment e WHERE e.state = 'active' AND e.due_at <= moment
            UNION
            SELECT o.mailbox_id FROM gatepost_message o
            WHERE o.not_before <= moment AND o.state IN ('planned', 'drafted', 'sending', 'accepted')
        ) work JOIN gatepost_mailbox m ON m.id = work.mailbox_id
        WHERE m.state = 'connected'
          AND (m.not_before IS NULL OR m.not_before <= moment)
          AND (m.sending_not_before IS NULL OR m.sending_not_before <= moment)
    $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0012_contacts"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="hourly_limit",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="longest_gap_seconds",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="slow_start_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="slow_start_days",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="message",
            name="hurry",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (0, "In its turn"),
                    (1, "Before others of its mailbox"),
                    (2, "Now, also outside the sending window"),
                ],
                default=0,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="left_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        state__in=["sending", "accepted", "confirmed", "held"],
                        then=django.db.models.functions.comparison.Coalesce("accepted_at", "sending_at"),
                    )
                ),
                output_field=models.DateTimeField(null=True),
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="postponed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="workspace",
            name="company_daily_limit",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="workspace",
            name="daily_limit",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="workspace",
            name="tenant_daily_limit",
            field=models.PositiveIntegerField(default=10000),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("left_at__isnull", False)),
                fields=["mailbox", "left_at"],
                name="message_left_mailbox",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("left_at__isnull", False)),
                fields=["workspace", "left_at"],
                name="message_left_workspace",
            ),
        ),
        migrations.RunSQL(WITH_WORK, migrations.RunSQL.noop),
        migrations.RunSQL(TENANT, "DROP FUNCTION tenant_left_at"),
    ]
