"""Only mail sent through sequences, and the replies to it, is processed."""

from gatepost.audit.models import LedgerRow
from gatepost.conversations.models import Reply
from gatepost.graph.shapes import SHAPES
from gatepost.outbox.models import Message
from gatepost.vault.sealing import index
from tests.journeys.standing import until

from .conftest import Told

CONTENT = {"body", "uniqueBody", "bodyPreview", "subject", "internetMessageHeaders", "from", "sender"}


def graph_requests(told: Told) -> list[dict]:
    """What was asked with the tokens of the connected mailboxes, by the sandbox's own record."""
    return [each for each in told.stand.requests() if each.get("user") in told.addresses()]


def test_content_left_the_mailbox_only_of_our_mail_and_its_answers(told: Told) -> None:
    truth = told.truth()["mailboxes"]
    ours = {
        fact["internetMessageId"]
        for address in told.addresses()
        for kind in ("sent", "replies", "automatic", "bounces", "drafts")
        for fact in truth[address][kind]
    }
    opened = {
        item["internetMessageId"]
        for request in graph_requests(told)
        for item in request["items"]
        if item.get("internetMessageId") and CONTENT & set(item["fields"])
    }
    assert opened and opened <= ours


def test_every_answer_that_was_delivered_is_stored_and_nothing_else(told: Told) -> None:
    truth = told.truth()["mailboxes"]
    delivered = {
        index(told.workspace.id, "message-id", fact["internetMessageId"])
        for address in told.addresses()
        for kind in ("replies", "automatic", "bounces")
        for fact in truth[address][kind]
    }
    assert {reply.internet_message_index for reply in told.rows(Reply)} == delivered


def test_our_ledger_and_the_other_sides_log_agree_request_by_request(told: Told) -> None:
    before = {each["client_request_id"] for each in graph_requests(told)}
    told.stand.settle(told.workspace.id)

    def in_the_ledger() -> dict[str, LedgerRow]:
        return {str(row.client_request_id): row for row in told.rows(LedgerRow)}

    # A request is written down with the next round of its workspace.
    until(lambda: before <= set(in_the_ledger()), "every request is in the ledger")
    ours = in_the_ledger()
    # The worker goes on asking meanwhile. And a request with a token that has run out is in their log too, but under
    # nobody's name.
    since = {each["client_request_id"] for each in graph_requests(told)}
    nobodys = {each["client_request_id"] for each in told.stand.requests() if each["status"] == 401}
    # Where nobody answered in time (status 0), nobody knows whether it arrived.
    answered = {request_id for request_id, row in ours.items() if row.status}
    assert before and before <= set(ours) and answered <= since | nobodys
    assert {row.shape for row in ours.values()} <= set(SHAPES)


def test_every_request_was_one_of_the_closed_list(told: Told) -> None:
    for request in graph_requests(told):
        assert any(
            shape.method == request["method"] and shape.path_pattern.match(request["path"])
            for shape in SHAPES.values()
        ), request["path"]


def test_only_our_own_drafts_were_ever_written_or_sent(told: Told) -> None:
    keys = {message.key for message in told.rows(Message)}
    truth = told.truth()["mailboxes"]
    sent = [fact for address in told.addresses() for fact in truth[address]["sent"] if fact["properties"]]
    assert sent and all(
        keys & set(fact["properties"].values()) for fact in sent
    )  # beside it: number and guard
