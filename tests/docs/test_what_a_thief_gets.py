"""docs/what-a-thief-gets.md is what the tables are, and each column that can hold text is accounted for."""

import pytest

from gatepost.config import thief_page
from gatepost.config.thief_page import CLEAR, INDEXES, OURS_ARE, THEIRS_ARE, columns, page
from tests.docs.pages import ROOT


def test_the_page_is_current() -> None:
    assert (ROOT / "docs/what-a-thief-gets.md").read_text() == page(), (
        "Run: ./dev run python -m gatepost.config.thief_page docs/what-a-thief-gets.md"
    )


def test_nothing_is_told_of_a_column_that_is_not_there_or_is_sealed() -> None:
    there = {name for name, kind in columns() if kind in ("text", "index", "word")}
    assert {*CLEAR, *OURS_ARE, *THEIRS_ARE, *INDEXES} - there == set()


def test_a_column_of_which_nobody_said_what_it_holds_ends_the_making(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {name: holds for name, holds in CLEAR.items() if name != "member.name"}
    monkeypatch.setattr(thief_page, "CLEAR", told)
    with pytest.raises(LookupError, match=r"member\.name"):
        page()


def test_addresses_names_texts_and_tokens_of_mailboxes_and_contacts_are_sealed() -> None:
    sealed = {name for name, kind in columns() if isinstance(kind, tuple)}
    assert sealed >= {
        "contact.email", "contact.first_name", "contact.last_name", "message.subject", "message.body", "reply.sender",
        "reply.subject", "reply.text", "meeting.subject", "meeting.notes", "brief.text", "connection.refresh_token",
        "connection.access_token", "mailbox.address", "promise.quote",
    }  # fmt: skip
