"""What covers the blind indexes of a workspace is changed: everything is found all the while, nothing twice, and a stolen
key says nothing about what is stored from then on."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.accounts.actions import INSTALLER
from gatepost.accounts.membership import by
from gatepost.contacts import actions as contact_actions
from gatepost.contacts import imports
from gatepost.contacts.models import Contact, Suppression
from gatepost.contacts.queries import found, is_suppressed
from gatepost.conversations.models import Reply
from gatepost.errors import GatepostError
from gatepost.intake import jobs as intake_jobs
from gatepost.isolation import cover, inside
from gatepost.outbox.models import Message
from gatepost.rotation import actions, commands, covers, queries
from gatepost.rotation.models import Cover
from gatepost.vault import generations, indexes, keys
from gatepost.vault.indexes import IndexesField, IndexField
from gatepost.vault.sealing import index
from tests.at_once import without_threads
from tests.intake.test_sync import Story
from tests.makers import MONDAY, clock_at, fresh, make_contact, make_workspace, rows

from .conftest import KEPT, Office, carry_on, make_office, pass_time, state

A_WHILE = timedelta(minutes=30)


class Killed(BaseException):
    "The process is gone."


def change(office: Office, keep: timedelta = KEPT) -> None:
    assert actions.change(office.of_indexes, keep_former=keep, actor=INSTALLER)


def finish(office: Office) -> None:
    """The looks of some minutes."""
    for _ in range(8):
        if carry_on(office.of_indexes):
            return
        pass_time(office.of_indexes, A_WHILE)
    raise AssertionError("it does not come to an end")


def begin(office: Office) -> None:
    """Up to where slices may be moved."""
    change(office)
    assert not carry_on(office.of_indexes)
    pass_time(office.of_indexes, A_WHILE)


def stored(model, workspace_id, column="id") -> list[object]:
    """As a thief sees it."""
    with inside(workspace_id), connections["default"].cursor() as cursor:
        cursor.execute(
            f'SELECT "{column}" FROM {model._meta.db_table} WHERE workspace_id = %s ORDER BY id',
            [workspace_id],
        )
        return [row[0] for row in cursor.fetchall()]


def seen(office: Office) -> dict[object, object]:
    """Every blind index, as the program sees it."""
    return {
        (model, row.pk, column): getattr(row, column)
        for kind in (IndexField, IndexesField)
        for model, column in covers.columns(kind)
        for row in rows(model, office.id)
    }


def is_found(office: Office) -> bool:
    """By address, by word, by the ids of mails."""
    with inside(office.id):
        own = Message.objects.get(
            internet_message_index=index(office.id, "message-id", "<ours@northwind.example>")
        )
        reply = Reply.objects.get(
            internet_message_index=index(office.id, "message-id", "<theirs@contoso.example>")
        )
        people = Contact.objects.filter(
            email_index__in=[index(office.id, "address", "petra@contoso.example")]
        )
        by_word = [list(found(office.id, text)) for text in ("Petra", "petra quandt", "contoso")]
        return (
            own == office.message and reply == office.reply and list(people) == [office.contact]
            and all(each == [office.contact] for each in by_word) and not found(office.id, "Petra Meier").exists()
            and is_suppressed(office.id, "never@contoso.example")
            and not is_suppressed(office.id, "petra@contoso.example")
        )  # fmt: skip


@pytest.fixture
def office(office: Office) -> Office:
    with inside(office.id):
        Message.objects.update(
            internet_message_index=index(office.id, "message-id", "<ours@northwind.example>")
        )
        Reply.objects.update(
            internet_message_index=index(office.id, "message-id", "<theirs@contoso.example>")
        )
        contact_actions.suppress(
            office.id, "never@contoso.example", cause=Suppression.Cause.values[0], actor=INSTALLER
        )
    assert is_found(office)
    return office


def test_what_is_stored_is_another_and_what_is_found_the_same(office):
    before, as_stored = seen(office), stored(Contact, office.id, "email_index")
    change(office)
    finish(office)
    assert is_found(office) and seen(office) == before
    after = stored(Contact, office.id, "email_index")
    assert not set(after) & set(as_stored)
    assert after != [office.contact.email_index], "the hash itself, which a stolen key tells, is not there"
    assert queries.left(office.of_indexes) == 0 and not state(office.of_indexes).is_changing

    change(office)
    finish(office)
    assert is_found(office) and seen(office) == before
    assert not set(stored(Contact, office.id, "email_index")) & {*after, *as_stored}


def test_no_stored_index_is_a_hash_any_more(office):
    change(office)
    finish(office)
    newest = indexes.letter(generations.covering(office.id)[1].newest)
    for model, column in covers.columns(IndexField):
        assert all(form.startswith(newest) for form in stored(model, office.id, column) if form), (
            model,
            column,
        )
    for model, column in covers.columns(IndexesField):
        assert all(form.startswith(newest) for forms in stored(model, office.id, column) for form in forms), (
            model,
            column,
        )


def test_every_column_that_a_key_of_a_workspace_fills_is_covered():
    of_the_installation = {
        "apitoken.token_index", "connectattempt.page_index", "departure.session_index", "departure.state_index",
        "mailbox.identity_index", "subscription.secret_index",
    }  # fmt: skip
    in_the_record = {"ledgerrow.item_hash"}  # never rewritten; Microsoft's ids cannot be guessed
    named = {
        f"{model._meta.model_name}.{field.column}"
        for model in apps.get_app_config("gatepost").get_models()
        for field in model._meta.local_fields
        if field.column.endswith(("_index", "_indexes", "item_hash")) or field.column == "index"
    }
    covered = {
        f"{model._meta.model_name}.{column}"
        for kind in (IndexField, IndexesField)
        for model, column in covers.columns(kind)
    }
    assert named - covered == of_the_installation | in_the_record


def test_halfway_each_hash_has_one_form_and_everything_is_found_and_nothing_twice(office):
    begin(office)
    for moved in range(indexes.SLICES + 1):
        if moved % 16 == 0:
            assert is_found(office)
            with pytest.raises(GatepostError), transaction.atomic():
                make_contact(office.alice.workspace, "petra@contoso.example")
            make_contact(office.alice.workspace, f"new-{moved}@contoso.example")
            with inside(office.id):
                made = Contact.objects.get(
                    email_index=index(office.id, "address", f"new-{moved}@contoso.example")
                )
            assert fresh(made).email_index == made.email_index
            covers.move_some_lists(office.id, Contact, "search_indexes")
            with inside(office.id):
                assert found(office.id, f"new-{moved}").get() == made
                made.delete()
        covers.move_slice(office.id)
    assert covers.finish(office.id) is False, "some lists are left"
    finish(office)
    assert is_found(office)


@pytest.mark.parametrize("at", [0, 1, 100, 255, 256])
def test_killed_anywhere_it_is_gone_on_with(office, monkeypatch, at):
    before = seen(office)
    begin(office)
    real, done = covers.move_slice, 0

    def dying(workspace_id):
        nonlocal done
        if done == at:
            raise Killed
        done += 1
        return real(workspace_id)

    with monkeypatch.context() as patch:
        patch.setattr(covers, "move_slice", dying)
        with pytest.raises(Killed):
            carry_on(office.of_indexes)
    assert covers.found(office.id).slices == at
    assert is_found(office) and seen(office) == before
    finish(office)
    assert is_found(office) and seen(office) == before and queries.left(office.of_indexes) == 0


def test_a_transaction_that_began_before_it_could_know_is_waited_for(office, monkeypatch):
    begin(office)
    monkeypatch.setattr(queries, "oldest_transaction", lambda: A_WHILE * 2)
    assert not carry_on(office.of_indexes)
    assert covers.found(office.id).next is not None, "it went on without them"
    monkeypatch.setattr(queries, "oldest_transaction", lambda: A_WHILE / 2)
    carry_on(office.of_indexes)
    assert covers.found(office.id).next is None, "all is moved"


def test_killed_before_it_is_announced_nothing_moves_until_everybody_can_know(office):
    change(office)
    covers.take_over(office.id, generations.covering(office.id)[1].newest)
    assert covers.found(office.id).age is None, "whoever began meanwhile does not know"
    with pytest.raises(IntegrityError), transaction.atomic():
        covers.move_slice(office.id)
    assert not carry_on(office.of_indexes)
    assert covers.found(office.id).age is not None and covers.found(office.id).slices == 0
    finish(office)
    assert is_found(office)


def test_more_keys_than_letters_tell_apart_are_refused_and_nothing_is_changed(office, monkeypatch):
    monkeypatch.setattr(indexes, "LETTERS", "gh")
    for _ in range(2):
        change(office)
        finish(office)
    before = generations.covering(office.id)
    with pytest.raises(generations.TooManyFormer, match="wait until"), transaction.atomic():
        change(office)
    assert generations.covering(office.id)[1] == before[1] and is_found(office)


def test_a_process_that_does_not_know_the_newer_key_yet_asks_for_it(office):
    change(office)
    finish(office)
    assert is_found(office)  # the key is remembered from here on
    remembered = dict(keys._keys._remembered)
    begin(office)
    for _ in range(100):
        covers.move_slice(office.id)
    keys._keys._remembered = remembered
    assert is_found(office)


def test_a_restored_backup_works_with_its_own_key_and_is_covered_anew(office):
    change(office)
    finish(office)
    backup = {
        (model, column): stored(model, office.id, column)
        for kind in (IndexField, IndexesField) for model, column in covers.columns(kind)
    }  # fmt: skip
    of_then = Cover.objects.get(pk=office.id)
    change(office)
    finish(office)

    with inside(office.id), connection.cursor() as cursor:
        for (model, column), forms in backup.items():
            kind = "text[]" if isinstance(model._meta.get_field(column), IndexesField) else "text"
            for pk, form in zip(stored(model, office.id), forms, strict=True):
                cursor.execute(
                    f'UPDATE {model._meta.db_table} SET "{column}" = %s::{kind} WHERE id = %s', [form, pk]
                )
    of_then.save()
    assert is_found(office)
    pass_time(office.of_indexes, KEPT)
    finish(office)
    assert is_found(office) and queries.left(office.of_indexes) == 0
    assert state(office.of_indexes).keeps_former, "backups of today hold it too, and the days begin again"


def test_when_its_backups_have_ended_the_former_key_goes(office):
    change(office)
    finish(office)
    change(office)
    finish(office)
    assert len(generations.covering(office.id)[1].former) == 1
    pass_time(office.of_indexes, KEPT)
    finish(office)
    assert generations.covering(office.id)[1].former == ()
    assert not state(office.of_indexes).keeps_former
    assert is_found(office)


def test_what_no_key_opens_is_like_no_hash_and_stays_as_it_is(office):
    change(office)
    finish(office)
    # Of two letters one at most is that of the only key; under it any digits would open to some hash.
    newest = indexes.letter(generations.covering(office.id)[1].newest)
    rubble = ("y" if newest == "z" else "z") + "0" * 32
    with inside(office.id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gatepost_contact SET email_index = %s WHERE id = %s", [rubble, office.contact.pk]
        )
    assert fresh(office.contact).email_index == rubble
    with inside(office.id):
        assert Contact.objects.get(email_index=rubble) == office.contact


def test_another_workspace_stays_as_it_is(office):
    other = make_office()
    before = stored(Contact, other.id, "email_index")
    change(office)
    finish(office)
    assert stored(Contact, other.id, "email_index") == before
    assert generations.covering(other.id) is None


def test_a_workspace_whose_keys_are_gone_gets_none_again(office):
    keys.destroy("workspace", office.id)
    assert not actions.change(office.of_indexes, keep_former=KEPT, actor=INSTALLER)
    assert generations.covering(office.id) is None and carry_on(office.of_indexes)
    nobody = make_workspace("Empty")
    assert not generations.begin_cover(nobody.pk, keep_former=KEPT)


def test_it_is_told_how_far_it_is(office):
    def level():
        return next(each for each in commands.levels() if each.word == commands.WORDS["index"])

    before = level()
    change(office)
    changing = level()
    assert (changing.keys, changing.changing) == (before.keys - 1, before.changing + 1), (
        "one stands for two below it"
    )
    assert changing.rows_left >= before.rows_left + 5
    finish(office)
    assert level().changing == before.changing


def test_out_of_a_transaction_of_a_workspace_nothing_is_covered(office):
    change(office)
    finish(office)
    with inside(office.id):
        assert cover(connections["default"]).now is not None
    assert cover(connections["default"]) is None
    assert indexes.forms_now(connections["default"], ["ab" * 16]) == ["ab" * 16]


WHOLE = st.binary(min_size=16, max_size=16).filter(
    lambda each: any(each[8:])
)  # by chance it is not, once in 2^64
HASHES = st.one_of(st.just(""), st.binary(min_size=8, max_size=8).map(bytes.hex), WHOLE.map(bytes.hex))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hashes=st.lists(HASHES, max_size=8), moved=st.integers(0, indexes.SLICES))
def test_a_hash_comes_back_as_it_was_from_every_form(office, hashes, moved):
    if generations.covering(office.id) is None:
        change(office)
        finish(office)
        begin(office)
    Cover.objects.filter(pk=office.id).update(slices=moved)
    with inside(office.id):
        here = connections["default"]
        for forms in (indexes.forms_now(here, hashes), *indexes.forms_in_lists(here, hashes)):
            assert indexes.hashes_of(here, forms) == hashes
        assert indexes.forms_now(here, indexes.forms_now(here, hashes)) == indexes.forms_now(here, hashes)


def halfway(office_id, owner: queries.Owner, slices: int) -> None:
    assert actions.change(owner, keep_former=KEPT, actor=INSTALLER)
    assert not carry_on(owner)
    for _ in range(slices):
        covers.move_slice(office_id)


@pytest.mark.parametrize("slices", [0, 90, 256])
def test_a_list_that_comes_in_halfway_adds_each_once_and_all_are_found_afterwards(office, slices):
    people = "email,first_name\n" + "".join(f"p{n}@fabrikam.example,Paula{n}\n" for n in range(20))

    def come_in() -> tuple[int, int]:
        kept = imports.upload(office.id, "list.csv", BytesIO(people.encode()), member=office.alice)
        imports.start(kept.pk, kept.mapping, workspace_id=office.id, dry=False, actor=by(office.alice))
        imports.run(office.id, kept.pk)
        return fresh(kept).added, fresh(kept).unchanged

    halfway(office.id, office.of_indexes, slices)
    assert come_in() == (20, 0)
    assert come_in() == (0, 20)
    pass_time(office.of_indexes, A_WHILE)
    finish(office)
    assert come_in() == (0, 20)
    with inside(office.id):
        assert all(found(office.id, f"paula{n}").count() == (11 if n == 1 else 1) for n in range(20))


@pytest.mark.parametrize("slices", [0, 90, 256])
def test_a_reply_that_comes_halfway_is_found_once(office, tmp_path, monkeypatch, slices):
    without_threads(monkeypatch, intake_jobs)
    with clock_at(MONDAY, tmp_path):
        story = Story()
        workspace = story.member.workspace_id
        owner = queries.Owner(queries.INDEX, workspace, workspace)
        for number in range(8):
            _, sent = story.write_to(f"p{number}@contoso.example", f"talk-{number}")
            story.inbox.arrives(
                f"mail-{number}", sender=f"p{number}@contoso.example", references=sent, page=number // 4
            )
            if number == 3:
                story.sync()
                halfway(workspace, owner, slices)
        story.sync()
        assert len(story.replies()) == 8
        pass_time(owner, A_WHILE)
        while not carry_on(owner):
            pass_time(owner, A_WHILE)
        story.inbox.arrives("late", references=story.sent_id, page=2)
        story.sync()
        story.sync()
        assert len(story.replies()) == 9
