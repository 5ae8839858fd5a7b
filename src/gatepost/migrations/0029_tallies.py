"""The counts of a sequence become a sum: of what was counted, and of what each change made more or less.

How this stays exact without a lock: sequences.tallies. Changes of one enrolment or mail, which come one by one while mail is
sent, pass by with a comparison unless they change a count. Many at once, as an import or erasing makes them, leave one row
for each sequence.
"""

import django.db.models.deletion
from django.db import migrations, models

import gatepost.ids

COUNTS = ("enrolled", "running", "replied", "met", "bounced", "sent")
_OF_ENROLMENT = "1, (state IN ('active', 'paused'))::int, (cause = 'reply')::int, (cause = 'meeting')::int, (cause = 'bounce')::int, 0"
_SENT = "({row}.state IN ('accepted', 'confirmed') AND {row}.reply_id IS NULL)"
_OLD, _NEW = _SENT.format(row="OLD"), _SENT.format(row="NEW")


def _add(rows: str) -> str:
    """Rows of workspace, sequence, sign and counts become one for each sequence, or none where nothing changes."""
    sums = ", ".join(f"sum(sign * {each})" for each in COUNTS)
    return f"""
        INSERT INTO gatepost_tally (id, workspace_id, sequence_id, counted, {", ".join(COUNTS)})
        SELECT gen_random_uuid(), workspace_id, sequence_id, false, {sums}
        FROM ({rows}) AS changed (workspace_id, sequence_id, sign, {", ".join(COUNTS)})
        GROUP BY workspace_id, sequence_id HAVING ({sums}) IS DISTINCT FROM ({", ".join("0" for _ in COUNTS)})
    """


def _function(name: str, *bodies: str) -> str:
    steps = ";".join(bodies)
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {steps}; RETURN NULL; END $$;"
    )


_MANY_ENROLMENTS = f"SELECT workspace_id, sequence_id, {{sign}}, {_OF_ENROLMENT} FROM many"
_ONE_ENROLMENT = f"""
    SELECT workspace_id, sequence_id, sign, {_OF_ENROLMENT} FROM (VALUES
        (OLD.workspace_id, OLD.sequence_id, OLD.state, OLD.cause, -1), (NEW.workspace_id, NEW.sequence_id, NEW.state, NEW.cause, 1)
    ) AS one (workspace_id, sequence_id, state, cause, sign)
"""
_ONE_MAIL = "SELECT {row}.workspace_id, {row}.sequence_id, {sign}, 0, 0, 0, 0, 0, 1 WHERE {sent}"
_CHANGED_MAIL = " UNION ALL ".join(
    _ONE_MAIL.format(row=row, sign=sign, sent=sent)
    for row, sign, sent in (("OLD", -1, _OLD), ("NEW", 1, _NEW))
)
_MAILS_GONE = f"""
    SELECT workspace_id, sequence_id, -1, 0, 0, 0, 0, 0, 1 FROM many
    WHERE {_SENT.format(row="many")}
"""

TALLY = f"""
    {_function("tally_new_enrolments", _add(_MANY_ENROLMENTS.format(sign=1)))}
    {_function("tally_gone_enrolments", _add(_MANY_ENROLMENTS.format(sign=-1)))}
    {_function("tally_changed_enrolment", _add(_ONE_ENROLMENT))}
    {_function("tally_new_mail", _add(_ONE_MAIL.format(row="NEW", sign=1, sent="true")))}
    {_function("tally_gone_mails", _add(_MAILS_GONE))}
    {_function("tally_changed_mail", _add(_CHANGED_MAIL))}
    CREATE TRIGGER tally_new_enrolments AFTER INSERT ON gatepost_enrolment REFERENCING NEW TABLE AS many
        FOR EACH STATEMENT EXECUTE FUNCTION tally_new_enrolments();
    CREATE TRIGGER tally_gone_enrolments AFTER DELETE ON gatepost_enrolment REFERENCING OLD TABLE AS many
        FOR EACH STATEMENT EXECUTE FUNCTION tally_gone_enrolments();
    CREATE TRIGGER tally_changed_enrolment AFTER UPDATE ON gatepost_enrolment FOR EACH ROW
        WHEN ((OLD.sequence_id, OLD.state, OLD.cause) IS DISTINCT FROM (NEW.sequence_id, NEW.state, NEW.cause))
        EXECUTE FUNCTION tally_changed_enrolment();
    CREATE TRIGGER tally_new_mail AFTER INSERT ON gatepost_message FOR EACH ROW
        WHEN ({_NEW}) EXECUTE FUNCTION tally_new_mail();
    CREATE TRIGGER tally_gone_mails AFTER DELETE ON gatepost_message REFERENCING OLD TABLE AS many
        FOR EACH STATEMENT EXECUTE FUNCTION tally_gone_mails();
    CREATE TRIGGER tally_changed_mail AFTER UPDATE ON gatepost_message FOR EACH ROW
        WHEN ((OLD.sequence_id, {_OLD}) IS DISTINCT FROM (NEW.sequence_id, {_NEW})) EXECUTE FUNCTION tally_changed_mail();
"""
TALLY_NO_MORE = "".join(
    f"DROP TRIGGER {name} ON gatepost_{table}; DROP FUNCTION {name}();"
    for table, names in {
        "enrolment": ("tally_new_enrolments", "tally_gone_enrolments", "tally_changed_enrolment"),
        "message": ("tally_new_mail", "tally_gone_mails", "tally_changed_mail"),
    }.items()
    for name in names
)


class Migration(migrations.Migration):
    dependencies = [
        ("gatepost", "0028_answered_mail_of_old_replies"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.UUIDField(default=gatepost.ids.uuid7, primary_key=True, serialize=False)),
                ("sequence_id", models.UUIDField()),
                ("counted", models.BooleanField(default=False)),
                *((name, models.IntegerField(default=0)) for name in COUNTS),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="gatepost.workspace"),
                ),
            ],
            options={"verbose_name_plural": "tallies"},
        ),
        migrations.AddIndex("tally", models.Index(fields=["sequence_id"], name="tally_of_sequence")),
        migrations.RunSQL(TALLY, TALLY_NO_MORE),
    ]
