from typing import Any

import pytest

from gatepost.accounts.membership import by
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes import features, letterhead
from gatepost.mailboxes.letterhead import Letterhead
from gatepost.mailboxes.models import Mailbox
from gatepost.vault.sealing import seal
from tests.makers import fresh, make_mailbox, make_member, make_workspace
from tests.pages import signed_in, text_of

ALIAS = "outreach@other.example"


@pytest.fixture
def mailbox(committed_db: None) -> Mailbox:
    made = make_mailbox(make_member(make_workspace()))
    with inside(made.workspace_id):
        seal(made, "aliases", ALIAS)
        made.save()
    return made


def change(mailbox: Mailbox, **new: str) -> Mailbox:
    letterhead.change(
        mailbox.pk, Letterhead(**new), workspace_id=mailbox.workspace_id, actor=by(mailbox.member)
    )
    return fresh(mailbox)


def test_only_an_address_of_the_mailbox_can_be_its_sender(mailbox):
    assert letterhead.sender_address(change(mailbox, sends_as=ALIAS.upper())).casefold() == ALIAS
    with pytest.raises(BadInput, match="is no address of this mailbox"):
        change(mailbox, sends_as="boss@northwind.example")
    assert fresh(change(mailbox, sends_as="alice@northwind.example")).sends_as is None


def test_an_alias_that_microsoft_took_away_is_not_used_any_more(mailbox):
    changed = change(mailbox, sends_as=ALIAS)
    with inside(mailbox.workspace_id):
        seal(changed, "aliases", "")
        changed.save()
    assert letterhead.sender_address(fresh(changed)) == "alice@northwind.example"


def test_the_workspace_rule_of_sender_domains_looks_at_the_address_that_mail_comes_from(mailbox):
    changed = change(mailbox, sends_as=ALIAS)
    with inside(mailbox.workspace_id):
        changed.workspace.sender_domains = ["northwind.example"]
        assert "other.example" in features.why_it_may_not_send(changed)


def test_where_one_kind_of_signature_is_missing_it_is_made_of_the_other(mailbox):
    only_html = change(mailbox, signature_html='<p>Alice<br><a href="https://n.example">Northwind</a></p>')
    assert letterhead.signature_text(only_html) == "Alice\nNorthwind"
    only_text = change(mailbox, signature="Alice\nNorthwind <b>")
    assert letterhead.signature_html(only_text) == "<p>Alice<br>Northwind &lt;b&gt;</p>"
    assert letterhead.signature_html(change(mailbox)) == "<p>Alice</p>"


def test_html_of_which_nothing_would_be_left_is_refused_and_the_old_one_stays(mailbox):
    change(mailbox, signature_html="<b>Alice</b>")
    with pytest.raises(BadInput, match="Nothing of the HTML signature would be left"):
        change(mailbox, signature_html='<img src="https://x.example/logo.png">')
    assert fresh(mailbox).signature_html == "<b>Alice</b>"


def test_the_page_saves_shows_and_refuses(mailbox):
    browser, path = signed_in(mailbox.member), f"/mailboxes/{mailbox.pk}/letterhead/"
    given: dict[str, Any] = {
        "signature": "Alice\nNorthwind", "signature_html": "<b>Alice</b><script>x</script>",
        "postal_address": "Harbour 1", "sends_as": ALIAS,
    }  # fmt: skip
    assert browser.post(path, given).status_code == 302
    page = browser.get(path).content.decode()
    assert '<div class="as-html"><b>Alice</b></div>' in page and "Harbour 1" in page
    assert fresh(mailbox).signature == "Alice\nNorthwind"
    wrong = browser.post(path, given | {"sends_as": "boss@northwind.example"})
    assert wrong.status_code == 200 and "boss@northwind.example" in text_of(wrong)


def test_nobody_else_changes_how_a_mailbox_signs(mailbox):
    path = f"/mailboxes/{mailbox.pk}/letterhead/"
    ben = signed_in(make_member(mailbox.workspace, "Ben", role="rep"))
    assert ben.post(path, {"signature": "Ben"}).status_code == 403
    charlie = signed_in(make_member(make_workspace("Other"), "Charlie"))
    assert charlie.post(path, {"signature": "Charlie"}).status_code == 404
    assert fresh(mailbox).signature == ""
