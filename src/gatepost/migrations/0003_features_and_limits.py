"""Features that a workspace has in use, instead of the one switch for briefs; which mailboxes may be connected."""

import django.contrib.postgres.fields
from django.db import migrations, models

import gatepost.accounts.models
import gatepost.vault.fields

KEEP_BRIEFS = (
    "UPDATE gatepost_workspace SET features = array_append(features, 'briefs') WHERE briefs_on_calendar"
)
BACK = "UPDATE gatepost_workspace SET briefs_on_calendar = 'briefs' = ANY (features)"


def _texts(length: int) -> django.contrib.postgres.fields.ArrayField:
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.CharField(max_length=length), default=list, size=None
    )


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0002_across_workspaces")]

    operations = [
        migrations.AddField(
            "workspace",
            "features",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                default=gatepost.accounts.models.features_at_first,
                size=None,
            ),
        ),
        migrations.RunSQL(KEEP_BRIEFS, BACK),
        migrations.RemoveField("workspace", "briefs_on_calendar"),
        migrations.AddField("workspace", "mailbox_domains", _texts(253)),
        migrations.AddField("workspace", "mailbox_tenants", _texts(36)),
        migrations.AddField("workspace", "sender_domains", _texts(253)),
        migrations.AddField("workspace", "only_outreach_mailboxes", models.BooleanField(default=False)),
        migrations.AddField("mailbox", "aliases", gatepost.vault.fields.SealedField(holds="name", null=True)),
        migrations.AddField("mailbox", "send_only", models.BooleanField(default=False)),
        migrations.AddField("mailbox", "outreach_only", models.BooleanField(default=False)),
        migrations.AddField("connectattempt", "send_only", models.BooleanField(default=False)),
    ]
