"""The matcher: the only maker of a MatchedReply, and so the only way to a mail's text."""

from gatepost.graph import messages
from gatepost.graph.messages import Envelope, MatchedReply, Sender
from gatepost.intake import rules
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.vault.sealing import index

_MAKER = object()
messages.only_matcher(_MAKER)


def match(
    mailbox: Mailbox, message: Message, envelope: Envelope, sender: Sender
) -> tuple[MatchedReply, rules.Matched] | rules.Drop:
    """The right to read this mail, or the reason why there is none."""
    decision = rules.decide_sender(_facts(mailbox, message, sender))
    if isinstance(decision, rules.Drop):
        return decision
    return MatchedReply(envelope.graph_id, f"{decision.kind} to {message.key[:8]}", made_by=_MAKER), decision


def _facts(mailbox: Mailbox, message: Message, sender: Sender) -> rules.SenderFacts:
    workspace_id = mailbox.workspace_id
    addresses = {sender.address, sender.submitted_by or sender.address}
    domains = {address.rpartition("@")[2].casefold() for address in addresses}
    with inside(workspace_id):
        internal = {each.casefold() for each in mailbox.workspace.internal_domains}
        indexes = {index(workspace_id, "domain", domain) for domain in domains}
        return rules.SenderFacts(
            address=sender.address,
            is_draft=sender.is_draft,
            is_own_address=index(workspace_id, "address", sender.address) in mailbox.own_address_indexes,
            is_internal=bool(domains & internal or indexes & set(mailbox.domain_indexes)),
            is_contact=index(workspace_id, "address", sender.address) == message.contact.email_index,
        )
