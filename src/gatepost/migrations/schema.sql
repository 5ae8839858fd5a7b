-- Written by ./dev schema: change a migration instead.

SET check_function_bodies = false;

CREATE TYPE public.procrastinate_job_event_type AS ENUM (
    'deferred',
    'started',
    'deferred_for_retry',
    'failed',
    'succeeded',
    'cancelled',
    'abort_requested',
    'aborted',
    'scheduled',
    'retried'
);

CREATE TYPE public.procrastinate_job_status AS ENUM (
    'todo',
    'doing',
    'succeeded',
    'failed',
    'cancelled',
    'aborting',
    'aborted'
);

CREATE TYPE public.procrastinate_job_to_defer_v1 AS (
	queue_name character varying,
	task_name character varying,
	priority integer,
	lock text,
	queueing_lock text,
	args jsonb,
	scheduled_at timestamp with time zone
);

CREATE FUNCTION public.attempt_of_page(wanted text) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_connectattempt WHERE page_index = wanted $$;

CREATE FUNCTION public.brief_times_due(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_brieftime WHERE due_at <= moment ORDER BY due_at LIMIT 500 $$;

CREATE FUNCTION public.conversations_to_reopen(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_conversation WHERE snoozed_until <= moment LIMIT 500 $$;

CREATE FUNCTION public.copy_answered_mail() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        SELECT m.sequence_id, m.step_id, m.variant_id, CASE WHEN m.state = 'confirmed' THEN m.accepted_at END
        INTO NEW.sequence_id, NEW.step_id, NEW.variant_id, NEW.mailed_at
        FROM gatepost_message m WHERE m.id = NEW.message_id;
        RETURN NEW;
    END $$;

CREATE FUNCTION public.departure_of_state(wanted text) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_departure WHERE state_index = wanted $$;

CREATE FUNCTION public.enrolments_returned(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_enrolment WHERE state = 'paused' AND due_at <= moment LIMIT 500
     $$;

CREATE FUNCTION public.erased_keys() RETURNS TABLE(key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT unnest(keys) FROM gatepost_erasure WHERE keys_destroyed_at IS NOT NULL $$;

CREATE FUNCTION public.erasures_unfinished() RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_erasure WHERE finished_at IS NULL ORDER BY ordered_at $$;

CREATE FUNCTION public.expire_ledger(wanted uuid, before timestamp with time zone, most integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        WITH removed AS (
            DELETE FROM gatepost_ledgerrow WHERE id IN (
                SELECT id FROM gatepost_ledgerrow
                WHERE workspace_id = wanted AND at < before AND at < (
                    SELECT max(at) - interval '30 days' FROM gatepost_ledgerrow WHERE workspace_id = wanted
                )
                ORDER BY at LIMIT most
            ) RETURNING 1
        )
        SELECT count(*) FROM removed
    $$;

CREATE FUNCTION public.imports_abandoned(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_contactimport
        WHERE state IN ('uploaded', 'checked') AND created_at < moment LIMIT 500
     $$;

CREATE FUNCTION public.imports_under_way() RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_contactimport WHERE state IN ('checking', 'running') LIMIT 500
     $$;

CREATE FUNCTION public.installation_figures(moment timestamp with time zone) RETURNS TABLE(figure text, label text, number double precision)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
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
    $$;

CREATE FUNCTION public.invitation_of(wanted uuid) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_invitation WHERE id = wanted $$;

CREATE FUNCTION public.keep_to_the_protocol() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        IF NEW.state <> OLD.state THEN
            IF (OLD.state || '>' || NEW.state) <> ALL ('{planned>drafted,planned>sending,planned>confirmed,planned>held,planned>cancelled,drafted>sending,drafted>confirmed,drafted>held,drafted>cancelled,drafted>planned,sending>accepted,sending>drafted,sending>confirmed,sending>held,sending>planned,accepted>drafted,accepted>confirmed,accepted>held,accepted>planned,held>confirmed,held>drafted,held>planned,held>cancelled}'::text[]) THEN
                RAISE EXCEPTION 'a message does not go from % to %', OLD.state, NEW.state
                    USING ERRCODE = 'check_violation';
            END IF;
            IF OLD.state = 'planned' AND NEW.state = 'sending' AND NEW.route <> 'at_once' THEN
                RAISE EXCEPTION 'a message is sent without a draft only at once' USING ERRCODE = 'check_violation';
            END IF;
            IF NEW.revision <= OLD.revision THEN
                RAISE EXCEPTION 'a change of state needs a new revision' USING ERRCODE = 'check_violation';
            END IF;
        END IF;
        IF OLD.accepted_at IS NOT NULL AND NEW.accepted_at IS DISTINCT FROM OLD.accepted_at
           AND NOT (NEW.accepted_at IS NULL AND NEW.state IN ('drafted', 'planned')) THEN
            RAISE EXCEPTION 'a message is accepted once' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;

CREATE FUNCTION public.mailbox_of_identity(wanted text) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_mailbox WHERE identity_index = wanted
     $$;

CREATE FUNCTION public.mailboxes_due_for_calendar(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_mailbox
        WHERE state = 'connected' AND calendar_due_at <= moment AND (not_before IS NULL OR not_before <= moment)
     $$;

CREATE FUNCTION public.mailboxes_due_for_sync(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_mailbox
        WHERE state = 'connected' AND sync_due_at <= moment AND (not_before IS NULL OR not_before <= moment)
     $$;

CREATE FUNCTION public.mailboxes_to_reconcile(quiet_since timestamp with time zone, moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT m.workspace_id, m.id
        FROM gatepost_recovery r
        JOIN gatepost_mailbox m ON m.workspace_id = r.workspace_id
        CROSS JOIN gatepost_installation i
        WHERE r.go_at IS NULL AND NOT r.copied AND r.began_at <= quiet_since AND m.state = 'connected'
          AND m.compared_at_beat < i.started_at_beat AND (m.not_before IS NULL OR m.not_before <= moment)
     $$;

CREATE FUNCTION public.mailboxes_to_tell(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_mailbox WHERE tell_at <= moment $$;

CREATE FUNCTION public.mailboxes_with_subscription_due(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT DISTINCT s.workspace_id, s.mailbox_id AS id
        FROM gatepost_subscription s JOIN gatepost_mailbox m ON m.id = s.mailbox_id
        WHERE m.state = 'connected' AND s.renew_at <= moment
     $$;

CREATE FUNCTION public.mailboxes_with_work(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        SELECT m.workspace_id, m.id FROM (
            SELECT e.mailbox_id FROM gatepost_enrolment e WHERE e.state = 'active' AND e.due_at <= moment
            UNION
            SELECT o.mailbox_id FROM gatepost_message o
            WHERE o.not_before <= moment AND o.state IN ('planned', 'drafted', 'sending', 'accepted')
        ) work JOIN gatepost_mailbox m ON m.id = work.mailbox_id
        WHERE m.state = 'connected'
          AND (m.not_before IS NULL OR m.not_before <= moment)
          AND (m.sending_not_before IS NULL OR m.sending_not_before <= moment)
    $$;

CREATE FUNCTION public.message_with_id(wanted uuid) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_message WHERE id = wanted
     $$;

CREATE FUNCTION public.messages_to_sweep(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_message WHERE sweep_at <= moment LIMIT 500
     $$;

CREATE FUNCTION public.note_late_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        INSERT INTO gatepost_latechange (id, workspace_id, at)
        SELECT gen_random_uuid(), COALESCE(NEW.workspace_id, OLD.workspace_id), moment
        FROM (SELECT DISTINCT unnest(ARRAY[OLD.planned_at, OLD.accepted_at, OLD.bounced_at, NEW.planned_at, NEW.accepted_at, NEW.bounced_at]) AS moment) moments
        WHERE moment < now() - interval '7 days';
        RETURN NULL;
    END $$;

CREATE FUNCTION public.open_recoveries() RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_recovery WHERE go_at IS NULL ORDER BY began_at
     $$;

CREATE FUNCTION public.open_workspaces_of_user(wanted uuid) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        SELECT m.workspace_id, m.id FROM gatepost_member m JOIN gatepost_workspace w ON w.id = m.workspace_id
        WHERE m.user_id = wanted AND m.removed_at IS NULL AND w.closed_at IS NULL ORDER BY m.created_at
    $$;

CREATE FUNCTION public.procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status = 'todo'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        IF abort THEN
            UPDATE procrastinate_jobs
            SET abort_requested = true,
                status = CASE status
                    WHEN 'todo' THEN 'cancelled'::procrastinate_job_status ELSE status
                END
            WHERE id = job_id AND status IN ('todo', 'doing')
            RETURNING id INTO _job_id;
        ELSE
            UPDATE procrastinate_jobs
            SET status = 'cancelled'::procrastinate_job_status
            WHERE id = job_id AND status = 'todo'
            RETURNING id INTO _job_id;
        END IF;
    END IF;
    RETURN _job_id;
END;
$$;

CREATE FUNCTION public.procrastinate_defer_jobs_v1(jobs public.procrastinate_job_to_defer_v1[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    job_ids bigint[];
BEGIN
    WITH inserted_jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
        SELECT (job).queue_name,
               (job).task_name,
               (job).priority,
               (job).lock,
               (job).queueing_lock,
               (job).args,
               (job).scheduled_at
        FROM unnest(jobs) AS job
        RETURNING id
    )
    SELECT array_agg(id) FROM inserted_jobs INTO job_ids;

    RETURN job_ids;
END;
$$;

CREATE FUNCTION public.procrastinate_defer_periodic_job_v2(_queue_name character varying, _lock character varying, _queueing_lock character varying, _task_name character varying, _priority integer, _periodic_id character varying, _defer_timestamp bigint, _args jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
	_job_id bigint;
	_defer_id bigint;
BEGIN
    INSERT
        INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
        VALUES (_task_name, _periodic_id, _defer_timestamp)
        ON CONFLICT DO NOTHING
        RETURNING id into _defer_id;

    IF _defer_id IS NULL THEN
        RETURN NULL;
    END IF;

    UPDATE procrastinate_periodic_defers
        SET job_id = (
            SELECT COALESCE((
                SELECT unnest(procrastinate_defer_jobs_v1(
                    ARRAY[
                        ROW(
                            _queue_name,
                            _task_name,
                            _priority,
                            _lock,
                            _queueing_lock,
                            _args,
                            NULL::timestamptz
                        )
                    ]::procrastinate_job_to_defer_v1[]
                ))
            ), NULL)
        )
        WHERE id = _defer_id
        RETURNING job_id INTO _job_id;

    DELETE
        FROM procrastinate_periodic_defers
        USING (
            SELECT id
            FROM procrastinate_periodic_defers
            WHERE procrastinate_periodic_defers.task_name = _task_name
            AND procrastinate_periodic_defers.periodic_id = _periodic_id
            AND procrastinate_periodic_defers.defer_timestamp < _defer_timestamp
            ORDER BY id
            FOR UPDATE
        ) to_delete
        WHERE procrastinate_periodic_defers.id = to_delete.id;

    RETURN _job_id;
END;
$$;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.procrastinate_jobs (
    id bigint NOT NULL,
    queue_name character varying(128) NOT NULL,
    task_name character varying(128) NOT NULL,
    lock text,
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    status public.procrastinate_job_status DEFAULT 'todo'::public.procrastinate_job_status NOT NULL,
    scheduled_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    queueing_lock text,
    priority integer DEFAULT 0 NOT NULL,
    abort_requested boolean DEFAULT false NOT NULL,
    worker_id bigint,
    CONSTRAINT check_not_todo_abort_requested CHECK ((NOT ((status = 'todo'::public.procrastinate_job_status) AND (abort_requested = true))))
);

CREATE FUNCTION public.procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint) RETURNS public.procrastinate_jobs
    LANGUAGE plpgsql
    AS $$
DECLARE
	found_jobs procrastinate_jobs;
BEGIN
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and has higher priority (or same priority but was queued first)
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;

 RETURN found_jobs;
END;
$$;

CREATE FUNCTION public.procrastinate_finish_job_v1(job_id bigint, end_status public.procrastinate_job_status, delete_job boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF end_status NOT IN ('succeeded', 'failed', 'aborted') THEN
        RAISE 'End status should be either "succeeded", "failed" or "aborted" (job id: %)', job_id;
    END IF;
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = end_status,
            abort_requested = false,
            attempts = CASE status
                WHEN 'doing' THEN attempts + 1 ELSE attempts
            END
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" or "todo" status (job id: %)', job_id;
    END IF;
END;
$$;

CREATE FUNCTION public.procrastinate_notify_queue_abort_job_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'abort_job_requested', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

CREATE FUNCTION public.procrastinate_notify_queue_job_inserted_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

CREATE FUNCTION public.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat double precision) RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (seconds_since_heartbeat || 'SECOND')::INTERVAL
    RETURNING procrastinate_workers.id;
END;
$$;

CREATE FUNCTION public.procrastinate_register_worker_v1() RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING procrastinate_workers.id;
END;
$$;

CREATE FUNCTION public.procrastinate_retry_job_v1(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
BEGIN
    SELECT abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status = 'doing'
    FOR UPDATE
    INTO _abort_requested;
    IF _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" status (job id: %)', job_id;
    END IF;
END;
$$;

CREATE FUNCTION public.procrastinate_retry_job_v2(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
    _current_status procrastinate_job_status;
BEGIN
    SELECT status, abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status IN ('doing', 'failed')
    FOR UPDATE
    INTO _current_status, _abort_requested;
    IF _current_status = 'doing' AND _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status IN ('doing', 'failed')
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;

END;
$$;

CREATE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'abort_requested'::procrastinate_job_event_type);
    RETURN NEW;
END;
$$;

CREATE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type, at)
        VALUES (NEW.id, 'scheduled'::procrastinate_job_event_type, NEW.scheduled_at);

	RETURN NEW;
END;
$$;

CREATE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'deferred'::procrastinate_job_event_type);
	RETURN NEW;
END;
$$;

CREATE FUNCTION public.procrastinate_trigger_function_status_events_update_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH t AS (
        SELECT CASE
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND NEW.status = 'doing'::procrastinate_job_status
                THEN 'started'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'deferred_for_retry'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'failed'::procrastinate_job_status
                THEN 'failed'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'succeeded'::procrastinate_job_status
                THEN 'succeeded'::procrastinate_job_event_type
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND (
                    NEW.status = 'cancelled'::procrastinate_job_status
                    OR NEW.status = 'failed'::procrastinate_job_status
                    OR NEW.status = 'succeeded'::procrastinate_job_status
                )
                THEN 'cancelled'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'aborted'::procrastinate_job_status
                THEN 'aborted'::procrastinate_job_event_type
            WHEN OLD.status = 'failed'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'retried'::procrastinate_job_event_type
            ELSE NULL
        END as event_type
    )
    INSERT INTO procrastinate_events(job_id, type)
        SELECT NEW.id, t.event_type
        FROM t
        WHERE t.event_type IS NOT NULL;
	RETURN NEW;
END;
$$;

CREATE FUNCTION public.procrastinate_unlink_periodic_defers_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_periodic_defers
    SET job_id = NULL
    WHERE job_id = OLD.id;
    RETURN OLD;
END;
$$;

CREATE FUNCTION public.procrastinate_unregister_worker_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE id = worker_id;
END;
$$;

CREATE FUNCTION public.procrastinate_update_heartbeat_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_workers
    SET last_heartbeat = NOW()
    WHERE id = worker_id;
END;
$$;

CREATE FUNCTION public.remove_records(wanted uuid) RETURNS TABLE(entries bigint, requests bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        WITH closed AS (
            SELECT id FROM gatepost_workspace w WHERE w.id = wanted AND w.closed_at IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM gatepost_member m WHERE m.workspace_id = w.id)
        ),
        audit AS (DELETE FROM gatepost_auditentry WHERE workspace_id IN (SELECT id FROM closed) RETURNING 1),
        ledger AS (DELETE FROM gatepost_ledgerrow WHERE workspace_id IN (SELECT id FROM closed) RETURNING 1)
        SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM ledger)
    $$;

CREATE FUNCTION public.renew_subscription(wanted text, moment timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ UPDATE gatepost_subscription SET renew_at = moment WHERE microsoft_id = wanted AND renew_at > moment $$;

CREATE FUNCTION public.saved_views_due(moment timestamp with time zone) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, id FROM gatepost_savedview WHERE mail_due_at <= moment $$;

CREATE FUNCTION public.subscription_of(wanted text) RETURNS TABLE(workspace_id uuid, mailbox_id uuid, wakes text, secret_index text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT workspace_id, mailbox_id, wakes, secret_index FROM gatepost_subscription WHERE microsoft_id = wanted $$;

CREATE FUNCTION public.tally_changed_enrolment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN 
        INSERT INTO gatepost_tally (id, workspace_id, sequence_id, counted, enrolled, running, replied, met, bounced, sent)
        SELECT gen_random_uuid(), workspace_id, sequence_id, false, sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)
        FROM (
    SELECT workspace_id, sequence_id, sign, 1, (state IN ('active', 'paused'))::int, (cause = 'reply')::int, (cause = 'meeting')::int, (cause = 'bounce')::int, 0 FROM (VALUES
        (OLD.workspace_id, OLD.sequence_id, OLD.state, OLD.cause, -1), (NEW.workspace_id, NEW.sequence_id, NEW.state, NEW.cause, 1)
    ) AS one (workspace_id, sequence_id, state, cause, sign)
) AS changed (workspace_id, sequence_id, sign, enrolled, running, replied, met, bounced, sent)
        GROUP BY workspace_id, sequence_id HAVING (sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
    ; RETURN NULL; END $$;

CREATE FUNCTION public.tally_changed_mail() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN 
        INSERT INTO gatepost_tally (id, workspace_id, sequence_id, counted, enrolled, running, replied, met, bounced, sent)
        SELECT gen_random_uuid(), workspace_id, sequence_id, false, sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)
        FROM (SELECT OLD.workspace_id, OLD.sequence_id, -1, 0, 0, 0, 0, 0, 1 WHERE (OLD.state IN ('accepted', 'confirmed') AND OLD.reply_id IS NULL) UNION ALL SELECT NEW.workspace_id, NEW.sequence_id, 1, 0, 0, 0, 0, 0, 1 WHERE (NEW.state IN ('accepted', 'confirmed') AND NEW.reply_id IS NULL)) AS changed (workspace_id, sequence_id, sign, enrolled, running, replied, met, bounced, sent)
        GROUP BY workspace_id, sequence_id HAVING (sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
    ; RETURN NULL; END $$;

CREATE FUNCTION public.tally_gone_enrolments() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN 
        INSERT INTO gatepost_tally (id, workspace_id, sequence_id, counted, enrolled, running, replied, met, bounced, sent)
        SELECT gen_random_uuid(), workspace_id, sequence_id, false, sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)
        FROM (SELECT workspace_id, sequence_id, -1, 1, (state IN ('active', 'paused'))::int, (cause = 'reply')::int, (cause = 'meeting')::int, (cause = 'bounce')::int, 0 FROM many) AS changed (workspace_id, sequence_id, sign, enrolled, running, replied, met, bounced, sent)
        GROUP BY workspace_id, sequence_id HAVING (sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
    ; RETURN NULL; END $$;

CREATE FUNCTION public.tally_gone_mails() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN 
        INSERT INTO gatepost_tally (id, workspace_id, sequence_id, counted, enrolled, running, replied, met, bounced, sent)
        SELECT gen_random_uuid(), workspace_id, sequence_id, false, sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)
        FROM (
    SELECT workspace_id, sequence_id, -1, 0, 0, 0, 0, 0, 1 FROM many
    WHERE (many.state IN ('accepted', 'confirmed') AND many.reply_id IS NULL)
) AS changed (workspace_id, sequence_id, sign, enrolled, running, replied, met, bounced, sent)
        GROUP BY workspace_id, sequence_id HAVING (sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
    ; RETURN NULL; END $$;

CREATE FUNCTION public.tally_new_enrolments() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN 
        INSERT INTO gatepost_tally (id, workspace_id, sequence_id, counted, enrolled, running, replied, met, bounced, sent)
        SELECT gen_random_uuid(), workspace_id, sequence_id, false, sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)
        FROM (SELECT workspace_id, sequence_id, 1, 1, (state IN ('active', 'paused'))::int, (cause = 'reply')::int, (cause = 'meeting')::int, (cause = 'bounce')::int, 0 FROM many) AS changed (workspace_id, sequence_id, sign, enrolled, running, replied, met, bounced, sent)
        GROUP BY workspace_id, sequence_id HAVING (sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
    ; RETURN NULL; END $$;

CREATE FUNCTION public.tally_new_mail() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN 
        INSERT INTO gatepost_tally (id, workspace_id, sequence_id, counted, enrolled, running, replied, met, bounced, sent)
        SELECT gen_random_uuid(), workspace_id, sequence_id, false, sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)
        FROM (SELECT NEW.workspace_id, NEW.sequence_id, 1, 0, 0, 0, 0, 0, 1 WHERE true) AS changed (workspace_id, sequence_id, sign, enrolled, running, replied, met, bounced, sent)
        GROUP BY workspace_id, sequence_id HAVING (sum(sign * enrolled), sum(sign * running), sum(sign * replied), sum(sign * met), sum(sign * bounced), sum(sign * sent)) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
    ; RETURN NULL; END $$;

CREATE FUNCTION public.tenant_left_at(tenant uuid, since timestamp with time zone, nth integer) RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        SELECT o.left_at FROM gatepost_mailbox m JOIN gatepost_message o ON o.mailbox_id = m.id
        WHERE m.microsoft_tenant = tenant AND o.left_at >= since
        ORDER BY o.left_at DESC OFFSET nth - 1 LIMIT 1
    $$;

CREATE FUNCTION public.token_of(wanted text) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        SELECT t.workspace_id, t.id FROM gatepost_apitoken t JOIN gatepost_member m ON m.id = t.member_id
        WHERE t.token_index = wanted AND t.revoked_at IS NULL AND m.removed_at IS NULL
    $$;

CREATE FUNCTION public.wake_mailboxes(wanted uuid[], what text, moment timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        UPDATE gatepost_mailbox SET
            sync_due_at = CASE WHEN what = 'mail' THEN moment ELSE sync_due_at END,
            calendar_due_at = CASE WHEN what = 'calendar' THEN moment ELSE calendar_due_at END
        WHERE id = ANY (wanted) AND state = 'connected';
        UPDATE gatepost_subscription SET notified_at = moment
        WHERE mailbox_id = ANY (wanted) AND wakes = what
          AND (notified_at IS NULL OR notified_at < moment - interval '1 minute')
    $$;

CREATE FUNCTION public.workspace_ids() RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT id AS workspace_id, id FROM gatepost_workspace ORDER BY created_at
     $$;

CREATE FUNCTION public.workspaces_of_user(wanted uuid) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ 
        SELECT workspace_id, id FROM gatepost_member WHERE user_id = wanted ORDER BY created_at
     $$;

CREATE FUNCTION public.workspaces_to_chain(upto bigint) RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        SELECT w.id, w.id FROM gatepost_workspace w,
        LATERAL (
            SELECT coalesce((
                SELECT l.through FROM gatepost_link l WHERE l.workspace_id = w.id ORDER BY l.position DESC LIMIT 1
            ), 0) AS through
        ) last
        WHERE EXISTS (
            SELECT 1 FROM gatepost_auditentry r
            WHERE r.workspace_id = w.id AND r.number > last.through AND r.number <= upto
        ) OR EXISTS (
            SELECT 1 FROM gatepost_ledgerrow r
            WHERE r.workspace_id = w.id AND r.number > last.through AND r.number <= upto
        )
    $$;

CREATE FUNCTION public.workspaces_with_reads() RETURNS TABLE(workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        SELECT w.id, w.id FROM gatepost_workspace w
        WHERE EXISTS (
            SELECT 1 FROM gatepost_auditentry r
            WHERE r.workspace_id = w.id AND r.number > w.watched_through
            AND r.tag = 'content:read' AND r.actor_kind IN ('member', 'token')
        )
    $$;

CREATE TABLE public.account_emailaddress (
    id integer NOT NULL,
    email character varying(254) NOT NULL,
    verified boolean NOT NULL,
    "primary" boolean NOT NULL,
    user_id uuid NOT NULL
);

ALTER TABLE public.account_emailaddress ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.account_emailaddress_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.account_emailconfirmation (
    id integer NOT NULL,
    created timestamp with time zone NOT NULL,
    sent timestamp with time zone,
    key character varying(64) NOT NULL,
    email_address_id integer NOT NULL
);

ALTER TABLE public.account_emailconfirmation ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.account_emailconfirmation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);

ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);

ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);

ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_cache (
    cache_key character varying(255) NOT NULL,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);

CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);

ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);

CREATE TABLE public.gatepost_absence (
    id uuid NOT NULL,
    first_local_date date NOT NULL,
    last_local_date date NOT NULL,
    created_at timestamp with time zone NOT NULL,
    member_id uuid NOT NULL,
    stand_in_id uuid,
    workspace_id uuid NOT NULL,
    CONSTRAINT absence_ends_after_it_begins CHECK ((last_local_date >= first_local_date))
);

CREATE TABLE public.gatepost_alert (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    cause character varying(10) NOT NULL,
    reason character varying(200) NOT NULL,
    key character varying(32) NOT NULL,
    reader_id uuid NOT NULL,
    texts integer NOT NULL,
    mailbox_ids uuid[] NOT NULL,
    member_id uuid NOT NULL,
    token_id uuid,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_alert_texts_check CHECK ((texts >= 0))
);

CREATE TABLE public.gatepost_anchor (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    "position" bigint NOT NULL,
    said text NOT NULL
);

CREATE TABLE public.gatepost_apitoken (
    id uuid NOT NULL,
    name character varying(100) NOT NULL,
    token_index character varying(32) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    member_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE SEQUENCE public.gatepost_record_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.gatepost_auditentry (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_kind character varying(16) NOT NULL,
    actor_id character varying(64) NOT NULL,
    tag character varying(64) NOT NULL,
    subject_id uuid,
    mailbox_id uuid,
    detail jsonb NOT NULL,
    number bigint DEFAULT 
CASE
    WHEN (pg_current_xact_id() IS NOT NULL) THEN nextval('public.gatepost_record_number'::regclass)
    ELSE NULL::bigint
END NOT NULL
);

CREATE TABLE public.gatepost_brief (
    id uuid NOT NULL,
    text bytea,
    written_at timestamp with time zone NOT NULL,
    content_hash character varying(64) NOT NULL,
    facts_hash character varying(32) NOT NULL,
    event_id character varying(255) NOT NULL,
    event_hash character varying(64) NOT NULL,
    mailbox_id uuid NOT NULL,
    meeting_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_brieftime (
    id uuid NOT NULL,
    by character varying(8) NOT NULL,
    day character varying(6) NOT NULL,
    local_time time without time zone NOT NULL,
    due_at timestamp with time zone,
    member_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_calendarcount (
    id uuid NOT NULL,
    local_date date NOT NULL,
    without_contact integer NOT NULL,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_calendarcount_without_contact_check CHECK ((without_contact >= 0))
);

CREATE TABLE public.gatepost_company (
    id uuid NOT NULL,
    name bytea,
    identity_index character varying(33) NOT NULL,
    hold_until timestamp with time zone,
    workspace_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL
);

CREATE TABLE public.gatepost_connectattempt (
    id uuid NOT NULL,
    scopes character varying(64)[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    outcome character varying(16) NOT NULL,
    problem character varying(40) NOT NULL,
    mailbox_id uuid,
    member_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    send_only boolean NOT NULL,
    left_at timestamp with time zone NOT NULL,
    again_id uuid,
    account bytea,
    page_token bytea,
    page_index character varying(32),
    approval_reported_at timestamp with time zone,
    approvals_reported integer NOT NULL,
    CONSTRAINT gatepost_connectattempt_approvals_reported_check CHECK ((approvals_reported >= 0))
);

CREATE TABLE public.gatepost_connection (
    id uuid NOT NULL,
    refresh_token bytea,
    previous_refresh_token bytea,
    access_token bytea,
    access_token_expires_at timestamp with time zone,
    refreshing_until timestamp with time zone,
    refreshed_at timestamp with time zone,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    claims text NOT NULL,
    refusals integer NOT NULL,
    refused_since timestamp with time zone,
    CONSTRAINT gatepost_connection_refusals_check CHECK ((refusals >= 0))
);

CREATE TABLE public.gatepost_contact (
    id uuid NOT NULL,
    email bytea,
    email_index character varying(33) NOT NULL,
    first_name bytea,
    last_name bytea,
    title bytea,
    phone bytea,
    fields bytea,
    time_zone character varying(64) NOT NULL,
    country character varying(2) NOT NULL,
    source character varying(100) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    search_indexes character varying(33)[] NOT NULL,
    company_id uuid,
    workspace_id uuid NOT NULL,
    imported_id uuid,
    owner_id uuid,
    stage character varying(10) DEFAULT 'new'::character varying NOT NULL,
    cool_off_until timestamp with time zone,
    domain_index character varying(33) DEFAULT ''::character varying NOT NULL
);

CREATE TABLE public.gatepost_contactfield (
    id uuid NOT NULL,
    name character varying(60) NOT NULL,
    label character varying(60) NOT NULL,
    kind character varying(8) NOT NULL,
    choices character varying(60)[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_contactimport (
    id uuid NOT NULL,
    file_name character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    encoding character varying(20) NOT NULL,
    columns character varying(60)[] NOT NULL,
    added integer NOT NULL,
    updated integer NOT NULL,
    unchanged integer NOT NULL,
    problems jsonb NOT NULL,
    rejected_rows bytea,
    member_id uuid,
    workspace_id uuid NOT NULL,
    at_line integer DEFAULT 0 NOT NULL,
    delimiter character varying(1) DEFAULT ','::character varying NOT NULL,
    ended_at timestamp with time zone,
    lines integer DEFAULT 0 NOT NULL,
    mapping jsonb DEFAULT '[]'::jsonb NOT NULL,
    rejected integer DEFAULT 0 NOT NULL,
    rows integer DEFAULT 0 NOT NULL,
    state character varying(10) DEFAULT 'done'::character varying NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    what character varying(12) DEFAULT 'contacts'::character varying NOT NULL,
    CONSTRAINT gatepost_contactimport_added_check CHECK ((added >= 0)),
    CONSTRAINT gatepost_contactimport_at_line_check CHECK ((at_line >= 0)),
    CONSTRAINT gatepost_contactimport_lines_check CHECK ((lines >= 0)),
    CONSTRAINT gatepost_contactimport_rejected_check CHECK ((rejected >= 0)),
    CONSTRAINT gatepost_contactimport_rows_check CHECK ((rows >= 0)),
    CONSTRAINT gatepost_contactimport_tries_check CHECK ((tries >= 0)),
    CONSTRAINT gatepost_contactimport_unchanged_check CHECK ((unchanged >= 0)),
    CONSTRAINT gatepost_contactimport_updated_check CHECK ((updated >= 0))
);

CREATE TABLE public.gatepost_conversation (
    id uuid NOT NULL,
    label character varying(24) NOT NULL,
    unread boolean NOT NULL,
    done boolean NOT NULL,
    last_reply_at timestamp with time zone NOT NULL,
    contact_id uuid NOT NULL,
    enrolment_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    assigned_to_id uuid,
    snoozed_until timestamp with time zone,
    urgency smallint DEFAULT 0 NOT NULL,
    CONSTRAINT gatepost_conversation_urgency_check CHECK ((urgency >= 0))
);

CREATE TABLE public.gatepost_correction (
    id uuid NOT NULL,
    before character varying(24) NOT NULL,
    after character varying(24) NOT NULL,
    made_at timestamp with time zone NOT NULL,
    mailbox_id uuid NOT NULL,
    member_id uuid,
    reply_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_countedweek (
    id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_cover (
    id uuid NOT NULL,
    now_key bigint,
    next_key bigint,
    slices smallint NOT NULL,
    changing_since timestamp with time zone,
    CONSTRAINT cover_moves_once_announced CHECK ((((changing_since IS NOT NULL) AND (next_key IS NOT NULL)) OR ((changing_since IS NULL) AND (slices = 0)))),
    CONSTRAINT gatepost_cover_slices_check CHECK ((slices >= 0))
);

CREATE TABLE public.gatepost_departure (
    id uuid NOT NULL,
    state_index character varying(32) NOT NULL,
    session_index character varying(32) NOT NULL,
    flow bytea,
    quiet boolean NOT NULL,
    left_at timestamp with time zone NOT NULL,
    claimed boolean NOT NULL,
    attempt_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_domaincheck (
    id uuid NOT NULL,
    domain character varying(253) NOT NULL,
    looked_at timestamp with time zone NOT NULL,
    findings jsonb NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_dropcount (
    id uuid NOT NULL,
    local_date date NOT NULL,
    reason character varying(40) NOT NULL,
    count integer NOT NULL,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_dropcount_count_check CHECK ((count >= 0))
);

CREATE TABLE public.gatepost_enrolment (
    id uuid NOT NULL,
    state character varying(10) NOT NULL,
    cause character varying(12) NOT NULL,
    reason character varying(200) NOT NULL,
    next_position smallint NOT NULL,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    contact_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    sequence_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    edition integer NOT NULL,
    last_skipped boolean NOT NULL,
    last_variant uuid,
    stepped_at timestamp with time zone,
    CONSTRAINT gatepost_enrolment_edition_check CHECK ((edition >= 0)),
    CONSTRAINT gatepost_enrolment_next_position_check CHECK ((next_position >= 0))
);

CREATE TABLE public.gatepost_erasure (
    id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    subject_id uuid NOT NULL,
    ordered_at timestamp with time zone NOT NULL,
    ordered_by character varying(80) NOT NULL,
    keys character varying(60)[] NOT NULL,
    keys_destroyed_at timestamp with time zone,
    counts jsonb NOT NULL,
    left_at_microsoft character varying(16)[] NOT NULL,
    began_at timestamp with time zone,
    finished_at timestamp with time zone,
    receipt text NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_folder (
    id uuid NOT NULL,
    name character varying(64) NOT NULL,
    "position" text NOT NULL,
    walking boolean NOT NULL,
    anchored_at timestamp with time zone NOT NULL,
    synced_at timestamp with time zone,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    microsoft_id character varying(255),
    left_out character varying(60) DEFAULT ''::character varying NOT NULL,
    told integer DEFAULT 0 NOT NULL,
    total integer,
    unread integer,
    changed_at timestamp with time zone,
    CONSTRAINT gatepost_folder_told_check CHECK ((told >= 0)),
    CONSTRAINT gatepost_folder_total_check CHECK ((total >= 0)),
    CONSTRAINT gatepost_folder_unread_check CHECK ((unread >= 0))
);

CREATE TABLE public.gatepost_gap (
    id uuid NOT NULL,
    cause character varying(16) NOT NULL,
    code character varying(60) NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    mail_read_at timestamp with time zone,
    calendar_read_at timestamp with time zone,
    resumed_at timestamp with time zone,
    replies integer NOT NULL,
    bounces integer NOT NULL,
    meetings integer NOT NULL,
    waiting_steps integer NOT NULL,
    last_step_due_at timestamp with time zone,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_gap_bounces_check CHECK ((bounces >= 0)),
    CONSTRAINT gatepost_gap_meetings_check CHECK ((meetings >= 0)),
    CONSTRAINT gatepost_gap_replies_check CHECK ((replies >= 0)),
    CONSTRAINT gatepost_gap_waiting_steps_check CHECK ((waiting_steps >= 0))
);

CREATE TABLE public.gatepost_guest (
    id uuid NOT NULL,
    match character varying(14) NOT NULL,
    answer character varying(20) NOT NULL,
    contact_id uuid NOT NULL,
    enrolment_id uuid,
    meeting_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_importpart (
    id uuid NOT NULL,
    kind character varying(8) NOT NULL,
    number integer NOT NULL,
    content bytea,
    imported_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_importpart_number_check CHECK ((number >= 0))
);

CREATE TABLE public.gatepost_installation (
    id smallint NOT NULL,
    instance uuid NOT NULL,
    beat bigint NOT NULL,
    beat_at timestamp with time zone,
    started_at_beat bigint NOT NULL,
    mark character varying(120) NOT NULL,
    CONSTRAINT gatepost_installation_beat_check CHECK ((beat >= 0)),
    CONSTRAINT gatepost_installation_id_check CHECK ((id >= 0)),
    CONSTRAINT gatepost_installation_started_at_beat_check CHECK ((started_at_beat >= 0)),
    CONSTRAINT one_installation CHECK ((id = 1))
);

CREATE TABLE public.gatepost_invitation (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    address bytea,
    address_index character varying(33) NOT NULL,
    role character varying(10) NOT NULL,
    invited_by_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    issue integer NOT NULL,
    mailed boolean NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT gatepost_invitation_issue_check CHECK ((issue >= 0))
);

CREATE TABLE public.gatepost_keptfigures (
    id uuid NOT NULL,
    week_local_date date NOT NULL,
    sequence_id uuid NOT NULL,
    step_id uuid,
    sent integer NOT NULL,
    confirmed integer NOT NULL,
    bounced integer NOT NULL,
    replied integer NOT NULL,
    interested integer NOT NULL,
    unsure integer NOT NULL,
    opted_out integer NOT NULL,
    meetings integer NOT NULL,
    erasure_id uuid,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_keptfigures_bounced_check CHECK ((bounced >= 0)),
    CONSTRAINT gatepost_keptfigures_confirmed_check CHECK ((confirmed >= 0)),
    CONSTRAINT gatepost_keptfigures_interested_check CHECK ((interested >= 0)),
    CONSTRAINT gatepost_keptfigures_meetings_check CHECK ((meetings >= 0)),
    CONSTRAINT gatepost_keptfigures_opted_out_check CHECK ((opted_out >= 0)),
    CONSTRAINT gatepost_keptfigures_replied_check CHECK ((replied >= 0)),
    CONSTRAINT gatepost_keptfigures_sent_check CHECK ((sent >= 0)),
    CONSTRAINT gatepost_keptfigures_unsure_check CHECK ((unsure >= 0))
);

CREATE TABLE public.gatepost_labelrule (
    id uuid NOT NULL,
    label character varying(24) NOT NULL,
    course character varying(8) NOT NULL,
    task boolean NOT NULL,
    suppress boolean NOT NULL,
    cool_off_days smallint NOT NULL,
    hold_company boolean NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_labelrule_cool_off_days_check CHECK ((cool_off_days >= 0))
);

CREATE TABLE public.gatepost_latechange (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_ledgerrow (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    shape character varying(48) NOT NULL,
    item_hash character varying(32) NOT NULL,
    client_request_id uuid NOT NULL,
    status integer NOT NULL,
    bytes integer NOT NULL,
    milliseconds double precision NOT NULL,
    reason character varying(80) NOT NULL,
    number bigint DEFAULT 
CASE
    WHEN (pg_current_xact_id() IS NOT NULL) THEN nextval('public.gatepost_record_number'::regclass)
    ELSE NULL::bigint
END NOT NULL
);

CREATE TABLE public.gatepost_link (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    "position" bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    through bigint NOT NULL,
    records integer NOT NULL,
    prints bytea NOT NULL,
    previous character varying(64) NOT NULL,
    hash character varying(64) NOT NULL,
    mark character varying(32) NOT NULL
);

CREATE TABLE public.gatepost_mailbox (
    id uuid NOT NULL,
    microsoft_tenant uuid NOT NULL,
    microsoft_object uuid NOT NULL,
    identity_index character varying(32) NOT NULL,
    address bytea,
    address_index character varying(33) NOT NULL,
    name bytea,
    own_address_indexes character varying(33)[] NOT NULL,
    domain_indexes character varying(33)[] NOT NULL,
    time_zone character varying(64) NOT NULL,
    state character varying(20) NOT NULL,
    state_reason character varying(200) NOT NULL,
    scopes character varying(64)[] NOT NULL,
    connected_at timestamp with time zone NOT NULL,
    read_through timestamp with time zone,
    sync_due_at timestamp with time zone,
    calendar_due_at timestamp with time zone,
    sync_problem character varying(200) NOT NULL,
    references_in_delta boolean,
    not_before timestamp with time zone,
    sending_not_before timestamp with time zone,
    daily_limit integer NOT NULL,
    gap_seconds integer NOT NULL,
    last_sent_at timestamp with time zone,
    signature text NOT NULL,
    briefs_on_calendar boolean NOT NULL,
    member_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    aliases bytea,
    send_only boolean NOT NULL,
    outreach_only boolean NOT NULL,
    clean_up_until timestamp with time zone,
    disconnected_at timestamp with time zone,
    drafts_removed_at timestamp with time zone,
    is_being_erased boolean NOT NULL,
    left_at_microsoft character varying(16)[] NOT NULL,
    calendar_problem character varying(60) NOT NULL,
    calendar_read_through timestamp with time zone,
    health_told character varying(24) NOT NULL,
    paused_at timestamp with time zone,
    problem_code character varying(60) NOT NULL,
    problem_since timestamp with time zone,
    problem_who character varying(10) NOT NULL,
    state_code character varying(40) NOT NULL,
    state_since timestamp with time zone,
    tell_at timestamp with time zone,
    last_number bigint NOT NULL,
    compared_at_beat bigint NOT NULL,
    hourly_limit integer,
    longest_gap_seconds integer NOT NULL,
    slow_start_at timestamp with time zone,
    slow_start_days smallint NOT NULL,
    postal_address text DEFAULT ''::text NOT NULL,
    sends_as bytea,
    signature_html text DEFAULT ''::text NOT NULL,
    swept_since timestamp with time zone,
    sweeping_since timestamp with time zone,
    CONSTRAINT gatepost_mailbox_compared_at_beat_check CHECK ((compared_at_beat >= 0)),
    CONSTRAINT gatepost_mailbox_daily_limit_check CHECK ((daily_limit >= 0)),
    CONSTRAINT gatepost_mailbox_gap_seconds_check CHECK ((gap_seconds >= 0)),
    CONSTRAINT gatepost_mailbox_hourly_limit_check CHECK ((hourly_limit >= 0)),
    CONSTRAINT gatepost_mailbox_last_number_check CHECK ((last_number >= 0)),
    CONSTRAINT gatepost_mailbox_longest_gap_seconds_check CHECK ((longest_gap_seconds >= 0)),
    CONSTRAINT gatepost_mailbox_slow_start_days_check CHECK ((slow_start_days >= 0))
);

CREATE TABLE public.gatepost_meeting (
    id uuid NOT NULL,
    step_id uuid,
    graph_id character varying(255) NOT NULL,
    ical_uid_index character varying(33) NOT NULL,
    change_key character varying(100) NOT NULL,
    subject bytea,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    booked_by_contact boolean NOT NULL,
    state character varying(10) NOT NULL,
    found_at timestamp with time zone NOT NULL,
    contact_id uuid NOT NULL,
    enrolment_id uuid,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    asks boolean DEFAULT false NOT NULL,
    attributed_by_hand boolean DEFAULT false NOT NULL,
    booked_at timestamp with time zone,
    booked_by character varying(14) DEFAULT 'contact'::character varying NOT NULL,
    brief_on_calendar boolean DEFAULT true NOT NULL,
    counts boolean DEFAULT true NOT NULL,
    first_local_date date,
    in_series boolean DEFAULT false NOT NULL,
    is_private boolean DEFAULT false NOT NULL,
    last_local_date date,
    match character varying(14) DEFAULT 'address'::character varying NOT NULL,
    message_id uuid,
    noted_at timestamp with time zone,
    notes bytea,
    rung character varying(12) DEFAULT 'on_calendar'::character varying NOT NULL,
    series_index character varying(33) DEFAULT ''::character varying NOT NULL
);

CREATE TABLE public.gatepost_member (
    id uuid NOT NULL,
    role character varying(10) NOT NULL,
    name character varying(100) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    user_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    removed_at timestamp with time zone
);

CREATE TABLE public.gatepost_message (
    id uuid NOT NULL,
    enrolment_id uuid NOT NULL,
    sequence_id uuid NOT NULL,
    step_id uuid NOT NULL,
    variant_id uuid,
    "position" smallint NOT NULL,
    key character varying(32) NOT NULL,
    state character varying(10) NOT NULL,
    reason character varying(200) NOT NULL,
    subject bytea,
    body bytea,
    content_hash character varying(64) NOT NULL,
    graph_id character varying(255) NOT NULL,
    change_key character varying(100) NOT NULL,
    internet_message_id bytea,
    internet_message_index character varying(33) NOT NULL,
    conversation_index character varying(33) NOT NULL,
    attempts smallint NOT NULL,
    looks smallint NOT NULL,
    not_before timestamp with time zone,
    planned_at timestamp with time zone NOT NULL,
    drafted_at timestamp with time zone,
    sending_at timestamp with time zone,
    accepted_at timestamp with time zone,
    confirmed_at timestamp with time zone,
    bounced_at timestamp with time zone,
    contact_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    previous_id uuid,
    workspace_id uuid NOT NULL,
    guard character varying(32) NOT NULL,
    number bigint NOT NULL,
    route character varying(10) NOT NULL,
    revision integer NOT NULL,
    draft_hash character varying(64) NOT NULL,
    sweep_at timestamp with time zone,
    hurry smallint NOT NULL,
    left_at timestamp with time zone GENERATED ALWAYS AS (
CASE
    WHEN ((state)::text = ANY ((ARRAY['sending'::character varying, 'accepted'::character varying, 'confirmed'::character varying, 'held'::character varying])::text[])) THEN COALESCE(accepted_at, sending_at)
    ELSE NULL::timestamp with time zone
END) STORED,
    postponed_until timestamp with time zone,
    html bytea,
    answers_graph_id character varying(255) DEFAULT ''::character varying NOT NULL,
    reply_id uuid,
    CONSTRAINT gatepost_message_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT gatepost_message_hurry_check CHECK ((hurry >= 0)),
    CONSTRAINT gatepost_message_looks_check CHECK ((looks >= 0)),
    CONSTRAINT gatepost_message_number_check CHECK ((number >= 0)),
    CONSTRAINT gatepost_message_position_check CHECK (("position" >= 0)),
    CONSTRAINT gatepost_message_revision_check CHECK ((revision >= 0)),
    CONSTRAINT what_is_confirmed_was_seen CHECK (((NOT ((state)::text = 'confirmed'::text)) OR (confirmed_at IS NOT NULL))),
    CONSTRAINT what_left_was_accepted CHECK (((NOT ((state)::text = ANY ((ARRAY['accepted'::character varying, 'confirmed'::character varying])::text[]))) OR (accepted_at IS NOT NULL)))
);

CREATE TABLE public.gatepost_notice (
    id uuid NOT NULL,
    kind character varying(16) NOT NULL,
    about character varying(60) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone,
    gap_id uuid,
    mailbox_id uuid,
    member_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_otheraddress (
    id uuid NOT NULL,
    address_index character varying(33) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    contact_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_probe (
    id uuid NOT NULL,
    name character varying(16) NOT NULL,
    outcome character varying(10) NOT NULL,
    code character varying(60) NOT NULL,
    who character varying(10) NOT NULL,
    tried_at timestamp with time zone NOT NULL,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_promise (
    id uuid NOT NULL,
    due_local_date date NOT NULL,
    "precision" character varying(8) NOT NULL,
    quote bytea,
    done boolean NOT NULL,
    conversation_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    reply_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_quarantine (
    id uuid NOT NULL,
    graph_id character varying(255) NOT NULL,
    internet_message_index character varying(33) NOT NULL,
    message_id uuid NOT NULL,
    received_at timestamp with time zone NOT NULL,
    decided character varying(8) NOT NULL,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_recovery (
    id uuid NOT NULL,
    began_at timestamp with time zone NOT NULL,
    reason character varying(200) NOT NULL,
    copied boolean NOT NULL,
    known_until timestamp with time zone NOT NULL,
    at_beat bigint NOT NULL,
    go_at timestamp with time zone,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_recovery_at_beat_check CHECK ((at_beat >= 0))
);

CREATE TABLE public.gatepost_registration (
    id character varying(32) NOT NULL,
    refused_code character varying(40) NOT NULL,
    refused_since timestamp with time zone,
    try_again_at timestamp with time zone,
    alarmed_at timestamp with time zone,
    warned_days integer,
    CONSTRAINT gatepost_registration_warned_days_check CHECK ((warned_days >= 0))
);

CREATE TABLE public.gatepost_reply (
    id uuid NOT NULL,
    graph_id character varying(255) NOT NULL,
    internet_message_index character varying(33) NOT NULL,
    received_at timestamp with time zone NOT NULL,
    sender bytea,
    someone_else boolean NOT NULL,
    subject bytea,
    text bytea,
    label character varying(24) NOT NULL,
    labels character varying(24)[] NOT NULL,
    score double precision NOT NULL,
    evidence bytea,
    return_local_date date,
    return_precision character varying(8) NOT NULL,
    third_party bytea,
    bounce character varying(8) NOT NULL,
    version character varying(40) NOT NULL,
    corrected_from character varying(24) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    conversation_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    message_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    followed jsonb DEFAULT '[]'::jsonb NOT NULL,
    cut boolean DEFAULT false NOT NULL,
    sequence_id uuid,
    step_id uuid,
    variant_id uuid,
    mailed_at timestamp with time zone
);

CREATE TABLE public.gatepost_rung (
    id uuid NOT NULL,
    rung character varying(12) NOT NULL,
    reason character varying(200) NOT NULL,
    at timestamp with time zone NOT NULL,
    meeting_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_savedview (
    id uuid NOT NULL,
    name character varying(60) NOT NULL,
    address character varying(500) NOT NULL,
    mail_due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    member_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_sequence (
    id uuid NOT NULL,
    name character varying(120) NOT NULL,
    state character varying(10) NOT NULL,
    "window" jsonb NOT NULL,
    time_zone character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    member_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    absence_buffer_days smallint NOT NULL,
    bill_since timestamp with time zone,
    bounce_limit smallint NOT NULL,
    complaint_limit smallint NOT NULL,
    cool_off_days smallint NOT NULL,
    edition integer NOT NULL,
    hold_company_days smallint NOT NULL,
    pause_reason character varying(200) NOT NULL,
    skips_holidays boolean NOT NULL,
    spintax boolean DEFAULT false NOT NULL,
    CONSTRAINT gatepost_sequence_absence_buffer_days_check CHECK ((absence_buffer_days >= 0)),
    CONSTRAINT gatepost_sequence_bounce_limit_check CHECK ((bounce_limit >= 0)),
    CONSTRAINT gatepost_sequence_complaint_limit_check CHECK ((complaint_limit >= 0)),
    CONSTRAINT gatepost_sequence_cool_off_days_check CHECK ((cool_off_days >= 0)),
    CONSTRAINT gatepost_sequence_edition_check CHECK ((edition >= 0)),
    CONSTRAINT gatepost_sequence_hold_company_days_check CHECK ((hold_company_days >= 0))
);

CREATE TABLE public.gatepost_snippet (
    id uuid NOT NULL,
    name character varying(40) NOT NULL,
    body bytea,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_step (
    id uuid NOT NULL,
    "position" smallint NOT NULL,
    delay_minutes integer NOT NULL,
    sequence_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    business_days smallint NOT NULL,
    conditions character varying(16)[] NOT NULL,
    edition integer NOT NULL,
    kind character varying(10) NOT NULL,
    task_days smallint NOT NULL,
    CONSTRAINT gatepost_step_business_days_check CHECK ((business_days >= 0)),
    CONSTRAINT gatepost_step_delay_minutes_check CHECK ((delay_minutes >= 0)),
    CONSTRAINT gatepost_step_edition_check CHECK ((edition >= 0)),
    CONSTRAINT gatepost_step_position_check CHECK (("position" >= 0)),
    CONSTRAINT gatepost_step_task_days_check CHECK ((task_days >= 0))
);

CREATE TABLE public.gatepost_stray (
    id uuid NOT NULL,
    key character varying(32) NOT NULL,
    guard character varying(32) NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_subscription (
    id uuid NOT NULL,
    microsoft_id character varying(64),
    problem character varying(200) NOT NULL,
    resource character varying(100) NOT NULL,
    wakes character varying(16) NOT NULL,
    secret_index character varying(32) NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    renew_at timestamp with time zone NOT NULL,
    mailbox_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    notified_at timestamp with time zone
);

CREATE TABLE public.gatepost_suppression (
    id uuid NOT NULL,
    kind character varying(8) NOT NULL,
    index character varying(33) NOT NULL,
    cause character varying(16) NOT NULL,
    source character varying(100) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    lifted_at timestamp with time zone,
    workspace_id uuid NOT NULL,
    value bytea
);

CREATE TABLE public.gatepost_tally (
    id uuid NOT NULL,
    sequence_id uuid NOT NULL,
    counted boolean NOT NULL,
    enrolled integer NOT NULL,
    running integer NOT NULL,
    replied integer NOT NULL,
    met integer NOT NULL,
    bounced integer NOT NULL,
    sent integer NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.gatepost_task (
    id uuid NOT NULL,
    "position" smallint NOT NULL,
    state character varying(10) NOT NULL,
    reason character varying(200) NOT NULL,
    subject bytea,
    body bytea,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    contact_id uuid NOT NULL,
    enrolment_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    step_id uuid,
    workspace_id uuid NOT NULL,
    due_at timestamp with time zone,
    kind character varying(10) NOT NULL,
    variant_id uuid,
    CONSTRAINT gatepost_task_position_check CHECK (("position" >= 0))
);

CREATE TABLE public.gatepost_user (
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    is_superuser boolean NOT NULL,
    id uuid NOT NULL,
    email character varying(254) NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamp with time zone NOT NULL
);

CREATE TABLE public.gatepost_user_groups (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    group_id integer NOT NULL
);

ALTER TABLE public.gatepost_user_groups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.gatepost_user_groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.gatepost_user_user_permissions (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    permission_id integer NOT NULL
);

ALTER TABLE public.gatepost_user_user_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.gatepost_user_user_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.gatepost_variant (
    id uuid NOT NULL,
    subject bytea,
    body bytea,
    weight smallint NOT NULL,
    step_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_variant_weight_check CHECK ((weight >= 0))
);

CREATE TABLE public.gatepost_weekcount (
    id uuid NOT NULL,
    sequence_id uuid NOT NULL,
    step_id uuid NOT NULL,
    variant_id uuid,
    planned integer NOT NULL,
    sent integer NOT NULL,
    confirmed integer NOT NULL,
    bounced integer NOT NULL,
    came_back integer NOT NULL,
    mailbox_id uuid,
    week_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT gatepost_weekcount_bounced_check CHECK ((bounced >= 0)),
    CONSTRAINT gatepost_weekcount_came_back_check CHECK ((came_back >= 0)),
    CONSTRAINT gatepost_weekcount_confirmed_check CHECK ((confirmed >= 0)),
    CONSTRAINT gatepost_weekcount_planned_check CHECK ((planned >= 0)),
    CONSTRAINT gatepost_weekcount_sent_check CHECK ((sent >= 0))
);

CREATE TABLE public.gatepost_workspace (
    id uuid NOT NULL,
    name character varying(100) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    time_zone character varying(64) NOT NULL,
    internal_domains jsonb NOT NULL,
    features character varying(40)[] NOT NULL,
    mailbox_domains character varying(253)[] NOT NULL,
    mailbox_tenants character varying(36)[] NOT NULL,
    sender_domains character varying(253)[] NOT NULL,
    only_outreach_mailboxes boolean NOT NULL,
    closed_at timestamp with time zone,
    retention jsonb NOT NULL,
    retention_due_at timestamp with time zone,
    sign_in_requires character varying(16) NOT NULL,
    sign_in_tenants jsonb NOT NULL,
    company_daily_limit integer,
    daily_limit integer,
    tenant_daily_limit integer NOT NULL,
    usual_access jsonb NOT NULL,
    watched_through bigint NOT NULL,
    CONSTRAINT gatepost_workspace_company_daily_limit_check CHECK ((company_daily_limit >= 0)),
    CONSTRAINT gatepost_workspace_daily_limit_check CHECK ((daily_limit >= 0)),
    CONSTRAINT gatepost_workspace_tenant_daily_limit_check CHECK ((tenant_daily_limit >= 0))
);

CREATE TABLE public.mfa_authenticator (
    id bigint NOT NULL,
    type character varying(20) NOT NULL,
    data jsonb NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone
);

ALTER TABLE public.mfa_authenticator ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.mfa_authenticator_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.procrastinate_events (
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    type public.procrastinate_job_event_type,
    at timestamp with time zone DEFAULT now()
);

CREATE SEQUENCE public.procrastinate_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.procrastinate_events_id_seq OWNED BY public.procrastinate_events.id;

CREATE SEQUENCE public.procrastinate_jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.procrastinate_jobs_id_seq OWNED BY public.procrastinate_jobs.id;

CREATE TABLE public.procrastinate_periodic_defers (
    id bigint NOT NULL,
    task_name character varying(128) NOT NULL,
    defer_timestamp bigint,
    job_id bigint,
    periodic_id character varying(128) DEFAULT ''::character varying NOT NULL
);

CREATE SEQUENCE public.procrastinate_periodic_defers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.procrastinate_periodic_defers_id_seq OWNED BY public.procrastinate_periodic_defers.id;

CREATE TABLE public.procrastinate_workers (
    id bigint NOT NULL,
    last_heartbeat timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.procrastinate_workers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.procrastinate_workers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.socialaccount_socialaccount (
    id integer NOT NULL,
    provider character varying(200) NOT NULL,
    uid character varying(191) NOT NULL,
    last_login timestamp with time zone NOT NULL,
    date_joined timestamp with time zone NOT NULL,
    extra_data jsonb NOT NULL,
    user_id uuid NOT NULL
);

ALTER TABLE public.socialaccount_socialaccount ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.socialaccount_socialaccount_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.socialaccount_socialapp (
    id integer NOT NULL,
    provider character varying(30) NOT NULL,
    name character varying(40) NOT NULL,
    client_id character varying(191) NOT NULL,
    secret character varying(191) NOT NULL,
    key character varying(191) NOT NULL,
    provider_id character varying(200) NOT NULL,
    settings jsonb NOT NULL
);

ALTER TABLE public.socialaccount_socialapp ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.socialaccount_socialapp_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.socialaccount_socialtoken (
    id integer NOT NULL,
    token text NOT NULL,
    token_secret text NOT NULL,
    expires_at timestamp with time zone,
    account_id integer NOT NULL,
    app_id integer
);

ALTER TABLE public.socialaccount_socialtoken ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.socialaccount_socialtoken_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.usersessions_usersession (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ip inet NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    session_key character varying(40) NOT NULL,
    user_agent character varying(200) NOT NULL,
    data jsonb NOT NULL,
    user_id uuid NOT NULL
);

ALTER TABLE public.usersessions_usersession ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.usersessions_usersession_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.procrastinate_events ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_events_id_seq'::regclass);

ALTER TABLE ONLY public.procrastinate_jobs ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_jobs_id_seq'::regclass);

ALTER TABLE ONLY public.procrastinate_periodic_defers ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_periodic_defers_id_seq'::regclass);

ALTER TABLE ONLY public.account_emailaddress
    ADD CONSTRAINT account_emailaddress_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.account_emailaddress
    ADD CONSTRAINT account_emailaddress_user_id_email_987c8728_uniq UNIQUE (user_id, email);

ALTER TABLE ONLY public.account_emailconfirmation
    ADD CONSTRAINT account_emailconfirmation_key_key UNIQUE (key);

ALTER TABLE ONLY public.account_emailconfirmation
    ADD CONSTRAINT account_emailconfirmation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_cache
    ADD CONSTRAINT django_cache_pkey PRIMARY KEY (cache_key);

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);

ALTER TABLE ONLY public.gatepost_absence
    ADD CONSTRAINT gatepost_absence_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_alert
    ADD CONSTRAINT gatepost_alert_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_anchor
    ADD CONSTRAINT gatepost_anchor_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_apitoken
    ADD CONSTRAINT gatepost_apitoken_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_apitoken
    ADD CONSTRAINT gatepost_apitoken_token_index_key UNIQUE (token_index);

ALTER TABLE ONLY public.gatepost_auditentry
    ADD CONSTRAINT gatepost_auditentry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_brief
    ADD CONSTRAINT gatepost_brief_meeting_id_key UNIQUE (meeting_id);

ALTER TABLE ONLY public.gatepost_brief
    ADD CONSTRAINT gatepost_brief_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_brieftime
    ADD CONSTRAINT gatepost_brieftime_member_id_key UNIQUE (member_id);

ALTER TABLE ONLY public.gatepost_brieftime
    ADD CONSTRAINT gatepost_brieftime_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_calendarcount
    ADD CONSTRAINT gatepost_calendarcount_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_company
    ADD CONSTRAINT gatepost_company_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_connectattempt
    ADD CONSTRAINT gatepost_connectattempt_page_index_key UNIQUE (page_index);

ALTER TABLE ONLY public.gatepost_connectattempt
    ADD CONSTRAINT gatepost_connectattempt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_connection
    ADD CONSTRAINT gatepost_connection_mailbox_id_key UNIQUE (mailbox_id);

ALTER TABLE ONLY public.gatepost_connection
    ADD CONSTRAINT gatepost_connection_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_contact
    ADD CONSTRAINT gatepost_contact_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_contactfield
    ADD CONSTRAINT gatepost_contactfield_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_contactimport
    ADD CONSTRAINT gatepost_contactimport_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_conversation
    ADD CONSTRAINT gatepost_conversation_enrolment_id_key UNIQUE (enrolment_id);

ALTER TABLE ONLY public.gatepost_conversation
    ADD CONSTRAINT gatepost_conversation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_correction
    ADD CONSTRAINT gatepost_correction_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_countedweek
    ADD CONSTRAINT gatepost_countedweek_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_cover
    ADD CONSTRAINT gatepost_cover_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_departure
    ADD CONSTRAINT gatepost_departure_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_departure
    ADD CONSTRAINT gatepost_departure_state_index_key UNIQUE (state_index);

ALTER TABLE ONLY public.gatepost_domaincheck
    ADD CONSTRAINT gatepost_domaincheck_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_dropcount
    ADD CONSTRAINT gatepost_dropcount_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_enrolment
    ADD CONSTRAINT gatepost_enrolment_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_erasure
    ADD CONSTRAINT gatepost_erasure_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_folder
    ADD CONSTRAINT gatepost_folder_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_gap
    ADD CONSTRAINT gatepost_gap_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_guest
    ADD CONSTRAINT gatepost_guest_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_importpart
    ADD CONSTRAINT gatepost_importpart_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_installation
    ADD CONSTRAINT gatepost_installation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_invitation
    ADD CONSTRAINT gatepost_invitation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_keptfigures
    ADD CONSTRAINT gatepost_keptfigures_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_labelrule
    ADD CONSTRAINT gatepost_labelrule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_latechange
    ADD CONSTRAINT gatepost_latechange_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_ledgerrow
    ADD CONSTRAINT gatepost_ledgerrow_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_link
    ADD CONSTRAINT gatepost_link_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_mailbox
    ADD CONSTRAINT gatepost_mailbox_identity_index_key UNIQUE (identity_index);

ALTER TABLE ONLY public.gatepost_mailbox
    ADD CONSTRAINT gatepost_mailbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_meeting
    ADD CONSTRAINT gatepost_meeting_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_member
    ADD CONSTRAINT gatepost_member_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_message
    ADD CONSTRAINT gatepost_message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_notice
    ADD CONSTRAINT gatepost_notice_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_otheraddress
    ADD CONSTRAINT gatepost_otheraddress_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_probe
    ADD CONSTRAINT gatepost_probe_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_promise
    ADD CONSTRAINT gatepost_promise_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_promise
    ADD CONSTRAINT gatepost_promise_reply_id_key UNIQUE (reply_id);

ALTER TABLE ONLY public.gatepost_quarantine
    ADD CONSTRAINT gatepost_quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_recovery
    ADD CONSTRAINT gatepost_recovery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_registration
    ADD CONSTRAINT gatepost_registration_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_reply
    ADD CONSTRAINT gatepost_reply_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_rung
    ADD CONSTRAINT gatepost_rung_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_savedview
    ADD CONSTRAINT gatepost_savedview_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_sequence
    ADD CONSTRAINT gatepost_sequence_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_snippet
    ADD CONSTRAINT gatepost_snippet_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_step
    ADD CONSTRAINT gatepost_step_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_stray
    ADD CONSTRAINT gatepost_stray_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_subscription
    ADD CONSTRAINT gatepost_subscription_microsoft_id_key UNIQUE (microsoft_id);

ALTER TABLE ONLY public.gatepost_subscription
    ADD CONSTRAINT gatepost_subscription_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_suppression
    ADD CONSTRAINT gatepost_suppression_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_tally
    ADD CONSTRAINT gatepost_tally_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_task
    ADD CONSTRAINT gatepost_task_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_user
    ADD CONSTRAINT gatepost_user_email_key UNIQUE (email);

ALTER TABLE ONLY public.gatepost_user_groups
    ADD CONSTRAINT gatepost_user_groups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_user_groups
    ADD CONSTRAINT gatepost_user_groups_user_id_group_id_f1cb5e87_uniq UNIQUE (user_id, group_id);

ALTER TABLE ONLY public.gatepost_user
    ADD CONSTRAINT gatepost_user_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_user_user_permissions
    ADD CONSTRAINT gatepost_user_user_permi_user_id_permission_id_609cd78a_uniq UNIQUE (user_id, permission_id);

ALTER TABLE ONLY public.gatepost_user_user_permissions
    ADD CONSTRAINT gatepost_user_user_permissions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_variant
    ADD CONSTRAINT gatepost_variant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_weekcount
    ADD CONSTRAINT gatepost_weekcount_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_workspace
    ADD CONSTRAINT gatepost_workspace_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mfa_authenticator
    ADD CONSTRAINT mfa_authenticator_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gatepost_alert
    ADD CONSTRAINT one_alert_of_a_kind UNIQUE (workspace_id, cause, reader_id, key);

ALTER TABLE ONLY public.gatepost_calendarcount
    ADD CONSTRAINT one_calendar_count_a_day UNIQUE (mailbox_id, local_date);

ALTER TABLE ONLY public.gatepost_domaincheck
    ADD CONSTRAINT one_check_per_domain UNIQUE (workspace_id, domain);

ALTER TABLE ONLY public.gatepost_company
    ADD CONSTRAINT one_company UNIQUE (workspace_id, identity_index);

ALTER TABLE ONLY public.gatepost_contact
    ADD CONSTRAINT one_contact_per_address UNIQUE (workspace_id, email_index);

ALTER TABLE ONLY public.gatepost_otheraddress
    ADD CONSTRAINT one_contact_per_other_address UNIQUE (workspace_id, address_index);

ALTER TABLE ONLY public.gatepost_dropcount
    ADD CONSTRAINT one_count_a_day UNIQUE (mailbox_id, local_date, reason);

ALTER TABLE ONLY public.gatepost_countedweek
    ADD CONSTRAINT one_count_of_a_week UNIQUE (workspace_id, starts_at);

ALTER TABLE ONLY public.gatepost_erasure
    ADD CONSTRAINT one_erasure_of_a_thing UNIQUE (kind, subject_id);

ALTER TABLE ONLY public.gatepost_contactfield
    ADD CONSTRAINT one_field_per_name UNIQUE (workspace_id, name);

ALTER TABLE ONLY public.gatepost_link
    ADD CONSTRAINT one_link_at_a_place UNIQUE (workspace_id, "position");

ALTER TABLE ONLY public.gatepost_member
    ADD CONSTRAINT one_membership UNIQUE (workspace_id, user_id);

ALTER TABLE ONLY public.gatepost_message
    ADD CONSTRAINT one_message_per_key UNIQUE (key);

ALTER TABLE ONLY public.gatepost_importpart
    ADD CONSTRAINT one_part UNIQUE (imported_id, kind, number);

ALTER TABLE ONLY public.gatepost_quarantine
    ADD CONSTRAINT one_quarantine_row UNIQUE (mailbox_id, internet_message_index);

ALTER TABLE ONLY public.gatepost_folder
    ADD CONSTRAINT one_row_per_folder UNIQUE (mailbox_id, microsoft_id);

ALTER TABLE ONLY public.gatepost_meeting
    ADD CONSTRAINT one_row_per_meeting UNIQUE (mailbox_id, ical_uid_index);

ALTER TABLE ONLY public.gatepost_probe
    ADD CONSTRAINT one_row_per_probe UNIQUE (mailbox_id, name);

ALTER TABLE ONLY public.gatepost_reply
    ADD CONSTRAINT one_row_per_reply UNIQUE (mailbox_id, internet_message_index);

ALTER TABLE ONLY public.gatepost_stray
    ADD CONSTRAINT one_row_per_stray UNIQUE (mailbox_id, key);

ALTER TABLE ONLY public.gatepost_labelrule
    ADD CONSTRAINT one_rule_per_label UNIQUE (workspace_id, label);

ALTER TABLE ONLY public.gatepost_snippet
    ADD CONSTRAINT one_snippet_per_name UNIQUE (workspace_id, name);

ALTER TABLE ONLY public.gatepost_step
    ADD CONSTRAINT one_step_per_edition_and_position UNIQUE (sequence_id, edition, "position");

ALTER TABLE ONLY public.gatepost_subscription
    ADD CONSTRAINT one_subscription_per_resource UNIQUE (mailbox_id, resource);

ALTER TABLE ONLY public.gatepost_task
    ADD CONSTRAINT one_task_per_enrolment_and_position UNIQUE (enrolment_id, "position");

ALTER TABLE ONLY public.gatepost_savedview
    ADD CONSTRAINT one_view_per_name UNIQUE (member_id, name);

ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_unique UNIQUE (task_name, periodic_id, defer_timestamp);

ALTER TABLE ONLY public.procrastinate_workers
    ADD CONSTRAINT procrastinate_workers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.socialaccount_socialaccount
    ADD CONSTRAINT socialaccount_socialaccount_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.socialaccount_socialaccount
    ADD CONSTRAINT socialaccount_socialaccount_provider_uid_fc810c6e_uniq UNIQUE (provider, uid);

ALTER TABLE ONLY public.socialaccount_socialapp
    ADD CONSTRAINT socialaccount_socialapp_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.socialaccount_socialtoken
    ADD CONSTRAINT socialaccount_socialtoken_app_id_account_id_fca4e0ac_uniq UNIQUE (app_id, account_id);

ALTER TABLE ONLY public.socialaccount_socialtoken
    ADD CONSTRAINT socialaccount_socialtoken_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.usersessions_usersession
    ADD CONSTRAINT usersessions_usersession_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.usersessions_usersession
    ADD CONSTRAINT usersessions_usersession_session_key_key UNIQUE (session_key);

CREATE INDEX account_emailaddress_email_03be32b2 ON public.account_emailaddress USING btree (email);

CREATE INDEX account_emailaddress_email_03be32b2_like ON public.account_emailaddress USING btree (email varchar_pattern_ops);

CREATE INDEX account_emailaddress_user_id_2c513194 ON public.account_emailaddress USING btree (user_id);

CREATE INDEX account_emailconfirmation_email_address_id_5b7f8c58 ON public.account_emailconfirmation USING btree (email_address_id);

CREATE INDEX account_emailconfirmation_key_f43612bd_like ON public.account_emailconfirmation USING btree (key varchar_pattern_ops);

CREATE INDEX alert_of_workspace ON public.gatepost_alert USING btree (workspace_id, at DESC);

CREATE INDEX anchor_of_workspace ON public.gatepost_anchor USING btree (workspace_id, at DESC);

CREATE INDEX audit_of_content ON public.gatepost_auditentry USING btree (workspace_id, at DESC, id DESC) WHERE ((tag)::text = 'content:read'::text);

CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);

CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);

CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);

CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);

CREATE INDEX contact_by_domain ON public.gatepost_contact USING btree (workspace_id, domain_index);

CREATE INDEX contact_by_owner ON public.gatepost_contact USING btree (owner_id, created_at DESC);

CREATE INDEX contact_company ON public.gatepost_contact USING btree (workspace_id) INCLUDE (id, company_id);

CREATE INDEX contact_search ON public.gatepost_contact USING gin (search_indexes);

CREATE INDEX conversation_open ON public.gatepost_conversation USING btree (workspace_id, urgency, last_reply_at DESC, id DESC) WHERE ((NOT done) AND (snoozed_until IS NULL));

CREATE INDEX conversation_open_by_label ON public.gatepost_conversation USING btree (workspace_id, label, last_reply_at DESC) WHERE ((NOT done) AND (snoozed_until IS NULL));

CREATE INDEX conversation_snoozed ON public.gatepost_conversation USING btree (snoozed_until) WHERE (snoozed_until IS NOT NULL);

CREATE INDEX django_cache_expires ON public.django_cache USING btree (expires);

CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);

CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);

CREATE INDEX enrolment_counted ON public.gatepost_enrolment USING btree (sequence_id, state) INCLUDE (cause, workspace_id);

CREATE INDEX enrolment_due ON public.gatepost_enrolment USING btree (due_at) WHERE ((state)::text = 'active'::text);

CREATE INDEX enrolment_due_of_mailbox ON public.gatepost_enrolment USING btree (mailbox_id, state, due_at);

CREATE INDEX enrolment_of_sequence ON public.gatepost_enrolment USING btree (sequence_id, created_at DESC, id DESC);

CREATE INDEX erasure_unfinished ON public.gatepost_erasure USING btree (id) WHERE (finished_at IS NULL);

CREATE INDEX gatepost_ab_member__efa448_idx ON public.gatepost_absence USING btree (member_id, last_local_date);

CREATE INDEX gatepost_absence_member_id_7c645bab ON public.gatepost_absence USING btree (member_id);

CREATE INDEX gatepost_absence_stand_in_id_e3324d49 ON public.gatepost_absence USING btree (stand_in_id);

CREATE INDEX gatepost_absence_workspace_id_4f950193 ON public.gatepost_absence USING btree (workspace_id);

CREATE INDEX gatepost_alert_member_id_8de389dd ON public.gatepost_alert USING btree (member_id);

CREATE INDEX gatepost_alert_token_id_ab584c55 ON public.gatepost_alert USING btree (token_id);

CREATE INDEX gatepost_alert_workspace_id_872499c4 ON public.gatepost_alert USING btree (workspace_id);

CREATE INDEX gatepost_apitoken_member_id_56b468b5 ON public.gatepost_apitoken USING btree (member_id);

CREATE INDEX gatepost_apitoken_token_index_631033c7_like ON public.gatepost_apitoken USING btree (token_index varchar_pattern_ops);

CREATE INDEX gatepost_apitoken_workspace_id_3958cb23 ON public.gatepost_apitoken USING btree (workspace_id);

CREATE INDEX gatepost_au_workspa_15ad5a_idx ON public.gatepost_auditentry USING btree (workspace_id, subject_id, at DESC);

CREATE INDEX gatepost_au_workspa_442afc_idx ON public.gatepost_auditentry USING btree (workspace_id, mailbox_id, at DESC);

CREATE INDEX gatepost_au_workspa_e0eefc_idx ON public.gatepost_auditentry USING btree (workspace_id, at DESC);

CREATE INDEX gatepost_auditentry_number ON public.gatepost_auditentry USING btree (workspace_id, number);

CREATE INDEX gatepost_auditentry_reader ON public.gatepost_auditentry USING btree (workspace_id, actor_id, at) WHERE (((tag)::text = 'content:read'::text) AND ((actor_kind)::text = ANY ((ARRAY['member'::character varying, 'token'::character varying])::text[])));

CREATE INDEX gatepost_auditentry_reads ON public.gatepost_auditentry USING btree (workspace_id, number) WHERE (((tag)::text = 'content:read'::text) AND ((actor_kind)::text = ANY ((ARRAY['member'::character varying, 'token'::character varying])::text[])));

CREATE INDEX gatepost_brief_mailbox_id_6f2e3d3b ON public.gatepost_brief USING btree (mailbox_id);

CREATE INDEX gatepost_brief_workspace_id_f8415e29 ON public.gatepost_brief USING btree (workspace_id);

CREATE INDEX gatepost_brieftime_due_at_75a9cec2 ON public.gatepost_brieftime USING btree (due_at);

CREATE INDEX gatepost_brieftime_workspace_id_3693de9d ON public.gatepost_brieftime USING btree (workspace_id);

CREATE INDEX gatepost_calendarcount_mailbox_id_57deafa1 ON public.gatepost_calendarcount USING btree (mailbox_id);

CREATE INDEX gatepost_calendarcount_workspace_id_0c2314b9 ON public.gatepost_calendarcount USING btree (workspace_id);

CREATE INDEX gatepost_co_workspa_2f3db0_idx ON public.gatepost_contact USING btree (workspace_id, created_at DESC);

CREATE INDEX gatepost_co_workspa_afd614_idx ON public.gatepost_conversation USING btree (workspace_id, done, last_reply_at DESC);

CREATE INDEX gatepost_company_workspace_id_c43c0e77 ON public.gatepost_company USING btree (workspace_id);

CREATE INDEX gatepost_connectattempt_again_id_08da0adf ON public.gatepost_connectattempt USING btree (again_id);

CREATE INDEX gatepost_connectattempt_mailbox_id_830e704d ON public.gatepost_connectattempt USING btree (mailbox_id);

CREATE INDEX gatepost_connectattempt_member_id_df97e3f5 ON public.gatepost_connectattempt USING btree (member_id);

CREATE INDEX gatepost_connectattempt_page_index_ee89c09d_like ON public.gatepost_connectattempt USING btree (page_index varchar_pattern_ops);

CREATE INDEX gatepost_connectattempt_workspace_id_d25f86c0 ON public.gatepost_connectattempt USING btree (workspace_id);

CREATE INDEX gatepost_connection_workspace_id_99ac8452 ON public.gatepost_connection USING btree (workspace_id);

CREATE INDEX gatepost_contact_company_id_db2e6818 ON public.gatepost_contact USING btree (company_id);

CREATE INDEX gatepost_contact_imported_id_44da5c02 ON public.gatepost_contact USING btree (imported_id);

CREATE INDEX gatepost_contact_owner_id_9259a91b ON public.gatepost_contact USING btree (owner_id);

CREATE INDEX gatepost_contact_workspace_id_5e47265e ON public.gatepost_contact USING btree (workspace_id);

CREATE INDEX gatepost_contactfield_workspace_id_e0d56b67 ON public.gatepost_contactfield USING btree (workspace_id);

CREATE INDEX gatepost_contactimport_member_id_04b974f2 ON public.gatepost_contactimport USING btree (member_id);

CREATE INDEX gatepost_contactimport_workspace_id_8da75c90 ON public.gatepost_contactimport USING btree (workspace_id);

CREATE INDEX gatepost_conversation_assigned_to_id_8b1a71bc ON public.gatepost_conversation USING btree (assigned_to_id);

CREATE INDEX gatepost_conversation_contact_id_ab274949 ON public.gatepost_conversation USING btree (contact_id);

CREATE INDEX gatepost_conversation_mailbox_id_e838d9e8 ON public.gatepost_conversation USING btree (mailbox_id);

CREATE INDEX gatepost_conversation_workspace_id_b2732e5c ON public.gatepost_conversation USING btree (workspace_id);

CREATE INDEX gatepost_correction_mailbox_id_0dc96930 ON public.gatepost_correction USING btree (mailbox_id);

CREATE INDEX gatepost_correction_member_id_57811868 ON public.gatepost_correction USING btree (member_id);

CREATE INDEX gatepost_correction_reply_id_982b34c6 ON public.gatepost_correction USING btree (reply_id);

CREATE INDEX gatepost_correction_workspace_id_dcf3b156 ON public.gatepost_correction USING btree (workspace_id);

CREATE INDEX gatepost_countedweek_workspace_id_558727f5 ON public.gatepost_countedweek USING btree (workspace_id);

CREATE INDEX gatepost_departure_attempt_id_32e304d2 ON public.gatepost_departure USING btree (attempt_id);

CREATE INDEX gatepost_departure_state_index_a417719c_like ON public.gatepost_departure USING btree (state_index varchar_pattern_ops);

CREATE INDEX gatepost_departure_workspace_id_ebdc2caf ON public.gatepost_departure USING btree (workspace_id);

CREATE INDEX gatepost_domaincheck_workspace_id_23eee7ed ON public.gatepost_domaincheck USING btree (workspace_id);

CREATE INDEX gatepost_dropcount_mailbox_id_e8a3fe10 ON public.gatepost_dropcount USING btree (mailbox_id);

CREATE INDEX gatepost_dropcount_workspace_id_03d0d21f ON public.gatepost_dropcount USING btree (workspace_id);

CREATE INDEX gatepost_enrolment_contact_id_38947929 ON public.gatepost_enrolment USING btree (contact_id);

CREATE INDEX gatepost_enrolment_workspace_id_3d38e831 ON public.gatepost_enrolment USING btree (workspace_id);

CREATE INDEX gatepost_er_workspa_2c1a4d_idx ON public.gatepost_erasure USING btree (workspace_id, ordered_at DESC);

CREATE INDEX gatepost_erasure_workspace_id_22dc5a35 ON public.gatepost_erasure USING btree (workspace_id);

CREATE INDEX gatepost_folder_mailbox_id_00099024 ON public.gatepost_folder USING btree (mailbox_id);

CREATE INDEX gatepost_folder_workspace_id_76336218 ON public.gatepost_folder USING btree (workspace_id);

CREATE INDEX gatepost_ga_mailbox_25bac1_idx ON public.gatepost_gap USING btree (mailbox_id, ended_at DESC);

CREATE INDEX gatepost_gap_mailbox_id_f0952d4f ON public.gatepost_gap USING btree (mailbox_id);

CREATE INDEX gatepost_gap_workspace_id_5f0c2aa0 ON public.gatepost_gap USING btree (workspace_id);

CREATE INDEX gatepost_guest_contact_id_537c60c0 ON public.gatepost_guest USING btree (contact_id);

CREATE INDEX gatepost_guest_enrolment_id_b54cbb59 ON public.gatepost_guest USING btree (enrolment_id);

CREATE INDEX gatepost_guest_meeting_id_ce4bb10c ON public.gatepost_guest USING btree (meeting_id);

CREATE INDEX gatepost_guest_workspace_id_e9a30811 ON public.gatepost_guest USING btree (workspace_id);

CREATE INDEX gatepost_importpart_imported_id_380aed9d ON public.gatepost_importpart USING btree (imported_id);

CREATE INDEX gatepost_importpart_workspace_id_c4ae4221 ON public.gatepost_importpart USING btree (workspace_id);

CREATE INDEX gatepost_invitation_invited_by_id_042de527 ON public.gatepost_invitation USING btree (invited_by_id);

CREATE INDEX gatepost_invitation_workspace_id_9f8fc5ae ON public.gatepost_invitation USING btree (workspace_id);

CREATE INDEX gatepost_ke_workspa_218bc0_idx ON public.gatepost_keptfigures USING btree (workspace_id, week_local_date);

CREATE INDEX gatepost_keptfigures_erasure_id_c312d180 ON public.gatepost_keptfigures USING btree (erasure_id);

CREATE INDEX gatepost_keptfigures_workspace_id_8f5e3c50 ON public.gatepost_keptfigures USING btree (workspace_id);

CREATE INDEX gatepost_labelrule_workspace_id_8798810d ON public.gatepost_labelrule USING btree (workspace_id);

CREATE INDEX gatepost_latechange_workspace_id_7ce710f7 ON public.gatepost_latechange USING btree (workspace_id);

CREATE INDEX gatepost_le_workspa_cee253_idx ON public.gatepost_ledgerrow USING btree (workspace_id, mailbox_id, at DESC);

CREATE INDEX gatepost_ledgerrow_number ON public.gatepost_ledgerrow USING btree (workspace_id, number);

CREATE INDEX gatepost_mailbox_address_index_c968d145 ON public.gatepost_mailbox USING btree (address_index);

CREATE INDEX gatepost_mailbox_address_index_c968d145_like ON public.gatepost_mailbox USING btree (address_index varchar_pattern_ops);

CREATE INDEX gatepost_mailbox_calendar_due_at_0baf4803 ON public.gatepost_mailbox USING btree (calendar_due_at);

CREATE INDEX gatepost_mailbox_identity_index_4538c67d_like ON public.gatepost_mailbox USING btree (identity_index varchar_pattern_ops);

CREATE INDEX gatepost_mailbox_member_id_0ac86214 ON public.gatepost_mailbox USING btree (member_id);

CREATE INDEX gatepost_mailbox_sync_due_at_78156f40 ON public.gatepost_mailbox USING btree (sync_due_at);

CREATE INDEX gatepost_mailbox_tell_at_7efbcf30 ON public.gatepost_mailbox USING btree (tell_at);

CREATE INDEX gatepost_mailbox_workspace_id_474af989 ON public.gatepost_mailbox USING btree (workspace_id);

CREATE INDEX gatepost_me_mailbox_eb1f04_idx ON public.gatepost_message USING btree (mailbox_id, state, not_before);

CREATE INDEX gatepost_me_mailbox_f73fcd_idx ON public.gatepost_message USING btree (mailbox_id, conversation_index);

CREATE INDEX gatepost_me_workspa_79c911_idx ON public.gatepost_meeting USING btree (workspace_id, starts_at);

CREATE INDEX gatepost_me_workspa_bec7da_idx ON public.gatepost_message USING btree (workspace_id, internet_message_index);

CREATE INDEX gatepost_meeting_contact_id_774d58d7 ON public.gatepost_meeting USING btree (contact_id);

CREATE INDEX gatepost_meeting_enrolment_id_22569b36 ON public.gatepost_meeting USING btree (enrolment_id);

CREATE INDEX gatepost_meeting_mailbox_id_d302d97c ON public.gatepost_meeting USING btree (mailbox_id);

CREATE INDEX gatepost_meeting_message_id_73c8dc6c ON public.gatepost_meeting USING btree (message_id);

CREATE INDEX gatepost_meeting_workspace_id_39cb039a ON public.gatepost_meeting USING btree (workspace_id);

CREATE INDEX gatepost_member_user_id_005e661d ON public.gatepost_member USING btree (user_id);

CREATE INDEX gatepost_member_workspace_id_46054a75 ON public.gatepost_member USING btree (workspace_id);

CREATE INDEX gatepost_message_contact_id_aaeef8ee ON public.gatepost_message USING btree (contact_id);

CREATE INDEX gatepost_message_previous_id_12b2ac74 ON public.gatepost_message USING btree (previous_id);

CREATE INDEX gatepost_message_sequence_id_d8359ae7 ON public.gatepost_message USING btree (sequence_id);

CREATE INDEX gatepost_message_step_id_cf8586df ON public.gatepost_message USING btree (step_id);

CREATE INDEX gatepost_message_workspace_id_e9aed94a ON public.gatepost_message USING btree (workspace_id);

CREATE INDEX gatepost_no_member__45689f_idx ON public.gatepost_notice USING btree (member_id, seen_at);

CREATE INDEX gatepost_notice_gap_id_b8989437 ON public.gatepost_notice USING btree (gap_id);

CREATE INDEX gatepost_notice_mailbox_id_ef589e09 ON public.gatepost_notice USING btree (mailbox_id);

CREATE INDEX gatepost_notice_member_id_157985dc ON public.gatepost_notice USING btree (member_id);

CREATE INDEX gatepost_notice_workspace_id_3bfdaf04 ON public.gatepost_notice USING btree (workspace_id);

CREATE INDEX gatepost_otheraddress_contact_id_997da63b ON public.gatepost_otheraddress USING btree (contact_id);

CREATE INDEX gatepost_otheraddress_workspace_id_9b8ba76e ON public.gatepost_otheraddress USING btree (workspace_id);

CREATE INDEX gatepost_pr_workspa_c6343e_idx ON public.gatepost_promise USING btree (workspace_id, done, due_local_date);

CREATE INDEX gatepost_probe_mailbox_id_5b1cb2be ON public.gatepost_probe USING btree (mailbox_id);

CREATE INDEX gatepost_probe_workspace_id_7f916c5d ON public.gatepost_probe USING btree (workspace_id);

CREATE INDEX gatepost_promise_conversation_id_409e19c2 ON public.gatepost_promise USING btree (conversation_id);

CREATE INDEX gatepost_promise_mailbox_id_dc627d94 ON public.gatepost_promise USING btree (mailbox_id);

CREATE INDEX gatepost_promise_workspace_id_0f36849a ON public.gatepost_promise USING btree (workspace_id);

CREATE INDEX gatepost_quarantine_mailbox_id_fe416d5b ON public.gatepost_quarantine USING btree (mailbox_id);

CREATE INDEX gatepost_quarantine_workspace_id_8983b3b8 ON public.gatepost_quarantine USING btree (workspace_id);

CREATE INDEX gatepost_re_convers_eeb83a_idx ON public.gatepost_reply USING btree (conversation_id, received_at);

CREATE INDEX gatepost_re_workspa_ff4759_idx ON public.gatepost_reply USING btree (workspace_id, label);

CREATE INDEX gatepost_recovery_workspace_id_a530e3f0 ON public.gatepost_recovery USING btree (workspace_id);

CREATE INDEX gatepost_registration_id_8ae12cce_like ON public.gatepost_registration USING btree (id varchar_pattern_ops);

CREATE INDEX gatepost_reply_conversation_id_a86a66f4 ON public.gatepost_reply USING btree (conversation_id);

CREATE INDEX gatepost_reply_mailbox_id_6cc1e3e0 ON public.gatepost_reply USING btree (mailbox_id);

CREATE INDEX gatepost_reply_message_id_6fc2ac7c ON public.gatepost_reply USING btree (message_id);

CREATE INDEX gatepost_reply_workspace_id_e8ba5098 ON public.gatepost_reply USING btree (workspace_id);

CREATE INDEX gatepost_rung_meeting_id_300e1105 ON public.gatepost_rung USING btree (meeting_id);

CREATE INDEX gatepost_rung_workspace_id_56ce8a01 ON public.gatepost_rung USING btree (workspace_id);

CREATE INDEX gatepost_savedview_member_id_57dacf13 ON public.gatepost_savedview USING btree (member_id);

CREATE INDEX gatepost_savedview_workspace_id_4af16c9e ON public.gatepost_savedview USING btree (workspace_id);

CREATE INDEX gatepost_sequence_member_id_8092d277 ON public.gatepost_sequence USING btree (member_id);

CREATE INDEX gatepost_sequence_workspace_id_0d9ce5be ON public.gatepost_sequence USING btree (workspace_id);

CREATE INDEX gatepost_snippet_workspace_id_5e111582 ON public.gatepost_snippet USING btree (workspace_id);

CREATE INDEX gatepost_step_sequence_id_9ee8f9a0 ON public.gatepost_step USING btree (sequence_id);

CREATE INDEX gatepost_step_workspace_id_1c606354 ON public.gatepost_step USING btree (workspace_id);

CREATE INDEX gatepost_stray_guard_ac9b2b7c ON public.gatepost_stray USING btree (guard);

CREATE INDEX gatepost_stray_guard_ac9b2b7c_like ON public.gatepost_stray USING btree (guard varchar_pattern_ops);

CREATE INDEX gatepost_stray_mailbox_id_4d55cf22 ON public.gatepost_stray USING btree (mailbox_id);

CREATE INDEX gatepost_stray_workspace_id_43601f3b ON public.gatepost_stray USING btree (workspace_id);

CREATE INDEX gatepost_subscription_mailbox_id_39c713cf ON public.gatepost_subscription USING btree (mailbox_id);

CREATE INDEX gatepost_subscription_microsoft_id_d0d1ffc9_like ON public.gatepost_subscription USING btree (microsoft_id varchar_pattern_ops);

CREATE INDEX gatepost_subscription_renew_at_ea7007bf ON public.gatepost_subscription USING btree (renew_at);

CREATE INDEX gatepost_subscription_workspace_id_3b658da8 ON public.gatepost_subscription USING btree (workspace_id);

CREATE INDEX gatepost_suppression_workspace_id_80e61e0a ON public.gatepost_suppression USING btree (workspace_id);

CREATE INDEX gatepost_tally_workspace_id_20bf790f ON public.gatepost_tally USING btree (workspace_id);

CREATE INDEX gatepost_task_contact_id_056dc6f0 ON public.gatepost_task USING btree (contact_id);

CREATE INDEX gatepost_task_enrolment_id_6dc8f8b2 ON public.gatepost_task USING btree (enrolment_id);

CREATE INDEX gatepost_task_mailbox_id_01ea19dd ON public.gatepost_task USING btree (mailbox_id);

CREATE INDEX gatepost_task_step_id_8365c570 ON public.gatepost_task USING btree (step_id);

CREATE INDEX gatepost_task_workspace_id_5c023a35 ON public.gatepost_task USING btree (workspace_id);

CREATE INDEX gatepost_user_email_995e4b60_like ON public.gatepost_user USING btree (email varchar_pattern_ops);

CREATE INDEX gatepost_user_groups_group_id_b3d43273 ON public.gatepost_user_groups USING btree (group_id);

CREATE INDEX gatepost_user_groups_user_id_063f321c ON public.gatepost_user_groups USING btree (user_id);

CREATE INDEX gatepost_user_user_permissions_permission_id_1e93635c ON public.gatepost_user_user_permissions USING btree (permission_id);

CREATE INDEX gatepost_user_user_permissions_user_id_4914223b ON public.gatepost_user_user_permissions USING btree (user_id);

CREATE INDEX gatepost_variant_step_id_159b58fa ON public.gatepost_variant USING btree (step_id);

CREATE INDEX gatepost_variant_workspace_id_3e561c09 ON public.gatepost_variant USING btree (workspace_id);

CREATE INDEX gatepost_weekcount_mailbox_id_802b92e8 ON public.gatepost_weekcount USING btree (mailbox_id);

CREATE INDEX gatepost_weekcount_week_id_f277452b ON public.gatepost_weekcount USING btree (week_id);

CREATE INDEX gatepost_weekcount_workspace_id_ead0f9c4 ON public.gatepost_weekcount USING btree (workspace_id);

CREATE INDEX idx_procrastinate_jobs_worker_not_null ON public.procrastinate_jobs USING btree (worker_id) WHERE ((worker_id IS NOT NULL) AND (status = 'doing'::public.procrastinate_job_status));

CREATE INDEX idx_procrastinate_workers_last_heartbeat ON public.procrastinate_workers USING btree (last_heartbeat);

CREATE INDEX import_to_do ON public.gatepost_contactimport USING btree (state, created_at) WHERE ((state)::text = ANY ((ARRAY['uploaded'::character varying, 'checking'::character varying, 'checked'::character varying, 'running'::character varying])::text[]));

CREATE INDEX late_change_at ON public.gatepost_latechange USING btree (workspace_id, at);

CREATE INDEX meeting_by_mailbox ON public.gatepost_meeting USING btree (mailbox_id, ends_at);

CREATE INDEX meeting_by_series ON public.gatepost_meeting USING btree (workspace_id, series_index);

CREATE INDEX meeting_found ON public.gatepost_meeting USING btree (workspace_id, found_at);

CREATE INDEX message_bounced ON public.gatepost_message USING btree (workspace_id, bounced_at) INCLUDE (id, sequence_id, step_id, variant_id, mailbox_id, contact_id, reply_id) WHERE (bounced_at IS NOT NULL);

CREATE INDEX message_left_mailbox ON public.gatepost_message USING btree (mailbox_id, left_at) WHERE (left_at IS NOT NULL);

CREATE INDEX message_left_workspace ON public.gatepost_message USING btree (workspace_id, left_at) WHERE (left_at IS NOT NULL);

CREATE INDEX message_of_enrolment ON public.gatepost_message USING btree (enrolment_id) INCLUDE (workspace_id, step_id, variant_id, state, reply_id, accepted_at);

CREATE INDEX message_of_step_accepted ON public.gatepost_message USING btree (workspace_id, accepted_at) INCLUDE (id, state, bounced_at, sequence_id, step_id, variant_id, mailbox_id, contact_id, reply_id) WHERE (accepted_at IS NOT NULL);

CREATE INDEX message_of_step_left ON public.gatepost_message USING btree (workspace_id, sequence_id, step_id, variant_id) WHERE ((reply_id IS NULL) AND ((state)::text = ANY ((ARRAY['accepted'::character varying, 'confirmed'::character varying])::text[])));

CREATE INDEX message_open ON public.gatepost_message USING btree (not_before) WHERE ((state)::text = ANY ((ARRAY['planned'::character varying, 'drafted'::character varying, 'sending'::character varying, 'accepted'::character varying])::text[]));

CREATE INDEX message_planned ON public.gatepost_message USING btree (workspace_id, planned_at) INCLUDE (sequence_id, step_id, variant_id, mailbox_id, contact_id, reply_id);

CREATE INDEX message_to_sweep ON public.gatepost_message USING btree (sweep_at) WHERE (sweep_at IS NOT NULL);

CREATE INDEX mfa_authenticator_user_id_0c3a50c0 ON public.mfa_authenticator USING btree (user_id);

CREATE UNIQUE INDEX one_message_per_address_and_step ON public.gatepost_message USING btree (guard) WHERE (NOT ((state)::text = 'cancelled'::text));

CREATE UNIQUE INDEX one_open_invitation ON public.gatepost_invitation USING btree (workspace_id, address_index) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE UNIQUE INDEX one_open_recovery ON public.gatepost_recovery USING btree (workspace_id) WHERE (go_at IS NULL);

CREATE UNIQUE INDEX one_row_per_named_folder ON public.gatepost_folder USING btree (mailbox_id, name) WHERE (NOT ((name)::text = ''::text));

CREATE UNIQUE INDEX one_running_enrolment_per_contact ON public.gatepost_enrolment USING btree (workspace_id, contact_id) WHERE ((state)::text = ANY ((ARRAY['active'::character varying, 'paused'::character varying])::text[]));

CREATE UNIQUE INDEX one_suppression ON public.gatepost_suppression USING btree (workspace_id, kind, index) WHERE (lifted_at IS NULL);

CREATE INDEX procrastinate_events_job_id_fkey_v1 ON public.procrastinate_events USING btree (job_id);

CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON public.procrastinate_jobs USING btree (id, lock) WHERE (status = ANY (ARRAY['todo'::public.procrastinate_job_status, 'doing'::public.procrastinate_job_status]));

CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON public.procrastinate_jobs USING btree (lock) WHERE (status = 'doing'::public.procrastinate_job_status);

CREATE INDEX procrastinate_jobs_priority_idx_v1 ON public.procrastinate_jobs USING btree (priority DESC, id) WHERE (status = 'todo'::public.procrastinate_job_status);

CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON public.procrastinate_jobs USING btree (queue_name);

CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON public.procrastinate_jobs USING btree (queueing_lock) WHERE (status = 'todo'::public.procrastinate_job_status);

CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON public.procrastinate_periodic_defers USING btree (job_id);

CREATE INDEX reply_counted ON public.gatepost_reply USING btree (workspace_id, received_at) INCLUDE (id, label, conversation_id, mailbox_id, message_id, sequence_id, step_id, variant_id, mailed_at);

CREATE INDEX rung_of_meeting ON public.gatepost_rung USING btree (meeting_id, at);

CREATE INDEX socialaccount_socialaccount_user_id_8146e70c ON public.socialaccount_socialaccount USING btree (user_id);

CREATE INDEX socialaccount_socialtoken_account_id_951f210e ON public.socialaccount_socialtoken USING btree (account_id);

CREATE INDEX socialaccount_socialtoken_app_id_636a42d7 ON public.socialaccount_socialtoken USING btree (app_id);

CREATE INDEX tally_of_sequence ON public.gatepost_tally USING btree (sequence_id);

CREATE INDEX task_by_state ON public.gatepost_task USING btree (workspace_id, state, created_at);

CREATE INDEX task_ended ON public.gatepost_task USING btree (workspace_id, ended_at);

CREATE UNIQUE INDEX unique_authenticator_type ON public.mfa_authenticator USING btree (user_id, type) WHERE ((type)::text = ANY ((ARRAY['totp'::character varying, 'recovery_codes'::character varying])::text[]));

CREATE UNIQUE INDEX unique_primary_email ON public.account_emailaddress USING btree (user_id, "primary") WHERE "primary";

CREATE UNIQUE INDEX unique_verified_email ON public.account_emailaddress USING btree (email) WHERE verified;

CREATE INDEX usersessions_usersession_session_key_fd35de43_like ON public.usersessions_usersession USING btree (session_key varchar_pattern_ops);

CREATE INDEX usersessions_usersession_user_id_af5e0a6d ON public.usersessions_usersession USING btree (user_id);

CREATE INDEX view_to_mail ON public.gatepost_savedview USING btree (mail_due_at) WHERE (mail_due_at IS NOT NULL);

CREATE INDEX week_count_of_mailbox ON public.gatepost_weekcount USING btree (week_id, mailbox_id);

CREATE TRIGGER copy_answered_mail BEFORE INSERT OR UPDATE OF message_id, sequence_id, step_id, variant_id, mailed_at ON public.gatepost_reply FOR EACH ROW EXECUTE FUNCTION public.copy_answered_mail();

CREATE TRIGGER keep_to_the_protocol BEFORE UPDATE ON public.gatepost_message FOR EACH ROW EXECUTE FUNCTION public.keep_to_the_protocol();

CREATE TRIGGER note_late_delete AFTER DELETE ON public.gatepost_message FOR EACH ROW WHEN ((LEAST(old.planned_at, old.accepted_at, old.bounced_at) < (now() - '7 days'::interval))) EXECUTE FUNCTION public.note_late_change();

CREATE TRIGGER note_late_insert AFTER INSERT ON public.gatepost_message FOR EACH ROW WHEN ((LEAST(new.planned_at, new.accepted_at, new.bounced_at) < (now() - '7 days'::interval))) EXECUTE FUNCTION public.note_late_change();

CREATE TRIGGER note_late_update AFTER UPDATE ON public.gatepost_message FOR EACH ROW WHEN (((LEAST(old.planned_at, old.accepted_at, old.bounced_at, new.planned_at, new.accepted_at, new.bounced_at) < (now() - '7 days'::interval)) AND (((((((((old.planned_at IS DISTINCT FROM new.planned_at) OR (old.accepted_at IS DISTINCT FROM new.accepted_at)) OR (old.bounced_at IS DISTINCT FROM new.bounced_at)) OR ((old.state)::text IS DISTINCT FROM (new.state)::text)) OR (old.reply_id IS DISTINCT FROM new.reply_id)) OR (old.mailbox_id IS DISTINCT FROM new.mailbox_id)) OR (old.sequence_id IS DISTINCT FROM new.sequence_id)) OR (old.step_id IS DISTINCT FROM new.step_id)) OR (old.variant_id IS DISTINCT FROM new.variant_id)))) EXECUTE FUNCTION public.note_late_change();

CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN (((old.abort_requested = false) AND (new.abort_requested = true) AND (new.status = 'doing'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_notify_queue_abort_job_v1();

CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_notify_queue_job_inserted_v1();

CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.abort_requested = true)) EXECUTE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1();

CREATE TRIGGER procrastinate_trigger_delete_jobs_v1 BEFORE DELETE ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_unlink_periodic_defers_v1();

CREATE TRIGGER procrastinate_trigger_scheduled_events_v1 AFTER INSERT OR UPDATE ON public.procrastinate_jobs FOR EACH ROW WHEN (((new.scheduled_at IS NOT NULL) AND (new.status = 'todo'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1();

CREATE TRIGGER procrastinate_trigger_status_events_insert_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1();

CREATE TRIGGER procrastinate_trigger_status_events_update_v1 AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_update_v1();

CREATE TRIGGER tally_changed_enrolment AFTER UPDATE ON public.gatepost_enrolment FOR EACH ROW WHEN ((((old.sequence_id IS DISTINCT FROM new.sequence_id) OR ((old.state)::text IS DISTINCT FROM (new.state)::text)) OR ((old.cause)::text IS DISTINCT FROM (new.cause)::text))) EXECUTE FUNCTION public.tally_changed_enrolment();

CREATE TRIGGER tally_changed_mail AFTER UPDATE ON public.gatepost_message FOR EACH ROW WHEN (((old.sequence_id IS DISTINCT FROM new.sequence_id) OR ((((old.state)::text = ANY ((ARRAY['accepted'::character varying, 'confirmed'::character varying])::text[])) AND (old.reply_id IS NULL)) IS DISTINCT FROM (((new.state)::text = ANY ((ARRAY['accepted'::character varying, 'confirmed'::character varying])::text[])) AND (new.reply_id IS NULL))))) EXECUTE FUNCTION public.tally_changed_mail();

CREATE TRIGGER tally_gone_enrolments AFTER DELETE ON public.gatepost_enrolment REFERENCING OLD TABLE AS many FOR EACH STATEMENT EXECUTE FUNCTION public.tally_gone_enrolments();

CREATE TRIGGER tally_gone_mails AFTER DELETE ON public.gatepost_message REFERENCING OLD TABLE AS many FOR EACH STATEMENT EXECUTE FUNCTION public.tally_gone_mails();

CREATE TRIGGER tally_new_enrolments AFTER INSERT ON public.gatepost_enrolment REFERENCING NEW TABLE AS many FOR EACH STATEMENT EXECUTE FUNCTION public.tally_new_enrolments();

CREATE TRIGGER tally_new_mail AFTER INSERT ON public.gatepost_message FOR EACH ROW WHEN ((((new.state)::text = ANY ((ARRAY['accepted'::character varying, 'confirmed'::character varying])::text[])) AND (new.reply_id IS NULL))) EXECUTE FUNCTION public.tally_new_mail();

ALTER TABLE ONLY public.account_emailaddress
    ADD CONSTRAINT account_emailaddress_user_id_2c513194_fk_gatepost_user_id FOREIGN KEY (user_id) REFERENCES public.gatepost_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.account_emailconfirmation
    ADD CONSTRAINT account_emailconfirm_email_address_id_5b7f8c58_fk_account_e FOREIGN KEY (email_address_id) REFERENCES public.account_emailaddress(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_absence
    ADD CONSTRAINT gatepost_absence_member_id_7c645bab_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_absence
    ADD CONSTRAINT gatepost_absence_stand_in_id_e3324d49_fk_gatepost_mailbox_id FOREIGN KEY (stand_in_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_absence
    ADD CONSTRAINT gatepost_absence_workspace_id_4f950193_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_alert
    ADD CONSTRAINT gatepost_alert_member_id_8de389dd_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_alert
    ADD CONSTRAINT gatepost_alert_token_id_ab584c55_fk_gatepost_apitoken_id FOREIGN KEY (token_id) REFERENCES public.gatepost_apitoken(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_alert
    ADD CONSTRAINT gatepost_alert_workspace_id_872499c4_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_apitoken
    ADD CONSTRAINT gatepost_apitoken_member_id_56b468b5_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_apitoken
    ADD CONSTRAINT gatepost_apitoken_workspace_id_3958cb23_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_brief
    ADD CONSTRAINT gatepost_brief_mailbox_id_6f2e3d3b_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_brief
    ADD CONSTRAINT gatepost_brief_meeting_id_f9077003_fk_gatepost_meeting_id FOREIGN KEY (meeting_id) REFERENCES public.gatepost_meeting(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_brief
    ADD CONSTRAINT gatepost_brief_workspace_id_f8415e29_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_brieftime
    ADD CONSTRAINT gatepost_brieftime_member_id_cd21925a_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_brieftime
    ADD CONSTRAINT gatepost_brieftime_workspace_id_3693de9d_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_calendarcount
    ADD CONSTRAINT gatepost_calendarcou_mailbox_id_57deafa1_fk_gatepost_ FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_calendarcount
    ADD CONSTRAINT gatepost_calendarcou_workspace_id_0c2314b9_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_company
    ADD CONSTRAINT gatepost_company_workspace_id_c43c0e77_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_connectattempt
    ADD CONSTRAINT gatepost_connectatte_again_id_08da0adf_fk_gatepost_ FOREIGN KEY (again_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_connectattempt
    ADD CONSTRAINT gatepost_connectatte_mailbox_id_830e704d_fk_gatepost_ FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_connectattempt
    ADD CONSTRAINT gatepost_connectatte_member_id_df97e3f5_fk_gatepost_ FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_connectattempt
    ADD CONSTRAINT gatepost_connectatte_workspace_id_d25f86c0_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_connection
    ADD CONSTRAINT gatepost_connection_mailbox_id_d3995c6b_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_connection
    ADD CONSTRAINT gatepost_connection_workspace_id_99ac8452_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_contact
    ADD CONSTRAINT gatepost_contact_company_id_db2e6818_fk_gatepost_company_id FOREIGN KEY (company_id) REFERENCES public.gatepost_company(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_contact
    ADD CONSTRAINT gatepost_contact_imported_id_44da5c02_fk_gatepost_ FOREIGN KEY (imported_id) REFERENCES public.gatepost_contactimport(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_contact
    ADD CONSTRAINT gatepost_contact_owner_id_9259a91b_fk_gatepost_member_id FOREIGN KEY (owner_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_contact
    ADD CONSTRAINT gatepost_contact_workspace_id_5e47265e_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_contactfield
    ADD CONSTRAINT gatepost_contactfiel_workspace_id_e0d56b67_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_contactimport
    ADD CONSTRAINT gatepost_contactimpo_workspace_id_8da75c90_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_contactimport
    ADD CONSTRAINT gatepost_contactimport_member_id_04b974f2_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_conversation
    ADD CONSTRAINT gatepost_conversatio_assigned_to_id_8b1a71bc_fk_gatepost_ FOREIGN KEY (assigned_to_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_conversation
    ADD CONSTRAINT gatepost_conversatio_contact_id_ab274949_fk_gatepost_ FOREIGN KEY (contact_id) REFERENCES public.gatepost_contact(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_conversation
    ADD CONSTRAINT gatepost_conversatio_enrolment_id_5fc73387_fk_gatepost_ FOREIGN KEY (enrolment_id) REFERENCES public.gatepost_enrolment(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_conversation
    ADD CONSTRAINT gatepost_conversatio_mailbox_id_e838d9e8_fk_gatepost_ FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_conversation
    ADD CONSTRAINT gatepost_conversatio_workspace_id_b2732e5c_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_correction
    ADD CONSTRAINT gatepost_correction_mailbox_id_0dc96930_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_correction
    ADD CONSTRAINT gatepost_correction_member_id_57811868_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_correction
    ADD CONSTRAINT gatepost_correction_reply_id_982b34c6_fk_gatepost_reply_id FOREIGN KEY (reply_id) REFERENCES public.gatepost_reply(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_correction
    ADD CONSTRAINT gatepost_correction_workspace_id_dcf3b156_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_countedweek
    ADD CONSTRAINT gatepost_countedweek_workspace_id_558727f5_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_cover
    ADD CONSTRAINT gatepost_cover_id_bd0b54d7_fk_gatepost_workspace_id FOREIGN KEY (id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_departure
    ADD CONSTRAINT gatepost_departure_attempt_id_32e304d2_fk_gatepost_ FOREIGN KEY (attempt_id) REFERENCES public.gatepost_connectattempt(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_departure
    ADD CONSTRAINT gatepost_departure_workspace_id_ebdc2caf_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_domaincheck
    ADD CONSTRAINT gatepost_domaincheck_workspace_id_23eee7ed_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_dropcount
    ADD CONSTRAINT gatepost_dropcount_mailbox_id_e8a3fe10_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_dropcount
    ADD CONSTRAINT gatepost_dropcount_workspace_id_03d0d21f_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_enrolment
    ADD CONSTRAINT gatepost_enrolment_contact_id_38947929_fk_gatepost_contact_id FOREIGN KEY (contact_id) REFERENCES public.gatepost_contact(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_enrolment
    ADD CONSTRAINT gatepost_enrolment_mailbox_id_581ade61_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_enrolment
    ADD CONSTRAINT gatepost_enrolment_sequence_id_ee17c35f_fk_gatepost_sequence_id FOREIGN KEY (sequence_id) REFERENCES public.gatepost_sequence(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_enrolment
    ADD CONSTRAINT gatepost_enrolment_workspace_id_3d38e831_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_erasure
    ADD CONSTRAINT gatepost_erasure_workspace_id_22dc5a35_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_folder
    ADD CONSTRAINT gatepost_folder_mailbox_id_00099024_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_folder
    ADD CONSTRAINT gatepost_folder_workspace_id_76336218_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_gap
    ADD CONSTRAINT gatepost_gap_mailbox_id_f0952d4f_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_gap
    ADD CONSTRAINT gatepost_gap_workspace_id_5f0c2aa0_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_guest
    ADD CONSTRAINT gatepost_guest_contact_id_537c60c0_fk_gatepost_contact_id FOREIGN KEY (contact_id) REFERENCES public.gatepost_contact(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_guest
    ADD CONSTRAINT gatepost_guest_enrolment_id_b54cbb59_fk_gatepost_enrolment_id FOREIGN KEY (enrolment_id) REFERENCES public.gatepost_enrolment(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_guest
    ADD CONSTRAINT gatepost_guest_meeting_id_ce4bb10c_fk_gatepost_meeting_id FOREIGN KEY (meeting_id) REFERENCES public.gatepost_meeting(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_guest
    ADD CONSTRAINT gatepost_guest_workspace_id_e9a30811_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_importpart
    ADD CONSTRAINT gatepost_importpart_imported_id_380aed9d_fk_gatepost_ FOREIGN KEY (imported_id) REFERENCES public.gatepost_contactimport(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_importpart
    ADD CONSTRAINT gatepost_importpart_workspace_id_c4ae4221_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_invitation
    ADD CONSTRAINT gatepost_invitation_invited_by_id_042de527_fk_gatepost_ FOREIGN KEY (invited_by_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_invitation
    ADD CONSTRAINT gatepost_invitation_workspace_id_9f8fc5ae_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_keptfigures
    ADD CONSTRAINT gatepost_keptfigures_erasure_id_c312d180_fk_gatepost_erasure_id FOREIGN KEY (erasure_id) REFERENCES public.gatepost_erasure(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_keptfigures
    ADD CONSTRAINT gatepost_keptfigures_workspace_id_8f5e3c50_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_labelrule
    ADD CONSTRAINT gatepost_labelrule_workspace_id_8798810d_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_latechange
    ADD CONSTRAINT gatepost_latechange_workspace_id_7ce710f7_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_mailbox
    ADD CONSTRAINT gatepost_mailbox_member_id_0ac86214_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_mailbox
    ADD CONSTRAINT gatepost_mailbox_workspace_id_474af989_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_meeting
    ADD CONSTRAINT gatepost_meeting_contact_id_774d58d7_fk_gatepost_contact_id FOREIGN KEY (contact_id) REFERENCES public.gatepost_contact(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_meeting
    ADD CONSTRAINT gatepost_meeting_enrolment_id_22569b36_fk_gatepost_enrolment_id FOREIGN KEY (enrolment_id) REFERENCES public.gatepost_enrolment(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_meeting
    ADD CONSTRAINT gatepost_meeting_mailbox_id_d302d97c_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_meeting
    ADD CONSTRAINT gatepost_meeting_message_id_73c8dc6c_fk_gatepost_message_id FOREIGN KEY (message_id) REFERENCES public.gatepost_message(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_meeting
    ADD CONSTRAINT gatepost_meeting_workspace_id_39cb039a_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_member
    ADD CONSTRAINT gatepost_member_user_id_005e661d_fk_gatepost_user_id FOREIGN KEY (user_id) REFERENCES public.gatepost_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_member
    ADD CONSTRAINT gatepost_member_workspace_id_46054a75_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_message
    ADD CONSTRAINT gatepost_message_contact_id_aaeef8ee_fk_gatepost_contact_id FOREIGN KEY (contact_id) REFERENCES public.gatepost_contact(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_message
    ADD CONSTRAINT gatepost_message_mailbox_id_4d1af667_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_message
    ADD CONSTRAINT gatepost_message_previous_id_12b2ac74_fk_gatepost_message_id FOREIGN KEY (previous_id) REFERENCES public.gatepost_message(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_message
    ADD CONSTRAINT gatepost_message_workspace_id_e9aed94a_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_notice
    ADD CONSTRAINT gatepost_notice_gap_id_b8989437_fk_gatepost_gap_id FOREIGN KEY (gap_id) REFERENCES public.gatepost_gap(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_notice
    ADD CONSTRAINT gatepost_notice_mailbox_id_ef589e09_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_notice
    ADD CONSTRAINT gatepost_notice_member_id_157985dc_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_notice
    ADD CONSTRAINT gatepost_notice_workspace_id_3bfdaf04_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_otheraddress
    ADD CONSTRAINT gatepost_otheraddres_contact_id_997da63b_fk_gatepost_ FOREIGN KEY (contact_id) REFERENCES public.gatepost_contact(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_otheraddress
    ADD CONSTRAINT gatepost_otheraddres_workspace_id_9b8ba76e_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_probe
    ADD CONSTRAINT gatepost_probe_mailbox_id_5b1cb2be_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_probe
    ADD CONSTRAINT gatepost_probe_workspace_id_7f916c5d_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_promise
    ADD CONSTRAINT gatepost_promise_conversation_id_409e19c2_fk_gatepost_ FOREIGN KEY (conversation_id) REFERENCES public.gatepost_conversation(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_promise
    ADD CONSTRAINT gatepost_promise_mailbox_id_dc627d94_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_promise
    ADD CONSTRAINT gatepost_promise_reply_id_c762f4e9_fk_gatepost_reply_id FOREIGN KEY (reply_id) REFERENCES public.gatepost_reply(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_promise
    ADD CONSTRAINT gatepost_promise_workspace_id_0f36849a_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_quarantine
    ADD CONSTRAINT gatepost_quarantine_mailbox_id_fe416d5b_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_quarantine
    ADD CONSTRAINT gatepost_quarantine_workspace_id_8983b3b8_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_recovery
    ADD CONSTRAINT gatepost_recovery_workspace_id_a530e3f0_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_reply
    ADD CONSTRAINT gatepost_reply_conversation_id_a86a66f4_fk_gatepost_ FOREIGN KEY (conversation_id) REFERENCES public.gatepost_conversation(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_reply
    ADD CONSTRAINT gatepost_reply_mailbox_id_6cc1e3e0_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_reply
    ADD CONSTRAINT gatepost_reply_message_id_6fc2ac7c_fk_gatepost_message_id FOREIGN KEY (message_id) REFERENCES public.gatepost_message(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_reply
    ADD CONSTRAINT gatepost_reply_workspace_id_e8ba5098_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_rung
    ADD CONSTRAINT gatepost_rung_meeting_id_300e1105_fk_gatepost_meeting_id FOREIGN KEY (meeting_id) REFERENCES public.gatepost_meeting(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_rung
    ADD CONSTRAINT gatepost_rung_workspace_id_56ce8a01_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_savedview
    ADD CONSTRAINT gatepost_savedview_member_id_57dacf13_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_savedview
    ADD CONSTRAINT gatepost_savedview_workspace_id_4af16c9e_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_sequence
    ADD CONSTRAINT gatepost_sequence_member_id_8092d277_fk_gatepost_member_id FOREIGN KEY (member_id) REFERENCES public.gatepost_member(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_sequence
    ADD CONSTRAINT gatepost_sequence_workspace_id_0d9ce5be_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_snippet
    ADD CONSTRAINT gatepost_snippet_workspace_id_5e111582_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_step
    ADD CONSTRAINT gatepost_step_sequence_id_9ee8f9a0_fk_gatepost_sequence_id FOREIGN KEY (sequence_id) REFERENCES public.gatepost_sequence(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_step
    ADD CONSTRAINT gatepost_step_workspace_id_1c606354_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_stray
    ADD CONSTRAINT gatepost_stray_mailbox_id_4d55cf22_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_stray
    ADD CONSTRAINT gatepost_stray_workspace_id_43601f3b_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_subscription
    ADD CONSTRAINT gatepost_subscriptio_mailbox_id_39c713cf_fk_gatepost_ FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_subscription
    ADD CONSTRAINT gatepost_subscriptio_workspace_id_3b658da8_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_suppression
    ADD CONSTRAINT gatepost_suppression_workspace_id_80e61e0a_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_tally
    ADD CONSTRAINT gatepost_tally_workspace_id_20bf790f_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_task
    ADD CONSTRAINT gatepost_task_contact_id_056dc6f0_fk_gatepost_contact_id FOREIGN KEY (contact_id) REFERENCES public.gatepost_contact(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_task
    ADD CONSTRAINT gatepost_task_enrolment_id_6dc8f8b2_fk_gatepost_enrolment_id FOREIGN KEY (enrolment_id) REFERENCES public.gatepost_enrolment(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_task
    ADD CONSTRAINT gatepost_task_mailbox_id_01ea19dd_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_task
    ADD CONSTRAINT gatepost_task_step_id_8365c570_fk_gatepost_step_id FOREIGN KEY (step_id) REFERENCES public.gatepost_step(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_task
    ADD CONSTRAINT gatepost_task_workspace_id_5c023a35_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_user_groups
    ADD CONSTRAINT gatepost_user_groups_group_id_b3d43273_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_user_groups
    ADD CONSTRAINT gatepost_user_groups_user_id_063f321c_fk_gatepost_user_id FOREIGN KEY (user_id) REFERENCES public.gatepost_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_user_user_permissions
    ADD CONSTRAINT gatepost_user_user_p_permission_id_1e93635c_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_user_user_permissions
    ADD CONSTRAINT gatepost_user_user_p_user_id_4914223b_fk_gatepost_ FOREIGN KEY (user_id) REFERENCES public.gatepost_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_variant
    ADD CONSTRAINT gatepost_variant_step_id_159b58fa_fk_gatepost_step_id FOREIGN KEY (step_id) REFERENCES public.gatepost_step(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_variant
    ADD CONSTRAINT gatepost_variant_workspace_id_3e561c09_fk_gatepost_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_weekcount
    ADD CONSTRAINT gatepost_weekcount_mailbox_id_802b92e8_fk_gatepost_mailbox_id FOREIGN KEY (mailbox_id) REFERENCES public.gatepost_mailbox(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_weekcount
    ADD CONSTRAINT gatepost_weekcount_week_id_f277452b_fk_gatepost_countedweek_id FOREIGN KEY (week_id) REFERENCES public.gatepost_countedweek(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.gatepost_weekcount
    ADD CONSTRAINT gatepost_weekcount_workspace_id_ead0f9c4_fk_gatepost_ FOREIGN KEY (workspace_id) REFERENCES public.gatepost_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.mfa_authenticator
    ADD CONSTRAINT mfa_authenticator_user_id_0c3a50c0_fk_gatepost_user_id FOREIGN KEY (user_id) REFERENCES public.gatepost_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES public.procrastinate_workers(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id);

ALTER TABLE ONLY public.socialaccount_socialtoken
    ADD CONSTRAINT socialaccount_social_account_id_951f210e_fk_socialacc FOREIGN KEY (account_id) REFERENCES public.socialaccount_socialaccount(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.socialaccount_socialtoken
    ADD CONSTRAINT socialaccount_social_app_id_636a42d7_fk_socialacc FOREIGN KEY (app_id) REFERENCES public.socialaccount_socialapp(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.socialaccount_socialaccount
    ADD CONSTRAINT socialaccount_social_user_id_8146e70c_fk_gatepost_ FOREIGN KEY (user_id) REFERENCES public.gatepost_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.usersessions_usersession
    ADD CONSTRAINT usersessions_usersession_user_id_af5e0a6d_fk_gatepost_user_id FOREIGN KEY (user_id) REFERENCES public.gatepost_user(id) DEFERRABLE INITIALLY DEFERRED;

INSERT INTO public.django_migrations (app, name, applied) VALUES
    ('account', '0001_initial', now()),
    ('account', '0002_email_max_length', now()),
    ('account', '0003_alter_emailaddress_create_unique_verified_email', now()),
    ('account', '0004_alter_emailaddress_drop_unique_email', now()),
    ('account', '0005_emailaddress_idx_upper_email', now()),
    ('account', '0006_emailaddress_lower', now()),
    ('account', '0007_emailaddress_idx_email', now()),
    ('account', '0008_emailaddress_unique_primary_email_fixup', now()),
    ('account', '0009_emailaddress_unique_primary_email', now()),
    ('auth', '0001_initial', now()),
    ('auth', '0002_alter_permission_name_max_length', now()),
    ('auth', '0003_alter_user_email_max_length', now()),
    ('auth', '0004_alter_user_username_opts', now()),
    ('auth', '0005_alter_user_last_login_null', now()),
    ('auth', '0006_require_contenttypes_0002', now()),
    ('auth', '0007_alter_validators_add_error_messages', now()),
    ('auth', '0008_alter_user_username_max_length', now()),
    ('auth', '0009_alter_user_last_name_max_length', now()),
    ('auth', '0010_alter_group_name_max_length', now()),
    ('auth', '0011_update_proxy_permissions', now()),
    ('auth', '0012_alter_user_first_name_max_length', now()),
    ('contenttypes', '0001_initial', now()),
    ('contenttypes', '0002_remove_content_type_name', now()),
    ('gatepost', '0001_first', now()),
    ('gatepost', '0002_across_workspaces', now()),
    ('gatepost', '0003_features_and_limits', now()),
    ('gatepost', '0004_tasks', now()),
    ('gatepost', '0005_erasure', now()),
    ('gatepost', '0006_figures', now()),
    ('gatepost', '0007_health', now()),
    ('gatepost', '0008_waiting_room', now()),
    ('gatepost', '0009_people', now()),
    ('gatepost', '0010_proved_sends', now()),
    ('gatepost', '0011_planning', now()),
    ('gatepost', '0012_contacts', now()),
    ('gatepost', '0013_limits', now()),
    ('gatepost', '0014_mail', now()),
    ('gatepost', '0016_inbox', now()),
    ('gatepost', '0017_chains', now()),
    ('gatepost', '0018_meetings', now()),
    ('gatepost', '0019_reports', now()),
    ('gatepost', '0020_reports_seen', now()),
    ('gatepost', '0021_alerts', now()),
    ('gatepost', '0022_folders', now()),
    ('gatepost', '0023_counted_weeks', now()),
    ('gatepost', '0024_fewer_indexes', now()),
    ('gatepost', '0025_reply_cut', now()),
    ('gatepost', '0026_covers', now()),
    ('gatepost', '0027_answered_mail', now()),
    ('gatepost', '0028_answered_mail_of_old_replies', now()),
    ('gatepost', '0029_tallies', now()),
    ('gatepost', '0030_covers_announced', now()),
    ('gatepost', '0031_bounced_counted', now()),
    ('mfa', '0001_initial', now()),
    ('mfa', '0002_authenticator_timestamps', now()),
    ('mfa', '0003_authenticator_type_uniq', now()),
    ('procrastinate', '0001_initial', now()),
    ('procrastinate', '0002_drop_started_at_column', now()),
    ('procrastinate', '0003_drop_started_at_column', now()),
    ('procrastinate', '0004_drop_procrastinate_version_table', now()),
    ('procrastinate', '0005_fix_procrastinate_fetch_job', now()),
    ('procrastinate', '0006_fix_trigger_status_events_insert', now()),
    ('procrastinate', '0007_add_queueing_lock_column', now()),
    ('procrastinate', '0008_close_fetch_job_race_condition', now()),
    ('procrastinate', '0009_add_defer_job_function', now()),
    ('procrastinate', '0010_add_procrastinate_periodic_defers', now()),
    ('procrastinate', '0011_add_foreign_key_index', now()),
    ('procrastinate', '0012_add_locks_to_periodic_defer', now()),
    ('procrastinate', '0013_fix_procrastinate_defer_periodic_job', now()),
    ('procrastinate', '0014_add_finish_job_and_retry_job_functions', now()),
    ('procrastinate', '0015_add_trigger_on_job_deletion', now()),
    ('procrastinate', '0016_delete_finished_jobs', now()),
    ('procrastinate', '0017_add_checks_to_finish_job', now()),
    ('procrastinate', '0018_add_checks_to_retry_job', now()),
    ('procrastinate', '0019_fix_finish_job_compat_issue', now()),
    ('procrastinate', '0020_add_index_on_procrastinate_jobs', now()),
    ('procrastinate', '0021_add_kwargs_to_defer_periodic_job', now()),
    ('procrastinate', '0022_null_locks_excluded', now()),
    ('procrastinate', '0023_remove_old_finish_job_function', now()),
    ('procrastinate', '0024_job_id_bigint', now()),
    ('procrastinate', '0025_add_models', now()),
    ('procrastinate', '0026_add_job_priority', now()),
    ('procrastinate', '0027_add_periodic_job_priority', now()),
    ('procrastinate', '0028_add_cancel_states', now()),
    ('procrastinate', '0029_add_additional_params_to_retry_job', now()),
    ('procrastinate', '0030_alter_procrastinateevent_options', now()),
    ('procrastinate', '0031_add_indexes_for_fetch_job', now()),
    ('procrastinate', '0032_pre_cancel_notification', now()),
    ('procrastinate', '0033_post_cancel_notification', now()),
    ('procrastinate', '0034_pre_add_heartbeat', now()),
    ('procrastinate', '0035_post_add_heartbeat', now()),
    ('procrastinate', '0036_add_worker_model', now()),
    ('procrastinate', '0037_pre_batch_defer_jobs', now()),
    ('procrastinate', '0038_post_batch_defer_jobs', now()),
    ('procrastinate', '0039_pre_priority_lock_fetch_job', now()),
    ('procrastinate', '0040_pre_retry_failed_job', now()),
    ('procrastinate', '0041_post_retry_failed_job', now()),
    ('sessions', '0001_initial', now()),
    ('socialaccount', '0001_initial', now()),
    ('socialaccount', '0002_token_max_lengths', now()),
    ('socialaccount', '0003_extra_data_default_dict', now()),
    ('socialaccount', '0004_app_provider_id_settings', now()),
    ('socialaccount', '0005_socialtoken_nullable_app', now()),
    ('socialaccount', '0006_alter_socialaccount_extra_data', now()),
    ('usersessions', '0001_initial', now());
