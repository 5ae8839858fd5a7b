"""Folders of the rep's own: known by Microsoft's id, read when the number of their mails changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0021_alerts")]

    operations = [
        migrations.RemoveConstraint(model_name="folder", name="one_row_per_folder"),
        migrations.AlterField(
            model_name="folder", name="name", field=models.CharField(blank=True, max_length=64)
        ),
        migrations.AddField(
            model_name="folder", name="microsoft_id", field=models.CharField(max_length=255, null=True)
        ),
        migrations.AddField(
            model_name="folder",
            name="left_out",
            field=models.CharField(blank=True, db_default="", max_length=60),
        ),
        migrations.AddField(
            model_name="folder", name="told", field=models.PositiveIntegerField(db_default=0, default=0)
        ),
        migrations.AddField(model_name="folder", name="total", field=models.PositiveIntegerField(null=True)),
        migrations.AddField(model_name="folder", name="unread", field=models.PositiveIntegerField(null=True)),
        migrations.AddField(model_name="folder", name="changed_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="mailbox", name="swept_since", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="mailbox", name="sweeping_since", field=models.DateTimeField(null=True)
        ),
        migrations.AddConstraint(
            model_name="folder",
            constraint=models.UniqueConstraint(
                condition=~models.Q(name=""), fields=("mailbox", "name"), name="one_row_per_named_folder"
            ),
        ),
        migrations.AddConstraint(
            model_name="folder",
            constraint=models.UniqueConstraint(fields=("mailbox", "microsoft_id"), name="one_row_per_folder"),
        ),
    ]
