"""`gatepost verify audit`: the records against their chains, and the chains against their anchors."""

from dataclasses import dataclass, field
from uuid import UUID

from gatepost.chains import actions, queries, rules
from gatepost.chains.rules import AnchorFacts, Break, LinkFacts
from gatepost.isolation import inside


@dataclass
class Verified:
    """What came of one workspace's records."""

    workspace_id: UUID
    links: int = 0
    records: int = 0  # that are as they were chained
    waiting: int = 0  # written, and not chained yet
    removed: int = 0  # as they should be: kept long enough, or closed
    anchors: int = 0
    breaks: list[Break] = field(default_factory=list)
    restored: list[Break] = field(default_factory=list)  # what a restored database explains

    @property
    def holds(self) -> bool:
        return not self.breaks


def verify_all(more_anchors: str = "") -> list[Verified]:
    """Every workspace. `more_anchors`: the lines of an anchor file that was kept elsewhere."""
    kept = actions.file().read_text() if actions.file().exists() else ""
    outside, broken = _outside(kept, more_anchors)
    found = []
    for workspace_id in sorted({*queries.all_workspaces(), *(each.workspace_id for each in outside)}):
        with inside(workspace_id):
            found.append(verify(workspace_id, [a for a in outside if a.workspace_id == workspace_id]))
    if broken and found:
        found[0].breaks[:0] = broken
    return found


def verify(workspace_id: UUID, outside: list[AnchorFacts], *, using: str = "default") -> Verified:
    """One workspace, inside its transaction. `outside`: its anchors as they are kept outside the database."""
    done = Verified(workspace_id)
    gone = queries.removals(workspace_id, using=using)
    anchors, broken = _in_database(workspace_id, using)
    done.breaks += broken
    wanted = {each.position for each in (*anchors, *outside)}
    hashes: dict[int, str] = {}
    before: LinkFacts | None = None
    for link in queries.links(workspace_id, using=using):
        done.breaks += rules.breaks_of_link(link, before, mark=actions.mark_of(link.hash))
        _records(done, link, before, gone, using)
        if link.position in wanted:
            hashes[link.position] = link.hash
        before = link
        done.links += 1
    if done.removed > gone.requests and not gone.everything:
        done.breaks.append(
            Break(
                "more old requests are missing than were removed",
                f"{done.removed} instead of {gone.requests}",
            )
        )
    done.waiting = len(
        queries.records(workspace_id, after=before.through if before else None, through=None, using=using)
    )
    for each in {*anchors, *outside}:
        done.anchors += hashes.get(each.position) == each.hash
    lost, explained = rules.breaks_of_anchors(
        sorted({*anchors, *outside}, key=lambda each: (each.at, each.position)),
        hashes,
        restored_at=queries.restored_at(workspace_id, using=using),
    )
    done.breaks += lost
    done.restored += explained
    return done


def _records(
    done: Verified, link: LinkFacts, before: LinkFacts | None, gone: rules.Removals, using: str
) -> None:
    stored = queries.records(
        link.workspace_id, after=before.through if before else None, through=link.through, using=using
    )
    here = {(each.kind, each.id) for each in stored}
    chained = rules.prints_in(link.prints)
    for kind in queries.KINDS:
        # One whose number, or workspace, was changed lies elsewhere now.
        elsewhere = [each.id for each in chained if each.kind == kind and (kind, each.id) not in here]
        if elsewhere:
            stored += queries.records_by_id(kind, elsewhere, using=using)
    found, removed = rules.breaks_of_records(link, stored, gone)
    done.breaks += found
    done.removed += removed
    done.records += len(chained) - removed - len(found)


def _in_database(workspace_id: UUID, using: str) -> tuple[list[AnchorFacts], list[Break]]:
    read = actions.read_anchors("\n".join(queries.anchors(workspace_id, using=using)))
    broken = [
        Break("an anchor was not made by this installation", f"{where} of the table")
        for a, where in read
        if a is None
    ]
    return [a for a, _ in read if a is not None], broken


def _outside(*texts: str) -> tuple[list[AnchorFacts], list[Break]]:
    found: list[AnchorFacts] = []
    broken: list[Break] = []
    for text in texts:
        for anchor, where in actions.read_anchors(text):
            if anchor is None:
                broken.append(Break("an anchor was not made by this installation", f"{where} of the file"))
            else:
                found.append(anchor)
    return list(dict.fromkeys(found)), broken
