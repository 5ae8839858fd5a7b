"""Looking whether a mailbox can be used, and for what; removing our own drafts. Only `mailboxes` imports this."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from gatepost.graph.errors import NotThere
from gatepost.graph.gateway import Gateway
from gatepost.graph.shapes import SEND_KEY
from gatepost.graph.wire import written

# All that the tokens of a disconnected mailbox may still be used for.
CLEAN_UP = frozenset({"drafts.ours", "draft.delete", "briefs.ours", "brief.delete", "subscription.delete"})


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose mailbox it is, and every address that is the rep's own."""

    object_id: str
    name: str
    address: str
    own_addresses: frozenset[str]


async def profile(gateway: Gateway) -> Profile:
    body = await gateway.ask("profile")
    address = str(body.get("mail") or body.get("userPrincipalName") or "")
    aliases = {str(each).partition(":")[2] for each in body.get("proxyAddresses") or () if ":" in str(each)}
    own = {
        each.casefold()
        for each in {address, str(body.get("userPrincipalName") or ""), *aliases}
        if "@" in each
    }
    return Profile(str(body["id"]), str(body.get("displayName") or ""), address, frozenset(own))


async def check_inbox(gateway: Gateway) -> None:
    """The mailbox answers. Raises MailboxUnusable for a user without one."""
    await gateway.ask("inbox.check")


async def remove_own_drafts(gateway: Gateway) -> int:
    """No draft of ours lies in the drafts folder any more. Returns how many were removed."""
    return await _remove_all(gateway, "drafts.ours", "draft.delete")


async def remove_own_briefs(gateway: Gateway) -> int:
    """No event of ours stands in the calendar any more. Returns how many were removed."""
    return await _remove_all(gateway, "briefs.ours", "brief.delete")


async def _remove_all(gateway: Gateway, find: str, delete: str) -> int:
    removed: set[str] = set()
    while True:
        found = [str(each["id"]) for each in (await gateway.ask(find)).get("value") or ()]
        # The list lags behind: what was removed already may still stand in it.
        left = [each for each in found if each not in removed]
        if not left:
            return len(removed)
        for graph_id in left:
            with suppress(NotThere):
                await gateway.ask(delete, id=graph_id)
            removed.add(graph_id)


async def check_folder(gateway: Gateway, folder: str) -> None:
    """The folder answers."""
    await gateway.ask("folder.check", folder=folder)


async def check_changes(gateway: Gateway, *, since: datetime) -> None:
    """The inbox says what is new in it; what came since this moment is not looked at."""
    await gateway.ask("changes.check", since=written(since))


async def check_calendar(gateway: Gateway) -> None:
    await gateway.ask("calendar.check")


async def check_draft(gateway: Gateway, key: str) -> None:
    """A draft of ours was made and removed, and so was one that an earlier try left behind. `key` finds it again."""
    await _remove_drafts(gateway, key)
    await gateway.ask(
        "draft.create",
        body={
            "subject": "Gatepost tries whether it can make a draft",
            "body": {
                "contentType": "text",
                "content": "Gatepost removes this draft at once. You may delete it.",
            },
            "singleValueExtendedProperties": [{"id": SEND_KEY, "value": key}],
        },
    )
    await _remove_drafts(gateway, key)


async def _remove_drafts(gateway: Gateway, key: str) -> None:
    found = await gateway.ask("draft.find", key=key)
    for draft in found.get("value", ()):
        if draft.get("isDraft"):
            with suppress(NotThere):
                await gateway.ask("draft.delete", id=str(draft["id"]))


async def has_licence(gateway: Gateway) -> bool:
    """Whether the user has any licence at all. Without a mailbox that means: it is somewhere else."""
    return bool((await gateway.ask("licences")).get("assignedLicenses"))
