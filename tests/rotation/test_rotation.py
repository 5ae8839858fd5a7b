"""A key is changed while everything runs: nothing is lost, and what it sealed before ends with its backups."""

from datetime import timedelta

import pytest
from django.apps import apps

from gatepost.accounts.actions import INSTALLER
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Contact
from gatepost.erasure import jobs as erasure_jobs
from gatepost.isolation import inside
from gatepost.mailboxes.models import Connection
from gatepost.rotation import actions, jobs, queries
from gatepost.vault import generations, keys, names, sealing, tokens
from gatepost.vault.fields import Sealed, SealedField
from gatepost.vault.sealing import NotReadable, seal
from tests.makers import fresh, make_contact, rows

from .conftest import KEPT, carry_on, make_office, pass_time, state

AT_ONCE = timedelta()
EVERYBODY_KNOWS = timedelta(minutes=30)


class Killed(BaseException):
    "The process is gone."


def change(*owners, keep=KEPT):
    for owner in owners:
        assert actions.change(owner, keep_former=keep, actor=INSTALLER)


def finish(*owners):
    """The looks of some minutes."""
    for owner in owners:
        carry_on(owner)
        pass_time(owner, EVERYBODY_KNOWS)
        while not carry_on(owner):
            pass


def texts_of(*owners):
    """Every sealed value, opened: (table, row, column) → text."""
    found = {}
    for owner in owners:
        for model in queries.sealed_models(owner.kind):
            for row in rows(model, owner.workspace_id):
                for column in generations.sealed_columns(model):
                    if getattr(row, column) is not None:
                        holds = model._meta.get_field(column).holds
                        found[model, row.pk, column] = sealing.open_sealed(row, column, holds=holds)
    return found


def marks_of(owner):
    return {
        bytes(getattr(row, column))[: generations.MARK_BYTES]
        for model in queries.sealed_models(owner.kind)
        for row in rows(model, owner.workspace_id)
        for column in generations.sealed_columns(model)
        if getattr(row, column) is not None
    }


def put_back(row, column, value):
    """The row as a backup has it."""
    with inside(row.workspace_id):
        type(row).objects.filter(pk=row.pk).update(**{column: value})


def test_afterwards_everything_is_as_it_was_and_sealed_with_the_newest_alone(office):
    before = texts_of(*office.owners)
    assert len({model for model, *_ in before}) >= 6
    old = {owner: marks_of(owner) for owner in office.owners}

    change(*office.owners)
    finish(*office.owners)

    assert texts_of(*office.owners) == before
    for owner in office.owners:
        (mark,) = marks_of(owner)
        assert mark not in old[owner]
        assert state(owner).generation == 2 and not state(owner).is_changing
        assert queries.left(owner) == 0


def test_every_table_with_something_sealed_is_among_those_that_are_sealed_anew():
    sealed = {
        model
        for model in apps.get_models()
        if any(isinstance(field, SealedField) for field in model._meta.local_fields)
    }
    assert sealed == {*queries.sealed_models("mailbox"), *queries.sealed_models("workspace")}


def test_tokens_come_first():
    assert queries.sealed_models("mailbox")[0] is Connection


def test_what_is_written_from_then_on_is_sealed_with_the_newest(office):
    change(office.of_workspace)
    keys._keys.forget()  # as a minute later
    contact = make_contact(office.alice.workspace)
    known = generations.sealer(office.of_workspace.key)
    assert bytes(contact.email).startswith(known[1].newest)


def test_a_process_that_remembers_the_former_one_opens_what_another_seals_with_the_newest(office):
    names.open(office.contact, "email")  # remembered from here on
    change(office.of_workspace)
    _, sealer = generations.sealer(office.of_workspace.key)
    anew = sealing.reseal(fresh(office.contact), "email", sealer.key)
    put_back(office.contact, "email", anew)
    assert names.open(fresh(office.contact), "email") == "petra@contoso.example"


def test_what_a_process_seals_with_the_former_one_for_another_minute_is_found_by_the_next_look(office):
    owner = office.of_workspace
    names.open(office.contact, "email")
    change(owner)
    assert not carry_on(owner)  # a process may not know yet

    late = make_contact(office.alice.workspace, "late@contoso.example")
    assert queries.left(owner) > 0, "this process still seals with the former one"
    pass_time(owner, EVERYBODY_KNOWS)
    assert not carry_on(owner)  # it found something
    assert carry_on(owner)

    assert queries.left(owner) == 0
    assert names.open(fresh(late), "email") == "late@contoso.example"


def test_a_transaction_that_began_before_everybody_knew_is_waited_for(office, monkeypatch):
    owner = office.of_mailbox
    change(owner)
    pass_time(owner, EVERYBODY_KNOWS)
    carry_on(owner)
    monkeypatch.setattr(queries, "oldest_transaction", lambda: EVERYBODY_KNOWS)
    assert not carry_on(owner)
    monkeypatch.setattr(queries, "oldest_transaction", lambda: timedelta(minutes=1))
    assert carry_on(owner)


@pytest.mark.parametrize("after_batches", [0, 1, 3])
def test_killed_anywhere_everything_opens_and_the_next_look_finishes(office, monkeypatch, after_batches):
    before = texts_of(*office.owners)
    change(*office.owners)
    real, done = actions.reseal_some, 0

    def dying(*args, **more):
        nonlocal done
        if done == after_batches:
            raise Killed
        done += 1
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(actions, "reseal_some", dying)
        with pytest.raises(Killed):
            carry_on(office.of_mailbox)

    assert texts_of(*office.owners) == before
    finish(*office.owners)
    assert texts_of(*office.owners) == before
    assert all(queries.left(owner) == 0 for owner in office.owners)


def test_a_table_larger_than_a_batch_is_sealed_anew_to_its_end(office, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 3)
    for number in range(7):
        make_contact(office.alice.workspace, f"somebody-{number}@contoso.example")
    change(office.of_workspace)
    carry_on(office.of_workspace)
    assert queries.left(office.of_workspace) == 0


def test_the_former_one_opens_a_backup_until_that_has_ended(office):
    owner, before = office.of_mailbox, fresh(office.mailbox)
    change(owner)
    finish(owner)

    put_back(before, "address", bytes(before.address))
    assert names.open(fresh(before), "address") == "alice@northwind.example"


def test_what_a_restored_backup_brings_back_is_sealed_anew_before_the_former_one_goes(office):
    owner, before = office.of_mailbox, fresh(office.mailbox)
    change(owner)
    finish(owner)
    put_back(before, "address", bytes(before.address))

    pass_time(owner, KEPT)
    finish(owner)
    assert state(owner).keeps_former, "backups of today hold it too, and the days begin again"
    pass_time(owner, KEPT)
    assert carry_on(owner)

    assert not state(owner).keeps_former
    assert names.open(fresh(before), "address") == "alice@northwind.example"


def test_when_its_backups_have_ended_the_former_one_opens_nothing_any_more(office):
    owner, before = office.of_mailbox, fresh(office.mailbox)
    change(owner)
    finish(owner)
    assert state(owner).keeps_former
    pass_time(owner, KEPT)
    assert owner.key in [each.name for each in generations.unfinished()]
    assert carry_on(owner)

    assert not state(owner).keeps_former
    assert names.open(fresh(before), "address") == "alice@northwind.example"
    put_back(before, "address", bytes(before.address))
    with pytest.raises(NotReadable, match="former"):
        names.open(fresh(before), "address")
    assert owner.key not in [each.name for each in generations.unfinished()]


def test_at_once_means_as_soon_as_nothing_can_need_it(office):
    owner = office.of_mailbox
    change(owner, keep=AT_ONCE)
    assert not carry_on(owner)
    pass_time(owner, timedelta(minutes=5))
    assert not carry_on(owner)
    assert state(owner).keeps_former, "somebody may still hold what the former one sealed"
    pass_time(owner, timedelta(minutes=6))
    assert carry_on(owner)
    assert not state(owner).keeps_former


def test_a_key_in_change_is_not_changed_again_and_one_that_was_can_be(office):
    owner, before = office.of_mailbox, texts_of(office.of_mailbox)
    change(owner)
    assert not actions.change(owner, keep_former=KEPT, actor=INSTALLER)
    finish(owner)
    change(owner)
    finish(owner)
    assert state(owner).generation == 3
    assert texts_of(owner) == before


def test_after_erasing_no_generation_opens_anything(office):
    owner, before = office.of_mailbox, fresh(office.mailbox)
    change(owner)
    finish(owner)
    after = fresh(office.mailbox)

    assert keys.destroy("mailbox", office.mailbox.pk) == 1

    for each in (before, after):
        with pytest.raises(NotReadable):
            names.open(each, "address")
    assert carry_on(owner), "there is nothing left to do"
    assert not actions.change(owner, keep_former=KEPT, actor=INSTALLER)
    assert generations.sealer(owner.key) is None, "changing a key makes none"


def test_erased_in_the_middle_it_stays_erased(office, monkeypatch):
    owner = office.of_mailbox
    change(owner, keep=AT_ONCE)
    carry_on(owner)
    pass_time(owner, EVERYBODY_KNOWS)
    known = state(owner)
    keys.destroy("mailbox", office.mailbox.pk)
    generations.note_resealed(known)
    assert not generations.destroy_former(known)
    assert generations.sealer(owner.key) is None
    assert erasure_jobs.keep_destroyed() == 0


def test_a_value_that_nothing_opens_stays_as_it_is_and_holds_nothing_up(office):
    owner = office.of_workspace
    other = make_contact(office.alice.workspace, "ben@contoso.example")
    put_back(other, "email", bytes(office.contact.email))  # copied from another row
    change(owner)
    finish(owner)
    assert not state(owner).is_changing
    assert bytes(fresh(other).email) == bytes(office.contact.email)
    assert names.open(fresh(other), "first_name") == "Petra"


def test_another_workspace_stays_as_it_is(office):
    other = make_office()
    before = {row.pk: bytes(row.email) for row in rows(Contact, other.id)}
    change(*office.owners)
    finish(*office.owners)
    assert {row.pk: bytes(row.email) for row in rows(Contact, other.id)} == before
    assert state(other.of_workspace).generation == 1


def test_tokens_are_good_throughout(office):
    def token():
        (connection,) = rows(Connection, office.id, mailbox=office.mailbox)
        return tokens.open(connection, "refresh_token")

    change(office.of_mailbox)
    assert token() == "refresh-token"
    finish(office.of_mailbox)
    assert token() == "refresh-token"


def test_the_record_says_who_changed_which_key_and_that_the_former_one_went(office):
    owner = office.of_mailbox
    change(owner, keep=AT_ONCE)
    finish(owner)
    begun, ended = [
        rows(AuditEntry, office.id, tag=tag) for tag in (tags.KEY_CHANGE, tags.KEY_DESTROY_FORMER)
    ]
    assert [(each.actor_kind, each.mailbox_id) for each in begun] == [("operator", office.mailbox.pk)]
    assert [(each.actor_kind, each.detail) for each in ended] == [("job", {"of": "mailbox", "generation": 2})]


def test_whatever_is_unfinished_is_gone_on_with_by_itself(office, monkeypatch):
    change(office.of_mailbox)
    asked = []
    monkeypatch.setattr(
        jobs, "enqueue", lambda name, **arguments: asked.append((name, arguments.get("owner")))
    )
    assert jobs.find_unfinished() >= 1
    assert ("rotation.reseal", str(office.mailbox.pk)) in asked


def test_a_seal_made_by_former_and_one_made_by_newest_lie_side_by_side_in_a_row(office):
    """A row changed in the middle: one column anew, the other not yet."""
    owner = office.of_workspace
    change(owner)
    keys._keys.forget()
    contact = fresh(office.contact)
    seal(contact, "first_name", "Paula")
    with inside(office.id):
        contact.save(update_fields=["first_name"])
    finish(owner)
    again = fresh(contact)
    assert isinstance(again.first_name, Sealed)
    assert [names.open(again, each) for each in ("first_name", "last_name")] == ["Paula", "Quandt"]
