"""What an operator watches, counted over all workspaces: numbers and names of states, and nothing of any row.

SECURITY DEFINER as in 0002, since row-level security shows the application one workspace at a time. Every part reads
an index or a small table: it costs the same with a thousand and with a million mails.
"""

from django.db import migrations

FIGURES = """
    CREATE FUNCTION installation_figures(moment timestamptz)
    RETURNS TABLE (figure text, label text, number double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT 'mailboxes', state, count(*) FROM gatepost_mailbox GROUP BY state
        UNION ALL
        SELECT 'mail_read_behind', '', COALESCE(max(EXTRACT(EPOCH FROM moment - read_through)), 0)
        FROM gatepost_mailbox WHERE state = 'connected'
        UNION ALL
        SELECT 'last_sent', '', EXTRACT(EPOCH FROM max(last_sent_at)) FROM gatepost_mailbox
        UNION ALL
        SELECT 'subscriptions', CASE WHEN s.microsoft_id IS NULL THEN 'refused' ELSE 'live' END, count(*)
        FROM gatepost_subscription s JOIN gatepost_mailbox m ON m.id = s.mailbox_id
        WHERE m.state = 'connected' GROUP BY 2
        UNION ALL
        SELECT 'steps_overdue', '', count(*) FROM gatepost_enrolment
        WHERE state = 'active' AND due_at <= moment - interval '5 minutes'
        UNION ALL
        SELECT 'messages', o.state, sum(o.count) FROM gatepost_mailbox m CROSS JOIN LATERAL (
            SELECT state, count(*) FROM gatepost_message
            WHERE mailbox_id = m.id AND state IN ('planned', 'drafted', 'sending', 'accepted', 'held')
            GROUP BY state
        ) o GROUP BY o.state
        UNION ALL
        -- Ledger rows have ids that begin with their time (UUIDv7), so the last five minutes are the end of the index.
        SELECT 'graph_requests', CASE status / 100 WHEN 0 THEN 'none' ELSE (status / 100) || 'xx' END, count(*)
        FROM gatepost_ledgerrow
        WHERE id >= CAST(lpad(to_hex(CAST((EXTRACT(EPOCH FROM clock_timestamp()) - 300) * 1000 AS bigint)), 12, '0')
                         || '70000000000000000000' AS uuid)
        GROUP BY 2
        UNION ALL
        SELECT 'jobs', status::text, count(*) FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing', 'failed') GROUP BY status
        UNION ALL
        SELECT 'oldest_job', '', COALESCE(max(EXTRACT(EPOCH FROM clock_timestamp() - e.at)), 0)
        FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
        WHERE j.status = 'todo'
        UNION ALL
        SELECT 'workers', '', count(*) FROM procrastinate_workers
        WHERE last_heartbeat > clock_timestamp() - interval '30 seconds'
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("gatepost", "0005_erasure"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [migrations.RunSQL(FIGURES, "DROP FUNCTION installation_figures")]
