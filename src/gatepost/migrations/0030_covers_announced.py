"""Nothing moves before it stands in the row since when each transaction knows which key takes over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0029_tallies"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="cover",
            name="cover_changes_or_not",
        ),
        migrations.AddConstraint(
            model_name="cover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("changing_since__isnull", False), ("next_key__isnull", False)),
                    models.Q(("changing_since__isnull", True), ("slices", 0)),
                    _connector="OR",
                ),
                name="cover_moves_once_announced",
            ),
        ),
    ]
