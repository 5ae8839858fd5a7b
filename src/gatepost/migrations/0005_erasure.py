"""Erasing, receipts and retention; and the only ways in which records can be removed."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

UNFINISHED = """
    CREATE FUNCTION erasures_unfinished() RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT workspace_id, id FROM gatepost_erasure WHERE finished_at IS NULL ORDER BY ordered_at $$
"""
# Ids only, "mailbox:<id>": a backup of the keystore may have brought such a key back.
ERASED_KEYS = """
    CREATE FUNCTION erased_keys() RETURNS TABLE (key text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT unnest(keys) FROM gatepost_erasure WHERE keys_destroyed_at IS NOT NULL $$
"""
# The application may add to the ledger and not remove from it. This removes what is old, and never of the last thirty
# days, whatever moment it is given; measured by the ledger's own latest row, since its clock may run fast.
EXPIRE_LEDGER = """
    CREATE FUNCTION expire_ledger(wanted uuid, before timestamptz, most integer) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        WITH removed AS (
            DELETE FROM gatepost_ledgerrow WHERE id IN (
                SELECT id FROM gatepost_ledgerrow
                WHERE workspace_id = wanted AND at < before AND at < (
                    SELECT max(at) - interval '30 days' FROM gatepost_ledgerrow WHERE workspace_id = wanted
                )
                ORDER BY at LIMIT most
            ) RETURNING 1
        )
        SELECT count(*) FROM removed
    $$
"""
# The records of a workspace go with it: when it was closed and nothing else of it is left.
REMOVE_RECORDS = """
    CREATE FUNCTION remove_records(wanted uuid) RETURNS TABLE (entries bigint, requests bigint)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        WITH closed AS (
            SELECT id FROM gatepost_workspace w WHERE w.id = wanted AND w.closed_at IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM gatepost_member m WHERE m.workspace_id = w.id)
        ),
        audit AS (DELETE FROM gatepost_auditentry WHERE workspace_id IN (SELECT id FROM closed) RETURNING 1),
        ledger AS (DELETE FROM gatepost_ledgerrow WHERE workspace_id IN (SELECT id FROM closed) RETURNING 1)
        SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM ledger)
    $$
"""
# Mailboxes that were disconnected before there was a retention: theirs begins now.
DISCONNECTED_NOW = "UPDATE gatepost_mailbox SET disconnected_at = now() WHERE state = 'disconnected'"


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0004_tasks"),
    ]

    operations = [
        migrations.AlterModelOptions(name="company", options={"verbose_name_plural": "companies"}),
        migrations.AddField(
            model_name="mailbox",
            name="clean_up_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="disconnected_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="drafts_removed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="is_being_erased",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="left_at_microsoft",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="closed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="workspace",
            name="retention",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="workspace",
            name="retention_due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="cause",
            field=models.CharField(
                choices=[
                    ("unsubscribe", "Asked not to be written to"),
                    ("hard_no", "Refused any further contact"),
                    ("bounce", "The address does not exist"),
                    ("by_hand", "Added by a member"),
                    ("erased", "Was erased"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mailbox", "A mailbox"),
                            ("contact", "A person"),
                            ("workspace", "The whole workspace"),
                        ],
                        max_length=10,
                    ),
                ),
                ("subject_id", models.UUIDField()),
                ("ordered_at", models.DateTimeField()),
                ("ordered_by", models.CharField(max_length=80)),
                (
                    "keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                ("keys_destroyed_at", models.DateTimeField(null=True)),
                ("counts", models.JSONField(default=dict)),
                (
                    "left_at_microsoft",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), default=list, size=None
                    ),
                ),
                ("began_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("receipt", models.TextField(blank=True)),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="KeptFigures",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("week_local_date", models.DateField()),
                ("sequence_id", models.UUIDField()),
                ("step_id", models.UUIDField(null=True)),
                ("sent", models.PositiveIntegerField(default=0)),
                ("confirmed", models.PositiveIntegerField(default=0)),
                ("bounced", models.PositiveIntegerField(default=0)),
                ("replied", models.PositiveIntegerField(default=0)),
                ("interested", models.PositiveIntegerField(default=0)),
                ("unsure", models.PositiveIntegerField(default=0)),
                ("opted_out", models.PositiveIntegerField(default=0)),
                ("meetings", models.PositiveIntegerField(default=0)),
                (
                    "erasure",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="figures",
                        to="gatepost.erasure",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={
                "verbose_name_plural": "kept figures",
            },
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(fields=["workspace", "-ordered_at"], name="gatepost_er_workspa_2c1a4d_idx"),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)), fields=["id"], name="erasure_unfinished"
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.UniqueConstraint(fields=("kind", "subject_id"), name="one_erasure_of_a_thing"),
        ),
        migrations.AddIndex(
            model_name="keptfigures",
            index=models.Index(
                fields=["workspace", "week_local_date"], name="gatepost_ke_workspa_218bc0_idx"
            ),
        ),
        migrations.RunSQL(DISCONNECTED_NOW, migrations.RunSQL.noop),
        migrations.RunSQL(UNFINISHED, "DROP FUNCTION erasures_unfinished"),
        migrations.RunSQL(ERASED_KEYS, "DROP FUNCTION erased_keys"),
        migrations.RunSQL(EXPIRE_LEDGER, "DROP FUNCTION expire_ledger"),
        migrations.RunSQL(REMOVE_RECORDS, "DROP FUNCTION remove_records"),
    ]
