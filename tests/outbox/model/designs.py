"""Designs that are in use elsewhere, or that ours would be without one of its parts. The search finds what is wrong with
each: a check that cannot fail proves nothing."""

from gatepost.outbox import protocol as p

from .world import Bounds, Design


def send_without_committing_the_id(row: p.Row) -> p.Step:
    """A draft is looked for or made, and sent at once: whoever comes next looks for it again."""
    found = yield p.FindByKey()
    if any(not item.is_draft for item in found):
        yield p.Commit(p.Event.SEEN)
        return None
    draft = min(found, key=lambda item: item.created, default=None) or (yield p.Create())
    if isinstance(draft, p.Item):
        answer = yield p.SendDraft(draft.graph_id)
        if isinstance(answer, p.Taken):
            yield p.Commit(p.Event.SEEN)
    return None


A2 = Bounds(second_send_accepted=True, crashes=1, in_flight=2, items=1)
RESTORE = Bounds(restore=True, search_lags=True, crashes=0, in_flight=1, workers=1)

# What is wrong, where it shows, and how many steps it takes at least.
KNOWN_BAD: dict[str, tuple[Design, Bounds]] = {
    "a draft whose id is not committed before it is sent": (
        Design(step=send_without_committing_the_id),
        Bounds(crashes=0, in_flight=2),
    ),
    "ours, and the HTTP layer repeats an unclear send": (Design(repeats=True, waits=False), A2),
    "ours without the quiet time": (Design(waits=False), A2),
    "ours without the deadline of a send": (Design(has_deadline=False), A2),
    "ours, comparing the state and not the revision": (Design(compares_revision=False), A2),
    "ours without the rule for a restored database": (Design(recovers=False), RESTORE),
}

# The widest that is searched (`./dev soak sends --model`); each alone is worse than Microsoft can be all of the time.
FULL: dict[str, Bounds] = {
    "as documented": Bounds(crashes=1, in_flight=2, items=2),
}
