"""Invitations, removed members, rules for signing in, and what allauth's parts for it need."""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids
import gatepost.vault.fields

# workspaces_of_user (0002) knows also who was removed: his name stands there still.
OPEN_WORKSPACES_OF_USER = """
    CREATE FUNCTION open_workspaces_of_user(wanted uuid) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT m.workspace_id, m.id FROM gatepost_member m JOIN gatepost_workspace w ON w.id = m.workspace_id
        WHERE m.user_id = wanted AND m.removed_at IS NULL AND w.closed_at IS NULL ORDER BY m.created_at
    $$
"""
TOKEN_OF = """
    CREATE OR REPLACE FUNCTION token_of(wanted text) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT t.workspace_id, t.id FROM gatepost_apitoken t JOIN gatepost_member m ON m.id = t.member_id
        WHERE t.token_index = wanted AND t.revoked_at IS NULL {only_present}
    $$
"""
INVITATION_OF = """
    CREATE FUNCTION invitation_of(wanted uuid) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT workspace_id, id FROM gatepost_invitation WHERE id = wanted $$
"""
# Counts of attempts to sign in, shared by all web processes (django.core.cache.backends.db).
CACHE = """
    CREATE TABLE django_cache (
        cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL
    );
    CREATE INDEX django_cache_expires ON django_cache (expires);
"""
# allauth looks people up by this table of its own. Nobody has proved these addresses yet.
ADDRESSES = """
    INSERT INTO account_emailaddress (email, verified, "primary", user_id)
    SELECT lower(email), false, true, id FROM gatepost_user u
    WHERE NOT EXISTS (SELECT 1 FROM account_emailaddress a WHERE a.user_id = u.id)
"""
# Sessions of before are in no list, so nobody could end them: everybody signs in once more.
OLD_SESSIONS = "DELETE FROM django_session"


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0008_waiting_room"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.AddField("member", "removed_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "workspace",
            "sign_in_requires",
            models.CharField(
                blank=True,
                choices=[
                    ("", "A password is enough"),
                    ("second_factor", "A second factor, besides the password"),
                    ("single_sign_on", "Single sign-on only"),
                ],
                default="",
                max_length=16,
            ),
        ),
        migrations.AddField("workspace", "sign_in_tenants", models.JSONField(default=list)),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
                ("address", gatepost.vault.fields.SealedField(editable=False, holds="name", null=True)),
                ("address_index", models.CharField(max_length=32)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Administrator"),
                            ("lead", "Team lead"),
                            ("rep", "Sales rep"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="gatepost.member"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("issue", models.PositiveIntegerField(default=1)),
                ("mailed", models.BooleanField(default=False)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddConstraint(
            "invitation",
            models.UniqueConstraint(
                condition=models.Q(("accepted_at__isnull", True), ("revoked_at__isnull", True)),
                fields=("workspace", "address_index"),
                name="one_open_invitation",
            ),
        ),
        migrations.RunSQL(OPEN_WORKSPACES_OF_USER, "DROP FUNCTION open_workspaces_of_user"),
        migrations.RunSQL(
            TOKEN_OF.format(only_present="AND m.removed_at IS NULL"), TOKEN_OF.format(only_present="")
        ),
        migrations.RunSQL(INVITATION_OF, "DROP FUNCTION invitation_of"),
        migrations.RunSQL(CACHE, "DROP TABLE django_cache"),
        migrations.RunSQL(ADDRESSES, migrations.RunSQL.noop),
        migrations.RunSQL(OLD_SESSIONS, migrations.RunSQL.noop),
    ]
