import csv
import html
import io
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.models import LedgerRow
from gatepost.audit.record import job, record
from gatepost.chains import actions as chains
from gatepost.graph.shapes import SHAPES
from gatepost.intake.models import DropCount
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.actions import bounced
from gatepost.reports import charts, privacy
from gatepost.reports.queries import Chosen, Figures, report
from gatepost.sequences.models import Sequence
from gatepost.web import spreadsheets
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_meeting, make_message, make_reply, rows_in, signed_in, text_of

LABELS = ("interested", "interested", "unsure", "not_interested", "out_of_office", "unsubscribe")


def busy(member: Member) -> Mailbox:
    """Seven contacts: six answer in their own way, one mail comes back; two meetings are booked."""
    mailbox, sequence = make_mailbox(member), make_sequence(member)
    for number, label in enumerate(LABELS):
        enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
        message = make_message(enrolment, state="accepted" if number == 0 else "confirmed")
        if number == 1:
            message = make_message(enrolment, position=2, sent=clock.now() - timedelta(days=8))
        make_reply(message, label)
        if number < 2:
            make_meeting(enrolment)
    lost = make_message(make_enrolment(sequence, make_contact(member.workspace), mailbox))
    with inside(member.workspace_id):
        bounced(lost)
    return mailbox


def counted(member: Member) -> Figures:
    year = (clock.now() - timedelta(days=365), clock.now() + timedelta(days=1))
    with inside(member.workspace_id):
        return report(member, Chosen(), year, ZoneInfo("Europe/Berlin")).whole


def test_an_absence_notice_is_no_reply_and_unsure_stands_in_neither_half(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    figures = counted(alice)
    assert figures == Figures(
        planned=8, sent=8, confirmed=7, bounced=1, replied=5, labelled=4, interested=2, unsure=1, opted_out=1, meetings=2,
        labels={"interested": 2, "unsure": 1, "not_interested": 1, "out_of_office": 1, "unsubscribe": 1},
        rungs={"on_calendar": 2}, days_to_reply=figures.days_to_reply, days_to_meeting=figures.days_to_meeting,
    )  # fmt: skip
    assert figures.days_to_reply == pytest.approx(23 / 24, abs=0.01)


def test_every_number_leads_to_just_as_many_rows(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    make_mailbox(make_member(alice.workspace, "Ben"), "ben@northwind.example")
    client = signed_in(alice)
    page = client.get("/reports/").content.decode()
    links = re.findall(r'<td class="number nowrap"[^>]*><a href="([^"]+)">(\d+)</a>', page)
    assert len(links) > 40
    for address, number in links:
        assert rows_in(client.get(html.unescape(address))) == int(number), address


def test_a_bar_of_a_week_leads_to_its_rows(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    client = signed_in(alice)
    page = client.get("/reports/").content.decode()
    bars = re.findall(r'<a tabindex="-1" href="([^"]+)"><rect[^>]*><title>(\d+):', page)
    assert bars
    for address, number in bars:
        assert rows_in(client.get(html.unescape(address))) == int(number), address


def test_a_rep_counts_his_own_mailboxes_only(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    assert counted(make_member(alice.workspace, "Ben", role="rep")) == Figures()


def test_the_export_has_the_same_figures_and_runs_nothing_in_a_spreadsheet(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    with inside(alice.workspace_id):
        Sequence.objects.update(name='=HYPERLINK("https://evil.example")')
    text = signed_in(alice).get("/reports/export.csv").content.decode().removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[1]["sequence"] == '\'=HYPERLINK("https://evil.example")'
    assert (rows[0]["sequence"], rows[0]["sent"], rows[0]["interested"]) == ("all", "8", "2")
    assert [(row["step"], row["sent"]) for row in rows[1:]] == [("", "8"), ("1", "7"), ("2", "1")]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_a_cell_that_would_start_a_formula_is_disarmed(text: str) -> None:
    assert spreadsheets.safe_cell(text) == "'" + text


def test_a_number_stays_a_number_in_an_export() -> None:
    assert spreadsheets.as_csv(["a"], [[-3], ["plain"]]).splitlines() == ["a", "-3", "plain"]


def test_the_highest_bar_is_as_high_as_the_chart_and_zero_is_not_drawn() -> None:
    bars = charts.columns([0, 5, 10], width=30, height=50)
    assert [(bar.x, bar.height, bar.y) for bar in bars] == [(0, 0, 50), (10, 25, 25), (20, 50, 0)]
    assert charts.columns([]) == []
    assert charts.lengths([0, 1, 10_000], width=100) == [0, charts.NARROWEST, 100]


def test_a_few_days_stand_below_a_chart_and_a_drawing_reaches_little_beyond_its_highest_share() -> None:
    days = [date(2027, 1, 4) + timedelta(days=7 * week) for week in range(52)]
    assert [day for day in charts.ticks(days) if day] == days[::13]
    assert charts.ticks(days[:1]) == days[:1] and charts.ticks([]) == []
    assert [charts.scale([0.01, share]) for share in (0.02, 0.05, 0.051, 0.4, 1.0)] == [5, 5, 10, 50, 100]
    assert charts.scale([]) == 100


def test_the_privacy_page_says_what_was_asked_of_microsoft_and_why(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    with inside(alice.workspace_id):
        for status in (200, 200, 429):
            LedgerRow.objects.create(
                workspace_id=alice.workspace_id, mailbox_id=mailbox.pk, at=clock.now(), shape="envelopes",
                client_request_id=uuid4(), status=status, bytes=10, milliseconds=5, reason="looking for replies",
            )  # fmt: skip
        DropCount.objects.create(
            workspace_id=alice.workspace_id,
            mailbox=mailbox,
            local_date=clock.now().date(),
            reason="internal",
            count=41,
        )
    page = text_of(signed_in(alice).get("/privacy/"))
    assert f"New mail listed {SHAPES['envelopes'].why} 3 1" in page
    assert "internal 41" in page


def test_who_opened_a_text_stands_on_the_privacy_page(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    client = signed_in(alice)
    assert "Nobody has opened anything" in text_of(client.get("/privacy/"))
    conversation = re.search(r"/inbox/[0-9a-f-]{36}/", client.get("/inbox/").content.decode())
    client.get(conversation[0])
    page = text_of(client.get("/privacy/"))
    assert "Alice Text opened" in page
    assert "reason: conversation page" in page
    assert "Nobody has opened anything" in text_of(client.get("/privacy/", {"part": "program"}))


def test_what_the_program_opened_for_itself_has_a_tab_of_its_own(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    with inside(alice.workspace_id):
        record(job("meetings.sync"), tags.CONTENT_READ, mailbox, mailbox_id=mailbox.pk, reason="brief")
    client = signed_in(alice)
    assert "meetings.sync" not in text_of(client.get("/privacy/"))
    assert "meetings.sync (job) Text opened reason: brief" in text_of(
        client.get("/privacy/", {"part": "program"})
    )


def test_every_audit_tag_and_every_request_has_a_word() -> None:
    assert set(privacy.WORDS) == {value for name, value in vars(tags).items() if name.isupper()}
    assert set(privacy.REQUESTS) == set(SHAPES)


def test_a_rep_sees_the_record_of_his_own_mailboxes(db: None) -> None:
    workspace = make_workspace()
    busy(make_member(workspace))
    ben = signed_in(make_member(workspace, "Ben", role="rep"))
    assert "Nobody has opened anything" in text_of(ben.get("/privacy/", {"part": "everything"}))


def test_what_was_looked_at_today_counts_texts_that_were_none_of_ours(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = busy(alice)
    with inside(alice.workspace_id):
        today = clock.now().astimezone(ZoneInfo(mailbox.time_zone)).date()
        DropCount.objects.create(
            workspace_id=alice.workspace_id, mailbox=mailbox, local_date=today, reason="not ours", count=500
        )
    part = signed_in(alice).get(f"/privacy/looked-at/{mailbox.pk}/", headers={"HX-Request": "true"})
    assert "506 envelopes looked at, 6 replies read, 0 others" in text_of(part)


def test_weeks_without_anything_are_shown_as_well(db: None) -> None:
    page = signed_in(make_member(make_workspace())).get("/reports/", {"weeks": "4"})
    assert page.context["by_week"][-1]["first"] <= date.today()
    assert len(page.context["by_week"]) == 4


def test_the_privacy_page_tells_how_far_the_record_is_chained_and_gives_its_anchors(
    db: None, settings: Any, tmp_path: Path
) -> None:
    settings.GATEPOST_ANCHOR_FILE = tmp_path / "anchors.jsonl"
    alice, charlie = make_member(make_workspace()), make_member(make_workspace("Fabrikam"), "Charlie")
    client = signed_in(alice)
    assert "Nothing is chained yet" in text_of(client.get("/privacy/"))
    chains.add_links(alice.workspace_id, through=chains.queries.settled())
    chains.anchor(alice.workspace_id)
    page = text_of(client.get("/privacy/"))
    assert "its last link is number 1" in page and "last at link 1" in page
    anchors = client.get("/privacy/anchors.jsonl").content.decode()
    assert anchors == settings.GATEPOST_ANCHOR_FILE.read_text() != ""
    assert signed_in(charlie).get("/privacy/anchors.jsonl").content == b""


def test_each_way_of_dividing_leads_to_rows_as_well(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    client = signed_in(alice)
    for by in ("step", "variant", "member", "company"):
        page = client.get("/reports/", {"by": by}).content.decode()
        links = re.findall(r'<td class="number nowrap"[^>]*><a href="([^"]+)">([1-9]\d*)</a>', page)
        assert len(links) > 5, by
        for address, number in set(links):
            assert rows_in(client.get(html.unescape(address))) == int(number), address


def test_what_is_compared_leads_to_rows_as_well(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    client = signed_in(alice)
    page = client.get("/reports/compare/").content.decode()
    links = re.findall(r'<td class="number[^>]*><a href="([^"]+)">(\d+)</a>', page)
    assert {"4", "1"} <= {number for _address, number in links}
    for address, number in links:
        assert rows_in(client.get(html.unescape(address))) == int(number), address
    assert "Nothing to compare: one of them has no mail." in page


def test_a_workbook_holds_numbers_as_numbers_and_texts_that_run_nothing() -> None:
    content = spreadsheets.as_xlsx(["name", "n"], [['=HYPERLINK("x")', 3], ["a\x00<b>", None]], name="Report")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert [each.text for each in sheet.findall(".//s:t", space)] == [
        "name",
        "n",
        '\'=HYPERLINK("x")',
        "a<b>",
    ]
    assert [each.text for each in sheet.findall(".//s:v", space)] == ["3"]
    assert sheet.findall(".//s:f", space) == []


def test_the_workbook_of_a_report_is_sent_as_one(db: None) -> None:
    alice = make_member(make_workspace())
    busy(alice)
    answer = signed_in(alice).get("/reports/export.xlsx", {"by": "member"})
    assert answer["Content-Type"] == spreadsheets.XLSX
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert b"Alice" in archive.read("xl/worksheets/sheet1.xml")
    assert signed_in(alice).get("/reports/export.exe").status_code == 404
