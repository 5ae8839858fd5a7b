"""Looking at a calendar: which events are ours, what they change, and how briefs stand beside them."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

import gatepost.mailboxes.letters  # noqa: F401
from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.contacts import actions as contacts
from gatepost.contacts.models import Contact
from gatepost.graph.errors import ApprovalNeeded, NotThere, TryLater
from gatepost.graph.wire import written
from gatepost.isolation import inside
from gatepost.mailboxes import features
from gatepost.mailboxes.models import Notice
from gatepost.meetings import actions, jobs
from gatepost.meetings.models import Brief, CalendarCount, Guest, Meeting, Rung
from gatepost.meetings.rules import GONE
from gatepost.sequences.models import Enrolment
from gatepost.vault import content
from tests import makers
from tests.at_once import at_once, without_threads
from tests.makers import MONDAY, clock_at, fresh, rows
from tests.pages import make_message, make_reply

CONTACT, REP = "petra@contoso.example", "alice@northwind.example"
THURSDAY = MONDAY + timedelta(days=3)


class Calendar:
    """The rep's calendar at Microsoft, in memory."""

    def __init__(self):
        self.events, self.briefs, self.asked, self.fails = {}, {}, [], False
        self.numbers = count(1)

    def book(
        self, graph_id="E1", *, starts=THURSDAY, organizer=CONTACT, attendees=((REP, "accepted"),), **more
    ):
        own = "organizer" if organizer == REP else dict(attendees).get(REP, "none")
        self.events[graph_id] = {
            "id": graph_id,
            "iCalUId": f"uid-{graph_id}",
            "changeKey": "k",
            "start": {"dateTime": written(starts)},
            "end": {"dateTime": written(starts + timedelta(minutes=30))},
            "organizer": _person(organizer),
            "attendees": [
                {**_person(address), "status": {"response": answer}} for address, answer in attendees
            ],
            "responseStatus": {"response": own},
            "createdDateTime": written(clock.now()),
            **more,
        }

    async def ask(self, name, *, item="", body=None, **values):
        self.asked.append(name)
        if self.fails:
            raise TryLater("busy")
        match name:
            case "calendar":
                return {
                    "value": [e for e in self.events.values() if _within(e, values) and "hidden" not in e]
                }
            case "event.look" | "event.details":
                return {**self._get(self.events, values["id"]), "subject": "Intro with Alice"}
            case "brief.find":
                return {
                    "value": [
                        {"id": i} for i, b in self.briefs.items() if b["transactionId"] == values["key"]
                    ]
                }
            case "briefs.ours":
                return {
                    "value": [
                        {"id": i, "singleValueExtendedProperties": b["singleValueExtendedProperties"]}
                        for i, b in self.briefs.items()
                    ]
                }
            case "brief.create":
                graph_id = f"B{next(self.numbers)}"
                self.briefs[graph_id] = body
                return {"id": graph_id}
            case "brief.update":
                self._get(self.briefs, values["id"]).update(body)
                return {}
            case "brief.delete":
                self._get(self.briefs, values["id"])
                del self.briefs[values["id"]]
                return {}
        raise AssertionError(f"the meetings asked for {name}")

    def _get(self, where, graph_id):
        if graph_id not in where:
            raise NotThere("404")
        return where[graph_id]


def _person(address):
    return {"emailAddress": {"address": address}}


def _within(event, values):
    return values["start"] <= event["start"]["dateTime"] < values["end"]


@pytest.fixture
def clock_file(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def story(db, clock_file, monkeypatch):
    without_threads(monkeypatch, jobs)
    return Story()


class Story:
    def __init__(self):
        self.member = makers.make_member(makers.make_workspace())
        self.mailbox = makers.make_mailbox(self.member, REP)
        self.contact = makers.make_contact(self.member.workspace, CONTACT)
        self.enrolment = makers.make_enrolment(makers.make_sequence(self.member), self.contact, self.mailbox)
        self.calendar = Calendar()

    def look(self, *, briefs=False):
        if briefs:
            features.switch(self.mailbox.workspace_id, "briefs", True, actor=INSTALLER)
        dropped = at_once(jobs._read_window(self.mailbox, self.calendar))
        at_once(jobs._keep_briefs(self.mailbox, self.calendar))
        return dropped

    def meeting(self):
        (meeting,) = rows(Meeting, self.mailbox.workspace_id)
        return meeting


def test_a_meeting_that_a_contact_booked_stops_the_sequence(story):
    story.calendar.book()
    assert story.look() == 0
    meeting = story.meeting()
    assert (meeting.state, meeting.starts_at, meeting.booked_by_contact) == ("booked", THURSDAY, True)
    assert content.open(meeting, "subject") == "Intro with Alice"
    assert (fresh(story.enrolment).state, fresh(story.enrolment).cause) == (
        Enrolment.State.STOPPED,
        "meeting",
    )


def test_a_meeting_that_the_rep_set_up_counts_as_his(story):
    story.calendar.book(organizer=REP, attendees=((CONTACT, "accepted"),))
    story.look()
    assert story.meeting().booked_by_contact is False


def test_an_event_without_a_contact_is_dropped_and_its_subject_never_asked_for(story):
    story.calendar.book("dentist", organizer=REP, attendees=())
    story.calendar.book("team", organizer="ben@northwind.example")
    assert story.look() == 2
    assert rows(Meeting, story.mailbox.workspace_id) == []
    assert "event.details" not in story.calendar.asked


def test_a_private_meetings_subject_is_not_asked_for(story):
    story.calendar.book(sensitivity="private")
    story.look()
    assert "event.details" not in story.calendar.asked
    assert content.open(story.meeting(), "subject") is None


def test_a_meeting_is_known_once_however_often_it_is_seen(story):
    story.calendar.book()
    story.look()
    story.look()
    assert story.calendar.asked.count("event.details") == 1
    assert story.meeting().state == "booked"


def test_a_meeting_that_moves_has_its_new_time(story):
    story.calendar.book()
    story.look()
    story.calendar.book(starts=THURSDAY + timedelta(hours=1))
    story.look()
    assert story.meeting().starts_at == THURSDAY + timedelta(hours=1)


def test_a_meeting_that_moves_out_of_the_window_is_not_cancelled_but_moved(story):
    story.calendar.book()
    story.look()
    story.calendar.book(starts=MONDAY + timedelta(days=100))
    story.look()
    assert (story.meeting().state, story.meeting().starts_at) == ("booked", MONDAY + timedelta(days=100))


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"isCancelled": True}, "cancelled"),
        ({"attendees": ((CONTACT, "declined"), (REP, "accepted"))}, "declined"),
    ],
)
def test_a_meeting_that_is_off_leaves_the_sequence_stopped(story, change, state):
    story.calendar.book()
    story.look()
    story.calendar.book(**change)
    story.look()
    assert story.meeting().state == state
    assert fresh(story.enrolment).state == Enrolment.State.STOPPED


def test_a_meeting_that_was_deleted_is_looked_up_before_it_is_called_cancelled(story):
    story.calendar.book()
    story.look()
    story.calendar.events.clear()
    story.look()
    assert "event.look" in story.calendar.asked
    assert story.meeting().state == "cancelled"


def test_a_meeting_that_a_list_merely_left_out_stays_booked(story):
    story.calendar.book()
    story.look()
    story.calendar.events["E1"]["hidden"] = True
    story.look()
    assert story.meeting().state == "booked"


def test_an_error_never_means_that_there_is_no_meeting(story):
    story.calendar.book()
    story.look()
    story.calendar.fails = True
    with pytest.raises(TryLater):
        story.look()
    assert story.meeting().state == "booked"


def test_without_briefs_in_the_calendar_the_brief_lives_in_gatepost_only(story):
    story.calendar.book()
    story.look()
    (brief,) = rows(Brief, story.mailbox.workspace_id)
    assert "Petra Quandt" in content.open(brief, "text")
    assert story.calendar.briefs == {}


def test_a_brief_stands_before_the_meeting_private_and_without_attendees(story):
    story.calendar.book()
    story.look(briefs=True)
    (brief,) = story.calendar.briefs.values()
    assert (
        datetime.fromisoformat(brief["end"]["dateTime"]).isoformat()
        == THURSDAY.replace(tzinfo=None).isoformat()
    )
    assert brief["sensitivity"] == "private" and "attendees" not in brief
    assert brief["subject"] == "Brief: Petra Quandt, Contoso"
    assert not any(name in story.calendar.asked for name in ("event.update", "event.patch"))


def test_a_brief_is_written_once_and_follows_its_meeting(story):
    story.calendar.book()
    story.look(briefs=True)
    story.look()
    story.calendar.book(starts=THURSDAY + timedelta(hours=2))
    story.look()
    assert story.calendar.asked.count("brief.create") == 1
    (brief,) = story.calendar.briefs.values()
    assert brief["end"]["dateTime"].startswith(f"{THURSDAY + timedelta(hours=2):%Y-%m-%dT%H}")


def test_a_brief_whose_creation_was_not_recorded_is_found_and_not_made_twice(story, monkeypatch):
    story.calendar.book()
    with monkeypatch.context() as crash:
        crash.setattr(actions, "brief_shown", lambda *args: (_ for _ in ()).throw(RuntimeError))
        with pytest.raises(RuntimeError):
            story.look(briefs=True)
    story.look()
    assert len(story.calendar.briefs) == 1


def test_a_brief_removed_by_hand_is_written_anew_when_it_changes(story):
    story.calendar.book()
    story.look(briefs=True)
    story.calendar.briefs.clear()
    story.calendar.book(starts=THURSDAY + timedelta(hours=2))
    story.look()
    assert len(story.calendar.briefs) == 1


@pytest.mark.parametrize(
    "why", ["cancelled", "switched off", "switched off for the mailbox", "no permission"]
)
def test_a_brief_leaves_the_calendar_when_its_reason_is_gone(story, why):
    story.calendar.book()
    story.look(briefs=True)
    workspace_id = story.mailbox.workspace_id
    match why:
        case "cancelled":
            story.calendar.book(isCancelled=True)
        case "switched off":
            features.switch(workspace_id, "briefs", False, actor=INSTALLER)
        case "switched off for the mailbox":
            with inside(workspace_id):
                type(story.mailbox).objects.filter(pk=story.mailbox.pk).update(briefs_on_calendar=False)
        case "no permission":
            with inside(workspace_id):
                type(story.mailbox).objects.filter(pk=story.mailbox.pk).update(scopes=["Calendars.Read"])
    story.look()
    assert story.calendar.briefs == {}
    (brief,) = rows(Brief, workspace_id)
    assert brief.event_id == ""


def test_a_calendar_that_was_read_is_due_again_after_the_interval(story):
    actions.calendar_read(story.mailbox, clock.now(), 4, next_sync=clock.now() + timedelta(minutes=5))
    assert fresh(story.mailbox).calendar_due_at == MONDAY + timedelta(minutes=5)


def test_a_notification_that_came_while_the_calendar_was_read_is_not_pushed_away(story, clock_file):
    started = clock.now()
    makers.advance(clock_file, timedelta(seconds=10))
    with inside(story.mailbox.workspace_id):
        type(story.mailbox).objects.filter(pk=story.mailbox.pk).update(
            calendar_due_at=started + timedelta(seconds=5)
        )
    actions.calendar_read(story.mailbox, started, 0, next_sync=started + timedelta(hours=1))
    assert fresh(story.mailbox).calendar_due_at == started + timedelta(seconds=5)


def test_a_brief_that_may_no_longer_be_removed_does_not_stop_the_reading(story, monkeypatch):
    story.calendar.book()
    story.look(briefs=True)
    features.switch(story.mailbox.workspace_id, "briefs", False, actor=INSTALLER)
    ask = story.calendar.ask

    async def refuses(name, **values):
        if name == "brief.delete":
            raise ApprovalNeeded("not granted")
        return await ask(name, **values)

    monkeypatch.setattr(story.calendar, "ask", refuses)
    assert story.look() == 0


def test_a_brief_whose_facts_are_the_same_opens_no_text_again(story):
    make_reply(make_message(story.enrolment))
    story.calendar.book()
    story.look()
    before = len(rows(AuditEntry, story.mailbox.workspace_id, tag=tags.CONTENT_READ))
    story.look()
    story.look()
    assert len(rows(AuditEntry, story.mailbox.workspace_id, tag=tags.CONTENT_READ)) == before > 0


def test_a_brief_written_before_it_was_switched_on_is_shown_when_it_is(story):
    story.calendar.book()
    story.look()
    story.look(briefs=True)
    (brief,) = story.calendar.briefs.values()
    assert "Petra Quandt" in brief["body"]["content"]


def test_events_without_a_contact_are_counted_once_however_often_the_window_is_read(story):
    for found in (4, 4, 3):
        actions.calendar_read(story.mailbox, clock.now(), found, next_sync=clock.now())
    (count,) = rows(CalendarCount, story.mailbox.workspace_id)
    assert count.without_contact == 3


def test_the_history_says_when_and_why_a_meeting_reached_each_rung(story):
    story.calendar.book(attendees=((REP, "notResponded"),), showAs="tentative")
    story.look()
    story.calendar.book(attendees=((REP, "accepted"),))
    story.look()
    story.calendar.book(starts=THURSDAY + timedelta(hours=1))
    story.look()
    reached = rows(Rung, story.mailbox.workspace_id)
    assert [each.rung for each in reached] == ["proposed", "accepted", "moved"]
    assert reached[2].reason == "from 14 Jan 2027, 09:00 to 14 Jan 2027, 10:00 UTC"
    assert story.meeting().rung == "accepted"


def test_a_meeting_whose_time_has_passed_took_place(story, clock_file):
    story.calendar.book()
    story.look()
    makers.advance(clock_file, timedelta(days=3, minutes=29))
    story.look()
    assert story.meeting().rung == "accepted", "it is not over yet"
    makers.advance(clock_file, timedelta(minutes=1))
    story.look()
    assert story.meeting().rung == "took_place"
    story.calendar.events.clear()
    story.look()
    assert story.meeting().rung == "took_place", "who tidies up a calendar cancels nothing"


def test_a_meeting_that_is_off_asks_the_rep_once(story):
    story.calendar.book()
    story.look()
    story.calendar.book(isCancelled=True)
    story.look()
    story.look()
    assert story.meeting().asks
    (notice,) = rows(Notice, story.mailbox.workspace_id)
    assert (notice.kind, notice.about) == ("meeting_off", str(story.meeting().pk))


def test_while_another_meeting_stands_nobody_is_asked(story):
    story.calendar.book()
    story.calendar.book("E2", starts=THURSDAY + timedelta(days=1))
    story.look()
    story.calendar.book(isCancelled=True)
    story.look()
    assert rows(Notice, story.mailbox.workspace_id) == []


def test_everybody_enrolled_who_comes_is_stopped(story):
    karl = makers.make_contact(story.member.workspace, "karl@contoso.example")
    his = makers.make_enrolment(makers.make_sequence(story.member), karl, story.mailbox)
    story.calendar.book(attendees=((REP, "accepted"), ("karl@contoso.example", "none")))
    story.look()
    assert fresh(story.enrolment).cause == fresh(his).cause == "meeting"
    guests = rows(Guest, story.mailbox.workspace_id)
    assert {each.contact_id for each in guests} == {story.contact.pk, karl.pk}


def test_a_meeting_that_was_over_when_somebody_was_enrolled_does_not_stop_them(story):
    story.calendar.book(starts=MONDAY - timedelta(days=2))
    story.look()
    assert story.meeting().rung == "took_place"
    assert fresh(story.enrolment).state == Enrolment.State.ACTIVE


def test_whoever_was_enrolled_again_since_they_booked_is_not_stopped_by_an_answer(story):
    story.calendar.book(attendees=((REP, "notResponded"),))
    story.look()
    again = makers.make_sequence(story.member)
    with inside(story.mailbox.workspace_id):
        Enrolment.objects.filter(pk=story.enrolment.pk).update(ended_at=MONDAY - timedelta(days=90))
    second = makers.make_enrolment(again, story.contact, story.mailbox)
    story.calendar.book()
    story.look()
    assert (story.meeting().rung, fresh(second).state) == ("accepted", Enrolment.State.ACTIVE)


def test_a_meeting_is_owed_to_the_last_mail_before_it_was_booked(story):
    make_message(story.enrolment, sent=MONDAY - timedelta(days=5))
    second = make_message(story.enrolment, position=2, sent=MONDAY - timedelta(days=2))
    story.calendar.book(createdDateTime=written(MONDAY - timedelta(days=1)))
    story.look()
    meeting = story.meeting()
    assert (meeting.message_id, meeting.step_id) == (second.pk, second.step_id)
    assert meeting.enrolment_id == story.enrolment.pk
    assert meeting.booked_at == MONDAY - timedelta(days=1)


def test_a_meeting_from_before_the_first_mail_is_owed_to_none(story):
    make_message(story.enrolment, sent=MONDAY - timedelta(hours=1))
    story.calendar.book(createdDateTime=written(MONDAY - timedelta(days=1)))
    story.look()
    assert story.meeting().message_id is None
    assert fresh(story.enrolment).cause == "meeting", "it stops the sequence all the same"


def test_somebody_is_recognised_by_the_address_from_which_they_once_answered(story):
    with inside(story.mailbox.workspace_id):
        contacts.note_address(story.contact, "p.quandt@home.example")
    story.calendar.book(organizer="p.quandt@home.example")
    story.look()
    assert (story.meeting().contact_id, story.meeting().match) == (story.contact.pk, "other_address")


class TestOnlyTheCompanyIsRecognised:
    @pytest.fixture
    def weak(self, story):
        make_message(story.enrolment, sent=MONDAY - timedelta(days=1))
        story.calendar.book(organizer="boss@contoso.example")
        story.look()
        return story

    def test_the_sequence_waits_and_the_rep_is_asked(self, weak):
        meeting = weak.meeting()
        assert (meeting.match, meeting.asks, meeting.counts) == ("company", True, False)
        assert (fresh(weak.enrolment).state, fresh(weak.enrolment).reason) == ("paused", actions.UNSURE)

    def test_said_to_be_theirs_it_stops_the_sequence_and_counts(self, weak):
        actions.say_whether_theirs(
            weak.meeting().pk, True, workspace_id=weak.mailbox.workspace_id, actor=INSTALLER
        )
        weak.look()
        meeting = weak.meeting()
        assert (meeting.match, meeting.asks, meeting.counts) == ("by_hand", False, True)
        assert meeting.message_id is not None
        assert fresh(weak.enrolment).cause == "meeting"

    def test_said_not_to_be_theirs_nothing_of_it_is_kept_but_its_time(self, weak):
        weak.look(briefs=True)
        assert len(weak.calendar.briefs) == 1
        actions.say_whether_theirs(
            weak.meeting().pk, False, workspace_id=weak.mailbox.workspace_id, actor=INSTALLER
        )
        assert weak.look() == 1, "from now on it is dropped as any other"
        meeting = weak.meeting()
        assert (meeting.rung, meeting.subject) == ("dismissed", None)
        assert fresh(weak.enrolment).state == Enrolment.State.ACTIVE
        assert weak.calendar.briefs == {}

    def test_once_it_is_off_the_sequence_goes_on_by_itself(self, weak):
        weak.calendar.events.clear()
        weak.look()
        assert weak.meeting().rung == "cancelled"
        assert fresh(weak.enrolment).state == Enrolment.State.ACTIVE
        assert rows(Notice, weak.mailbox.workspace_id) == []

    def test_somebody_at_a_mail_provider_is_no_colleague(self, story):
        petra = makers.make_contact(story.member.workspace, "petra@gmail.com")
        enrolment = makers.make_enrolment(makers.make_sequence(story.member), petra, story.mailbox)
        make_message(enrolment, sent=MONDAY - timedelta(days=1))
        story.calendar.book(organizer="somebody@gmail.com")
        assert story.look() == 1

    def test_a_company_that_was_not_written_to_lately_is_not_meant(self, story):
        make_message(story.enrolment, sent=MONDAY - timedelta(days=31))
        story.calendar.book(organizer="boss@contoso.example")
        assert story.look() == 1


def test_several_reps_at_one_meeting_count_once_and_the_other_takes_over(story):
    ben = makers.make_mailbox(makers.make_member(story.member.workspace, "Ben"), "ben@northwind.example")
    both = ((REP, "accepted"), ("ben@northwind.example", "accepted"))
    story.calendar.book(attendees=both)
    story.look()
    at_once(jobs._read_window(ben, story.calendar))
    of = {each.mailbox_id: each for each in rows(Meeting, ben.workspace_id)}
    assert [of[story.mailbox.pk].counts, of[ben.pk].counts] == [True, False]
    actions.cancel(of[story.mailbox.pk], GONE)
    assert [fresh(each).counts for each in (of[story.mailbox.pk], of[ben.pk])] == [False, True]


def test_the_dates_of_a_series_count_once(story):
    uid = "040000008200E00074C5B7101A82E008{}F4B2A1D0"
    for week in range(3):
        starts = THURSDAY + timedelta(days=7 * week)
        of_day = f"{starts.year:04X}{starts.month:02X}{starts.day:02X}"
        story.calendar.book(f"E{week}", starts=starts, seriesMasterId="M", iCalUId=uid.format(of_day))
    story.look()
    found = rows(Meeting, story.mailbox.workspace_id)
    assert len(found) == 3 and sum(each.counts for each in found) == 1
    assert len({each.series_index for each in found}) == 1


def test_an_all_day_meeting_is_a_matter_of_dates(story):
    midnight = datetime(2027, 1, 13, 23, tzinfo=UTC)  # in Berlin it is the 14th
    story.calendar.book(
        starts=midnight, isAllDay=True, end={"dateTime": written(midnight + timedelta(days=2))}
    )
    story.look(briefs=True)
    meeting = story.meeting()
    assert (meeting.first_local_date, meeting.last_local_date) == (date(2027, 1, 14), date(2027, 1, 15))
    (brief,) = story.calendar.briefs.values()
    assert brief["start"]["dateTime"] == "2027-01-14T07:00:00", "in the morning of the first day"


def test_a_meeting_that_becomes_private_loses_its_subject(story):
    story.calendar.book()
    story.look()
    story.calendar.book(sensitivity="private")
    story.look()
    assert story.meeting().is_private and story.meeting().subject is None


def test_a_brief_that_was_switched_off_for_one_meeting_leaves_the_calendar_and_comes_back(story):
    story.calendar.book()
    story.look(briefs=True)
    for on, shown in ((False, 0), (True, 1)):
        actions.show_brief(story.meeting().pk, on, workspace_id=story.mailbox.workspace_id, actor=INSTALLER)
        story.look()
        assert len(story.calendar.briefs) == shown


def test_a_brief_whose_contact_was_erased_is_taken_off_the_calendar(story, clock_file):
    story.calendar.book()
    story.look(briefs=True)
    with inside(story.mailbox.workspace_id):
        Meeting.objects.all().delete()
    story.calendar.events.clear()
    makers.advance(clock_file, timedelta(days=1))
    story.look()
    assert story.calendar.briefs == {}


def test_notes_stand_in_this_brief_and_in_that_of_the_next_meeting(story):
    story.calendar.book(starts=MONDAY + timedelta(hours=1))
    story.calendar.book("E2", starts=THURSDAY)
    story.look()
    first, second = sorted(rows(Meeting, story.mailbox.workspace_id), key=lambda each: each.starts_at)
    actions.write_notes(
        first.pk, "Bring the price list.", workspace_id=story.mailbox.workspace_id, actor=INSTALLER
    )
    story.look()
    briefs = {each.meeting_id: content.open(each, "text") for each in rows(Brief, first.workspace_id)}
    assert "Notes: Bring the price list." in briefs[first.pk]
    assert "- 11 January 2027: accepted. Bring the price list." in briefs[second.pk]


def test_contacts_from_before_their_domain_was_kept_are_recognised_too(story):
    make_message(story.enrolment, sent=MONDAY - timedelta(days=1))
    with inside(story.mailbox.workspace_id):
        Contact.objects.update(domain_index="")
    story.calendar.book(organizer="boss@contoso.example")
    story.look()
    assert story.meeting().match == "company"
