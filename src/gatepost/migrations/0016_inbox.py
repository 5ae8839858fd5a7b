"""What follows from a label, corrections, and the order of the inbox."""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

# Snoozed conversations whose time has come, of every workspace (as in 0002).
REOPEN = """
    CREATE FUNCTION conversations_to_reopen(moment timestamptz) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT workspace_id, id FROM gatepost_conversation WHERE snoozed_until <= moment LIMIT 500 $$
"""
# As rules.urgency said when this was written.
URGENCY = """
    UPDATE gatepost_conversation SET urgency = CASE
        WHEN label IN ('interested', 'question') THEN 0
        WHEN label IN ('unsure', 'referral') THEN 1
        WHEN label IN ('not_the_right_person', 'circle_back_later', 'other') THEN 2
        WHEN label IN ('not_interested', 'hard_no', 'unsubscribe') THEN 3
        ELSE 4 END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0014_mail"),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("before", models.CharField(max_length=24)),
                ("after", models.CharField(max_length=24)),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("made_at",),
            },
        ),
        migrations.CreateModel(
            name="LabelRule",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("label", models.CharField(max_length=24)),
                ("course", models.CharField(max_length=8)),
                ("task", models.BooleanField()),
                ("suppress", models.BooleanField()),
                ("cool_off_days", models.PositiveSmallIntegerField()),
                ("hold_company", models.BooleanField()),
            ],
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_accepted",
        ),
        migrations.AddField(
            model_name="contact",
            name="cool_off_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="assigned_to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="gatepost.member",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="snoozed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="urgency",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="message",
            name="answers_graph_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
        migrations.AddField(
            model_name="message",
            name="reply_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="reply",
            name="followed",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="cause",
            field=models.CharField(
                choices=[
                    ("unsubscribe", "Asked not to be written to"),
                    ("hard_no", "Refused any further contact"),
                    ("bounce", "The address does not exist"),
                    ("left_company", "Left the company"),
                    ("replied", "Suppressed by a rule of yours about replies"),
                    ("by_hand", "Added by a member"),
                    ("erased", "Was erased"),
                    ("imported", "Came with an imported list"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
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
                    ("reply", "Look at the reply"),
                ],
                default="follow_up",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("done", False), ("snoozed_until__isnull", True)),
                fields=["workspace", "urgency", "-last_reply_at", "-id"],
                name="conversation_open",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("done", False), ("snoozed_until__isnull", True)),
                fields=["workspace", "label", "-last_reply_at"],
                name="conversation_open_by_label",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("snoozed_until__isnull", False)),
                fields=["snoozed_until"],
                name="conversation_snoozed",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("reply_id__isnull", True)),
                fields=["workspace", "accepted_at"],
                include=("state", "sequence_id", "step_id", "mailbox"),
                name="message_of_step_accepted",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="mailbox",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.mailbox"),
        ),
        migrations.AddField(
            model_name="correction",
            name="member",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to="gatepost.member"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="reply",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="corrections", to="gatepost.reply"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddField(
            model_name="labelrule",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
        ),
        migrations.AddConstraint(
            model_name="labelrule",
            constraint=models.UniqueConstraint(fields=("workspace", "label"), name="one_rule_per_label"),
        ),
        migrations.RunSQL(URGENCY, migrations.RunSQL.noop),
        migrations.RunSQL(REOPEN, "DROP FUNCTION conversations_to_reopen"),
    ]
