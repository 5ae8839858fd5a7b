import pytest

from gatepost.config import checks
from gatepost.errors import BadInput
from gatepost.rotation import commands, queries
from tests.makers import make_mailbox, make_member

from .conftest import KEPT, carry_on, pass_time, state


def level(word):
    return next(each for each in commands.levels() if each.word == word)


def test_it_is_told_how_old_keys_are_and_how_far_a_change_has_come(office):
    before = level("mailboxes")
    commands.rotate([office.of_mailbox], keep_former=KEPT)
    changing = level("mailboxes")
    assert changing.keys == before.keys
    assert (changing.changing, changing.keeping_former) == (before.changing + 1, before.keeping_former + 1)
    assert changing.rows_left >= before.rows_left + 4
    assert queries.left(office.of_mailbox) >= 4

    pass_time(office.of_mailbox, KEPT / 2)
    while not carry_on(office.of_mailbox):
        pass
    after = level("mailboxes")
    assert (after.changing, after.keeping_former) == (before.changing, before.keeping_former + 1)


def test_the_doctor_says_how_old_they_are_and_looks_twice_at_a_change_that_does_not_end(office):
    from django.db import connections

    def keystore():
        return checks.keystore(connections["default"])

    assert "Keys of workspaces and mailboxes: " in keystore().message
    commands.rotate([office.of_mailbox], keep_former=KEPT)
    assert "being changed since" in keystore().message
    pass_time(office.of_mailbox, KEPT / 10)
    assert keystore().state == "look"


def test_all_of_a_workspace_or_one_mailbox_may_be_meant_by_name_address_or_id(office):
    one = make_mailbox(make_member(office.alice.workspace, "Ben"), "ben@northwind.example")
    assert [each.id for each in commands.chosen(None, "ben@northwind.example")] == [one.pk]
    assert [each.id for each in commands.chosen(None, str(one.pk))] == [one.pk]
    assert {each.id for each in commands.chosen(str(office.id), None)} == {
        one.pk,
        office.mailbox.pk,
        office.id,
    }
    assert {*commands.chosen(str(office.id), None)} <= {*commands.chosen(None, None)}


def test_what_is_not_there_changes_nothing(office):
    with pytest.raises(BadInput, match="No key was changed"):
        commands.chosen(None, "nobody@northwind.example")
    assert state(office.of_mailbox).generation == 1
