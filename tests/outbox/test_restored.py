"""After a restore nothing leaves until the mailboxes were compared and somebody said go."""

import json
from uuid import uuid4

import pytest
from django.db import transaction

from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Contact
from gatepost.errors import Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions, comparing, restored, rules, sending
from gatepost.outbox.models import Installation, Message, Recovery, Stray
from gatepost.outbox.protocol import Commit, Event, State
from gatepost.outbox.rules import Stop, Witness, sees_a_restore
from gatepost.sequences import jobs, queries, steps
from gatepost.sequences import rules as sequence_rules
from gatepost.sequences.models import Enrolment
from gatepost.vault import keys
from tests.at_once import at_once, for_one, without_threads
from tests.makers import MONDAY, clock_at, fresh, make_contact, make_enrolment, rows
from tests.outbox.test_sending import Story, read
from tests.pages import signed_in, text_of

# What a start concludes

OURS, OTHER = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("outside", "mark_now", "copied"),
    [
        ([Witness(OURS, 8)], "m", False),
        ([Witness(OURS, 3), Witness(OURS, 8)], "m", False),
        ([], "another server", False),
        ([Witness(OTHER, 3)], "m", True),
        ([Witness(OURS, 9), Witness(OTHER, 3)], "m", True),
    ],
)
def test_any_witness_that_disagrees_stops_all_sending(outside, mark_now, copied):
    stop = sees_a_restore(Witness(OURS, 7), outside, mark="m", mark_now=mark_now)
    assert isinstance(stop, Stop) and stop.copied is copied


@pytest.mark.parametrize(("mark", "mark_now"), [("m", "m"), ("", "m"), ("m", "")])
def test_witnesses_that_agree_or_know_less_stop_nothing(mark, mark_now):
    outside = [Witness(OURS, 7), Witness(OURS, 0)]
    assert sees_a_restore(Witness(OURS, 7), outside, mark=mark, mark_now=mark_now) is None


# The whole way, with a mailbox in memory


@pytest.fixture
def story(db, tmp_path, monkeypatch, settings):
    settings.GATEPOST_DATA_DIR, settings.GATEPOST_INSTANCE = tmp_path, None
    monkeypatch.setattr(restored, "_seen", 0)
    without_threads(monkeypatch, sending, jobs, comparing)
    with clock_at(MONDAY, tmp_path) as file:
        told = Story(file)
        told.monkeypatch = monkeypatch
        told.file = tmp_path / "installation.json"
        restored.begin()
        compare(told)
        yield told
        # Other tests' installations begin anew, and know nothing of this one's beats.
        keys._keys._run("DELETE FROM beat", [])


def compare(story):
    return at_once(comparing.may_go_on(fresh(story.mailbox), story.microsoft))


def restart(story):
    restored.begin()
    return compare(story)


def set_back(message, **columns):
    """The row as an older backup has it."""
    with inside(message.workspace_id):
        Message.objects.filter(pk=message.pk).delete()
    older = Message(
        **{f.attname: getattr(message, f.attname) for f in Message._meta.local_fields if not f.generated}
        | columns
    )
    with inside(message.workspace_id):
        older.save(force_insert=True)


def recoveries(story):
    return rows(Recovery, story.mailbox.workspace_id)


def recovery_page(story):
    return text_of(signed_in(story.member).get("/outbox/recovery/"))


def test_a_start_like_any_other_stops_nothing(story):
    story.carry_on()
    for _ in range(3):
        restored.beat()
        assert restart(story) is True
    assert recoveries(story) == []


def test_an_older_beat_than_this_machine_noted_stops_all_sending(story):
    before = Installation.objects.get(pk=1).beat
    for _ in range(3):
        restored.beat()
    Installation.objects.filter(pk=1).update(beat=before)
    assert restart(story) is False
    (recovery,) = recoveries(story)
    assert "restored" in recovery.reason and not recovery.copied
    assert len(rows(AuditEntry, story.mailbox.workspace_id, tag=tags.RECOVERY_BEGIN)) == 1
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.PLANNED, [])
    assert "all sending is stopped" in fresh(story.message).reason


def test_the_keystore_alone_notices_it_too(story):
    for _ in range(3):
        restored.beat()
    Installation.objects.filter(pk=1).update(beat=2)
    story.file.write_text(json.dumps({"instance": str(Installation.objects.get(pk=1).instance), "beat": 1}))
    assert restart(story) is False


def test_tables_that_were_made_anew_stop_all_sending(story):
    Installation.objects.filter(pk=1).update(mark="another server")
    assert restart(story) is False


def test_a_database_that_becomes_older_under_a_running_worker_is_noticed_at_the_gate(story):
    restored.beat()
    Installation.objects.filter(pk=1).update(beat=1)
    story.carry_on()
    assert (story.state, len(recoveries(story))) == (State.PLANNED, 1)


def test_a_beat_between_the_look_at_the_database_and_its_judgement_stops_nothing(story, monkeypatch):
    look = Installation.objects.filter

    def looking(**conditions):
        found = look(**conditions)
        first = found.first

        def late():
            row = first()
            restored.beat()
            return row

        found.first = late
        return found

    monkeypatch.setattr(Installation.objects, "filter", looking)
    story.carry_on()
    assert recoveries(story) == []


def test_a_machine_that_knows_nothing_of_the_installation_sends_nothing_and_says_what_to_do(story):
    story.file.unlink()
    with pytest.raises(restored.UnknownMachine, match="GATEPOST_INSTANCE="):
        restored.begin()


def test_a_further_machine_is_told_by_a_setting(story, settings):
    story.file.unlink()
    settings.GATEPOST_INSTANCE = Installation.objects.get(pk=1).instance
    assert restart(story) is True


def test_a_copy_sends_nothing_until_the_operator_says_that_it_replaces_its_original(story, settings):
    story.crash_at(story.monkeypatch, Event.TRY, after=False)
    drafts = len(story.microsoft.drafts())
    told = json.loads(story.file.read_text())
    story.file.write_text(json.dumps({**told, "instance": str(OTHER)}))
    assert restart(story) is False
    story.pass_time(minutes=31)
    assert (comparing.find_to_reconcile(), drafts) == (0, 1)
    with pytest.raises(Conflict, match="--replaces-original"), transaction.atomic():
        restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    assert restart(story) is False, "and the next start does not forget it"
    assert len(story.microsoft.drafts()) == drafts, "those are its original's"
    restored.replace_original(story.mailbox.workspace_id, actor=INSTALLER)
    with pytest.raises(Conflict, match="not compared"), transaction.atomic():
        restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    story.pass_time(minutes=31)
    assert comparing.find_to_reconcile() == 1
    at_once(comparing.reconcile(fresh(story.mailbox), story.microsoft))
    restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    restored.begin()
    assert [each.go_at is None for each in recoveries(story)] == [False]


def test_a_mail_that_only_the_mailbox_knows_stops_all_sending(story):
    story.carry_on()
    with inside(story.mailbox.workspace_id):
        Message.objects.all().delete()
        Mailbox.objects.update(last_number=0)
    assert restart(story) is False
    assert "mails of ours" in recoveries(story)[0].reason


@pytest.fixture
def restored_story(story):
    """One mail was sent after the backup; the backup has it as planned. Another one still waits."""
    story.carry_on()
    assert story.microsoft.deliveries == [story.message.key]
    set_back(
        story.message, state=State.PLANNED, graph_id="", revision=0, attempts=0, sending_at=None, accepted_at=None,
        drafted_at=None,
    )  # fmt: skip
    Installation.objects.filter(pk=1).update(beat=1)
    assert restart(story) is False
    return story


def reconcile(story):
    story.pass_time(minutes=31)
    found = comparing.across_workspaces(
        "mailboxes_to_reconcile", clock.now() - rules.RECOVERY_QUIET, clock.now()
    )
    assert [each.id for each in found] == [story.mailbox.pk]
    at_once(comparing.reconcile(fresh(story.mailbox), story.microsoft))


def test_nothing_is_compared_while_a_request_of_an_old_worker_may_be_under_way(restored_story):
    restored_story.pass_time(minutes=29)
    quiet = clock.now() - rules.RECOVERY_QUIET
    assert comparing.across_workspaces("mailboxes_to_reconcile", quiet, clock.now()) == []


def test_go_is_refused_before_the_mailboxes_are_compared(restored_story):
    with pytest.raises(Conflict, match="not compared"):
        restored.go(restored_story.mailbox.workspace_id, actor=INSTALLER)


def test_what_was_sent_after_the_backup_is_confirmed_and_not_sent_again(restored_story):
    story = restored_story
    reconcile(story)
    assert story.state == State.CONFIRMED
    restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    story.carry_on()
    assert story.microsoft.deliveries == [story.message.key]
    assert fresh(story.mailbox).last_number == 1


def test_a_draft_of_before_is_removed_and_its_message_begins_anew(story):
    story.crash_at(story.monkeypatch, Event.TRY, after=False)
    Installation.objects.filter(pk=1).update(beat=1)
    restart(story)
    reconcile(story)
    assert (story.state, story.microsoft.items) == (State.PLANNED, {})
    restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    story.pass_time(minutes=1)
    story.carry_on()
    assert story.microsoft.deliveries == [story.message.key]


def test_a_step_that_the_database_forgot_is_held_when_the_contact_is_enrolled_again(story):
    """Enrolled after the backup, so that the enrolment is gone, and enrolled anew by hand with another key."""
    story.carry_on()
    contact = fresh(story.message).contact_id
    with inside(story.mailbox.workspace_id):
        Message.objects.all().delete()
        Enrolment.objects.all().delete()
    Installation.objects.filter(pk=1).update(beat=1)
    restart(story)
    reconcile(story)
    assert len(rows(Stray, story.mailbox.workspace_id)) == 1
    restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    with inside(story.mailbox.workspace_id):
        again = make_enrolment(story.sequence, Contact.objects.get(pk=contact), story.mailbox)
    story.message = steps.act_on_due(again, sequence_rules.Send(1))
    story.carry_on()
    held = fresh(story.message)
    assert (held.state, len(story.microsoft.deliveries)) == (State.HELD, 1)
    assert "got this step" in held.reason
    actions.resolve(held.pk, "send_now", workspace_id=held.workspace_id, actor=INSTALLER)
    story.carry_on()
    assert len(story.microsoft.deliveries) == 2, "only since a person said so"


def test_a_mailbox_that_was_away_meanwhile_is_compared_when_it_comes_back(restored_story):
    story = restored_story
    with inside(story.mailbox.workspace_id):
        Mailbox.objects.update(state=Mailbox.State.DISCONNECTED)
    restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    with inside(story.mailbox.workspace_id):
        Mailbox.objects.update(state=Mailbox.State.CONNECTED)
    assert compare(story) is True
    assert story.state == State.CONFIRMED
    assert [each.go_at is None for each in recoveries(story)] == [False], "it is no second restore"


def test_the_list_of_what_would_leave_leaves_out_what_the_mailbox_sent(restored_story):
    story = restored_story
    another = make_enrolment(story.sequence, make_contact(story.member.workspace), story.mailbox)
    reconcile(story)
    due = queries.would_send_now(story.mailbox.workspace_id)
    assert [each.contact.pk for each in due] == [another.contact_id]


def test_pages_say_that_sending_is_stopped_and_lead_to_what_to_do(restored_story):
    story = restored_story
    client = signed_in(story.member)
    assert "All sending is stopped" in text_of(client.get("/sequences/"))
    page = recovery_page(story)
    assert "0 of 1 connected mailboxes are compared" in page and "alice@northwind.example" in page
    assert "Let sending go on" not in page
    reconcile(story)
    assert "Let sending go on" in recovery_page(story)
    assert client.post("/outbox/recovery/go/").status_code == 302
    assert "All sending is stopped" not in text_of(client.get("/sequences/"))


# What `gatepost verify sends` finds


def differences(story):
    return [each.what for each in at_once(comparing.differences(fresh(story.mailbox), story.microsoft))]


def test_records_and_mailbox_that_agree_show_no_difference(story):
    story.carry_on()
    story.pass_time(minutes=16)
    story.carry_on()
    assert differences(story) == []


def test_each_kind_of_difference_is_found(story):
    story.carry_on()
    story.pass_time(minutes=16)
    (item,) = story.microsoft.items.values()
    assert differences(story) == []
    story.carry_on()
    story.microsoft.items["copy"] = type(item)(**{**vars(item), "id": "copy"})
    assert differences(story) == ["sent more than once"]
    story.microsoft.items["copy"].is_draft = True
    assert differences(story) == ["a draft that no message needs"]
    story.microsoft.items["copy"].key = "f" * 32
    assert differences(story) == ["in the mailbox, and not in the records"]
    story.microsoft.items.clear()
    assert differences(story) == ["recorded as sent, and not in the mailbox (deleted there by hand?)"]


def test_a_mail_sent_that_the_records_call_cancelled_is_found(story):
    actions.commit(read(story.message), Commit(Event.CANCEL, reason="stopped"))
    story.microsoft._create(
        {
            "subject": "s", "body": {"content": ""},
            "singleValueExtendedProperties": [{"value": story.message.key}, {"value": "1.x"}, {"value": "g"}],
        },
        "c",
    )  # fmt: skip
    story.microsoft.drafts()[0].is_draft = False
    assert differences(story) == ["sent, and the records say that it was not"]


# A mailbox that only sends


@pytest.fixture
def send_only_story(story):
    """Nothing in its mailbox can be looked for."""
    with inside(story.mailbox.workspace_id):
        granted = fresh(story.mailbox).scopes
        Mailbox.objects.filter(pk=story.mailbox.pk).update(
            send_only=True, scopes=[scope for scope in granted if scope in ("User.Read", "Mail.Send")]
        )
    story.microsoft.requests.clear()
    return story


def test_a_mailbox_that_only_sends_goes_on_after_a_start_and_is_not_looked_into(send_only_story):
    assert restart(send_only_story) is True
    assert send_only_story.microsoft.requests == []


def test_what_a_mailbox_that_only_sends_may_have_sent_before_a_restore_is_held_once(send_only_story):
    story = send_only_story
    restored.stop_all("a backup was put back")
    assert compare(story) is False
    at_once(comparing.reconcile(fresh(story.mailbox), story.microsoft))
    assert (story.state, fresh(story.message).reason) == (State.HELD, rules.NOT_COMPARABLE)
    assert story.microsoft.requests == []
    restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    actions.resolve(story.message.pk, "send_now", workspace_id=story.mailbox.workspace_id, actor=INSTALLER)
    gate = rules.may_send(for_one(queries.gate_facts, read(story.message)), now=clock.now())
    assert gate == rules.Send()


def test_a_first_step_that_is_planned_after_a_restore_is_held_too(send_only_story):
    story = send_only_story
    restored.stop_all("a backup was put back")
    at_once(comparing.reconcile(fresh(story.mailbox), story.microsoft))
    restored.go(story.mailbox.workspace_id, actor=INSTALLER)
    set_back(
        read(story.message), state=State.PLANNED, revision=0, reason=""
    )  # as if it had not been planned yet
    gate = rules.may_send(for_one(queries.gate_facts, read(story.message)), now=clock.now())
    assert gate == rules.Hold(rules.NOT_COMPARABLE)
