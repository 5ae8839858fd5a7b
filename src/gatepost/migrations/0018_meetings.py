"""Meetings on rungs, whom they are with, what they are owed to; when a rep is told of them."""

import datetime

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids
import gatepost.vault.fields

DUE = """
    CREATE FUNCTION brief_times_due(moment timestamptz) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT workspace_id, id FROM gatepost_brieftime WHERE due_at <= moment ORDER BY due_at LIMIT 500 $$
"""
# What is known already stands where it stood. What is past and was not called off took place: nobody is asked about it.
KNOWN = """
    UPDATE gatepost_meeting SET
        rung = CASE WHEN state <> 'booked' THEN state
                    WHEN ends_at < now() - interval '1 day' THEN 'took_place' ELSE 'on_calendar' END,
        booked_by = CASE WHEN booked_by_contact THEN 'contact' ELSE 'rep' END,
        series_index = ical_uid_index, booked_at = found_at;
    INSERT INTO gatepost_guest (id, workspace_id, meeting_id, contact_id, enrolment_id, match, answer)
        SELECT gen_random_uuid(), workspace_id, id, contact_id, enrolment_id, 'address', '' FROM gatepost_meeting;
    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0017_chains"),
    ]

    operations = [
        migrations.CreateModel(
            name="BriefTime",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                (
                    "by",
                    models.CharField(
                        choices=[("note", "in Gatepost"), ("letter", "by mail"), ("nothing", "not at all")],
                        default="note",
                        max_length=8,
                    ),
                ),
                (
                    "day",
                    models.CharField(
                        choices=[("before", "the day before"), ("same", "the same day")],
                        default="before",
                        max_length=6,
                    ),
                ),
                ("local_time", models.TimeField(default=datetime.time(17, 0))),
                ("due_at", models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Guest",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                (
                    "match",
                    models.CharField(
                        choices=[
                            ("address", "by their address"),
                            ("other_address", "by another address of theirs"),
                            ("company", "by the company's domain only"),
                            ("by_hand", "as a member said"),
                        ],
                        max_length=14,
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=20)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OtherAddress",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("address_index", models.CharField(max_length=32)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "other addresses",
            },
        ),
        migrations.CreateModel(
            name="Rung",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                (
                    "rung",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("on_calendar", "On the calendar"),
                            ("accepted", "Accepted"),
                            ("moved", "Moved"),
                            ("cancelled", "Cancelled"),
                            ("declined", "Declined"),
                            ("took_place", "Took place"),
                            ("no_show", "No-show"),
                            ("dismissed", "Not with them"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ("at", "id"),
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="domain_index",
            field=models.CharField(db_default="", default="", max_length=32),
        ),
        migrations.AddField(
            model_name="meeting",
            name="asks",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="meeting",
            name="attributed_by_hand",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="meeting",
            name="booked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="meeting",
            name="booked_by",
            field=models.CharField(
                choices=[
                    ("contact", "the contact"),
                    ("rep", "the rep"),
                    ("booking_page", "the contact, on a booking page"),
                    ("colleague", "a colleague or your booking page"),
                    ("somebody_else", "somebody else"),
                ],
                db_default="contact",
                default="contact",
                max_length=14,
            ),
        ),
        migrations.AddField(
            model_name="meeting",
            name="brief_on_calendar",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="meeting",
            name="counts",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="meeting",
            name="first_local_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="meeting",
            name="in_series",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="meeting",
            name="is_private",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="meeting",
            name="last_local_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="meeting",
            name="match",
            field=models.CharField(
                choices=[
                    ("address", "by their address"),
                    ("other_address", "by another address of theirs"),
                    ("company", "by the company's domain only"),
                    ("by_hand", "as a member said"),
                ],
                db_default="address",
                default="address",
                max_length=14,
            ),
        ),
        migrations.AddField(
            model_name="meeting",
            name="message",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="gatepost.message",
            ),
        ),
        migrations.AddField(
            model_name="meeting",
            name="noted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="meeting",
            name="notes",
            field=gatepost.vault.fields.SealedField(holds="content", null=True),
        ),
        migrations.AddField(
            model_name="meeting",
            name="rung",
            field=models.CharField(
                choices=[
                    ("proposed", "Proposed"),
                    ("on_calendar", "On the calendar"),
                    ("accepted", "Accepted"),
                    ("moved", "Moved"),
                    ("cancelled", "Cancelled"),
                    ("declined", "Declined"),
                    ("took_place", "Took place"),
                    ("no_show", "No-show"),
                    ("dismissed", "Not with them"),
                ],
                db_default="on_calendar",
                default="on_calendar",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="meeting",
            name="series_index",
            field=models.CharField(blank=True, db_default="", default="", max_length=32),
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
                    ("meeting_off", "A meeting is off"),
                    ("briefs", "Meetings ahead and their briefs"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["workspace", "domain_index"], name="contact_by_domain"),
        ),
        migrations.AddIndex(
            model_name="meeting",
            index=models.Index(fields=["workspace", "series_index"], name="meeting_by_series"),
        ),
        migrations.AddIndex(
            model_name="meeting",
            index=models.Index(fields=["mailbox", "ends_at"], name="meeting_by_mailbox"),
        ),
        migrations.AddField(
            model_name="brieftime",
            name="member",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="brief_time", to="gatepost.member"
            ),
        ),
        migrations.AddField(
            model_name="brieftime",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddField(
            model_name="guest",
            name="contact",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="gatepost.contact"
            ),
        ),
        migrations.AddField(
            model_name="guest",
            name="enrolment",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="gatepost.enrolment",
            ),
        ),
        migrations.AddField(
            model_name="guest",
            name="meeting",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="guests", to="gatepost.meeting"
            ),
        ),
        migrations.AddField(
            model_name="guest",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddField(
            model_name="otheraddress",
            name="contact",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="other_addresses",
                to="gatepost.contact",
            ),
        ),
        migrations.AddField(
            model_name="otheraddress",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddField(
            model_name="rung",
            name="meeting",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="rungs", to="gatepost.meeting"
            ),
        ),
        migrations.AddField(
            model_name="rung",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddConstraint(
            model_name="otheraddress",
            constraint=models.UniqueConstraint(
                fields=("workspace", "address_index"), name="one_contact_per_other_address"
            ),
        ),
        migrations.AddIndex(
            model_name="rung",
            index=models.Index(fields=["meeting", "at"], name="rung_of_meeting"),
        ),
        migrations.RunSQL(DUE, "DROP FUNCTION brief_times_due"),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
