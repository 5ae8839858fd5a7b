"""Our own drafts: creating, finding, sending, removing (Mail.ReadWrite, Mail.Send). Only `outbox` imports this.

The send key is stamped on the draft when it is created and found again in the whole mailbox, so that the mailbox
itself remembers what was sent, whatever happens to our database.
"""

from dataclasses import dataclass
from typing import Any

from gatepost.graph.gateway import Gateway
from gatepost.graph.shapes import SEND_KEY


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail of ours as the mailbox shows it."""

    graph_id: str
    is_draft: bool
    internet_message_id: str
    conversation_id: str
    change_key: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a draft says."""

    to_address: str
    to_name: str
    subject: str
    html: str
    key: str


async def find(gateway: Gateway, key: str) -> list[Draft]:
    """Every item of the mailbox with this send key: drafts and sent ones."""
    body = await gateway.ask("draft.find", key=key, item=key)
    return [_draft(each) for each in body.get("value") or ()]


async def find_by_message_id(gateway: Gateway, internet_message_id: str) -> list[Draft]:
    body = await gateway.ask(
        "draft.find-by-message-id", message_id=internet_message_id, item=internet_message_id
    )
    return [_draft(each) for each in body.get("value") or ()]


async def look(gateway: Gateway, graph_id: str) -> Draft:
    """The item as it is now. Raises NotThere."""
    return _draft(await gateway.ask("draft.look", id=graph_id))


async def create(gateway: Gateway, letter: Letter) -> Draft:
    """A new draft that opens a thread. Raises Unclear when it may or may not exist."""
    return _draft(await gateway.ask("draft.create", body=_content(letter), item=letter.key))


async def create_follow_up(gateway: Gateway, letter: Letter, *, to: str) -> Draft:
    """A new draft that answers our own mail `to` (a graph id), so that it stands in the same thread.

    Raises NotThere when that mail is gone, Unclear when the draft may or may not exist.
    """
    return _draft(await gateway.ask("draft.create-follow-up", id=to, body={"message": _content(letter)}))


async def send(gateway: Gateway, graph_id: str, *, leaves_by: float) -> None:
    """Microsoft accepted this one draft for sending (202). Raises TooLate, Refused, NotThere or Unclear.

    202 also with Retry-After means accepted: it is never sent again.
    """
    await gateway.ask("draft.send", id=graph_id, leaves_by=leaves_by)


async def send_at_once(gateway: Gateway, letter: Letter, *, leaves_by: float) -> None:
    """Microsoft accepted this mail for sending (202). Raises TooLate, Refused, NotThere or Unclear.

    No id comes back. The key is stamped on it all the same, for a mailbox that may be looked into one day.
    """
    await gateway.ask(
        "send.at-once",
        body={"message": _content(letter), "saveToSentItems": True},
        item=letter.key,
        leaves_by=leaves_by,
    )


async def delete(gateway: Gateway, graph_id: str) -> None:
    await gateway.ask("draft.delete", id=graph_id)


def _content(letter: Letter) -> dict[str, Any]:
    return {
        "subject": letter.subject,
        "body": {"contentType": "html", "content": letter.html},
        "toRecipients": [{"emailAddress": {"address": letter.to_address, "name": letter.to_name}}],
        "singleValueExtendedProperties": [{"id": SEND_KEY, "value": letter.key}],
    }


def _draft(item: dict[str, Any]) -> Draft:
    return Draft(
        graph_id=item["id"],
        is_draft=bool(item.get("isDraft")),
        internet_message_id=item.get("internetMessageId") or "",
        conversation_id=item.get("conversationId") or "",
        change_key=item.get("changeKey") or "",
    )
