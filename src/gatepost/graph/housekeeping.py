"""Looking whether a mailbox can be used at all, and removing our own drafts. Only `mailboxes` imports this."""

from contextlib import suppress
from dataclasses import dataclass

from gatepost.graph.errors import NotThere
from gatepost.graph.gateway import Gateway

# All that the tokens of a disconnected mailbox may still be used for.
CLEAN_UP = frozenset({"drafts.ours", "draft.delete", "subscription.delete"})


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
    removed: set[str] = set()
    while True:
        found = [str(each["id"]) for each in (await gateway.ask("drafts.ours")).get("value") or ()]
        # The list lags behind: what was removed already may still stand in it.
        left = [each for each in found if each not in removed]
        if not left:
            return len(removed)
        for graph_id in left:
            with suppress(NotThere):
                await gateway.ask("draft.delete", id=graph_id)
            removed.add(graph_id)


async def has_licence(gateway: Gateway) -> bool:
    """Whether the user has any licence at all. Without a mailbox that means: it is somewhere else."""
    return bool((await gateway.ask("licences")).get("assignedLicenses"))
