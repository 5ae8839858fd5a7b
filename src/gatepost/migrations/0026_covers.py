"""Blind indexes of a workspace may lie under a cover (decision 0022): columns with room for its letter, and how far it is."""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.vault.indexes


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0025_reply_cut"),
    ]

    operations = [
        migrations.AlterField(
            model_name="company",
            name="identity_index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.AlterField(
            model_name="contact",
            name="domain_index",
            field=gatepost.vault.indexes.IndexField(db_default="", default="", max_length=33),
        ),
        migrations.AlterField(
            model_name="contact",
            name="email_index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.AlterField(
            model_name="contact",
            name="search_indexes",
            field=gatepost.vault.indexes.IndexesField(
                base_field=models.CharField(max_length=33), default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="address_index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.AlterField(
            model_name="mailbox",
            name="address_index",
            field=gatepost.vault.indexes.IndexField(db_index=True, max_length=33),
        ),
        migrations.AlterField(
            model_name="mailbox",
            name="domain_indexes",
            field=gatepost.vault.indexes.IndexesField(
                base_field=models.CharField(max_length=33), default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="mailbox",
            name="own_address_indexes",
            field=gatepost.vault.indexes.IndexesField(
                base_field=models.CharField(max_length=33), default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="meeting",
            name="ical_uid_index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.AlterField(
            model_name="meeting",
            name="series_index",
            field=gatepost.vault.indexes.IndexField(blank=True, db_default="", default="", max_length=33),
        ),
        migrations.AlterField(
            model_name="message",
            name="conversation_index",
            field=gatepost.vault.indexes.IndexField(blank=True, max_length=33),
        ),
        migrations.AlterField(
            model_name="message",
            name="internet_message_index",
            field=gatepost.vault.indexes.IndexField(blank=True, max_length=33),
        ),
        migrations.AlterField(
            model_name="otheraddress",
            name="address_index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.AlterField(
            model_name="quarantine",
            name="internet_message_index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.AlterField(
            model_name="reply",
            name="internet_message_index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="index",
            field=gatepost.vault.indexes.IndexField(max_length=33),
        ),
        migrations.CreateModel(
            name="Cover",
            fields=[
                (
                    "workspace",
                    models.OneToOneField(
                        db_column="id",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="gatepost.workspace",
                    ),
                ),
                ("now_key", models.BigIntegerField(null=True)),
                ("next_key", models.BigIntegerField(null=True)),
                ("slices", models.PositiveSmallIntegerField(default=0)),
                ("changing_since", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("changing_since__isnull", False), ("next_key__isnull", False)),
                            models.Q(("next_key__isnull", True), ("slices", 0)),
                            _connector="OR",
                        ),
                        name="cover_changes_or_not",
                    )
                ],
            },
        ),
    ]
