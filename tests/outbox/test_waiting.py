"""What a person may do about a mail that waits, on the page and over the API; and limits in the database."""

from datetime import timedelta

import pytest

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Workspace
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes import features
from gatepost.mailboxes.actions import change_settings
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions, counting, limits
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import Commit, Event
from gatepost.sequences import queries, steps, waiting
from gatepost.sequences.models import Enrolment, Sequence
from tests.at_once import for_one
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, rows_in, signed_in, text_of

DAY = timedelta(days=1)


@pytest.fixture
def alice(committed_db):
    return make_member(make_workspace())


@pytest.fixture
def planned(alice):
    """Two mails that wait in one mailbox; the first one is older."""
    sequence, mailbox = make_sequence(alice), make_mailbox(alice)
    return [
        make_message(make_enrolment(sequence, make_contact(alice.workspace), mailbox), state="planned")
        for _n in range(2)
    ]


def who(alice):
    return {"workspace_id": alice.workspace_id, "actor": by(alice)}


def left(message):
    """The mail was sent and accepted, as the table of the protocol has it."""
    sent = fresh(message)
    assert actions.commit(sent, Commit(Event.TRY_AT_ONCE))
    assert actions.commit(sent, Commit(Event.TAKEN))


def next_of(message):
    with inside(message.workspace_id):
        mailbox = Mailbox.objects.get(pk=message.mailbox_id)
    return for_one(queries.open_messages, mailbox)


def full_for(message, now=None):
    with inside(message.workspace_id):
        mailbox = Mailbox.objects.select_related("workspace").get(pk=message.mailbox_id)
        now = now or clock.now()
        places = [
            *counting.own(mailbox, now),
            *counting.shared(mailbox.workspace, mailbox.microsoft_tenant, fresh(message).contact.company_id),
        ]
        counted = counting.count(places, now)
    return limits.next_leaves(list(counted.values()), None, now=now)


@pytest.mark.parametrize("change", [actions.send_now, actions.prioritise])
def test_who_is_in_a_hurry_leaves_before_those_that_waited_longer(alice, planned, change):
    change(planned[1].pk, **who(alice))
    assert next_of(planned[0]).pk == planned[1].pk
    assert len(rows(AuditEntry, alice.workspace_id, tag=tags.MESSAGE_HURRY)) == 1


def test_send_now_leaves_also_outside_the_window_and_keeps_the_limits(alice, planned):
    with inside(alice.workspace_id):
        sequence = Sequence.objects.get()
        day = clock.now() + timedelta(days=3)
        sequence.window = {day.strftime("%a").lower(): [["10:00", "11:00"]]}
        sequence.save()
    assert for_one(queries.gate_facts, fresh(planned[0])).window_opens > clock.now()
    actions.send_now(planned[0].pk, **who(alice))
    assert for_one(queries.gate_facts, fresh(planned[0])).window_opens <= clock.now()


def test_a_postponed_mail_waits_until_then_also_when_it_is_woken(alice, planned):
    until = clock.now() + DAY
    actions.postpone(planned[0].pk, until, **who(alice))
    with inside(alice.workspace_id):
        actions.wake(enrolment_id=planned[0].enrolment_id)
    assert for_one(queries.gate_facts, fresh(planned[0])).postponed_until == until
    for wrong in (clock.now() - DAY, clock.now() + 400 * DAY):
        with pytest.raises(BadInput):
            actions.postpone(planned[0].pk, wrong, **who(alice))


def test_a_skipped_step_never_leaves_and_its_contact_goes_on_with_the_next(alice, planned):
    actions.skip(planned[0].pk, **who(alice))
    steps.step_cancelled(fresh(planned[0]))
    enrolment = rows(Enrolment, alice.workspace_id, pk=planned[0].enrolment_id)[0]
    assert fresh(planned[0]).state == "cancelled"
    assert (enrolment.state, enrolment.next_position) == ("active", 2)
    assert enrolment.due_at > clock.now()


def test_what_left_is_not_changed_any_more(alice, planned):
    left(planned[0])
    for change in (actions.send_now, actions.prioritise, actions.skip):
        with pytest.raises(Conflict, match="does not wait any more"):
            change(planned[0].pk, **who(alice))


def test_several_are_changed_at_once_and_what_left_meanwhile_is_told(alice, planned):
    left(planned[0])
    client = signed_in(alice)
    answer = client.post(
        "/outbox/change/", {"change": "skip", "message": [str(each.pk) for each in planned]}, follow=True
    )
    assert "Done: 1 mail." in text_of(answer) and "does not wait any more" in text_of(answer)
    assert fresh(planned[1]).state == "cancelled"
    assert client.post("/outbox/change/", {"change": "burn"}).status_code == 400
    assert client.post("/outbox/change/", {"change": "postpone", "message": "x"}).status_code == 400


def test_an_auditor_and_a_stranger_change_nothing(alice, planned):
    asked = {"change": f"skip {planned[0].pk}"}
    otto = signed_in(make_member(alice.workspace, "Otto", role="auditor"))
    ben = signed_in(make_member(alice.workspace, "Ben", role="rep"))
    charlie = signed_in(make_member(make_workspace("Fabrikam"), "Charlie"))
    told = [client.post("/outbox/change/", asked).status_code for client in (otto, ben, charlie)]
    assert told == [403, 403, 404]
    assert fresh(planned[0]).state == "planned"


def test_the_queries_of_the_page_do_not_grow_with_its_rows(alice, planned, django_assert_max_num_queries):
    client = signed_in(alice)
    assert rows_in(client.get("/outbox/", {"part": "waiting"})) == 2
    sequence, mailbox = make_sequence(alice), make_mailbox(alice, "second@northwind.example")
    for _n in range(8):
        make_message(make_enrolment(sequence, make_contact(alice.workspace), mailbox), state="planned")
    with django_assert_max_num_queries(22):
        assert rows_in(client.get("/outbox/", {"part": "waiting"})) == 10


def test_a_company_gets_no_more_mails_a_day_and_others_go_on(alice, planned):
    Workspace.objects.filter(pk=alice.workspace_id).update(company_daily_limit=1)
    assert full_for(planned[1]) is None
    left(planned[0])
    full = full_for(planned[1])
    assert (full.limit, full.whole_mailbox) == ("company_day", False)
    assert full.reason == "the limit of 1 mails a day to one company is reached"
    assert full_for(planned[1], full.until) is None


@pytest.mark.parametrize(
    ("column", "name"), [("daily_limit", "workspace_day"), ("tenant_daily_limit", "tenant_day")]
)
def test_no_other_mailbox_takes_the_last_place_of_a_shared_limit(alice, planned, column, name):
    Workspace.objects.filter(pk=alice.workspace_id).update(**{column: 1})
    message = fresh(planned[1])  # its gate was passed a moment ago
    left(planned[0])
    assert full_for(message).limit == name
    assert not actions.commit(message, Commit(Event.TRY_AT_ONCE))
    assert fresh(message).state == "planned"


def test_what_was_planned_or_certainly_did_not_leave_counts_nothing(alice, planned):
    with inside(alice.workspace_id):
        Message.objects.filter(pk=planned[0].pk).update(sending_at=clock.now())  # tried, and not taken
        any_mail = counting.Place("workspace", alice.workspace_id, limits.Limit("any", 1, ""))
        assert counting.count([any_mail], clock.now())[any_mail].nth is None


def test_raising_a_limit_wakes_what_waited_for_it_and_for_the_pause(alice, planned):
    later = clock.now() + DAY
    reasons = ["the limit of 1 mails a day from this mailbox is reached", limits.GAP]
    with inside(alice.workspace_id):
        for message, reason in zip(planned, reasons, strict=True):
            Message.objects.filter(pk=message.pk).update(not_before=later, reason=reason)
        Mailbox.objects.update(sending_not_before=later)
        mailbox = Mailbox.objects.get()
    change_settings(mailbox.pk, daily_limit=60, gap_seconds=2, briefs_on_calendar=True, **who(alice))
    with inside(alice.workspace_id):
        waiting.limits_changed([fresh(mailbox)])
    assert fresh(mailbox).sending_not_before is None
    assert all(fresh(each).not_before <= clock.now() for each in planned)


def test_raising_the_workspaces_limit_wakes_its_mailboxes(alice, planned):
    with inside(alice.workspace_id):
        Mailbox.objects.update(sending_not_before=clock.now() + DAY)
    features.limit(
        alice.workspace_id, mailbox_domains=[], mailbox_tenants=[], sender_domains=[],
        only_outreach_mailboxes=False, company_daily_limit=3, actor=by(alice),
    )  # fmt: skip
    assert [each.sending_not_before for each in rows(Mailbox, alice.workspace_id)] == [None]
