"""Indexes that reports and the list of sequences count by, without touching the messages themselves."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0019_reports"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="message",
            name="message_of_step_accepted",
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("accepted_at__isnull", False)),
                fields=["workspace", "accepted_at"],
                include=(
                    "id",
                    "state",
                    "bounced_at",
                    "sequence_id",
                    "step_id",
                    "variant_id",
                    "mailbox",
                    "contact",
                    "reply_id",
                ),
                name="message_of_step_accepted",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("reply_id__isnull", True)),
                fields=["workspace", "planned_at"],
                include=("sequence_id", "step_id", "variant_id", "mailbox", "contact"),
                name="message_of_step_planned",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("reply_id__isnull", True), ("state__in", ["accepted", "confirmed"])),
                fields=["workspace", "sequence_id", "step_id", "variant_id"],
                name="message_of_step_left",
            ),
        ),
    ]
