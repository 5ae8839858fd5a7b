"""The counts of a sequence are what one counts by hand, whatever changes, whenever they are summed up."""

import random
import threading
from uuid import UUID, uuid4

import pytest
from django.db import connections

from gatepost.accounts.models import Member
from gatepost.isolation import inside
from gatepost.outbox.models import Message
from gatepost.sequences import tallies
from gatepost.sequences.models import Enrolment, Sequence, Tally
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)  # fmt: skip
from tests.pages import make_message

SEED = 5
ENDS = (("stopped", "reply"), ("stopped", "meeting"), ("stopped", "bounce"), ("paused", ""), ("finished", ""))


def by_hand(sequence: Sequence) -> tallies.Counts:
    enrolments = rows(Enrolment, sequence.workspace_id, sequence=sequence)
    mails = rows(Message, sequence.workspace_id, sequence_id=sequence.pk)
    return {
        "enrolled": len(enrolments),
        "running": sum(each.state in ("active", "paused") for each in enrolments),
        "replied": sum(each.cause == "reply" for each in enrolments),
        "met": sum(each.cause == "meeting" for each in enrolments),
        "bounced": sum(each.cause == "bounce" for each in enrolments),
        "sent": sum(each.state in ("accepted", "confirmed") and each.reply_id is None for each in mails),
    }


def told(member: Member, sequences: list[Sequence]) -> dict[UUID, tallies.Counts]:
    with inside(member.workspace_id):
        return tallies.counts_of(each.pk for each in sequences)


def change(dice: random.Random, member: Member, sequences: list[Sequence]) -> None:
    """What happens to enrolments and mails, by chance."""
    enrolments = rows(Enrolment, member.workspace_id)
    what = dice.choice(
        ("enrol", "enrol", "send", "send", "end", "end", "restore", "answer", "erase", "pass on")
    )
    if what == "enrol" or not enrolments:
        box = make_mailbox(member, f"{uuid4().hex}@northwind.example")
        make_enrolment(
            dice.choice(sequences), make_contact(member.workspace, f"{uuid4().hex}@contoso.example"), box
        )
        return
    chosen = dice.choice(enrolments)
    with inside(member.workspace_id):
        chosen = Enrolment.objects.select_related("sequence").get(pk=chosen.pk)
        if what == "send":
            make_message(chosen, state=dice.choice(("planned", "accepted", "confirmed", "cancelled")))
        elif what == "end":
            chosen.state, chosen.cause = dice.choice(ENDS)
            chosen.save()
        elif what == "restore":
            for mail in Message.objects.filter(state="accepted"):
                mail.state, mail.accepted_at, mail.revision = "planned", None, mail.revision + 1
                mail.save()
        elif what == "answer":
            Message.objects.filter(enrolment_id=chosen.pk).update(reply_id=uuid4())
        elif what == "erase":
            Message.objects.filter(enrolment_id=chosen.pk).delete()
            chosen.delete()
        elif what == "pass on":
            Enrolment.objects.filter(pk=chosen.pk).update(sequence=dice.choice(sequences), next_position=2)


@pytest.mark.django_db
def test_the_counts_are_right_after_each_change_and_whenever_they_are_summed_up() -> None:
    dice = random.Random(SEED)
    member = make_member(make_workspace())
    sequences = [make_sequence(member) for _ in range(2)]
    seen: set[str] = set()  # what was ever counted
    for number in range(150):
        change(dice, member, sequences)
        if number % 20 == 9:
            tallies.sum_up(member.workspace_id, at_once=1)
        if number % 5 == 0:
            found = {each.pk: by_hand(each) for each in sequences}
            assert told(member, sequences) == found
            seen |= {name for counts in found.values() for name, count in counts.items() if count}
    assert seen == set(tallies.COLUMNS)


@pytest.mark.django_db
def test_many_differences_become_one_row_and_stay_the_same_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MANY", 3)
    member = make_member(make_workspace())
    sequence = make_sequence(member)
    tallies.sum_up(member.workspace_id)
    for number in range(5):
        make_enrolment(
            sequence,
            make_contact(member.workspace, f"p{number}@contoso.example"),
            make_mailbox(member, f"m{number}@northwind.example"),
        )
    assert len(rows(Tally, member.workspace_id)) == 6
    assert tallies.sum_up(member.workspace_id) == 1
    assert [(each.counted, each.enrolled) for each in rows(Tally, member.workspace_id)] == [(True, 5)]
    assert tallies.sum_up(member.workspace_id) == 0
    assert told(member, [sequence]) == {sequence.pk: by_hand(sequence)}


@pytest.mark.django_db
def test_what_changes_no_count_leaves_nothing_behind() -> None:
    member = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(member), make_contact(member.workspace), make_mailbox(member))
    message = make_message(enrolment, state="planned")
    tallies.sum_up(member.workspace_id)
    before = rows(Tally, member.workspace_id)
    with inside(member.workspace_id):
        Enrolment.objects.update(next_position=2, state="paused")
        Message.objects.filter(pk=message.pk).update(reason="outside the sending window")
    assert rows(Tally, member.workspace_id) == before


@pytest.mark.django_db
def test_nothing_is_kept_of_a_sequence_that_is_gone() -> None:
    member = make_member(make_workspace())
    sequence = make_sequence(member)
    enrolment = make_enrolment(sequence, make_contact(member.workspace), make_mailbox(member))
    tallies.sum_up(member.workspace_id)
    with inside(member.workspace_id):
        enrolment.delete()
        sequence.delete()
    assert rows(Tally, member.workspace_id)
    tallies.sum_up(member.workspace_id)
    assert rows(Tally, member.workspace_id) == []


@pytest.mark.django_db
def test_a_sequence_of_another_workspace_has_no_counts_here() -> None:
    member, other = make_member(make_workspace()), make_member(make_workspace("Contoso"))
    sequence = make_sequence(other)
    make_enrolment(sequence, make_contact(other.workspace), make_mailbox(other))
    for each in (member, other):
        tallies.sum_up(each.workspace_id)
    assert told(member, [sequence])[sequence.pk]["enrolled"] == 0
    assert told(other, [sequence])[sequence.pk]["enrolled"] == 1


@pytest.mark.parametrize("many", [0, 100], ids=["summed up", "counted for the first time"])
def test_a_change_that_is_committed_while_they_are_summed_up_counts_once(
    committed_db: None, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(tallies, "MANY", many)
    member = make_member(make_workspace())
    sequence = make_sequence(member)
    enrolment = make_enrolment(sequence, make_contact(member.workspace), make_mailbox(member))
    if many == 0:
        tallies.sum_up(member.workspace_id)
    changed, may_commit = threading.Event(), threading.Event()

    def change_slowly() -> None:
        with inside(member.workspace_id):
            Enrolment.objects.filter(pk=enrolment.pk).update(state="stopped", cause="reply")
            changed.set()
            may_commit.wait(30)
        connections.close_all()

    someone = threading.Thread(target=change_slowly)
    someone.start()
    assert changed.wait(30)
    tallies.sum_up(member.workspace_id)
    assert told(member, [sequence])[sequence.pk]["replied"] == 0, "nobody committed it yet"
    may_commit.set()
    someone.join()
    assert told(member, [sequence])[sequence.pk]["replied"] == 1
    tallies.sum_up(member.workspace_id)
    assert told(member, [sequence]) == {sequence.pk: by_hand(sequence)}
