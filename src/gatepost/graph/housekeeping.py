"""Looking whether a mailbox can be used at all. Only `mailboxes` imports this."""

from dataclasses import dataclass

from gatepost.graph.gateway import Gateway


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
