"""What is due in a mailbox is found by an index, and a mail on its way has fewer of them to keep."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0023_counted_weeks"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="message",
            name="gatepost_me_workspa_a096ba_idx",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_of_step_planned",
        ),
        migrations.AlterField(
            model_name="enrolment",
            name="mailbox",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, to="gatepost.mailbox"
            ),
        ),
        migrations.AlterField(
            model_name="enrolment",
            name="sequence",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="enrolments",
                to="gatepost.sequence",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="key",
            field=models.CharField(max_length=32),
        ),
        migrations.AlterField(
            model_name="message",
            name="mailbox",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="gatepost.mailbox",
            ),
        ),
        migrations.AddIndex(
            model_name="enrolment",
            index=models.Index(fields=["mailbox", "state", "due_at"], name="enrolment_due_of_mailbox"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["workspace", "planned_at"],
                include=("sequence_id", "step_id", "variant_id", "mailbox", "contact", "reply_id"),
                name="message_planned",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("key",), name="one_message_per_key"),
        ),
    ]
