"""Records have numbers, and chains that tie them together."""

from django.db import migrations, models

import gatepost.ids

# A transaction has its own number (xid) before it takes one for a record, and CASE keeps that order: so it can be told
# whether a record with a lower number may still come (chains.queries.settled). The column is the database's own.
NUMBERS = """
    CREATE SEQUENCE gatepost_record_number;
    ALTER TABLE gatepost_auditentry ADD COLUMN number bigint NOT NULL
        DEFAULT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('gatepost_record_number') END;
    ALTER TABLE gatepost_ledgerrow ADD COLUMN number bigint NOT NULL
        DEFAULT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('gatepost_record_number') END;
    CREATE INDEX gatepost_auditentry_number ON gatepost_auditentry (workspace_id, number);
    CREATE INDEX gatepost_ledgerrow_number ON gatepost_ledgerrow (workspace_id, number);
"""
NO_NUMBERS = """
    ALTER TABLE gatepost_auditentry DROP COLUMN number;
    ALTER TABLE gatepost_ledgerrow DROP COLUMN number;
    DROP SEQUENCE gatepost_record_number;
"""
TO_CHAIN = """
    CREATE FUNCTION workspaces_to_chain(upto bigint) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT w.id, w.id FROM gatepost_workspace w,
        LATERAL (
            SELECT coalesce((
                SELECT l.through FROM gatepost_link l WHERE l.workspace_id = w.id ORDER BY l.position DESC LIMIT 1
            ), 0) AS through
        ) last
        WHERE EXISTS (
            SELECT 1 FROM gatepost_auditentry r
            WHERE r.workspace_id = w.id AND r.number > last.through AND r.number <= upto
        ) OR EXISTS (
            SELECT 1 FROM gatepost_ledgerrow r
            WHERE r.workspace_id = w.id AND r.number > last.through AND r.number <= upto
        )
    $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0016_inbox"),
    ]

    operations = [
        migrations.RunSQL(NUMBERS, NO_NUMBERS),
        # The new index begins with the workspace, and so do others.
        migrations.AlterField(model_name="auditentry", name="workspace_id", field=models.UUIDField()),
        migrations.AlterField(model_name="ledgerrow", name="workspace_id", field=models.UUIDField()),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("position", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("through", models.BigIntegerField()),
                ("records", models.IntegerField()),
                ("prints", models.BinaryField()),
                ("previous", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
                ("mark", models.CharField(max_length=32)),
            ],
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                fields=("workspace_id", "position"), name="one_link_at_a_place"
            ),
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("position", models.BigIntegerField()),
                ("said", models.TextField()),
            ],
        ),
        migrations.AddIndex(
            model_name="anchor",
            index=models.Index(fields=["workspace_id", "-at"], name="anchor_of_workspace"),
        ),
        migrations.RunSQL(TO_CHAIN, "DROP FUNCTION workspaces_to_chain"),
    ]
