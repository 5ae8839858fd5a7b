from typing import Any
from zoneinfo import ZoneInfo

from gatepost import clock
from gatepost.isolation import inside
from gatepost.sequences import forms
from gatepost.sequences.lists import drafts_of
from gatepost.sequences.models import Absence, Enrolment, Sequence
from tests.makers import (
    STEPS,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import rows_in, signed_in, text_of


def editor(*steps: tuple[str, str, str, str], **more: str) -> dict[str, str]:
    """What a browser posts: delay, unit, subject and text of each step."""
    posted = dict(more)
    for number, values in enumerate(steps):
        for name, value in zip(("delay", "unit", "subject", "body"), values, strict=True):
            posted[f"{name}-{number}"] = value
    return posted


FIRST = ("0", "days", "Hello {{ first_name }}", "Shall we talk?")
SECOND = ("2", "days", "", "Just following up.")


def stored(sequence: Sequence) -> list[Any]:
    with inside(sequence.workspace_id):
        return drafts_of(sequence)


def test_a_sequence_is_made_and_its_editor_opens(db: None) -> None:
    page = signed_in(make_member(make_workspace())).post(
        "/sequences/new/", {"name": "Spring fair"}, follow=True
    )
    assert page.redirect_chain[-1][0].endswith("/edit/")
    assert "Step 1" in text_of(page)


def test_saving_stores_every_step_in_order(db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    answer = signed_in(alice).post(f"/sequences/{sequence.pk}/edit/", editor(FIRST, SECOND, do="save"))
    assert answer.status_code == 302
    assert [(draft.delay_minutes, draft.body) for draft in stored(sequence)] == [
        (0, "Shall we talk?"),
        (2880, "Just following up."),
    ]


def test_a_wrong_field_is_marked_where_it_stands_and_what_was_typed_stays(committed_db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    wrong = ("1", "hours", "", "Hello {{ firstname }}, again.")
    page = signed_in(alice).post(f"/sequences/{sequence.pk}/edit/", editor(FIRST, wrong, do="save"))
    shown = page.content.decode()
    assert "Not saved yet" in shown
    assert 'id="body-1-error"' in shown
    assert "Hello {{ firstname }}, again." in shown
    assert len(stored(sequence)) == len(STEPS)


def test_adding_moving_and_removing_steps_changes_the_page_only(db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    client, path = signed_in(alice), f"/sequences/{sequence.pk}/edit/"
    for order, count in (("add", 3), ("remove-0", 1), ("down-0", 2), ("nonsense", 2)):
        page = client.post(path, editor(FIRST, SECOND, do=order)).content.decode()
        assert page.count('<fieldset class="step') == count, order
    assert len(stored(sequence)) == len(STEPS)


def test_steps_change_places() -> None:
    first, second = forms.StepForm(subject="first"), forms.StepForm(subject="second")
    assert forms.rearranged([first, second], "down-0") == [second, first]
    assert forms.rearranged([first, second], "up-1") == [second, first]
    assert forms.rearranged([first, second], "up-0") == [first, second]
    assert forms.rearranged([first, second], "remove-7") == [first, second]


def test_a_delay_is_shown_in_the_largest_whole_unit() -> None:
    def shown(minutes: int) -> tuple[int, str]:
        step = forms.StepForm.of(STEPS[0].__class__(minutes, "", ""))
        return step.delay, step.unit

    assert [shown(0), shown(2880), shown(180), shown(95)] == [
        (0, "days"),
        (2, "days"),
        (3, "hours"),
        (95, "minutes"),
    ]


def test_a_window_until_midnight_survives_the_form() -> None:
    shown = forms.schedule_of({"mon": [["00:00", "24:00"]]}, "Europe/Berlin").initial
    posted = forms.Schedule(shown)
    assert posted.is_valid()
    assert posted.window() == {"mon": [["00:00", "24:00"]]}


def test_the_preview_is_what_a_contact_would_get(db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    make_mailbox(alice)
    contact = make_contact(alice.workspace, first_name="Petra")
    posted = editor(FIRST, ("2", "days", "", "Bye {{ title }}"), contact=str(contact.pk))
    page = signed_in(alice).post(f"/sequences/{sequence.pk}/preview/", posted, headers={"HX-Request": "true"})
    shown = text_of(page)
    assert "<html" not in page.content.decode()
    assert "Hello Petra" in shown
    assert "Re: Hello Petra" in shown
    assert "This contact has no title: the mail would wait." in shown


def test_a_preview_of_a_broken_step_says_what_is_wrong(db: None) -> None:
    alice = make_member(make_workspace())
    contact = make_contact(alice.workspace)
    posted = editor(("0", "days", "Hi", "Hello {{ first_name"), contact=str(contact.pk))
    page = text_of(signed_in(alice).post(f"/sequences/{make_sequence(alice).pk}/preview/", posted))
    assert "Line 1: Close this field with two braces" in page


def test_the_ticked_contacts_are_enrolled_and_the_others_stay(db: None) -> None:
    alice = make_member(make_workspace())
    sequence, mailbox = make_sequence(alice), make_mailbox(alice)
    chosen, other = make_contact(alice.workspace), make_contact(alice.workspace)
    given = {"mailbox": str(mailbox.pk), "contact": [str(chosen.pk)]}
    page = signed_in(alice).post(f"/sequences/{sequence.pk}/enrol/", given, follow=True)
    assert "1 enrolled." in text_of(page)
    assert [row.contact_id for row in rows(Enrolment, alice.workspace_id)] == [chosen.pk]
    left = signed_in(alice).get(f"/sequences/{sequence.pk}/enrol/")
    assert str(other.pk) in left.content.decode()
    assert rows_in(left) == 1


def test_enrolling_all_says_who_was_left_out_and_why(db: None) -> None:
    alice = make_member(make_workspace())
    sequence, mailbox = make_sequence(alice), make_mailbox(alice)
    make_contact(alice.workspace)
    make_contact(alice.workspace, "colleague@northwind.example")
    given = {"mailbox": str(mailbox.pk), "all": "1"}
    page = text_of(signed_in(alice).post(f"/sequences/{sequence.pk}/enrol/", given, follow=True))
    assert "1 enrolled." in page
    assert "1 left out: is an address of your own organisation" in page


def test_enrolling_nobody_asks_for_a_tick(committed_db: None) -> None:
    alice = make_member(make_workspace())
    sequence, mailbox = make_sequence(alice), make_mailbox(alice)
    answer = signed_in(alice).post(f"/sequences/{sequence.pk}/enrol/", {"mailbox": str(mailbox.pk)})
    assert answer.status_code == 400
    assert "Tick at least one contact." in text_of(answer)


def test_an_enrolment_is_stopped_by_hand(db: None) -> None:
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    page = signed_in(alice).post(f"/sequences/enrolments/{enrolment.pk}/stop/", follow=True)
    assert "Stopped by a member" in text_of(page)


def test_a_sequence_is_paused_and_activated_again(db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    client = signed_in(alice)
    assert "Paused. Nothing of it leaves" in text_of(
        client.post(f"/sequences/{sequence.pk}/pause/", follow=True)
    )
    assert "Active. Steps go out" in text_of(client.post(f"/sequences/{sequence.pk}/activate/", follow=True))


def test_the_sending_hours_are_saved(db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    given = {"mon": "9:00-12:30", "wed": "09:00 – 12:30, 14:00–00:00", "time_zone": "Europe/Lisbon"}
    signed_in(alice).post(f"/sequences/{sequence.pk}/schedule/", given)
    saved = rows(Sequence, alice.workspace_id)[0]
    assert saved.window == {"mon": [["09:00", "12:30"]], "wed": [["09:00", "12:30"], ["14:00", "24:00"]]}
    assert saved.time_zone == "Europe/Lisbon"


def test_a_rep_enrols_from_no_mailbox_but_his_own(committed_db: None) -> None:
    alice = make_member(make_workspace())
    ben = make_member(alice.workspace, "Ben", role="rep")
    mailbox, sequence, contact = make_mailbox(alice), make_sequence(alice), make_contact(alice.workspace)
    given = {"mailbox": str(mailbox.pk), "contact": [str(contact.pk)]}
    assert signed_in(ben).post(f"/sequences/{sequence.pk}/enrol/", given).status_code == 403
    assert rows(Enrolment, alice.workspace_id) == []


def test_a_rep_pauses_no_sequence_of_a_colleague(committed_db: None) -> None:
    alice = make_member(make_workspace())
    ben = make_member(alice.workspace, "Ben", role="rep")
    sequence = make_sequence(alice)
    assert signed_in(ben).post(f"/sequences/{sequence.pk}/pause/").status_code == 403
    assert rows(Sequence, alice.workspace_id)[0].state == Sequence.State.ACTIVE


# Planning


def test_saving_while_somebody_is_in_it_shows_the_difference_and_asks_who_gets_it(db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    make_enrolment(sequence, make_contact(alice.workspace), make_mailbox(alice))
    client, path = signed_in(alice), f"/sequences/{sequence.pk}/edit/"
    page = client.post(path, editor(FIRST, SECOND, do="save"))
    shown = text_of(page)
    assert page.status_code == 200 and "Who gets the edit?" in shown
    assert "Step 3 is removed" in shown and "- just following up." in shown
    assert len(stored(sequence)) == len(STEPS)
    assert client.post(path, editor(FIRST, SECOND, do="save", who="new")).status_code == 302
    assert rows(Sequence, alice.workspace_id)[0].edition == 2
    assert rows(Enrolment, alice.workspace_id)[0].edition == 1


def test_an_editor_keeps_kinds_conditions_and_wordings(db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    more = {
        "kind-1": "approval", "unit-1": "business_days", "if-1-has_phone": "1", "task-days-1": "3",
        "subject-1-1": "B", "body-1-1": "Another way to say it.", "weight-1-1": "2", "weight-1": "1",
    }  # fmt: skip
    posted = editor(FIRST, SECOND, do="save", **more)
    posted["unit-1"] = "business_days"
    assert signed_in(alice).post(f"/sequences/{sequence.pk}/edit/", posted).status_code == 302
    saved = stored(sequence)[1]
    assert (saved.kind, saved.business_days, saved.delay_minutes) == ("approval", 2, 0)
    assert (saved.conditions, saved.task_days) == (("has_phone",), 3)
    assert [(each.subject, each.weight) for each in saved.wordings] == [("", 1), ("B", 2)]
    page = signed_in(alice).get(f"/sequences/{sequence.pk}/edit/").content.decode()
    assert "Another way to say it." in page


def test_a_wording_is_added_and_dropped_on_the_page_only() -> None:
    step = forms.StepForm(subject="Hi", body="A")
    assert len(forms.rearranged([step], "vary-0")[0].others) == 1
    for _ in range(9):
        forms.rearranged([step], "vary-0")
    assert len(step.others) == 4
    forms.rearranged([step], "drop-0-1")
    assert len(step.others) == 3


def test_a_dry_run_lists_the_days_and_why(db: None) -> None:
    alice = make_member(make_workspace())
    make_mailbox(alice)
    sequence = make_sequence(alice)
    contact = make_contact(alice.workspace, first_name="Petra")
    page = text_of(signed_in(alice).get(f"/sequences/{sequence.pk}/dry-run/?contact={contact.pk}"))
    assert page.count("Petra Quandt") >= 3 and "Europe/Berlin" in page
    # The mail leaves at once, so the page says what a clock there shows now, whatever zone the reader is in.
    far = make_contact(alice.workspace, first_name="Kiri", time_zone="Pacific/Kiritimati")
    before = clock.now()
    page = text_of(signed_in(alice).get(f"/sequences/{sequence.pk}/dry-run/?contact={far.pk}"))
    there = {f"{each.astimezone(ZoneInfo('Pacific/Kiritimati')):%H:%M}" for each in (before, clock.now())}
    assert any(f"{each} Pacific/Kiritimati" in page for each in there)
    assert rows(Enrolment, alice.workspace_id) == []


def test_days_off_are_noted_and_removed(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    page = client.post("/sequences/days-off/", {"first": "2027-02-01", "last": "2027-02-05"}, follow=True)
    assert "Noted." in text_of(page) and "everything waits" in text_of(page)
    (absence,) = rows(Absence, alice.workspace_id)
    client.post(f"/sequences/days-off/{absence.pk}/give-back/")
    assert rows(Absence, alice.workspace_id) == []


def test_when_a_sequence_waits_and_pauses_is_saved_and_a_wrong_number_is_refused(committed_db: None) -> None:
    alice = make_member(make_workspace())
    sequence = make_sequence(alice)
    given = {
        "absence_buffer_days": "2", "cool_off_days": "30", "hold_company_days": "7", "bounce_limit": "3",
        "complaint_limit": "0",
    }  # fmt: skip
    client = signed_in(alice)
    client.post(f"/sequences/{sequence.pk}/life/", given)
    saved = rows(Sequence, alice.workspace_id)[0]
    assert (saved.cool_off_days, saved.bounce_limit, saved.skips_holidays) == (30, 3, False)
    refused = client.post(f"/sequences/{sequence.pk}/life/", {**given, "bounce_limit": "101"})
    assert "Nothing was saved" in text_of(refused)
    assert rows(Sequence, alice.workspace_id)[0].bounce_limit == 3


def test_a_rep_enrols_nobody_in_spite_of_another_sequence(committed_db: None) -> None:
    alice = make_member(make_workspace())
    ben = make_member(alice.workspace, "Ben", role="rep")
    mailbox, sequence = make_mailbox(ben, "ben@northwind.example"), make_sequence(alice)
    contact = make_contact(alice.workspace)
    given = {"mailbox": str(mailbox.pk), "contact": [str(contact.pk)], "in_spite": "because I want to"}
    assert signed_in(ben).post(f"/sequences/{sequence.pk}/enrol/", given).status_code == 403
    assert rows(Enrolment, alice.workspace_id) == []
