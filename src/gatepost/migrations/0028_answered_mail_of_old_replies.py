"""The same for the replies that are there already, and indexes that hold what is counted.

Apart from 0027, so that the lock of the new columns is not kept meanwhile: this one lets replies be read.
"""

from django.db import migrations, models

# The trigger of 0027 says what it becomes.
OLD_REPLIES = "UPDATE gatepost_reply SET sequence_id = NULL WHERE sequence_id IS NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0027_answered_mail"),
    ]

    operations = [
        migrations.RunSQL(OLD_REPLIES, migrations.RunSQL.noop),
        migrations.AddIndex(
            "reply",
            models.Index(
                fields=["workspace", "received_at"],
                include=(
                    "id",
                    "label",
                    "conversation",
                    "mailbox",
                    "message",
                    "sequence_id",
                    "step_id",
                    "variant_id",
                    "mailed_at",
                ),
                name="reply_counted",
            ),
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["enrolment_id"],
                include=("workspace", "step_id", "variant_id", "state", "reply_id", "accepted_at"),
                name="message_of_enrolment",
            ),
        ),
        migrations.RemoveIndex("reply", "reply_received"),
        migrations.AlterField("message", "enrolment_id", models.UUIDField()),
    ]
