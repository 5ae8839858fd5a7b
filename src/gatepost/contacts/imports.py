"""Bringing lists in: uploaded, checked without storing anybody, imported batch by batch, and carried on after a crash.

A batch is one transaction: its contacts, its counts, its rows left out, and how far the file was read. What was not
committed is read again, so that nothing is lost and nothing doubled.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, BinaryIO
from uuid import UUID

from django.db import IntegrityError, connections

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.contacts import actions, rules, sheets
from gatepost.contacts.models import Contact, ContactField, ContactImport, ImportPart, Suppression
from gatepost.contacts.queries import (
    SUPPRESSION_HEADINGS,
    SUPPRESSION_KEY,
    address_index,
    suppression_cells,
    suppressions,
)
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.vault import names
from gatepost.vault.indexes import IndexesField, IndexField, forms_in_lists, forms_now
from gatepost.vault.sealing import index, seal
from gatepost.web.spreadsheets import as_csv

State, What, Kind = ContactImport.State, ContactImport.What, ImportPart.Kind
UNDER_WAY = (State.CHECKING, State.RUNNING)
BATCH = 1_000
KEPT_PROBLEMS = 1_000
MAX_TRIES = 5


@dataclass(slots=True)
class Reader:
    """One go at a file: where it stands, and what it has seen. It is thrown away when the go ends."""

    import_id: UUID
    workspace_id: UUID
    what: str
    plan: rules.Plan
    records: Iterator[sheets.Record]
    at: int = 0  # rows judged so far
    seen: dict[str, int] = field(default_factory=dict)
    known: actions.Known = field(default_factory=actions.Known)

    def judge(self, each: sheets.Record) -> rules.Row | rules.Problem:
        judged = rules.judge_suppression if self.what == What.SUPPRESSIONS else rules.judge
        return judged(each, self.plan, self.seen)


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, to say what each column holds."""

    headings: tuple[str, ...]
    examples: tuple[tuple[str, ...], ...]


def upload(
    workspace_id: UUID,
    file_name: str,
    file: BinaryIO,
    *,
    member: Member,
    what: str = What.CONTACTS,
    may_ask: bool = True,
) -> ContactImport:
    """The file is kept, sealed, and waits for somebody to say what its columns hold. Raises BadInput; then it is not.

    `may_ask`: somebody is there to choose the columns where their names do not say it.
    """
    encoding = sheets.encoding_of(file)
    pieces = sheets.pieces(file, encoding)
    first = next(pieces, "")
    delimiter = sheets.delimiter_of(first)
    head = _head(sheets.records([first], delimiter))
    mapping = _first_mapping(head.headings, what)
    problem = rules.check_plan(head.headings, mapping, needs=_needs(what))
    if problem and not (may_ask and 1 < len(head.headings) <= rules.MAX_COLUMNS):
        raise BadInput(problem)
    if not head.examples:
        raise BadInput("The file names columns but holds no rows below them.")
    with inside(workspace_id):
        imported = ContactImport(
            workspace_id=workspace_id, member=member, what=what, state=State.UPLOADED,
            file_name=rules.clean(file_name)[:200], created_at=clock.now(), encoding=encoding.name,
            delimiter=delimiter, mapping=mapping,
        )  # fmt: skip
        imported.save(force_insert=True)
        for number, piece in enumerate(chain([first], pieces)):
            imported.lines += piece.count("\n") or piece.count("\r")
            _keep(imported, Kind.FILE, number, piece)
        imported.save(update_fields=["lines"])
    return imported


def head_of(imported: ContactImport) -> Head:
    """Inside the import's workspace: its headings and first rows."""
    return _head(_records(imported))


def _head(records: Iterator[sheets.Record]) -> Head:
    first = list(islice(records, 6))
    return Head(first[0].cells, tuple(each.cells for each in first[1:])) if first else Head((), ())


def start(
    import_id: UUID, mapping: list[str], *, workspace_id: UUID, dry: bool, actor: Actor
) -> ContactImport:
    """A job reads the file with this mapping: to see what would happen (`dry`), or to import it.

    A new field of one's own exists from then on. Raises BadInput, and Conflict when it has been imported already.
    """
    with inside(workspace_id):
        imported = ContactImport.objects.get(pk=import_id)
        headings = head_of(imported).headings
    if problem := rules.check_plan(headings, mapping, needs=_needs(imported.what)):
        raise BadInput(problem)
    allowed = rules.SUPPRESSION_COLUMNS if imported.what == What.SUPPRESSIONS else rules.KNOWN
    for target in mapping:
        if target and target not in allowed and not _is_field(target, imported.what):
            raise BadInput(f"A column cannot hold “{target[:60]}”.")
    with inside(workspace_id):
        imported = ContactImport.objects.select_for_update().get(pk=import_id)
        if imported.state not in (State.UPLOADED, State.CHECKED, State.CHECKING):
            raise Conflict(
                "This list is being imported, or was already. Upload it again to import it once more."
            )
        imported.mapping, imported.state = mapping, State.CHECKING if dry else State.RUNNING
        imported.added = imported.updated = imported.unchanged = imported.rejected = 0
        imported.rows = imported.at_line = imported.tries = 0
        imported.problems = []
        imported.parts.filter(kind=Kind.REJECTED).delete()
        if not dry:
            _make_fields(imported)
        imported.save()
        enqueue(
            "contacts.import", once_for=imported.pk, workspace=str(workspace_id), imported=str(imported.pk)
        )
    return imported


def stop(import_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """Nothing more of it is imported, and its file is gone. What is imported already stays."""
    with inside(workspace_id):
        imported = ContactImport.objects.select_for_update().get(pk=import_id)
        if imported.state not in (State.DONE, State.STOPPED):
            _end(imported, State.STOPPED, actor)


def begin(workspace_id: UUID, import_id: UUID) -> Reader | None:
    """A reader that stands where the last committed batch ended; None when there is nothing to do."""
    with inside(workspace_id):
        imported = ContactImport.objects.filter(pk=import_id, state__in=UNDER_WAY).first()
        if imported is None:
            return None
        records = _records(imported, may_hold_lines=True)
        headings = next(records).cells
        reader = Reader(
            imported.pk, workspace_id, imported.what,
            rules.Plan(headings, tuple(imported.mapping), _field_rules()), records,
        )  # fmt: skip
        for each in islice(records, imported.rows):
            reader.judge(each)  # only to know again which addresses came already
        reader.at = imported.rows
    return reader


def read_some(reader: Reader) -> bool:
    """One batch more is in, or counted where nothing is stored yet. False when the import has ended."""
    try:
        return _read_some(reader)
    except IntegrityError as error:
        # Somebody added one of them by hand in the same moment. The reader has moved on, so another takes over.
        raise Conflict("An address was added at the same time. The batch is read again.") from error


def _read_some(reader: Reader) -> bool:
    with inside(reader.workspace_id):
        actions.one_import_at_a_time(reader.workspace_id)
        imported = ContactImport.objects.select_for_update().get(pk=reader.import_id)
        if imported.state not in UNDER_WAY or imported.rows != reader.at:
            return False  # stopped, or another reader was faster: it stands where that one ended
        room = rules.MAX_ROWS - imported.rows
        batch = list(islice(reader.records, min(BATCH, room)))
        judged = [reader.judge(each) for each in batch]
        good = [each for each in judged if isinstance(each, rules.Row)]
        bad = [each for each in judged if isinstance(each, rules.Problem)]
        dry = imported.state == State.CHECKING
        if imported.what == What.SUPPRESSIONS:
            _suppress(imported, good, dry=dry)
        else:
            _take_in(imported, good, reader.known, dry=dry)
        if bad:
            _leave_out(imported, bad, reader.plan.headings)
        imported.rows += len(batch)
        reader.at = imported.rows
        imported.tries = 0
        if batch:
            imported.at_line = batch[-1].line
        if len(batch) == BATCH and room > BATCH:
            imported.save()
            return True
        if room <= BATCH and next(reader.records, None) is not None:
            imported.problems.append({
                "line": imported.at_line,
                "message": f"Only the first {rules.MAX_ROWS:,} rows were read. Import the lines below this one as a file of their own.",
            })  # fmt: skip
        imported.at_line = max(imported.lines, imported.at_line)
        if dry:
            imported.state = State.CHECKED
            imported.save()
        else:
            _end(imported, State.DONE, Actor("member", str(imported.member_id or "")))
    return False


def fell_over(workspace_id: UUID, import_id: UUID) -> None:
    """A go ended by a fault. After some without progress it is given up; what is imported already stays."""
    with inside(workspace_id):
        imported = ContactImport.objects.select_for_update().get(pk=import_id)
        if imported.state in UNDER_WAY:
            imported.tries += 1
            if imported.tries >= MAX_TRIES:
                _end(imported, State.FAILED, Actor("job", "contacts.import"))
            else:
                imported.save()


def forget_abandoned(workspace_id: UUID, import_id: UUID, *, before: datetime) -> None:
    """A file that nobody went on with since then is gone."""
    with inside(workspace_id):
        waiting = (State.UPLOADED, State.CHECKED)
        imported = (
            ContactImport.objects.select_for_update()
            .filter(pk=import_id, state__in=waiting, created_at__lt=before)
            .first()
        )
        if imported is not None:
            _end(imported, State.STOPPED, Actor("job", "contacts.import"))


def import_csv(
    workspace_id: UUID,
    file_name: str,
    data: bytes | BinaryIO,
    *,
    member: Member,
    what: str = What.CONTACTS,
    dry: bool = False,
    mapping: list[str] | None = None,
) -> ContactImport:
    """The whole list at once, here and now: for the command line and the demo. Raises BadInput for no list at all."""
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    kept = upload(workspace_id, file_name, file, member=member, what=what, may_ask=mapping is not None)
    start(kept.pk, mapping or kept.mapping, workspace_id=workspace_id, dry=dry, actor=by(member))
    run(workspace_id, kept.pk)
    with inside(workspace_id):
        return ContactImport.objects.get(pk=kept.pk)


def run(workspace_id: UUID, import_id: UUID) -> None:
    """Until it has ended."""
    while (reader := begin(workspace_id, import_id)) is not None:
        while read_some(reader):
            pass


def import_people(
    workspace_id: UUID, people: Iterable[dict[str, str]], source: str, *, member: Member
) -> ContactImport:
    """Those that a member ticked of an Outlook list are contacts, as with a file."""
    rows: list[rules.Row] = []
    problems: list[rules.Problem] = []
    seen: set[str] = set()
    for number, values in enumerate(people, 1):
        problem = rules.check(values)
        if problem or values["email"].casefold() in seen:
            problems.append(rules.Problem(number, problem or "The same address was ticked twice."))
        else:
            seen.add(values["email"].casefold())
            rows.append(rules.Row(number, values, {}))
    with inside(workspace_id):
        actions.one_import_at_a_time(workspace_id)
        imported = ContactImport(
            workspace_id=workspace_id, member=member, state=State.RUNNING, file_name=source[:200],
            created_at=clock.now(), encoding="",
        )  # fmt: skip
        imported.save(force_insert=True)
        _take_in(imported, rows, actions.Known(), dry=False)
        imported.problems = [{"line": p.line, "message": p.message} for p in problems]
        imported.rejected = len(problems)
        _end(imported, State.DONE, by(member))
    return imported


def rejected_text(workspace_id: UUID, import_id: UUID) -> Iterator[str]:
    """The rows left out as they were, with what to change, as a CSV piece by piece; nothing where there are none."""
    with inside(workspace_id):
        imported = ContactImport.objects.get(pk=import_id)
        numbers = list(
            imported.parts.filter(kind=Kind.REJECTED).order_by("number").values_list("number", flat=True)
        )
        before = names.open(imported, "rejected_rows")
    if before:
        yield before
    for number in numbers:
        with inside(workspace_id):
            part = ImportPart.objects.filter(imported=import_id, kind=Kind.REJECTED, number=number).first()
            text = names.open(part, "content") if part else ""
        yield text or ""


def suppressions_text(workspace_id: UUID) -> Iterator[str]:
    """The do-not-contact list as a CSV that runs nothing in a spreadsheet, some hundred rows at a time."""
    heading: list[object] = list(SUPPRESSION_HEADINGS)
    after = UUID(int=0)
    while True:
        with inside(workspace_id):
            listed = list(suppressions().filter(pk__gt=after).order_by("pk")[:500])
            text = as_csv(heading, [suppression_cells(each) for each in listed])  # type: ignore[arg-type]
        yield text if after.int == 0 else text.partition("\n")[2]
        if len(listed) < 500:
            return
        after = listed[-1].pk


def _take_in(imported: ContactImport, rows: list[rules.Row], shared: actions.Known, *, dry: bool) -> None:
    workspace_id = imported.workspace_id
    keys = {row.line: address_index(workspace_id, row.values["email"]) for row in rows}
    contacts = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("company")
        .filter(email_index__in=keys.values())
    )
    known = {contact.email_index: contact for contact in contacts}
    if dry:
        imported.added += sum(key not in known for key in keys.values())
        rows = [row for row in rows if keys[row.line] in known]
    shared.keep_small()
    # Where nothing is stored, no company is made, and none is needed to see what would be filled in.
    companies = {} if dry else actions.companies_of_list(workspace_id, [row.values for row in rows], shared)
    new: list[Contact] = []
    for row in rows:
        company = companies.get(actions.company_place(row.values))
        contact = known.get(keys[row.line])
        if contact is None:
            new.append(
                actions.new_contact(
                    workspace_id, row.values, row.further, imported.file_name, company=company,
                    owner_id=imported.member_id, imported=imported, email_index=keys[row.line], known=shared,
                )
            )  # fmt: skip
        elif actions.complete(contact, row.values, row.further, company, dry=dry):
            imported.updated += 1
        else:
            imported.unchanged += 1
    _store(new)
    imported.added += len(new)


def _store(contacts: list[Contact]) -> None:
    """All of them by one statement with one array for each column, or one value where all have the same.

    Django's own takes a parameter for each cell, which is twice as slow; COPY is refused under row-level security.
    """
    connection = connections["default"]
    columns: list[str] = []
    chosen: list[str] = []
    given: list[str] = []
    names_given: list[str] = []
    same: list[Any] = []
    arrays: list[list[Any]] = []
    if not contacts:
        return
    for number, each in enumerate(Contact._meta.concrete_fields):
        values: list[Any] = [getattr(contact, each.attname) for contact in contacts]
        kind = each.db_type(connection)
        columns.append(str(each.column))
        if isinstance(each, IndexField):
            values = forms_now(connection, values)
        if isinstance(each, IndexesField):  # an array of arrays would be one table
            values, kind = [" ".join(forms_in_lists(connection, hashes)[0]) for hashes in values], "text"
            chosen.append(f"string_to_array(c{number}, ' ')")
        elif values.count(values[0]) == len(values):
            chosen.append(f"%s::{kind}")
            same.append(values[0])
            continue
        else:
            chosen.append(f"c{number}")
        given.append(f"%s::{kind}[]")
        names_given.append(f"c{number}")
        arrays.append(values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Contact._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(chosen)} "
            f"FROM unnest({', '.join(given)}) AS given({', '.join(names_given)})",
            [*same, *arrays],
        )


def _suppress(imported: ContactImport, rows: list[rules.Row], *, dry: bool) -> None:
    workspace_id, now = imported.workspace_id, clock.now()
    keys = {
        row.line: index(workspace_id, row.values["kind"], row.values["value"], purpose=SUPPRESSION_KEY)
        for row in rows
    }
    known = set(
        Suppression.objects.filter(lifted_at__isnull=True, index__in=keys.values()).values_list(
            "index", flat=True
        )
    )
    new: list[Suppression] = []
    for row in rows:
        if keys[row.line] in known:
            imported.unchanged += 1
            continue
        since = row.values.get("since")
        cause = row.values.get("cause", "")
        suppression = Suppression(
            workspace_id=workspace_id,
            kind=row.values["kind"],
            index=keys[row.line],
            cause=cause if cause in Suppression.Cause.values else Suppression.Cause.IMPORTED,
            source=(row.values.get("source") or imported.file_name)[:100],
            created_at=min(datetime.fromisoformat(since).replace(tzinfo=UTC), now) if since else now,
        )
        seal(suppression, "value", row.values["value"])
        new.append(suppression)
    imported.added += len(new)
    if not dry:
        Suppression.objects.bulk_create(new, batch_size=BATCH)


def _leave_out(imported: ContactImport, problems: list[rules.Problem], headings: tuple[str, ...]) -> None:
    room = KEPT_PROBLEMS - len(imported.problems)
    imported.problems += [{"line": p.line, "message": p.message} for p in problems[: max(room, 0)]]
    table = ([*(_storable(cell) for cell in problem.cells), problem.message] for problem in problems)
    first = imported.rejected == 0
    text = as_csv([*map(_storable, headings), "problem"], table)
    number = imported.parts.filter(kind=Kind.REJECTED).count()
    _keep(imported, Kind.REJECTED, number, text if first else text.partition("\n")[2])
    imported.rejected += len(problems)


def _storable(cell: str) -> str:
    """A cell for the download. A spreadsheet cannot open NUL; the mark shows where one stood."""
    return cell.replace("\x00", sheets.LOST)


def _end(imported: ContactImport, state: str, actor: Actor) -> None:
    """It has ended, its file is gone, and the record says what became of its rows."""
    imported.state, imported.ended_at = state, clock.now()
    imported.save()
    imported.parts.filter(kind=Kind.FILE).delete()
    tag = tags.SUPPRESSION_IMPORT if imported.what == What.SUPPRESSIONS else tags.CONTACT_IMPORT
    ended: dict[str, Any] = {} if state == State.DONE else {"state": state}
    record(
        actor,
        tag,
        imported,
        added=imported.added,
        updated=imported.updated,
        rejected=imported.rejected,
        **ended,
    )


def _keep(imported: ContactImport, kind: str, number: int, text: str) -> None:
    part = ImportPart(workspace_id=imported.workspace_id, imported=imported, kind=kind, number=number)
    seal(part, "content", text)
    part.save(force_insert=True)


def _records(imported: ContactImport, *, may_hold_lines: bool = False) -> Iterator[sheets.Record]:
    plan = rules.Plan((), tuple(imported.mapping))
    return sheets.records(
        _file_of(imported.workspace_id, imported.pk),
        imported.delimiter,
        may_hold_lines=plan.may_hold_lines if may_hold_lines and imported.what == What.CONTACTS else None,
    )


def _file_of(workspace_id: UUID, import_id: UUID) -> Iterator[str]:
    """The file's text, one part in memory at a time. Each is fetched when the one before it is used up."""
    number = 0
    while True:
        with inside(workspace_id):
            part = ImportPart.objects.filter(imported=import_id, kind=Kind.FILE, number=number).first()
        if part is None:
            return
        yield names.open(part, "content") or ""
        number += 1


def _first_mapping(headings: tuple[str, ...], what: str) -> list[str]:
    if what == What.CONTACTS:
        return rules.first_mapping(headings)
    mapping: list[str] = []
    for heading in headings:
        target = rules.SUPPRESSION_HEADINGS.get(rules.plain(heading), "")
        mapping.append("" if target in mapping else target)
    return mapping


def _needs(what: str) -> str:
    return "value" if what == What.SUPPRESSIONS else "email"


def _is_field(target: str, what: str) -> bool:
    name = target.removeprefix(rules.FIELD)
    return what == What.CONTACTS and target.startswith(rules.FIELD) and rules.field_name(name) == name


def _field_rules() -> dict[str, rules.FieldRule]:
    return {each.name: rules.FieldRule(each.kind, tuple(each.choices)) for each in ContactField.objects.all()}


def _make_fields(imported: ContactImport) -> None:
    """Columns that become a field of one's own have one, of the kind text."""
    headings = head_of(imported).headings
    wanted = {
        target.removeprefix(rules.FIELD): heading
        for heading, target in zip(headings, imported.mapping, strict=True)
        if target.startswith(rules.FIELD)
    }
    known = set(ContactField.objects.filter(name__in=wanted).values_list("name", flat=True))
    missing = {name: heading for name, heading in wanted.items() if name not in known}
    ContactField.objects.bulk_create(
        ContactField(
            workspace_id=imported.workspace_id,
            name=name,
            label=rules.clean(heading)[:60] or name,
            created_at=clock.now(),
        )
        for name, heading in missing.items()
    )
