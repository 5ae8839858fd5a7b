"""What prospects do with the mail they get."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from m365_sandbox.people import corpus
from m365_sandbox.people.behaviour import (
    AutoReply,
    Behaviour,
    BookMeeting,
    Bounce,
    ForwardTo,
    Incoming,
    Person,
    SendReply,
    action_from_json,
    action_to_json,
    react,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday

ANN = Person(
    address="ann.lee@oakline.example",
    name="Ann Lee",
    company="Oakline Property",
    title="Owner",
    time_zone="Europe/Dublin",
    country="IE",
    language="en",
    behaviour=Behaviour.REPLY,
    reply_id="en-no-two-words",
    delay_hours=2,
)
MAIL = Incoming(
    from_address="ben@northwind.example",
    from_name="Ben Okafor",
    to_address=ANN.address,
    subject="Quick question",
    text="Hi Ann,\n\nshall we talk?\n\nBen",
    internet_message_id="<1@northwind.example>",
    received=NOW,
)


def reaction(person: Person = ANN, message: Incoming = MAIL, now: datetime = NOW):
    return react(person, message, now=now, thread=[])


def test_a_reply_comes_after_the_delay_and_quotes_the_mail():
    (reply,) = reaction()
    assert type(reply) is SendReply
    assert reply.after == timedelta(hours=2)
    assert reply.subject == "Re: Quick question"
    assert reply.text.startswith("no thanks")
    assert "shall we talk?" in reply.text and "shall we talk?" in reply.html
    assert reply.truth["label"] == "not_interested"
    assert reply.truth["new_text"] == "no thanks"


def test_the_same_question_gets_the_same_answer():
    for behaviour in Behaviour:
        person = replace(ANN, behaviour=behaviour, reply_id=_words(behaviour), colleague=COLLEAGUE)
        assert reaction(person) == reaction(person)


COLLEAGUE = {"name": "Orla Finn", "address": "orla.finn@oakline.example"}


def _words(behaviour: Behaviour) -> str:
    return {
        Behaviour.OUT_OF_OFFICE: "en-ooo-exchange",
        Behaviour.AUTO_REPLY: "en-auto-ticket",
        Behaviour.BOUNCE_HARD: "en-bounce-postfix-unknown",
        Behaviour.BOUNCE_SOFT: "en-bounce-exchange-full",
    }.get(behaviour, "en-passed-to-me")


def test_nobody_writes_outside_office_hours():
    friday_night = datetime(2026, 11, 27, 21, 30, tzinfo=UTC)
    (reply,) = reaction(now=friday_night)
    sent = ANN.local(friday_night + reply.after)
    assert (sent.weekday(), sent.hour) == (0, 8)


@pytest.mark.parametrize(
    "message",
    [
        replace(MAIL, auto_submitted=True),
        replace(MAIL, from_address="boss@oakline.example"),
        replace(MAIL, to_address="somebody.else@oakline.example"),
        replace(MAIL, text=" "),
    ],
    ids=["machine mail", "internal mail", "a copy", "an empty mail"],
)
def test_mail_that_needs_no_answer_gets_none(message):
    assert reaction(message=message) == []


def test_a_person_answers_only_the_message_meant_and_only_once():
    second = replace(ANN, answers_message=2)
    counts = [len(reaction(second, replace(MAIL, count_from_sender=n))) for n in (1, 2, 3)]
    assert counts == [0, 1, 0]


def test_the_thread_counts_where_the_message_does_not():
    before = replace(MAIL, internet_message_id="<0@northwind.example>")
    assert react(replace(ANN, answers_message=2), MAIL, now=NOW, thread=[before, MAIL]) != []


def test_silence_is_an_empty_list():
    assert reaction(replace(ANN, behaviour=Behaviour.SILENT, reply_id=None)) == []


def test_an_absence_is_announced_once_by_a_machine_with_the_date_of_return():
    person = replace(ANN, behaviour=Behaviour.OUT_OF_OFFICE, reply_id="en-ooo-exchange")
    (notice,) = reaction(person)
    assert type(notice) is AutoReply
    assert notice.after < timedelta(minutes=1)
    assert notice.subject == "Automatic reply: Quick question"
    assert notice.headers["Auto-Submitted"] == "auto-generated"
    assert notice.truth["return_date"] == "2026-12-02" and "Wednesday 02 December" in notice.text
    assert reaction(person, replace(MAIL, count_from_sender=2)) == []


def test_who_was_away_may_answer_after_the_return():
    person = replace(
        ANN,
        behaviour=Behaviour.OUT_OF_OFFICE,
        reply_id="en-ooo-exchange",
        later_reply_id="en-question-price",
    )
    notice, reply = reaction(person)
    assert (NOW + reply.after).date().isoformat() == notice.truth["return_date"]
    assert reply.truth["label"] == "question"


def test_an_unknown_address_refuses_every_mail():
    person = replace(ANN, behaviour=Behaviour.BOUNCE_HARD, reply_id="en-bounce-postfix-unknown")
    for n in (1, 2):
        (bounce,) = reaction(person, replace(MAIL, count_from_sender=n))
        assert type(bounce) is Bounce
        assert (bounce.kind, bounce.status) == ("hard", "5.1.1")
        assert "<ann.lee@oakline.example>" in bounce.text


def test_a_full_mailbox_takes_the_second_mail():
    person = replace(ANN, behaviour=Behaviour.BOUNCE_SOFT, reply_id="en-bounce-exchange-full")
    assert [b.kind for b in reaction(person)] == ["soft"]
    assert reaction(person, replace(MAIL, count_from_sender=2)) == []


def test_a_meeting_is_booked_in_office_hours_and_announced():
    person = replace(ANN, behaviour=Behaviour.BOOKS_MEETING, reply_id="en-booked-slot")
    meeting, reply = reaction(person)
    assert type(meeting) is BookMeeting and type(reply) is SendReply
    start = person.local(NOW + meeting.after + meeting.starts_in)
    assert start.weekday() < 5 and 8 <= start.hour < 18 and start.minute in (0, 30) and start.second == 0
    assert meeting.starts_in > timedelta(hours=12)


def test_a_forwarded_mail_is_answered_by_the_colleague():
    person = replace(ANN, behaviour=Behaviour.FORWARDS, reply_id="en-passed-to-me-keen", colleague=COLLEAGUE)
    forward, reply = reaction(person)
    assert type(forward) is ForwardTo and forward.address == COLLEAGUE["address"]
    assert reply.from_address == COLLEAGUE["address"] and reply.after > forward.after
    assert "Orla" in reply.text and "Derek" not in reply.text
    assert reply.truth["someone_else"] is True


def test_somebody_introduced_is_in_copy_under_the_person_s_own_domain():
    (reply,) = reaction(replace(ANN, reply_id="it-collega"))
    assert reply.cc == ["andrea.villa@oakline.example"]
    assert reply.truth["third_party"]["name"] == "Andrea Villa"


@pytest.mark.parametrize("reply", corpus.replies(), ids=lambda reply: reply.id)
def test_every_reply_can_be_sent_by_its_author_and_survives_json(reply):
    person = replace(
        ANN,
        address=reply.author.address,
        name=reply.author.name,
        reply_id=reply.id,
        behaviour=_behaviour_for(reply),
    )
    (action,) = reaction(person, replace(MAIL, to_address=person.address))
    assert action.truth["label"] == reply.label
    assert "Alice" not in action.text
    assert action_from_json(action_to_json(action)) == action


def _behaviour_for(reply: corpus.Reply) -> Behaviour:
    if reply.bounce:
        return Behaviour.BOUNCE_HARD
    return Behaviour.AUTO_REPLY if reply.automatic else Behaviour.REPLY


def test_a_person_survives_json():
    assert Person.from_json(ANN.to_json()) == ANN
