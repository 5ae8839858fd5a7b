"""Planning: kinds of steps, wordings, conditions, editions, days off, and what pauses a sequence."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0010_proved_sends"),
    ]

    operations = [
        migrations.CreateModel(
            name="Absence",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("first_local_date", models.DateField()),
                ("last_local_date", models.DateField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.AlterModelOptions(
            name="step",
            options={"ordering": ("edition", "position")},
        ),
        migrations.RemoveConstraint(
            model_name="step",
            name="one_step_per_position",
        ),
        migrations.AddField(
            model_name="enrolment",
            name="edition",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="last_skipped",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="last_variant",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="stepped_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="sequence",
            name="absence_buffer_days",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="sequence",
            name="bill_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="sequence",
            name="bounce_limit",
            field=models.PositiveSmallIntegerField(default=5),
        ),
        migrations.AddField(
            model_name="sequence",
            name="complaint_limit",
            field=models.PositiveSmallIntegerField(default=5),
        ),
        migrations.AddField(
            model_name="sequence",
            name="cool_off_days",
            field=models.PositiveSmallIntegerField(default=14),
        ),
        migrations.AddField(
            model_name="sequence",
            name="edition",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="sequence",
            name="hold_company_days",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="sequence",
            name="pause_reason",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="sequence",
            name="skips_holidays",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="step",
            name="business_days",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="step",
            name="conditions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="step",
            name="edition",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="step",
            name="kind",
            field=models.CharField(
                choices=[
                    ("mail", "Mail"),
                    ("approval", "Mail for approval"),
                    ("call", "Call"),
                    ("linkedin", "LinkedIn"),
                    ("task", "Task"),
                ],
                default="mail",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="step",
            name="task_days",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="task",
            name="due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="task",
            name="kind",
            field=models.CharField(
                choices=[
                    ("follow_up", "Send by hand"),
                    ("approval", "Approve a mail"),
                    ("call", "Call"),
                    ("linkedin", "LinkedIn"),
                    ("task", "Task"),
                    ("reminder", "Get back to them"),
                ],
                default="follow_up",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="task",
            name="variant_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("health", "The health of a mailbox changed"),
                    ("gap", "What happened in a gap"),
                    ("registration", "Microsoft refuses the app registration"),
                    ("credential_ends", "Its secret or certificate ends soon"),
                    ("sequence_paused", "A sequence was paused by itself"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.UniqueConstraint(
                fields=("sequence", "edition", "position"), name="one_step_per_edition_and_position"
            ),
        ),
        migrations.AddField(
            model_name="absence",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="absences", to="gatepost.member"
            ),
        ),
        migrations.AddField(
            model_name="absence",
            name="stand_in",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="gatepost.mailbox",
            ),
        ),
        migrations.AddField(
            model_name="absence",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddIndex(
            model_name="absence",
            index=models.Index(fields=["member", "last_local_date"], name="gatepost_ab_member__efa448_idx"),
        ),
        migrations.AddConstraint(
            model_name="absence",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_local_date__gte", models.F("first_local_date"))),
                name="absence_ends_after_it_begins",
            ),
        ),
    ]
