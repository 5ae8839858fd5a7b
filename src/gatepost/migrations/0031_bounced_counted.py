"""The mails that came back are counted without touching their rows, as the others are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0030_covers_announced"),
    ]

    operations = [
        migrations.RemoveIndex("message", "message_bounced"),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["workspace", "bounced_at"],
                include=("id", "sequence_id", "step_id", "variant_id", "mailbox", "contact", "reply_id"),
                condition=models.Q(bounced_at__isnull=False),
                name="message_bounced",
            ),
        ),
    ]
