"""What a domain's records say. The name servers are outside: here a table answers in their place."""

import pytest

from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.reports.actions import check_domain
from gatepost.reports.deliverability import Answer, Finding, findings, with_parents
from gatepost.reports.models import DomainCheck
from gatepost.reports.nameservers import look_up
from tests.makers import make_mailbox, make_member, make_workspace, rows
from tests.pages import signed_in, text_of

DOMAIN = "mail.northwind.example"
KEY = "v=DKIM1; k=rsa; p=MIGfMA0"
GOOD: dict[str, Answer] = {
    DOMAIN: ("MS=ms1", "v=spf1 include:spf.protection.outlook.com -all"),
    "spf.protection.outlook.com": ("v=spf1 ip4:40.92.0.0/15 -all",),
    f"selector1._domainkey.{DOMAIN}": (KEY,),
    f"selector2._domainkey.{DOMAIN}": (KEY,),
    "_dmarc.northwind.example": ("v=DMARC1; p=reject; sp=quarantine",),
}


def found(**changes: Answer) -> dict[str, Finding]:
    """What is found where some answers are others; `at_domain`, `dmarc` and `selector1` name them."""
    names = {"at_domain": DOMAIN, "dmarc": "_dmarc.northwind.example", "selector1": f"selector1._domainkey.{DOMAIN}",
             "selector2": f"selector2._domainkey.{DOMAIN}"}  # fmt: skip
    table = GOOD | {names.get(name, name): answer for name, answer in changes.items()}
    return {each.record: each for each in findings(look_up(DOMAIN, ask=lambda name: table.get(name, ())))}


def test_a_domain_in_order_is_called_good_and_dmarc_is_found_above_it() -> None:
    assert {record: each.level for record, each in found().items()} == dict.fromkeys(
        ("SPF", "DKIM", "DMARC"), "good"
    )
    assert "p=quarantine" in found()["DMARC"].what  # the policy for what lies below


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ((), "bad"),
        (("v=spf1 -all", "v=spf1 include:spf.protection.outlook.com -all"), "bad"),
        (("v=spf1 include:_spf.google.com -all",), "bad"),
        (("v=spf1 include:spf.protection.outlook.com +all",), "bad"),
        (("v=spf1 include:spf.protection.outlook.com ?all",), "look"),
        (("v=spf1 include:spf.protection.outlook.com",), "look"),
        (("v=spf1 a mx exists:%{i}.x a:b mx:c ptr a:d a:e a:f a:g include:spf.protection.outlook.com -all",), "bad"),
        (None, "unknown"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_spf_is_said_with_what_to_do(record: Answer, level: str) -> None:
    finding = found(at_domain=record)["SPF"]
    assert finding.level == level and finding.to_do


def test_spf_is_followed_through_includes_and_redirects_and_not_round_in_circles() -> None:
    table: dict[str, Answer] = {
        DOMAIN: ("v=spf1 redirect=all.northwind.example",),
        "all.northwind.example": ("v=spf1 include:loop.northwind.example include:spf.protection.outlook.com ~all",),
        "loop.northwind.example": ("v=spf1 include:loop.northwind.example ?all",),
    }  # fmt: skip
    finding = findings(look_up(DOMAIN, ask=lambda name: (GOOD | table).get(name, ())))[0]
    assert (finding.level, finding.what) == ("good", "SPF names Microsoft 365 and ends with ~all.")


def test_no_answer_is_no_conclusion() -> None:
    assert found(selector1=None, selector2=None)["DKIM"].level == "unknown"
    assert found(dmarc=None)["DMARC"].level == "unknown"
    # An include that did not answer may be the one that names Microsoft.
    assert (
        found(at_domain=("v=spf1 include:x.example -all",), **{"x.example": None})["SPF"].level == "unknown"
    )


def test_a_withdrawn_key_signs_nothing() -> None:
    finding = found(selector1=("v=DKIM1; p=",), selector2=())["DKIM"]
    assert finding.level == "bad" and "selector2._domainkey" in finding.to_do


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ((), "bad"),
        (("v=DMARC1; p=none",), "look"),
        (("v=DMARC1; p=quarantine",), "good"),
        (("v=DMARC1; p=maybe",), "bad"),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), "bad"),
    ],
)
def test_what_dmarc_says_is_judged(record: Answer, level: str) -> None:
    assert found(dmarc=record)["DMARC"].level == level


def test_no_record_of_a_top_level_domain_is_asked_for() -> None:
    assert with_parents("a.b.example") == ["a.b.example", "b.example"]
    assert with_parents("example") == ["example"]


def sender(domain: str = DOMAIN) -> Member:
    member = make_member(make_workspace())
    make_mailbox(member, f"alice@{domain}")
    return member


def test_a_domain_is_looked_at_noted_and_shown(db: None) -> None:
    alice = sender()
    check_domain(alice.workspace_id, DOMAIN, actor=by(alice), ask=lambda name: GOOD.get(name, ()))
    check_domain(alice.workspace_id, DOMAIN, actor=by(alice), ask=lambda name: None)
    assert [each["level"] for each in rows(DomainCheck, alice.workspace_id)[0].findings] == ["unknown"] * 3
    with inside(alice.workspace_id):
        entries = AuditEntry.objects.filter(tag=tags.DOMAIN_CHECK, workspace_id=alice.workspace_id)
        assert entries.count() == 2
    assert "Not known. The name servers did not answer" in text_of(signed_in(alice).get("/reports/health/"))


def test_a_domain_that_nobody_sends_from_is_not_looked_at(db: None) -> None:
    alice, asked = sender(), []
    with pytest.raises(BadInput):
        check_domain(
            alice.workspace_id, "contoso.example", actor=by(alice), ask=lambda name: asked.append(name)
        )  # type: ignore[func-returns-value]
    assert asked == []


def test_the_page_refuses_a_domain_that_nobody_sends_from(committed_db: None) -> None:
    alice = sender()
    assert signed_in(alice).post("/reports/health/look/", {"domain": "contoso.example"}).status_code == 400
