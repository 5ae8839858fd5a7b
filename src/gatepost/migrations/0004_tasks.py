"""Steps that a person sends by hand."""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids
import gatepost.vault.fields


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0003_features_and_limits")]

    operations = [
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To do"),
                            ("done", "Done"),
                            ("skipped", "Skipped"),
                            ("called_off", "Called off"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("subject", gatepost.vault.fields.SealedField(holds="content", null=True)),
                ("body", gatepost.vault.fields.SealedField(holds="content", null=True)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.contact"),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tasks",
                        to="gatepost.enrolment",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.mailbox"),
                ),
                (
                    "step",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="gatepost.step"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["workspace", "state", "created_at"], name="task_by_state")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("enrolment", "position"), name="one_task_per_enrolment_and_position"
                    )
                ],
            },
        ),
    ]
