"""Whether all of a reply was read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0024_fewer_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="cut",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
