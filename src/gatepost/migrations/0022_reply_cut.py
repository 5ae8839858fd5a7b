"""Whether all of a reply was read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0021_alerts"),
    ]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="cut",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
