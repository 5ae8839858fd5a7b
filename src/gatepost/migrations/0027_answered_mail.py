"""Beside each reply stands what reports need of the mail that it answers.

By a trigger and not by the program, so that the version before, which may run on these tables, writes it too. It needs no
lock and nothing that renews it: sequence, step and wording of a mail never change, and a confirmed mail neither changes its
state nor when it was accepted (0010 refuses it).
"""

from django.db import migrations, models

COPY = """
    CREATE FUNCTION copy_answered_mail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT m.sequence_id, m.step_id, m.variant_id, CASE WHEN m.state = 'confirmed' THEN m.accepted_at END
        INTO NEW.sequence_id, NEW.step_id, NEW.variant_id, NEW.mailed_at
        FROM gatepost_message m WHERE m.id = NEW.message_id;
        RETURN NEW;
    END $$;
    CREATE TRIGGER copy_answered_mail
        BEFORE INSERT OR UPDATE OF message_id, sequence_id, step_id, variant_id, mailed_at ON gatepost_reply
        FOR EACH ROW EXECUTE FUNCTION copy_answered_mail();
"""
COPY_NO_MORE = """
    DROP TRIGGER copy_answered_mail ON gatepost_reply;
    DROP FUNCTION copy_answered_mail();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0026_covers"),
    ]

    operations = [
        *(
            migrations.AddField("reply", name, models.UUIDField(null=True, editable=False))
            for name in ("sequence_id", "step_id", "variant_id")
        ),
        migrations.AddField("reply", "mailed_at", models.DateTimeField(null=True, editable=False)),
        migrations.RunSQL(COPY, COPY_NO_MORE),
    ]
