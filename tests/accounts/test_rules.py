import pytest

from gatepost.accounts.rules import (
    ADMIN,
    AUDITOR,
    LEAD,
    OWNER,
    REP,
    ROLES,
    SECOND_FACTOR,
    SINGLE_SIGN_ON,
    Ability,
    Proof,
    closed,
    may,
    may_change_member,
)

NORTHWIND, FABRIKAM = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"


def changing(actor, before, after, *, owners=2, themselves=False):
    no = may_change_member(
        actor_role=actor, role_before=before, role_after=after, owners=owners, themselves=themselves
    )
    return no.reason if no else ""


def test_everybody_looks_and_an_auditor_does_no_more():
    assert all(may(role, Ability.LOOK) for role in ROLES)
    assert [ability for ability in Ability if may(AUDITOR, ability)] == [Ability.LOOK]


def test_a_lead_opens_everybodys_texts_and_a_rep_the_own():
    assert may(LEAD, Ability.READ_ALL) and not may(REP, Ability.READ_ALL) and may(REP, Ability.READ_OWN)


def test_an_owner_may_whatever_anybody_may():
    assert all(may(OWNER, ability) for ability in Ability)


@pytest.mark.parametrize("role", [LEAD, REP, AUDITOR])
def test_who_does_not_administer_changes_no_member(role):
    assert "Only an owner or administrator" in changing(role, REP, LEAD)


def test_an_administrator_changes_roles_but_makes_and_unmakes_no_owner():
    assert changing(ADMIN, REP, ADMIN) == ""
    assert "Only an owner" in changing(ADMIN, REP, OWNER)
    assert "Only an owner" in changing(ADMIN, OWNER, REP)
    assert "Only an owner" in changing(ADMIN, OWNER, None)


def test_the_last_owner_cannot_go():
    assert "last owner" in changing(OWNER, OWNER, ADMIN, owners=1, themselves=True)
    assert changing(OWNER, OWNER, ADMIN, owners=2, themselves=True) == ""


def test_nobody_removes_himself():
    assert "yourself" in changing(ADMIN, ADMIN, None, themselves=True)


def needs(requires, tenants, **proof):
    found = closed(requires=requires, tenants=tenants, proof=Proof(**proof))
    return found.needs if found else ""


def test_without_rules_a_password_opens_the_workspace():
    assert needs("", []) == ""


def test_microsoft_opens_it_only_for_the_organisations_that_it_names():
    assert needs("", [NORTHWIND], tenant=NORTHWIND) == ""
    assert needs("", [NORTHWIND], tenant=FABRIKAM) == "another_organisation"
    assert needs("", [], tenant=FABRIKAM) == "another_organisation"
    assert needs(SINGLE_SIGN_ON, [NORTHWIND], tenant=FABRIKAM) == "another_organisation"


def test_where_single_sign_on_is_asked_for_a_second_factor_is_not_enough():
    assert needs(SINGLE_SIGN_ON, [], second_factor=True) == SINGLE_SIGN_ON
    assert needs(SINGLE_SIGN_ON, [NORTHWIND], tenant=NORTHWIND) == ""
    assert needs(SINGLE_SIGN_ON, [], other_provider=True) == ""


def test_where_a_second_factor_is_asked_for_who_comes_from_elsewhere_follows_the_rules_there():
    assert needs(SECOND_FACTOR, []) == SECOND_FACTOR
    assert needs(SECOND_FACTOR, [], second_factor=True) == ""
    assert needs(SECOND_FACTOR, [NORTHWIND], tenant=NORTHWIND) == ""
