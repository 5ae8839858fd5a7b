"""The ground truth: what really happened here, for tests to compare with what a product believes."""

from collections import Counter, defaultdict
from typing import Any

from m365_sandbox.store import Store

_LISTS = {
    "sent": "sent", "reply": "replies", "automatic": "automatic", "bounce": "bounces", "meeting": "meetings",
    "unrelated": "unrelated", "event_created": "events_created", "event_changed": "events_changed",
    "event_deleted": "events_deleted", "draft": "drafts", "forwarded": "forwarded", "delivery": "received",
    "unrelated_event": "unrelated_events",
}  # fmt: skip


def tell(store: Store, *, mailbox: str | None = None) -> dict[str, Any]:
    """Facts by mailbox (of those who are no prospects), and deliveries grouped so that doubles show."""
    ours = {user.address for user in store.users.values() if user.person is None}
    mailboxes: dict[str, dict[str, list[Any]]] = defaultdict(lambda: {name: [] for name in _LISTS.values()})
    groups: Counter[tuple[str, str, str, str]] = Counter()
    properties: Counter[tuple[str, str]] = Counter()
    counts: Counter[str] = Counter()
    external: Counter[str] = Counter()
    for kind, address, fact in store.facts():
        counts[kind] += 1
        if kind in _LISTS and (address in ours) and mailbox in (None, address):
            mailboxes[address][_LISTS[kind]].append(fact)
        if kind in ("delivery", "undeliverable", "external") and fact["from"] in ours:
            groups[fact["from"], fact["to"], fact["subject"], fact["body_sha256"]] += 1
            for pair in fact["properties"].items():
                properties[pair] += 1
        if kind == "external":
            external[address] += 1
    deliveries: list[dict[str, Any]] = [
        {"from": sender, "to": to, "subject": subject, "body_sha256": body, "count": count}
        for (sender, to, subject, body), count in groups.items()
    ]
    return {
        "mailboxes": mailboxes,
        "counts": counts,
        "deliveries": deliveries,
        "duplicates": [row for row in deliveries if row["count"] > 1],
        "by_property": [
            {"property": name, "value": value, "count": count} for (name, value), count in properties.items()
        ],
        "duplicates_by_property": [
            {"property": name, "value": value, "count": count}
            for (name, value), count in properties.items()
            if count > 1
        ],
        "external": {"count": sum(external.values()), "by_address": external},
    }
