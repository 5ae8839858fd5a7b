"""What the proofs of exactly one send need: revisions, the second guard, numbers, and a database that refuses.

Rows from before get their key as guard: the address is sealed, and their own key already keeps their step to once.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

# As outbox.protocol.TRANSITIONS had it when this was written; tests/outbox/test_protocol.py compares them.
ALLOWED = (
    *("planned>drafted", "planned>sending", "planned>confirmed", "planned>held", "planned>cancelled"),
    *("drafted>sending", "drafted>confirmed", "drafted>held", "drafted>cancelled", "drafted>planned"),
    *("sending>accepted", "sending>drafted", "sending>confirmed", "sending>held", "sending>planned"),
    *("accepted>drafted", "accepted>confirmed", "accepted>held", "accepted>planned"),
    *("held>confirmed", "held>drafted", "held>planned", "held>cancelled"),
)
KEEPER = f"""
    CREATE FUNCTION keep_to_the_protocol() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.state <> OLD.state THEN
            IF (OLD.state || '>' || NEW.state) <> ALL ('{{{",".join(ALLOWED)}}}'::text[]) THEN
                RAISE EXCEPTION 'a message does not go from % to %', OLD.state, NEW.state
                    USING ERRCODE = 'check_violation';
            END IF;
            IF OLD.state = 'planned' AND NEW.state = 'sending' AND NEW.route <> 'at_once' THEN
                RAISE EXCEPTION 'a message is sent without a draft only at once' USING ERRCODE = 'check_violation';
            END IF;
            IF NEW.revision <= OLD.revision THEN
                RAISE EXCEPTION 'a change of state needs a new revision' USING ERRCODE = 'check_violation';
            END IF;
        END IF;
        IF OLD.accepted_at IS NOT NULL AND NEW.accepted_at IS DISTINCT FROM OLD.accepted_at
           AND NOT (NEW.accepted_at IS NULL AND NEW.state IN ('drafted', 'planned')) THEN
            RAISE EXCEPTION 'a message is accepted once' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER keep_to_the_protocol BEFORE UPDATE ON gatepost_message
        FOR EACH ROW EXECUTE FUNCTION keep_to_the_protocol();
"""
NUMBERS = """
    UPDATE gatepost_message m SET guard = m.key, number = n.number
    FROM (SELECT id, row_number() OVER (PARTITION BY mailbox_id ORDER BY planned_at, id) AS number
          FROM gatepost_message) n WHERE n.id = m.id;
    UPDATE gatepost_mailbox b SET last_number = n.number
    FROM (SELECT mailbox_id, max(number) AS number FROM gatepost_message GROUP BY mailbox_id) n
    WHERE n.mailbox_id = b.id;
"""
FUNCTIONS = {
    "messages_to_sweep(moment timestamptz)": """
        SELECT workspace_id, id FROM gatepost_message WHERE sweep_at <= moment LIMIT 500
    """,
    "message_with_id(wanted uuid)": """
        SELECT workspace_id, id FROM gatepost_message WHERE id = wanted
    """,
    "open_recoveries()": """
        SELECT workspace_id, id FROM gatepost_recovery WHERE go_at IS NULL ORDER BY began_at
    """,
    # Of workspaces whose sending is stopped, once no request of an old worker can still be under way.
    "mailboxes_to_reconcile(quiet_since timestamptz, moment timestamptz)": """
        SELECT m.workspace_id, m.id
        FROM gatepost_recovery r
        JOIN gatepost_mailbox m ON m.workspace_id = r.workspace_id
        CROSS JOIN gatepost_installation i
        WHERE r.go_at IS NULL AND NOT r.copied AND r.began_at <= quiet_since AND m.state = 'connected'
          AND m.compared_at_beat < i.started_at_beat AND (m.not_before IS NULL OR m.not_before <= moment)
    """,
}


def _create(name: str, body: str) -> str:
    return (
        f"CREATE FUNCTION {name} RETURNS TABLE (workspace_id uuid, id uuid) "
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp "
        f"AS $$ {body} $$"
    )


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0009_people")]

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("instance", models.UUIDField(default=uuid.uuid4)),
                ("beat", models.PositiveBigIntegerField(default=0)),
                ("beat_at", models.DateTimeField(null=True)),
                ("started_at_beat", models.PositiveBigIntegerField(default=0)),
                ("mark", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")],
            },
        ),
        migrations.CreateModel(
            name="Recovery",
            fields=[
                (
                    "id",
                    models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("began_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=200)),
                ("copied", models.BooleanField()),
                ("known_until", models.DateTimeField()),
                ("at_beat", models.PositiveBigIntegerField()),
                ("go_at", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={
                "verbose_name_plural": "recoveries",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(go_at__isnull=True),
                        fields=("workspace",),
                        name="one_open_recovery",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Stray",
            fields=[
                (
                    "id",
                    models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("key", models.CharField(max_length=32)),
                ("guard", models.CharField(db_index=True, max_length=32)),
                ("sent_at", models.DateTimeField()),
                (
                    "mailbox",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.mailbox"),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("mailbox", "key"), name="one_row_per_stray")],
            },
        ),
        migrations.AddField("mailbox", "last_number", models.PositiveBigIntegerField(default=0)),
        migrations.AddField("mailbox", "compared_at_beat", models.PositiveBigIntegerField(default=0)),
        migrations.AddField("message", "guard", models.CharField(default="", max_length=32)),
        migrations.AddField("message", "number", models.PositiveBigIntegerField(default=0)),
        migrations.AddField("message", "route", models.CharField(default="json", max_length=10)),
        migrations.AddField("message", "revision", models.PositiveIntegerField(default=0)),
        migrations.AddField("message", "draft_hash", models.CharField(blank=True, max_length=64)),
        migrations.AddField("message", "sweep_at", models.DateTimeField(null=True)),
        migrations.RunSQL(NUMBERS, migrations.RunSQL.noop),
        migrations.AlterField("message", "guard", models.CharField(max_length=32)),
        migrations.AlterField("message", "number", models.PositiveBigIntegerField()),
        migrations.RemoveConstraint("message", "one_message_per_contact_and_step"),
        migrations.AddConstraint(
            "message",
            models.UniqueConstraint(
                condition=~models.Q(state="cancelled"),
                fields=("guard",),
                name="one_message_per_address_and_step",
            ),
        ),
        migrations.AddConstraint(
            "message",
            models.CheckConstraint(
                condition=~models.Q(state__in=["accepted", "confirmed"])
                | models.Q(accepted_at__isnull=False),
                name="what_left_was_accepted",
            ),
        ),
        migrations.AddConstraint(
            "message",
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | models.Q(confirmed_at__isnull=False),
                name="what_is_confirmed_was_seen",
            ),
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                condition=models.Q(sweep_at__isnull=False), fields=["sweep_at"], name="message_to_sweep"
            ),
        ),
        migrations.RunSQL(
            KEEPER,
            "DROP TRIGGER keep_to_the_protocol ON gatepost_message; DROP FUNCTION keep_to_the_protocol",
        ),
        *(
            migrations.RunSQL(_create(name, body), f"DROP FUNCTION {name.split('(')[0]}")
            for name, body in FUNCTIONS.items()
        ),
    ]
