"""Rounds: what jobs side by side want of the database is one transaction, and none takes another with it."""

import asyncio

import pytest
from django.db import IntegrityError, OperationalError, connection
from psycopg.errors import DeadlockDetected

from gatepost.accounts.models import Workspace
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.audit.record import job, record
from gatepost.contacts.models import Contact
from gatepost.isolation import inside
from gatepost.jobs import rounds
from gatepost.jobs.rounds import Done, Failed, Outside, alone, each, in_rounds, outside, read
from tests.makers import make_contact, make_workspace, rows

BEGINNING = Done(None)


@pytest.fixture
def workspace(db):
    return make_workspace()


def doubled(numbers):
    doubled.asked.append(list(numbers))
    return [2 * number for number in numbers]


@pytest.fixture(autouse=True)
def _nothing_asked():
    doubled.asked = []


def twice(number):
    return (yield from read(doubled, (yield from read(doubled, number))))


def in_one(workspace, *scripts):
    return rounds.run(workspace.pk, [(script, BEGINNING) for script in scripts])


def test_what_several_want_in_the_same_step_is_asked_once(workspace):
    assert in_one(workspace, twice(1), twice(2), read(doubled, 3)) == [Done(4), Done(8), Done(6)]
    assert doubled.asked == [[1, 2, 3], [2, 4]]


def note(contacts):
    """Fails, for a contact without a country, after it has stored something for all of them."""
    for contact in contacts:
        record(job("test"), tags.CONTENT_READ, contact)
    if not all(contact.country for contact in contacts):
        raise ValueError("no country")
    return [contact.country for contact in contacts]


def noted(workspace):
    return {entry.subject_id for entry in rows(AuditEntry, workspace.pk, tag=tags.CONTENT_READ)}


def test_one_that_fails_takes_no_other_with_it_and_leaves_nothing(workspace):
    here, nowhere, there = (make_contact(workspace, country=country) for country in ("DE", "", "FR"))
    one, failed, other = in_one(workspace, each(note, here), each(note, nowhere), each(note, there))
    assert (one, other) == (Done("DE"), Done("FR"))
    assert isinstance(failed, Failed) and isinstance(failed.error, ValueError)
    assert noted(workspace) == {here.pk, there.pk}


def test_one_that_the_database_refuses_takes_no_other_with_it(workspace):
    known, new = make_contact(workspace), make_contact(workspace)

    def again(contacts):
        copies = [Contact(pk=contact.pk, workspace=workspace) for contact in contacts if contact == known]
        Contact.objects.bulk_create(copies)
        return [contact.pk for contact in contacts]

    failed, done = in_one(workspace, each(again, known), each(again, new))
    assert isinstance(failed, Failed) and isinstance(failed.error, IntegrityError)
    assert done == Done(new.pk)


@pytest.mark.parametrize(("times", "ends"), [(1, Done("DE")), (2, Failed)])
def test_one_that_waited_for_somebody_who_waited_for_it_is_done_once_more(workspace, times, ends):
    contact, refused = make_contact(workspace, country="DE"), []

    def refusing(contacts):
        answers = note(contacts)
        if len(refused) < times:
            refused.append(contacts)
            raise OperationalError("deadlock detected") from DeadlockDetected()
        return answers

    (reached,) = in_one(workspace, each(refusing, contact))
    assert reached == ends or isinstance(reached, ends)
    assert noted(workspace) == ({contact.pk} if times == 1 else set())


def test_a_script_may_go_on_from_what_failed(workspace):
    nowhere = make_contact(workspace, country="")

    def script():
        try:
            yield from each(note, nowhere)
        except ValueError:
            return "went on"

    assert in_one(workspace, script()) == [Done("went on")]


def test_a_script_leaves_the_round_with_a_request_and_is_back_with_its_answer(workspace):
    async def asked():
        return 5

    def script():
        return (yield from read(doubled, (yield from outside(asked))))

    one = script()
    (reached,) = in_one(workspace, one)
    assert isinstance(reached, Outside) and doubled.asked == []
    assert rounds.run(workspace.pk, [(one, Done(5))]) == [Done(10)]


def test_what_a_script_did_is_committed_before_its_request_leaves(committed_db):
    workspace = make_workspace()
    seen = []

    async def asked():
        seen.append(await rounds.in_thread(lambda: (noted(workspace), connection.in_atomic_block)))
        raise TimeoutError

    def script(contact):
        yield from each(note, contact)
        try:
            yield from outside(asked)
        except TimeoutError:
            return (yield from alone(lambda: "no answer"))

    contact = make_contact(workspace, country="DE")
    assert asyncio.run(in_rounds(workspace.pk, script(contact))) == "no answer"
    assert seen == [({contact.pk}, False)]


def test_who_waits_at_the_same_time_shares_one_round(committed_db, monkeypatch):
    workspace, run, together = make_workspace(), rounds.run, []
    monkeypatch.setattr(rounds, "run", lambda of, parts: together.append(len(parts)) or run(of, parts))

    async def all_of_them():
        return await asyncio.gather(*(in_rounds(workspace.pk, twice(number)) for number in range(20)))

    assert asyncio.run(all_of_them()) == [4 * number for number in range(20)]
    assert together == [20]


def test_a_round_sees_one_workspace_only(workspace):
    make_contact(workspace)
    other = make_workspace("Fabrikam")

    def seen(_):
        return [Contact.objects.count()]

    assert in_one(workspace, read(seen, None)) == [Done(1)]
    assert in_one(other, read(seen, None)) == [Done(0)]
    with inside(workspace.pk):
        assert Workspace.objects.filter(pk=workspace.pk).exists()
