"""Who may erase, what the pages say before, and the receipt that opens without signing in."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gatepost import clock
from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.erasure.models import Erasure
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.mailboxes import actions as mailboxes
from tests.makers import fresh, make_member, make_workspace, rows
from tests.pages import signed_in, text_of

from .conftest import Office


@pytest.fixture
def db(committed_db: None) -> None:
    """Each request has a transaction of its own, as in the product: one that fails does not spoil the next."""


def ben(office: Office) -> Member:
    with inside(office.id):
        return Member.objects.select_related("user", "workspace").get(pk=office.other_mailbox.member_id)


def test_the_page_says_what_goes_and_what_stays(office: Office) -> None:
    said = text_of(signed_in(office.alice).get(f"/mailboxes/{office.mailbox.pk}/erase/"))
    assert "Every mail sent from here (1), every reply (1) and every meeting (1)" in said
    assert "What stays" in said and "do-not-contact list" in said and "Type “alice@northwind.example”" in said


def test_an_owner_erases_and_lands_on_the_receipt(office: Office) -> None:
    client = signed_in(office.alice)
    answer = client.post(f"/mailboxes/{office.mailbox.pk}/erase/", {"confirm": "alice@northwind.example"})
    assert answer.status_code == 302 and "/receipts/" in answer["Location"]
    assert "Being erased" in text_of(client.get(answer["Location"]))
    (ordered,) = rows(Erasure, office.id)
    assert client.get(answer["Location"] + "receipt.json").status_code == 404
    office.carry_out(ordered)
    nobody = Client()
    page = nobody.get(answer["Location"])
    assert "The mailbox is erased" in text_of(page) and "northwind" not in text_of(page)
    receipt = nobody.get(answer["Location"] + "receipt.json")
    assert receipt.json()["receipt"]["subject"] == str(office.mailbox.pk)
    assert "Erased" in text_of(client.get("/privacy/erased/"))


def test_a_wrong_word_erases_nothing_and_says_so(office: Office) -> None:
    answer = signed_in(office.alice).post(f"/mailboxes/{office.mailbox.pk}/erase/", {"confirm": "yes"})
    assert answer.status_code == 200 and "Nothing was erased" in text_of(answer)
    assert fresh(office.mailbox).is_connected


def test_an_address_of_a_receipt_cannot_be_guessed(office: Office) -> None:
    done = office.erase_mailbox()
    assert Client().get(f"/receipts/{done.pk}/").status_code == 404


@pytest.mark.parametrize("kind", ["mailboxes", "contacts"])
def test_a_rep_erases_his_own_mailbox_and_no_other_and_nobody(office: Office, kind: str) -> None:
    client = signed_in(ben(office))
    subject = office.mailbox.pk if kind == "mailboxes" else office.contact.pk
    assert client.get(f"/{kind}/{subject}/erase/").status_code == 403
    assert client.post(f"/{kind}/{subject}/erase/", {"confirm": "x"}).status_code == 403
    if kind == "mailboxes":
        own = f"/mailboxes/{office.other_mailbox.pk}/erase/"
        assert client.post(own, {"confirm": "ben@northwind.example"}).status_code == 302
    else:
        assert client.post(f"/contacts/{subject}/export.json").status_code == 403


def test_an_auditor_erases_nothing(office: Office) -> None:
    client = signed_in(make_member(office.alice.workspace, "Ada", role="auditor"))
    for path in (
        f"/mailboxes/{office.mailbox.pk}/erase/",
        f"/contacts/{office.contact.pk}/erase/",
        "/settings/close/",
    ):
        assert client.get(path).status_code == 403
    assert client.get("/privacy/kept/").status_code == 200
    assert client.post("/privacy/kept/", {}).status_code == 403


def test_charlie_of_another_workspace_finds_nothing(office: Office) -> None:
    client = signed_in(make_member(make_workspace("Fabrikam"), "Charlie"))
    for path in (
        f"/mailboxes/{office.mailbox.pk}/erase/", f"/contacts/{office.contact.pk}/erase/",
        f"/mailboxes/{office.mailbox.pk}/kept/",
    ):  # fmt: skip
        assert client.get(path).status_code == 404
    assert client.post(f"/contacts/{office.contact.pk}/export.json").status_code == 404


def test_only_an_owner_closes_the_workspace(office: Office) -> None:
    admin = signed_in(make_member(office.alice.workspace, "Carla", role="admin"))
    assert admin.get("/settings/close/").status_code == 403
    assert admin.post("/settings/export.zip").status_code == 403
    assert "Close the workspace" not in text_of(admin.get("/settings/"))
    client = signed_in(office.alice)
    assert client.post("/settings/export.zip").status_code == 200
    answer = client.post("/settings/close/", {"confirm": "Northwind"})
    assert "Being erased" in text_of(Client().get(answer["Location"]))


def test_a_person_can_be_downloaded(office: Office) -> None:
    client = signed_in(office.alice)
    answer = client.post(f"/contacts/{office.contact.pk}/export.json")
    assert answer.json()["person"]["email"] == "petra@contoso.example"
    assert "attachment" in answer["Content-Disposition"]
    assert client.get(f"/contacts/{office.contact.pk}/export.json").status_code == 302, (
        "a link opens no texts"
    )


def test_the_page_of_a_disconnected_mailbox_says_when_it_will_be_erased_and_what_is_left(
    office: Office,
) -> None:
    client = signed_in(office.alice)
    kept = f"/mailboxes/{office.mailbox.pk}/kept/"
    assert "within 30 days" in text_of(client.get(kept))
    mailboxes.disconnect(office.mailbox.pk, workspace_id=office.id, actor=by(office.alice))
    mailboxes.cleaned_up(office.mailbox.pk, ["drafts"], workspace_id=office.id)
    assert "It is erased on" in text_of(client.get(kept))
    said = text_of(client.get(f"/mailboxes/{office.mailbox.pk}/"))
    assert "Drafts of ours may still lie in the drafts folder" in said


def test_times_are_shown_to_all_and_changed_by_administrators(office: Office) -> None:
    client = signed_in(office.alice)
    page = client.get("/privacy/kept/")
    assert "Everything of a mailbox that is not connected" in text_of(page)
    fields = dict(re.findall(r'name="(\w+)" value="(\d+)"', page.content.decode()))
    assert fields["disconnected"] == "30"
    assert client.post("/privacy/kept/", {**fields, "disconnected": "7"}).status_code == 302
    assert 'value="7"' in client.get("/privacy/kept/").content.decode()
    wrong = client.post("/privacy/kept/", {**fields, "disconnected": "9999"})
    assert wrong.status_code == 200 and "less than or equal to 180" in text_of(wrong)


def api(member: Member) -> dict[str, str]:
    token = accounts.create_token(member, "CRM", actor=by(member))
    return {"Authorization": f"Bearer {token}"}


def test_programs_erase_by_the_same_rules(office: Office) -> None:
    client, mine, bens = Client(), api(office.alice), api(ben(office))
    order = {"kind": "mailbox", "subject_id": str(office.mailbox.pk), "confirm": "alice@northwind.example"}

    def post(headers: dict[str, str], body: dict[str, str]) -> int:
        return client.post(
            "/api/v1/erasures", body, content_type="application/json", headers=headers
        ).status_code

    assert post(bens, order) == 403
    assert post(bens, {**order, "kind": "contact", "subject_id": str(office.contact.pk)}) == 403
    assert post(bens, {**order, "kind": "workspace"}) == 403
    charlie = api(make_member(make_workspace("Fabrikam"), "Charlie"))
    assert post(charlie, order) == 404
    assert post(mine, order) == 202
    (ordered,) = rows(Erasure, office.id)
    office.carry_out(ordered)
    listed = client.get("/api/v1/erasures", headers=mine).json()["rows"]
    assert [each["rows"]["mailboxes"] for each in listed] == [1]
    receipt = client.get(f"/api/v1/erasures/{ordered.pk}/receipt", headers=mine).json()
    assert receipt["receipt"]["subject"] == str(office.mailbox.pk)
    assert client.get(f"/api/v1/erasures/{ordered.pk}/receipt", headers=charlie).status_code == 404
    said = client.post(f"/api/v1/contacts/{office.contact.pk}/export", headers=mine).json()
    assert said["person"]["first_name"] == "Petra"


def test_programs_read_and_choose_times(office: Office) -> None:
    client, mine = Client(), api(office.alice)
    assert client.get("/api/v1/retention", headers=mine).json()["days"]["texts"] == 730

    def choose(days: dict[str, int], headers: dict[str, str]) -> int:
        body = {"days": days}
        return client.put(
            "/api/v1/retention", body, content_type="application/json", headers=headers
        ).status_code

    assert choose({"texts": 60}, api(ben(office))) == 403
    assert choose({"texts": 1}, mine) == 400
    assert choose({"texts": 60}, mine) == 204
    assert client.get("/api/v1/retention", headers=mine).json()["days"]["texts"] == 60


def test_the_number_of_queries_does_not_grow_with_the_erasures(office: Office) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/privacy/erased/").status_code == 200
        return len(asked)

    client = signed_in(office.alice)
    office.erase_mailbox()
    queries()  # the first page of a session also notes where it comes from
    few = queries()
    with inside(office.id):
        for _ in range(10):
            Erasure.objects.create(
                workspace_id=office.id,
                kind="contact",
                subject_id=uuid7(),
                ordered_at=clock.now(),
                ordered_by="retention",
            )
    assert queries() == few
