"""`gatepost verify privacy`: what we say that we asked and read, against what others and our own tables say."""

from dataclasses import dataclass, field
from uuid import UUID

from gatepost.audit import tags
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.conversations.models import Reply
from gatepost.erasure.models import Erasure
from gatepost.graph.shapes import SHAPES
from gatepost.intake.models import Quarantine
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.reports.activity import Compared, Difference, Ours, Theirs, compare
from gatepost.reports.privacy import READS_TEXT
from gatepost.vault.sealing import index


@dataclass
class Verified:
    """What the ledger alone shows, and what came of comparing it with the other side's record, where one was given."""

    requests: int = 0
    texts: int = 0  # of replies, that were read
    differences: list[Difference] = field(default_factory=list)
    compared: Compared | None = None

    @property
    def holds(self) -> bool:
        return not self.differences and (self.compared is None or self.compared.holds)


def verify_all(theirs: list[Theirs] | None = None) -> Verified:
    """Every workspace."""
    done = Verified()
    ours: list[Ours] = []
    for workspace in across_workspaces("workspace_ids"):
        with inside(workspace.workspace_id):
            ours += _ledger()
            done.differences += _texts_without_a_reply(workspace.workspace_id, done)
    done.requests = len(ours)
    done.differences += [
        Difference("a request of no shape in the closed list", f"{each.shape} {each.at:%F %T}")
        for each in ours
        if each.shape not in SHAPES
    ]
    if theirs is not None:
        done.compared = compare(theirs, ours)
    return done


def _ledger() -> list[Ours]:
    rows = LedgerRow.objects.values_list("client_request_id", "shape", "status", "at")
    return [Ours(str(key), shape, status, at) for key, shape, status, at in rows.iterator()]


def _texts_without_a_reply(workspace_id: UUID, done: Verified) -> list[Difference]:
    """Each mail whose text was read is a reply that is stored; looked at where none can have been removed since."""
    connected = Mailbox.objects.filter(state=Mailbox.State.CONNECTED).values_list("pk", flat=True)
    read = LedgerRow.objects.filter(
        shape=READS_TEXT, status__gte=200, status__lt=300, mailbox_id__in=list(connected)
    )
    items = dict(read.order_by("at").values_list("item_hash", "at"))
    stored = {
        index(workspace_id, "item", graph_id)
        for model in (Reply, Quarantine)
        for graph_id in model.objects.values_list("graph_id", flat=True)
    }
    done.texts += len(items)
    removed = AuditEntry.objects.filter(tag=tags.RETENTION_EXPIRE, detail__removed__has_key="contacts")
    if Erasure.objects.exists() or removed.exists():
        return []
    return [
        Difference("the text of a mail was read that is no reply here", f"{at:%F %T}")
        for item, at in items.items()
        if item not in stored
    ]
