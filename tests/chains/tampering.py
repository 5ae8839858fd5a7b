"""What somebody who owns the database could do to the records, at random, and whether it is found."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connections, transaction

from gatepost import clock
from gatepost.audit.models import LedgerRow
from gatepost.audit.record import job, record
from gatepost.chains import actions, queries
from gatepost.chains.rules import AnchorFacts
from gatepost.chains.verify import verify
from gatepost.isolation import inside
from tests.makers import make_workspace

RECORDS = {
    "gatepost_auditentry": {
        "at": "at + interval '1 second'", "actor_kind": "'member'", "actor_id": "actor_id || 'x'",
        "tag": "'content:read'", "subject_id": "gen_random_uuid()", "mailbox_id": "gen_random_uuid()",
        "detail": """detail || '{"reason": "another"}'""", "workspace_id": "gen_random_uuid()",
        "id": "gen_random_uuid()", "number": "number + 100000",
    },
    "gatepost_ledgerrow": {
        "at": "at - interval '1 microsecond'", "shape": "'reply'", "item_hash": "'00'", "status": "status + 1",
        "client_request_id": "gen_random_uuid()", "bytes": "bytes + 1", "milliseconds": "milliseconds + 0.001",
        "reason": "reason || '!'", "mailbox_id": "gen_random_uuid()", "workspace_id": "gen_random_uuid()",
        "id": "gen_random_uuid()", "number": "-number",
    },
}  # fmt: skip
LINK = {
    "at": "at + interval '1 second'", "through": "through + 1", "previous": "md5(previous) || md5(previous)",
    "hash": "md5(hash) || md5(hash)", "mark": "md5(mark)", "position": "position + 1000",
    "prints": "set_byte(prints, length(prints) / 2, 255 - get_byte(prints, length(prints) / 2))",
}  # fmt: skip
REQUEST = {
    "shape": "envelopes",
    "status": 200,
    "bytes": 512,
    "milliseconds": 3.25,
    "reason": "looking for replies",
}


@dataclass
class Office:
    """A workspace whose records are chained, with the last link anchored."""

    workspace_id: UUID
    anchors: list[AnchorFacts]


@dataclass
class Tally:
    done: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


def write(workspace: Any, count: int, chance: random.Random) -> None:
    """So many records of both kinds, as the product writes them."""
    with inside(workspace.pk):
        for number in range(count):
            if chance.random() < 0.5:
                record(job("test"), "message:send", workspace, workspace_id=workspace.pk, n=number, half=0.5)
            else:
                LedgerRow.objects.create(
                    workspace_id=workspace.pk, mailbox_id=uuid4(), at=clock.now(), item_hash="ab",
                    client_request_id=uuid4(), **REQUEST,
                )  # fmt: skip


def an_office(chance: random.Random, *, links: int = 6, records: int = 8) -> Office:
    workspace = make_workspace()
    for _ in range(links):
        write(workspace, records, chance)
        actions.add_links(workspace.pk, through=queries.settled())
    actions.anchor(workspace.pk)
    with inside(workspace.pk):
        (line,) = queries.anchors(workspace.pk)
    ((anchor, _),) = actions.read_anchors(line)
    assert anchor is not None
    return Office(workspace.pk, [anchor])


def verified(office: Office, using: str = "default") -> Any:
    with inside(office.workspace_id):
        return verify(office.workspace_id, office.anchors, using=using)


def tamper(office: Office, times: int, chance: random.Random) -> Tally:
    """So many times: something is done by the database's owner, looked for, and undone."""
    tally = Tally()
    names = sorted(WAYS)
    for number in range(times):
        name = names[number % len(names)]
        with transaction.atomic(using="owner"):
            with connections["owner"].cursor() as cursor:
                said = WAYS[name](cursor, office, chance)
            tally.done[name] += 1
            if verified(office, using="owner").holds:
                tally.missed.append(f"{name}: {said}")
            transaction.set_rollback(True, using="owner")
    return tally


def _pick(cursor: Any, table: str, office: Office, chance: random.Random, count: int = 1) -> list[Any]:
    cursor.execute(f"SELECT id FROM {table} WHERE workspace_id = %s ORDER BY id", [office.workspace_id])
    return chance.sample([row[0] for row in cursor.fetchall()], count)


def edit(cursor: Any, office: Office, chance: random.Random) -> str:
    table = chance.choice(sorted(RECORDS))
    column = chance.choice(sorted(RECORDS[table]))
    (row,) = _pick(cursor, table, office, chance)
    cursor.execute(f"UPDATE {table} SET {column} = {RECORDS[table][column]} WHERE id = %s", [row])
    return f"{table}.{column}"


def delete(cursor: Any, office: Office, chance: random.Random) -> str:
    table = chance.choice(sorted(RECORDS))
    rows = _pick(cursor, table, office, chance, chance.randint(1, 4))
    cursor.execute(f"DELETE FROM {table} WHERE id = ANY(%s)", [rows])
    return f"{len(rows)} of {table}"


def swap(cursor: Any, office: Office, chance: random.Random) -> str:
    """Two records change places, or two columns of them do."""
    table = chance.choice(sorted(RECORDS))
    column = chance.choice(
        ["number", "id"] + (["at"] if table == "gatepost_auditentry" else ["client_request_id"])
    )
    one, other = _pick(cursor, table, office, chance, 2)
    cursor.execute(f"SELECT id, {column} FROM {table} WHERE id IN (%s, %s)", [one, other])
    held = dict(cursor.fetchall())
    if column == "id":
        cursor.execute(f"UPDATE {table} SET id = gen_random_uuid() WHERE id = %s RETURNING id", [one])
        (between,) = cursor.fetchone()
        cursor.execute(f"UPDATE {table} SET id = %s WHERE id = %s", [one, other])
        cursor.execute(f"UPDATE {table} SET id = %s WHERE id = %s", [other, between])
    else:
        for row, value in ((one, held[other]), (other, held[one])):
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, row])
    return f"{table}.{column}"


def insert(cursor: Any, office: Office, chance: random.Random) -> str:
    """A copy of a record is slipped in at an earlier place."""
    table = chance.choice(sorted(RECORDS))
    (row,) = _pick(cursor, table, office, chance)
    cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [row])
    columns = [each.name for each in cursor.description]
    values = ", ".join("gen_random_uuid()" if each == "id" else each for each in columns)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE id = %s", [row]
    )
    return table


def truncate(cursor: Any, office: Office, chance: random.Random) -> str:
    """The newest links go, with every record that they hold and each that came after."""
    keep = chance.randint(0, 5)
    cursor.execute(
        "SELECT coalesce(max(through), 0) FROM gatepost_link WHERE workspace_id = %s AND position <= %s",
        [office.workspace_id, keep],
    )
    (through,) = cursor.fetchone()
    cursor.execute(
        "DELETE FROM gatepost_link WHERE workspace_id = %s AND position > %s", [office.workspace_id, keep]
    )
    for table in RECORDS:
        cursor.execute(
            f"DELETE FROM {table} WHERE workspace_id = %s AND number > %s", [office.workspace_id, through]
        )
    if chance.random() < 0.5:
        cursor.execute("DELETE FROM gatepost_anchor WHERE workspace_id = %s", [office.workspace_id])
    return f"after link {keep}"


def change_a_link(cursor: Any, office: Office, chance: random.Random) -> str:
    column = chance.choice(sorted(LINK))
    (row,) = _pick(cursor, "gatepost_link", office, chance)
    cursor.execute(f"UPDATE gatepost_link SET {column} = {LINK[column]} WHERE id = %s", [row])
    return column


def remove_a_link(cursor: Any, office: Office, chance: random.Random) -> str:
    (row,) = _pick(cursor, "gatepost_link", office, chance)
    cursor.execute("DELETE FROM gatepost_link WHERE id = %s", [row])
    return str(row)


def remove_a_link_with_its_records(cursor: Any, office: Office, chance: random.Random) -> str:
    """What is left of the chain is whole, link by link: only that one does not follow the other tells of the gap."""
    position = chance.randint(1, 5)  # the last one is anchored
    cursor.execute(
        "SELECT coalesce(max(through) FILTER (WHERE position < %s), 0), max(through) FILTER (WHERE position = %s) "
        "FROM gatepost_link WHERE workspace_id = %s",
        [position, position, office.workspace_id],
    )
    after, through = cursor.fetchone()
    cursor.execute(
        "DELETE FROM gatepost_link WHERE workspace_id = %s AND position = %s", [office.workspace_id, position]
    )
    for table in RECORDS:
        cursor.execute(
            f"DELETE FROM {table} WHERE workspace_id = %s AND number > %s AND number <= %s",
            [office.workspace_id, after, through],
        )
    return f"link {position}"


def make_anew(cursor: Any, office: Office, chance: random.Random) -> str:
    """A record is changed and every hash from there on is computed again, by somebody who knows how."""
    table = chance.choice(sorted(RECORDS))
    (row,) = _pick(cursor, table, office, chance)
    cursor.execute(f"UPDATE {table} SET at = at + %s WHERE id = %s", [timedelta(days=1), row])
    previous, after = "0" * 64, None
    for link in list(queries.links(office.workspace_id, using="owner")):
        found = queries.records(office.workspace_id, after=after, through=link.through, using="owner")
        prints = b"".join(map(actions.rules.print_of, found))
        link_hash = actions.rules.hash_of(
            office.workspace_id, link.position, link.at, link.through, prints, previous
        )
        cursor.execute(
            "UPDATE gatepost_link SET prints = %s, previous = %s, hash = %s WHERE workspace_id = %s AND position = %s",
            [prints, previous, link_hash, office.workspace_id, link.position],
        )
        previous, after = link_hash, link.through
    return table


def forge_an_anchor(cursor: Any, office: Office, chance: random.Random) -> str:
    digit = chance.choice("0123456789")
    cursor.execute(
        """UPDATE gatepost_anchor SET said = replace(said, '"position": ', '"position": ' || %s) WHERE workspace_id = %s""",
        [chance.choice("123456789") + digit, office.workspace_id],
    )
    return digit


WAYS: dict[str, Callable[[Any, Office, random.Random], str]] = {
    each.__name__: each
    for each in (
        edit,
        delete,
        swap,
        insert,
        truncate,
        change_a_link,
        remove_a_link,
        remove_a_link_with_its_records,
        make_anew,
        forge_an_anchor,
    )
}
