"""Unusual access is told to the owners and to whoever's mailbox it was, from the record and once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from gatepost.accounts.membership import by
from gatepost.accounts.models import ApiToken, Member
from gatepost.alerts import actions, jobs, letters, queries, rules
from gatepost.alerts.models import Alert
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.audit.record import Actor, job
from gatepost.audit.reveal import reveal
from gatepost.chains.actions import add_links
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.models import Notice
from tests.api.test_api import Program
from tests.makers import (
    MONDAY,
    advance,
    clock_at,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, make_reply, rows_in, signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday(tmp_path: Any) -> Any:
    """Ten o'clock in Berlin."""
    with clock_at(MONDAY, tmp_path) as file:
        yield file


class Office:
    """Olga owns it, Rita has a mailbox with a reply in it, Ada audits, Lena leads."""

    def __init__(self) -> None:
        self.workspace = make_workspace()
        self.olga = make_member(self.workspace, "Olga")
        self.rita = make_member(self.workspace, "Rita", role="rep")
        self.lena = make_member(self.workspace, "Lena", role="lead")
        self.mailbox = make_mailbox(self.rita, "rita@northwind.example", time_zone="Europe/Berlin")
        contact = make_contact(self.workspace)
        self.message = make_message(make_enrolment(make_sequence(self.rita), contact, self.mailbox))
        self.reply = make_reply(self.message)

    def open(self, who: Member | Actor, times: int = 1, network: str = "192.0.2.0/24") -> None:
        actor = who if isinstance(who, Actor) else Actor("member", str(who.pk), network)
        with inside(self.workspace.id):
            for _ in range(times):
                reveal(actor, self.reply, "text", reason="test")

    def watched(self) -> list[Alert]:
        """What there is when the record was chained and judged."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value FROM gatepost_record_number")
            add_links(self.workspace.id, through=cursor.fetchone()[0])
        jobs.watch_access()
        return sorted(rows(Alert, self.workspace.id), key=lambda each: each.at)

    def told(self, who: Member) -> int:
        return len(rows(Notice, self.workspace.id, member=who, kind="access"))


@pytest.fixture
def office() -> Office:
    return Office()


def test_what_is_opened_as_usual_raises_nothing(office: Office) -> None:
    office.open(office.rita, 3)
    office.open(job("sending"), 3)
    assert office.watched() == []


def test_a_text_opened_at_night_is_told_to_the_owner_and_to_the_mailbox_s_rep_once(
    office: Office, monday: Any
) -> None:
    advance(monday, timedelta(hours=14))
    office.open(office.lena)
    (alert,) = office.watched()
    assert (alert.cause, alert.member_id, alert.mailbox_ids) == ("night", office.lena.pk, [office.mailbox.pk])
    office.open(office.lena, 5)
    assert len(office.watched()) == 1
    assert [office.told(each) for each in (office.olga, office.rita, office.lena)] == [1, 1, 0]
    (entry,) = rows(AuditEntry, office.workspace.id, tag=tags.ALERT_RAISE)
    assert (entry.subject_id, entry.mailbox_id) == (alert.pk, office.mailbox.pk)
    assert entry.detail == {"cause": "night", "reader": str(office.lena.pk), "texts": 1, "told": 2}


def test_somebody_who_reads_from_a_network_that_he_was_never_at_is_told_of(office: Office) -> None:
    office.open(office.rita)
    assert office.watched() == []
    office.open(office.rita, network="198.51.100.0/24")
    (alert,) = office.watched()
    assert alert.cause == "place"
    office.open(office.rita, network="198.51.100.0/24")
    office.open(office.rita)
    assert len(office.watched()) == 1
    assert office.told(office.rita) == office.told(office.olga) == 1


def test_the_record_knows_a_network_only_as_a_keyed_hash(office: Office) -> None:
    office.open(office.rita)
    (entry,) = rows(AuditEntry, office.workspace.id, tag=tags.CONTENT_READ)
    assert len(entry.detail["place"]) == 32 and "192" not in entry.detail["place"]
    page = text_of(signed_in(office.rita).get("/privacy/"))
    assert "Text opened" in page and entry.detail["place"] not in page


def test_a_request_is_known_by_its_network_and_not_by_its_address(office: Office) -> None:
    conversation = f"/inbox/{office.reply.conversation_id}/"
    rita = signed_in(office.rita)
    for address in ("203.0.113.7", "203.0.113.99"):
        assert rita.get(conversation, REMOTE_ADDR=address).status_code == 200
    assert office.watched() == []
    assert rita.get(conversation, REMOTE_ADDR="203.0.114.7").status_code == 200
    assert [each.cause for each in office.watched()] == ["place"]


def test_many_texts_at_once_are_told_of_with_how_many(office: Office) -> None:
    actions.choose(office.workspace.id, rules.Limits(texts_an_hour=10), actor=by(office.olga))
    replies = [office.reply, *(make_reply(office.message) for _ in range(10))]
    with inside(office.workspace.id):
        for reply in replies:
            reveal(by(office.lena), reply, "text", reason="test")
    (alert,) = office.watched()
    assert (alert.cause, alert.texts) == ("many", 11)
    assert alert.reason == "11 texts within an hour, where up to 10 are usual"


def test_a_program_with_a_new_token_is_told_of_when_it_first_opens_a_text(office: Office) -> None:
    program = Program(office.lena)
    assert program.get("/contacts").status_code == 200
    assert office.watched() == [], "lists hold no texts"
    assert program.get(f"/conversations/{office.reply.conversation_id}").status_code == 200
    (alert,) = office.watched()
    (token,) = rows(ApiToken, office.workspace.id)
    assert (alert.cause, alert.token_id, alert.member_id) == ("token", token.pk, office.lena.pk)
    assert program.get(f"/conversations/{office.reply.conversation_id}").status_code == 200
    assert len(office.watched()) == 1


def test_each_reading_is_judged_once_also_when_many_wait(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "AT_A_TIME", 2)
    office.open(office.rita, 5)
    office.open(office.rita, 1, network="198.51.100.0/24")
    assert [each.cause for each in office.watched()] == ["place"]
    assert queries.workspaces_with_reads() == []


def test_what_is_not_chained_yet_waits(office: Office, monday: Any) -> None:
    advance(monday, timedelta(hours=14))
    office.open(office.lena)
    assert actions.watch(office.workspace.id) == 0
    assert len(office.watched()) == 1


def test_the_page_shows_a_rep_what_concerns_her_and_an_owner_everything(office: Office, monday: Any) -> None:
    other = make_member(office.workspace, "Otto", role="rep")
    advance(monday, timedelta(hours=14))
    office.open(office.lena)
    office.watched()
    pages = {who.name: signed_in(who).get("/privacy/alerts/") for who in (office.olga, office.rita, other)}
    assert {name: rows_in(page) for name, page in pages.items()} == {"Olga": 1, "Rita": 1, "Otto": 0}
    said = text_of(pages["Rita"])
    assert "Lena" in said and "At night : at 00:00 in Europe/Berlin, between 22:00 and 06:00" in said
    assert "An owner can change it" in said and "An owner can change it" not in text_of(pages["Olga"])
    assert "unusual way" in text_of(signed_in(office.rita).get("/mailboxes/notices/"))
    assert Program(office.rita).get("/alerts").json()["rows"][0]["cause"] == "night"
    assert Program(other).get("/alerts").json()["rows"] == []


def test_an_owner_chooses_what_is_usual_and_nobody_else(office: Office) -> None:
    chosen = {"texts_an_hour": "50", "night_begins": "23:00", "night_ends": "05:30"}
    assert signed_in(office.rita).post("/privacy/alerts/", chosen).status_code == 403
    assert signed_in(office.olga).post("/privacy/alerts/", chosen).status_code == 302
    limits = rules.Limits.chosen(type(office.workspace).objects.get(pk=office.workspace.pk).usual_access)
    assert limits == rules.Limits.chosen({**chosen})
    assert len(rows(AuditEntry, office.workspace.id, tag=tags.ALERT_CHOOSE)) == 1
    wrong = signed_in(office.olga).post("/privacy/alerts/", {**chosen, "texts_an_hour": "3"})
    assert wrong.status_code == 200 and "10" in text_of(wrong)
    with pytest.raises(BadInput, match="from 10 to 10000 texts"):
        actions.choose(office.workspace.id, rules.Limits(texts_an_hour=1), actor=by(office.olga))


def test_the_letter_says_who_and_why_and_shows_no_text(office: Office, monday: Any) -> None:
    advance(monday, timedelta(hours=14))
    office.open(office.lena)
    office.watched()
    with inside(office.workspace.id):
        notice = Notice.objects.get(member=office.rita, kind="access")
        letter = letters.alert(notice.pk)
    assert letter is not None and letter.subject == "Unusual access to texts: Lena"
    assert "Lena opened texts of your mailbox" in letter.text and "at 00:00 in Europe/Berlin" in letter.text
    with inside(office.workspace.id):
        text = reveal(job("test"), office.reply, "text", reason="test")["text"]
    assert text and text not in letter.text
