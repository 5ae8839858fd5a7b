"""What must be found before the workspace is known: functions that run with the owner's rights and return ids only.

Each is SECURITY DEFINER with a fixed search_path, so that nobody can put a table of his own in front of ours.
"""

from django.db import migrations

FUNCTIONS = {
    "workspaces_of_user(wanted uuid)": """
        SELECT workspace_id, id FROM gatepost_member WHERE user_id = wanted ORDER BY created_at
    """,
    "token_of(wanted text)": """
        SELECT workspace_id, id FROM gatepost_apitoken WHERE token_index = wanted AND revoked_at IS NULL
    """,
    "attempt_of_state(wanted text)": """
        SELECT workspace_id, id FROM gatepost_connectattempt WHERE state_index = wanted
    """,
    "mailbox_of_identity(wanted text)": """
        SELECT workspace_id, id FROM gatepost_mailbox WHERE identity_index = wanted
    """,
    "mailboxes_due_for_sync(moment timestamptz)": """
        SELECT workspace_id, id FROM gatepost_mailbox
        WHERE state = 'connected' AND sync_due_at <= moment AND (not_before IS NULL OR not_before <= moment)
    """,
    "mailboxes_due_for_calendar(moment timestamptz)": """
        SELECT workspace_id, id FROM gatepost_mailbox
        WHERE state = 'connected' AND calendar_due_at <= moment AND (not_before IS NULL OR not_before <= moment)
    """,
    "mailboxes_with_subscription_due(moment timestamptz)": """
        SELECT DISTINCT s.workspace_id, s.mailbox_id AS id
        FROM gatepost_subscription s JOIN gatepost_mailbox m ON m.id = s.mailbox_id
        WHERE m.state = 'connected' AND s.renew_at <= moment
    """,
    "mailboxes_with_work(moment timestamptz)": """
        SELECT m.workspace_id, m.id FROM gatepost_mailbox m
        WHERE m.state = 'connected'
          AND (m.not_before IS NULL OR m.not_before <= moment)
          AND (m.sending_not_before IS NULL OR m.sending_not_before <= moment)
          AND (
            EXISTS (SELECT 1 FROM gatepost_enrolment e
                    WHERE e.mailbox_id = m.id AND e.state = 'active' AND e.due_at <= moment)
            OR EXISTS (SELECT 1 FROM gatepost_message o
                       WHERE o.mailbox_id = m.id AND o.not_before <= moment
                         AND o.state IN ('planned', 'drafted', 'sending', 'accepted'))
          )
    """,
    "enrolments_returned(moment timestamptz)": """
        SELECT workspace_id, id FROM gatepost_enrolment WHERE state = 'paused' AND due_at <= moment LIMIT 500
    """,
    "workspace_ids()": """
        SELECT id AS workspace_id, id FROM gatepost_workspace ORDER BY created_at
    """,
}
SUBSCRIPTIONS = """
    CREATE FUNCTION subscription_of(wanted text)
    RETURNS TABLE (workspace_id uuid, mailbox_id uuid, wakes text, secret_index text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT workspace_id, mailbox_id, wakes, secret_index FROM gatepost_subscription WHERE microsoft_id = wanted $$
"""
WAKE = """
    CREATE FUNCTION wake_mailboxes(wanted uuid[], what text, moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        UPDATE gatepost_mailbox SET
            sync_due_at = CASE WHEN what = 'mail' THEN moment ELSE sync_due_at END,
            calendar_due_at = CASE WHEN what = 'calendar' THEN moment ELSE calendar_due_at END
        WHERE id = ANY (wanted) AND state = 'connected'
    $$
"""


def _create(name: str, body: str) -> str:
    return (
        f"CREATE FUNCTION {name} RETURNS TABLE (workspace_id uuid, id uuid) "
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp "
        f"AS $$ {body} $$"
    )


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0001_first")]

    operations = [
        *(
            migrations.RunSQL(_create(name, body), f"DROP FUNCTION {name.split('(')[0]}")
            for name, body in FUNCTIONS.items()
        ),
        migrations.RunSQL(SUBSCRIPTIONS, "DROP FUNCTION subscription_of"),
        migrations.RunSQL(WAKE, "DROP FUNCTION wake_mailboxes"),
    ]
