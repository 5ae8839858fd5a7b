"""`gatepost bench pages`: every page of the navigation, and some behind it, with 100,000 contacts and 1,000,000 messages.

In a throw-away installation with a database of its own. A page is asked for as a browser's request goes through Django:
session, membership, row-level security, queries, template; only the network and the web server's own work are missing.
Two workspaces, of which one has a hundredth of the rows, say whether the number of queries grows with them.

The limit is one of time as it passes. On a machine that does something else meanwhile that is too long, and how much too
long nobody knows; beside it stands the processor time of the request, in this process and in the database's: what it would
take on a core of its own.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatepost.accounts.models import Member

CONTACTS, MESSAGES, ROUNDS = 100_000, 1_000_000, 20
LIMITS = {"p95_ms": 150.0, "queries_more_than_in_a_small_workspace": 0}
MAILBOXES, SEQUENCES, STEPS = 50, 20, 4
DAYS = 730  # over which everything is spread
PASSWORD = "only-for-the-bench-1"
REPLIED, MET = 0.12, 0.02  # shares of the enrolments


def measure(*, contacts: int = CONTACTS, messages: int = MESSAGES, rounds: int = ROUNDS) -> dict[str, Any]:
    """A new installation is filled, and its pages are measured."""
    from gatepost.config import installation

    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        os.environ["GATEPOST_DATA_DIR"] = str(Path(folder) / "data")
        for variable in ("DATABASE_URL", "GATEPOST_OWNER_DATABASE_URL", "GATEPOST_KEYSTORE_URL"):
            os.environ.pop(variable, None)
        with installation.ready():
            installation.migrate()
            try:
                return measure_here(contacts=contacts, messages=messages, rounds=rounds)
            finally:
                from django.db import connections

                connections.close_all()


def measure_here(*, contacts: int, messages: int, rounds: int) -> dict[str, Any]:
    """The same in the database at hand, which is filled and not emptied."""
    from django.db import connections

    from gatepost.reports import counted
    from gatepost.sequences import tallies

    began = time.perf_counter()
    small = _fill("Small", max(contacts // 100, 300), max(messages // 100, 4000))
    large = _fill("Large", contacts, messages)
    for member in (small, large):
        # As a worker does by and by.
        counted.count_weeks(member.workspace_id, at_once=counted.WEEKS)
        tallies.sum_up(member.workspace_id, at_once=SEQUENCES)
    with connections["owner"].cursor() as cursor:
        _autovacuum(cursor)
    filled = time.perf_counter() - began
    few = {name: queries for name, (_spent, queries) in _walk(small, rounds=1).items()}
    walked = _walk(large, rounds=rounds)
    pages: dict[str, dict[str, Any]] = {
        name: {
            "p50_ms": round(statistics.median(each.passed for each in spent), 1),
            "p95_ms": _p95([each.passed for each in spent]),
            "processor_p95_ms": _p95([each.here + each.database for each in spent]),
            "processor_here_p50_ms": round(statistics.median(each.here for each in spent), 1),
            "processor_database_p50_ms": round(statistics.median(each.database for each in spent), 1),
            "queries": queries,
            "queries_small": few[name],
        }
        for name, (spent, queries) in walked.items()
    }
    slowest = max(pages, key=lambda name: pages[name]["processor_p95_ms"])
    grown = max(page["queries"] - page["queries_small"] for page in pages.values())
    figures: dict[str, Any] = {
        "contacts": contacts,
        "messages": messages,
        "seconds_to_fill": round(filled, 1),
        "slowest": slowest,
        "p95_ms": max(page["p95_ms"] for page in pages.values()),
        "processor_p95_ms": pages[slowest]["processor_p95_ms"],
        "queries_more_than_in_a_small_workspace": grown,
        "pages": pages,
    }
    kept = {
        "p95_ms": figures["p95_ms"] < LIMITS["p95_ms"],
        "queries_more_than_in_a_small_workspace": grown <= 0,
    }
    return {"ok": all(kept.values()), "figures": figures, "limits": LIMITS, "kept": kept}


def _autovacuum(cursor: Any) -> None:
    """As PostgreSQL does some minutes after so many rows: tables in which too little changed are passed by."""
    cursor.execute("SELECT pg_stat_force_next_flush()")
    # https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM
    cursor.execute(
        """
        SELECT s.relname FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
        CROSS JOIN LATERAL (
            SELECT COALESCE(max(option_value) FILTER (WHERE option_name = 'autovacuum_analyze_threshold'),
                            current_setting('autovacuum_analyze_threshold'))::float AS least,
                   COALESCE(max(option_value) FILTER (WHERE option_name = 'autovacuum_analyze_scale_factor'),
                            current_setting('autovacuum_analyze_scale_factor'))::float AS share
            FROM pg_options_to_table(c.reloptions)
        ) options
        WHERE s.n_mod_since_analyze > least + share * greatest(c.reltuples, 0)
        """
    )
    for (table,) in cursor.fetchall():
        cursor.execute(f'VACUUM ANALYZE "{table}"')


# Walking


@dataclass(frozen=True, slots=True)
class _Spent:
    """Milliseconds of one request: as they passed, and of processors, in this process and in the database's."""

    passed: float
    here: float
    database: float


def _p95(values: list[float]) -> float:
    return round(sorted(values)[int(0.95 * (len(values) - 1))], 1)


def _walk(member: "Member", *, rounds: int) -> dict[str, tuple[list[_Spent], int]]:
    """For each page, what it took in each round, and how many queries in the last one."""
    from django.db import connection
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    with connection.cursor() as cursor:  # the test client keeps to one connection
        cursor.execute("SELECT pg_backend_pid()")
        backend = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    found: dict[str, tuple[list[_Spent], int]] = {}
    for name, address in _addresses(member).items():
        spent = []
        for round_number in range(rounds + 1):
            with connection.execute_wrapper(counter := _Counter()):
                before, began = _processor_ms(backend), time.perf_counter()
                answer = client.get(address)
                passed, after = (time.perf_counter() - began) * 1000, _processor_ms(backend)
            assert answer.status_code == 200, f"{name}: {answer.status_code}"
            if round_number:  # the first one also compiles the template
                spent.append(_Spent(passed, *(end - start for start, end in zip(before, after, strict=True))))
        found[name] = (spent, counter.count)
    return found


def _processor_ms(backend: Path) -> tuple[float, float]:
    """What this process, and the database's that serves it, have used of processors so far."""
    # https://docs.kernel.org/scheduler/sched-stats.html: nanoseconds on the processor come first.
    return time.process_time() * 1000, int(backend.read_text().split()[0]) / 1e6


class _Counter:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, *rest: Any) -> Any:
        self.count += 1
        return execute(*rest)


def _addresses(member: "Member") -> dict[str, str]:
    """By name, what is asked for: the navigation, then what one opens from there."""
    from gatepost.contacts.models import Company, Contact
    from gatepost.conversations.models import Conversation
    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Mailbox
    from gatepost.meetings.models import Meeting
    from gatepost.sequences.models import Sequence
    from gatepost.web.frame import PLACES

    with inside(member.workspace_id):
        contact = Contact.objects.order_by("created_at").values_list("pk", flat=True)[0]
        company = Company.objects.values_list("pk", flat=True)[0]
        sequence = Sequence.objects.values_list("pk", flat=True)[0]
        mailbox = Mailbox.objects.values_list("pk", flat=True)[0]
        conversation = Conversation.objects.order_by("-last_reply_at").values_list("pk", flat=True)[0]
        meeting = Meeting.objects.order_by("-starts_at").values_list("pk", flat=True)[0]
    return {
        **{str(place.name).lower(): place.path for place in PLACES},
        "inbox, one label": "/inbox/?label=interested",
        "a conversation": f"/inbox/{conversation}/",
        "what follows from a reply": "/inbox/rules/",
        "corrected labels": "/inbox/corrections/",
        "contacts, searched": "/contacts/?search=petra+firm1",
        "companies": "/contacts/companies/",
        "a company": f"/contacts/companies/{company}/",
        "a contact": f"/contacts/{contact}/",
        "do not contact": "/contacts/do-not-contact/",
        "a sequence": f"/sequences/{sequence}/",
        "tasks": "/sequences/tasks/",
        "outbox, waiting": "/outbox/?part=waiting",
        "outbox, sent": "/outbox/?part=sent",
        "outbox, held": "/outbox/?part=held",
        "meetings, all": "/meetings/?part=all",
        "a meeting": f"/meetings/{meeting}/",
        "reports, 52 weeks": "/reports/?weeks=52",
        "reports, one sequence": f"/reports/?weeks=52&sequence={sequence}",
        "reports, one answer": "/reports/?weeks=52&label=interested",
        "reports, by step": "/reports/?by=step",
        "reports, by wording": "/reports/?by=variant",
        "reports, by person": "/reports/?by=member",
        "reports, by company": "/reports/?by=company",
        "reports, compared": "/reports/compare/",
        "reports, 52 weeks compared": "/reports/compare/?weeks=52",
        "deliverability": "/reports/health/",
        "a mailbox": f"/mailboxes/{mailbox}/",
        "privacy, everything": "/privacy/?part=everything",
        "members": "/settings/members/",
    }


# Filling


def _fill(name: str, contacts: int, messages: int) -> "Member":
    """A workspace with so many contacts and messages, and what comes of them, spread over two years; its owner."""
    from gatepost import clock
    from gatepost.accounts import actions as accounts
    from gatepost.isolation import inside

    workspace = accounts.create_workspace(name)
    owner, *reps = [
        accounts.add_member(
            workspace.id, email=f"member{number}@{name.lower()}.example", name=f"Member {number}",
            role="rep" if number else "owner", password=PASSWORD, actor=accounts.INSTALLER,
        )
        for number in range(min(MAILBOXES, 10))
    ]  # fmt: skip
    with inside(workspace.id):
        boxes = [_mailbox(each, number) for number, each in enumerate((owner, *reps) * (MAILBOXES // 10))]
        _sequences(owner, SEQUENCES)
        _contacts(workspace.id, contacts)
    with _sql() as run, _without_indexes(run):
        # What every row of this workspace is made from, numbered, so that rows can be spread over each other.
        for table, name in (("c", "contact"), ("b", "mailbox"), ("q", "sequence")):
            run(
                f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT id, row_number() OVER () - 1 AS n "
                f"FROM gatepost_{name} WHERE workspace_id = %(workspace)s",
                workspace=workspace.id,
            )
        run("CREATE INDEX ON c (n)")
        run("ANALYZE c")
        _rows(
            run, workspace.id, clock.now(), enrolments=messages // STEPS, contacts=contacts, boxes=len(boxes)
        )
    return owner


def _mailbox(member: "Member", number: int) -> Any:
    from uuid import uuid4

    from gatepost import clock
    from gatepost.mailboxes.models import Mailbox
    from gatepost.vault.sealing import index, installation_index, seal

    address = f"mailbox{number}@bench.example"
    mailbox = Mailbox(
        workspace_id=member.workspace_id, member=member, microsoft_tenant=uuid4(), microsoft_object=uuid4(),
        identity_index=installation_index("microsoft-identity", str(uuid4())),
        address_index=index(member.workspace_id, "address", address), connected_at=clock.now(),
        read_through=clock.now(), calendar_read_through=clock.now(),
        scopes=["Calendars.Read", "Mail.ReadWrite", "Mail.Send", "User.Read"],
    )  # fmt: skip
    seal(mailbox, "address", address)
    seal(mailbox, "name", member.name)
    mailbox.save(force_insert=True)
    return mailbox


def _sequences(owner: "Member", count: int) -> None:
    from gatepost.accounts.membership import by
    from gatepost.sequences import actions
    from gatepost.sequences.edits import StepDraft
    from gatepost.sequences.models import Sequence

    steps = tuple(
        StepDraft(number * 2 * 1440, f"Question {number}", "Hi {{ first_name }},\n\nshall we talk?")
        for number in range(STEPS)
    )
    for number in range(count):
        sequence = actions.create_sequence(owner.workspace_id, f"Sequence {number}", member=owner)
        actions.save_steps(sequence.pk, steps, workspace_id=owner.workspace_id, actor=by(owner))
    Sequence.objects.update(state=Sequence.State.ACTIVE)


def _contacts(workspace_id: Any, count: int) -> None:
    """Contacts as an import makes them, ten to a company."""
    from gatepost.contacts.actions import Known, companies_of, company_key, new_contact
    from gatepost.contacts.models import Contact

    alike = Known()
    for begin in range(0, count, 2000):
        people = [
            {
                "email": f"petra{number}@firm{number // 10}.example", "first_name": "Petra", "last_name": f"Quandt{number}",
                "company": f"Firm{number // 10}", "time_zone": "Europe/Berlin",
            }
            for number in range(begin, min(begin + 2000, count))
        ]  # fmt: skip
        known = companies_of(workspace_id, people)
        Contact.objects.bulk_create(
            new_contact(
                workspace_id, values, {}, "bench", known=alike, company=known.get(company_key(workspace_id, values))
            )
            for values in people
        )  # fmt: skip
        alike.keep_small()


@contextmanager
def _sql() -> Iterator[Any]:
    """Statements in one transaction of the owner, who may make temporary tables."""
    from django.db import connections, transaction

    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:

        def run(statement: str, **values: Any) -> list[tuple[Any, ...]]:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

        yield run


FILLED = (
    "enrolment", "message", "conversation", "reply", "meeting", "task", "auditentry", "ledgerrow",
)  # fmt: skip


@contextmanager
def _without_indexes(run: Any) -> Iterator[None]:
    """What is filled has its indexes and foreign keys again afterwards: to make them once takes a fraction of what
    it takes to keep them up with a million rows."""
    tables = [f"gatepost_{each}" for each in FILLED]
    run("ALTER TABLE gatepost_message DISABLE TRIGGER USER")
    constraints = run(
        """
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
               format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = ANY (%(tables)s::regclass[]) AND contype IN ('f', 'u') ORDER BY contype DESC
        """,
        tables=tables,
    )
    indexes = run(
        """
        SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid = ANY (%(tables)s::regclass[]) AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)
        """,
        tables=tables,
    )
    for drop, _make in (*constraints, *indexes):
        run(drop)
    yield
    run("ALTER TABLE gatepost_message ENABLE TRIGGER USER")
    run("SET LOCAL maintenance_work_mem = '256MB'")
    for _drop, make in (*indexes, *constraints):
        run(make)


def _rows(run: Any, workspace: Any, now: Any, *, enrolments: int, contacts: int, boxes: int) -> None:
    """Enrolments that ended long ago and some that run, and all that hangs on them, made inside the database."""
    running = min(enrolments // 4, contacts)  # of each contact at most one may run
    values = {
        "workspace": workspace, "now": now, "begin": now - timedelta(days=DAYS), "every": timedelta(days=DAYS) / enrolments,
        "enrolments": enrolments, "contacts": contacts, "boxes": boxes, "sequences": SEQUENCES, "running": running,
        "replied": REPLIED, "met": MET,
    }  # fmt: skip
    run(
        f"""
        CREATE TEMP TABLE e ON COMMIT DROP AS
        SELECT {_id("at")} AS id, g.n, c.id AS contact_id, b.id AS mailbox_id, q.id AS sequence_id, at, g.n > %(enrolments)s - %(running)s AS runs,
               abs(hashtext('replied' || g.n)) %% 10000 < 10000 * %(replied)s AS replied,
               abs(hashtext('met' || g.n)) %% 10000 < 10000 * %(met)s AS met
        FROM generate_series(1, %(enrolments)s) g (n)
        CROSS JOIN LATERAL (SELECT %(begin)s::timestamptz + g.n * %(every)s::interval AS at) moment
        JOIN c ON c.n = g.n %% %(contacts)s JOIN b ON b.n = g.n %% %(boxes)s JOIN q ON q.n = (g.n / 7) %% %(sequences)s
        """,
        **values,
    )
    run(
        """
        INSERT INTO gatepost_enrolment (id, workspace_id, sequence_id, contact_id, mailbox_id, state, cause, reason,
            edition, next_position, last_skipped, created_at, ended_at, due_at, stepped_at)
        SELECT id, %(workspace)s, sequence_id, contact_id, mailbox_id, CASE WHEN runs THEN 'active' ELSE 'stopped' END,
            CASE WHEN runs THEN '' WHEN replied THEN 'reply' ELSE 'by_hand' END, '', 1, 5, false, at,
            CASE WHEN runs THEN NULL ELSE at + interval '20 days' END, CASE WHEN runs THEN %(now)s + interval '1 day' END, at
        FROM e
        """,
        **values,
    )
    run(
        f"""
        CREATE TEMP TABLE m ON COMMIT DROP AS
        SELECT {_id("moment.at")} AS id, e.n, e.id AS enrolment_id, e.contact_id, e.mailbox_id, e.sequence_id, s.id AS step_id,
               s.position, v.id AS variant_id, moment.at,
               e.replied, e.met, row_number() OVER (ORDER BY moment.at) AS number
        FROM e JOIN gatepost_step s ON s.sequence_id = e.sequence_id
        CROSS JOIN LATERAL (SELECT e.at + (s.position - 1) * interval '3 days' AS at) moment
        JOIN LATERAL (SELECT id FROM gatepost_variant v WHERE v.step_id = s.id ORDER BY id LIMIT 1) v ON true
        ORDER BY moment.at
        """,
        **values,
    )
    run(
        """
        INSERT INTO gatepost_message (id, workspace_id, mailbox_id, contact_id, enrolment_id, sequence_id, step_id, variant_id,
            position, key, guard, number, route, state, revision, reason, content_hash, graph_id, change_key, draft_hash,
            internet_message_index, conversation_index, attempts, looks, hurry, planned_at, sending_at, accepted_at,
            confirmed_at, bounced_at, not_before)
        SELECT id, %(workspace)s, mailbox_id, contact_id, enrolment_id, sequence_id, step_id, variant_id, position,
            md5(id::text), md5(id::text), number, 'json', CASE WHEN at > %(now)s THEN 'planned' WHEN number %% 50 = 0 THEN
            'cancelled' WHEN number %% 20000 = 7 THEN 'held' ELSE 'confirmed' END, 1, '', '-', '', '', '', md5(id::text), '', 1,
            0, 0, least(at, %(now)s), sent, sent, sent, CASE WHEN number %% 40 = 3 THEN sent + interval '1 hour' END,
            CASE WHEN at > %(now)s THEN at END
        FROM (SELECT *, CASE WHEN at <= %(now)s AND number %% 50 <> 0 AND number %% 20000 <> 7 THEN at END AS sent FROM m) m
        """,
        **values,
    )
    run(
        f"""
        INSERT INTO gatepost_conversation (id, workspace_id, mailbox_id, contact_id, enrolment_id, label, unread, done,
            last_reply_at)
        SELECT {_id("at + interval '2 days'")}, %(workspace)s, mailbox_id, contact_id, id,
            (ARRAY['interested', 'not_interested', 'out_of_office', 'question', 'unsure', 'hard_no'])[1 + n %% 6],
            n %% 10 = 0, n %% 3 > 0, at + interval '2 days'
        FROM e WHERE replied AND at < %(now)s - interval '2 days'
        """,
        **values,
    )
    run(
        f"""
        INSERT INTO gatepost_reply (id, workspace_id, mailbox_id, conversation_id, message_id, graph_id,
            internet_message_index, received_at, someone_else, label, labels, score, return_precision, bounce, version,
            corrected_from, created_at)
        SELECT {_id("o.last_reply_at")}, %(workspace)s, o.mailbox_id, o.id, m.id, '', md5(o.id::text), o.last_reply_at, false, o.label,
            '{{}}', 0.9, '', '', 'bench', '', o.last_reply_at
        FROM gatepost_conversation o JOIN m ON m.enrolment_id = o.enrolment_id AND m.position = 1
        """,
        **values,
    )
    run(
        f"""
        INSERT INTO gatepost_meeting (id, workspace_id, mailbox_id, contact_id, enrolment_id, step_id, graph_id, ical_uid_index,
            change_key, starts_at, ends_at, booked_by_contact, state, found_at)
        SELECT {_id("at + interval '4 days'")}, %(workspace)s, mailbox_id, contact_id, enrolment_id, step_id, '', md5(id::text), '',
            at + interval '9 days', at + interval '9 days 30 minutes', true,
            CASE WHEN number %% 9 = 0 THEN 'cancelled' ELSE 'booked' END, at + interval '4 days'
        FROM m WHERE position = 1 AND at < %(now)s - interval '4 days'
            AND (met OR n %% 10 = 0 AND at > %(now)s - interval '9 days')  -- in a small workspace, too, somebody comes soon
        """,
        **values,
    )
    run(
        f"""
        INSERT INTO gatepost_task (id, workspace_id, kind, mailbox_id, enrolment_id, contact_id, step_id, position, state, reason,
            created_at, due_at, ended_at)
        SELECT {_id("at")}, %(workspace)s, 'call', mailbox_id, enrolment_id, contact_id, step_id, 9,
            CASE WHEN n %% 100 = 0 THEN 'open' ELSE 'done' END, '', at, at,
            CASE WHEN n %% 100 = 0 THEN NULL ELSE at + interval '1 day' END
        FROM m WHERE position = 1 AND n %% 10 = 0 AND at < %(now)s - interval '1 day'
        """,
        **values,
    )
    run(
        f"""
        INSERT INTO gatepost_auditentry (id, workspace_id, at, actor_kind, actor_id, tag, subject_id, mailbox_id, detail)
        SELECT {_id("at")}, %(workspace)s, at, 'job', 'sequences.send', 'message:send', id, mailbox_id, '{{}}'
        FROM m WHERE at < %(now)s
        """,
        **values,
    )
    run(
        f"""
        INSERT INTO gatepost_ledgerrow (id, workspace_id, mailbox_id, at, shape, item_hash, client_request_id, status, bytes,
            milliseconds, reason)
        SELECT {_id("at")}, %(workspace)s, mailbox_id, at, shape, md5(id::text), gen_random_uuid(), 200, 900, 40, 'sending'
        FROM m, (VALUES ('draft.create'), ('draft.send'), ('envelopes')) s (shape)
        WHERE at < %(now)s AND at > %(now)s - interval '180 days'
        """,
        **values,
    )


def _id(moment: str) -> str:
    """As real ones: in the order of time, so that rows of a week lie side by side."""
    return f"overlay(md5(random()::text) PLACING lpad(to_hex((extract(epoch FROM {moment}) * 1000)::bigint), 12, '0') FROM 1)::uuid"
