"""Internal mail, unrelated mail and attachments are never ingested, processed or stored.

Each unrelated mail of the sandbox carries a word of its own in subject and text, its canary. First the sandbox says
which fields of it ever left the mailbox; then the canary is looked for wherever it could have been left.
"""

from datetime import timedelta

from gatepost.accounts.membership import by
from gatepost.audit.reveal import reveal
from gatepost.conversations.models import Reply
from gatepost.demo.check import ENVELOPE_FIELDS
from gatepost.graph.shapes import SHAPES
from gatepost.intake.models import DropCount, Quarantine
from gatepost.isolation import inside
from gatepost.vault.sealing import index

from .conftest import Told
from .surfaces import dumps, files, found_in

QUOTED, UNIQUE = "cnry-quoted-7f3a91", "cnry-unique-c40d2e"


def looked_at(told: Told) -> dict[str, set[str]]:
    """Of each unrelated mail that was looked at at all: the fields that left the mailbox."""
    ours = {fact["internetMessageId"]: set[str]() for fact in told.unrelated()}
    for request in told.stand.requests():
        for item in request.get("items") or ():
            if item.get("internetMessageId") in ours:
                ours[item["internetMessageId"]].update(item["fields"])
    return {key: fields for key, fields in ours.items() if fields}


def test_of_unrelated_mail_only_the_envelope_ever_left_the_mailbox(told: Told) -> None:
    seen = looked_at(told)
    assert len(seen) >= 50, "a test about mail that was never looked at proves nothing"
    assert set().union(*seen.values()) <= ENVELOPE_FIELDS
    assert sum(row.count for row in told.rows(DropCount)) >= len(seen)


def test_no_unrelated_mail_has_a_row(told: Told) -> None:
    keys = {index(told.workspace.id, "message-id", fact["internetMessageId"]) for fact in told.unrelated()}
    assert not told.rows(Reply, internet_message_index__in=keys)
    assert not told.rows(Quarantine, internet_message_index__in=keys)


def test_no_canary_of_unrelated_mail_stands_in_any_dump_file_or_log(told: Told) -> None:
    canaries = [fact["canary"] for fact in told.unrelated()]
    assert len(canaries) >= 150
    assert found_in((*dumps(told), *files(told)), canaries) == []


def test_every_kind_of_unrelated_mail_was_there(told: Told) -> None:
    assert {fact["class"] for fact in told.unrelated()} >= {
        "internal", "internal_forward", "newsletter", "same_subject", "attachments", "invoice", "calendar_invite",
        "other_bounce", "forged_reference", "personal", "alert", "fresh_from_prospect", "third_party_reply_all",
    }  # fmt: skip


def test_of_a_true_reply_the_new_text_is_kept_and_the_quote_below_it_is_not(told: Told) -> None:
    box = told.addresses()[0]
    ours = told.truth()["mailboxes"][box]["sent"][-1]
    said = f"One more thing: {UNIQUE}, as we said."
    delivered = told.stand.tell(
        "deliver", mailbox=box, **{"from": ours["to"][0]}, subject="Re: Quick question",
        in_reply_to=ours["internetMessageId"], truth={"label": "other", "new_text": said},
        text=f"{said}\n\nOn Monday Alice wrote:\n> {QUOTED} is below\n> the line",
    )  # fmt: skip
    told.stand.advance(timedelta(minutes=10))
    told.stand.settle(told.workspace.id)
    key = index(told.workspace.id, "message-id", delivered["internetMessageId"])
    (reply,) = told.rows(Reply, internet_message_index=key)
    with inside(told.workspace.id):
        text = reveal(by(told.members[0]), reply, "text", reason="test")["text"] or ""
    assert UNIQUE in text and QUOTED not in text
    assert found_in((*dumps(told), *files(told)), [UNIQUE, QUOTED]) == []


def test_there_is_no_request_for_attachments_or_previews() -> None:
    for shape in SHAPES.values():
        asked = f"{shape.path}?{shape.query}".lower()
        assert not any(
            word in asked for word in ("attachment", "bodypreview", "$value", "$search", "hasattachments")
        )


def test_no_request_for_an_attachment_was_ever_made(told: Told) -> None:
    paths = [request["path"].lower() for request in told.stand.requests()]
    assert paths and not any("attachment" in path or path.endswith("/$value") for path in paths)
