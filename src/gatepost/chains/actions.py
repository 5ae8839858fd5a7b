"""Adding a link to a chain, and anchoring it."""

import json
import logging
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from gatepost import clock
from gatepost.chains import queries, rules
from gatepost.chains.models import Anchor, Link
from gatepost.isolation import inside
from gatepost.vault.sealing import installation_index
from gatepost.vault.signing import is_signed, public_key, sign

log = logging.getLogger(__name__)

MOST_RECORDS = 1000
MARKS, ANCHORS = "chain", "anchors"  # what the installation's keys are for


def add_links(workspace_id: UUID, *, through: int) -> int:
    """Every record of the workspace up to this number is in its chain. Returns how many were added.

    A number is settled before it comes here, so that none with a lower one can follow (queries.settled).
    """
    added = 0
    while True:
        with inside(workspace_id):
            last = queries.last_link(workspace_id)
            after = last.through if last else None
            some = queries.number_of(MOST_RECORDS, workspace_id, after=after, through=through)
            found = queries.records(workspace_id, after=after, through=some)
            if not found:
                return added
            # Two who do this at once make the same link, and the second one is refused.
            _link(workspace_id, last, found).save(force_insert=True)
        added += len(found)


def _link(workspace_id: UUID, last: Link | None, found: list[rules.Record]) -> Link:
    position, previous = (last.position + 1, last.hash) if last else (1, rules.FIRST)
    at, through = clock.now(), found[-1].number
    prints = b"".join(map(rules.print_of, found))
    link_hash = rules.hash_of(workspace_id, position, at, through, prints, previous)
    return Link(
        workspace_id=workspace_id, position=position, at=at, through=through, records=len(found), prints=prints,
        previous=previous, hash=link_hash, mark=mark_of(link_hash),
    )  # fmt: skip


def mark_of(link_hash: str) -> str:
    """What only this installation can make of a link's hash: its key lies outside the database."""
    return installation_index(MARKS, link_hash)


def anchor(workspace_id: UUID) -> bool:
    """What the chain is now is said outside the database, signed. False where that was said before.

    The file comes first: where it cannot be written the table says nothing either, and the next hour says it.
    """
    key = public_key(ANCHORS)  # looked up before the transaction: the keystore is another database
    with inside(workspace_id):
        last = queries.last_link(workspace_id)
        before = queries.last_anchor(workspace_id)
        if last is None or (before is not None and before.position == last.position):
            return False
    at = clock.now()
    said = {
        "workspace": str(workspace_id), "at": at.isoformat(), "position": last.position, "hash": last.hash,
    }  # fmt: skip
    line = json.dumps({"anchor": said, "signature": sign(said, purpose=ANCHORS), "public_key": key})
    file().parent.mkdir(parents=True, exist_ok=True)
    with file().open("a") as kept:
        kept.write(line + "\n")
    # Where logs are collected elsewhere, that is one more place that whoever owns the database does not own.
    log.info("the records are anchored", extra={"workspace": str(workspace_id), "count": last.position})
    with inside(workspace_id):
        Anchor.objects.create(workspace_id=workspace_id, at=at, position=last.position, said=line)
    return True


def file() -> Path:
    """Where anchors are kept outside the database."""
    return Path(settings.GATEPOST_ANCHOR_FILE)


def read_anchors(text: str) -> list[tuple[rules.AnchorFacts | None, str]]:
    """What each line says, None where it is not this installation's; and the line's own name for people."""
    found: list[tuple[rules.AnchorFacts | None, str]] = []
    key = public_key(ANCHORS)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            found.append((_anchor(line, key), f"line {number}"))
    return found


def _anchor(line: str, key: str) -> rules.AnchorFacts | None:
    try:
        whole = json.loads(line)
        said = whole["anchor"]
        if not is_signed(said, whole["signature"], public=key):
            return None
        return rules.AnchorFacts(
            UUID(said["workspace"]), datetime.fromisoformat(said["at"]), int(said["position"]), said["hash"]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
