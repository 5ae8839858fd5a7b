"""Lists imported in the background, fields of one's own, owner and stage, companies by age, readable suppressions."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import gatepost.ids
import gatepost.vault.fields

# A company is as old as the first contact that is known there.
COMPANIES = """
    UPDATE gatepost_company c SET created_at = n.first
    FROM (SELECT company_id, min(created_at) AS first FROM gatepost_contact GROUP BY company_id) n
    WHERE n.company_id = c.id
"""
# Columns of earlier imports become fields of one's own, so that templates go on naming them.
FIELDS = """
    INSERT INTO gatepost_contactfield (id, workspace_id, name, label, kind, choices, created_at)
    SELECT gen_random_uuid(), n.workspace_id, n.name, n.name, 'text', '{}', now()
    FROM (SELECT DISTINCT workspace_id, unnest(columns) AS name FROM gatepost_contactimport) n
"""
REJECTED = "UPDATE gatepost_contactimport SET rejected = jsonb_array_length(problems)"
FUNCTIONS = {
    "imports_under_way()": """
        SELECT workspace_id, id FROM gatepost_contactimport WHERE state IN ('checking', 'running') LIMIT 500
    """,
    "imports_abandoned(moment timestamptz)": """
        SELECT workspace_id, id FROM gatepost_contactimport
        WHERE state IN ('uploaded', 'checked') AND created_at < moment LIMIT 500
    """,
}


def _create(name: str, body: str) -> str:
    return (
        f"CREATE FUNCTION {name} RETURNS TABLE (workspace_id uuid, id uuid) "
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp "
        f"AS $$ {body} $$"
    )


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0011_planning")]

    operations = [
        migrations.CreateModel(
            name="ContactField",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("label", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("yes_no", "Yes or no"),
                            ("choice", "Choice"),
                        ],
                        default="text",
                        max_length=8,
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ImportPart",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("file", "The file"), ("rejected", "Rows left out")], max_length=8
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", gatepost.vault.fields.SealedField(holds="name", null=True)),
            ],
        ),
        migrations.AddField(
            model_name="company",
            name="created_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="contact",
            name="imported",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="contacts",
                to="gatepost.contactimport",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="owner",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to="gatepost.member"
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="stage",
            field=models.CharField(
                choices=[
                    ("new", "New"),
                    ("working", "Being approached"),
                    ("talking", "In conversation"),
                    ("customer", "Customer"),
                    ("lost", "Not interested"),
                ],
                db_default="new",
                default="new",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="at_line",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="delimiter",
            field=models.CharField(db_default=",", default=",", max_length=1),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="ended_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="lines",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="mapping",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="rejected",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="rows",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="state",
            field=models.CharField(
                choices=[
                    ("uploaded", "Waiting for you"),
                    ("checking", "Being checked"),
                    ("checked", "Checked, nothing stored yet"),
                    ("running", "Being imported"),
                    ("done", "Done"),
                    ("stopped", "Stopped"),
                    ("failed", "Failed"),
                ],
                db_default="done",
                default="done",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="tries",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="what",
            field=models.CharField(
                choices=[("contacts", "Contacts"), ("suppressions", "Do-not-contact list")],
                db_default="contacts",
                default="contacts",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="suppression",
            name="value",
            field=gatepost.vault.fields.SealedField(holds="name", null=True),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="cause",
            field=models.CharField(
                choices=[
                    ("unsubscribe", "Asked not to be written to"),
                    ("hard_no", "Refused any further contact"),
                    ("bounce", "The address does not exist"),
                    ("by_hand", "Added by a member"),
                    ("erased", "Was erased"),
                    ("imported", "Came with an imported list"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["owner", "-created_at"], name="contact_by_owner"),
        ),
        migrations.AddIndex(
            model_name="contactimport",
            index=models.Index(
                condition=models.Q(("state__in", ["uploaded", "checking", "checked", "running"])),
                fields=["state", "created_at"],
                name="import_to_do",
            ),
        ),
        migrations.AddField(
            model_name="contactfield",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddField(
            model_name="importpart",
            name="imported",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="gatepost.contactimport"
            ),
        ),
        migrations.AddField(
            model_name="importpart",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddConstraint(
            model_name="contactfield",
            constraint=models.UniqueConstraint(fields=("workspace", "name"), name="one_field_per_name"),
        ),
        migrations.AddConstraint(
            model_name="importpart",
            constraint=models.UniqueConstraint(fields=("imported", "kind", "number"), name="one_part"),
        ),
        migrations.RunSQL(COMPANIES, migrations.RunSQL.noop),
        migrations.RunSQL(FIELDS, migrations.RunSQL.noop),
        migrations.RunSQL(REJECTED, migrations.RunSQL.noop),
        *(
            migrations.RunSQL(_create(name, body), f"DROP FUNCTION {name.split('(')[0]}")
            for name, body in FUNCTIONS.items()
        ),
    ]
