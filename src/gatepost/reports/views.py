"""The pages of reports, and the privacy page: what was asked, looked at and opened."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from gatepost import clock
from gatepost.accounts.membership import page
from gatepost.accounts.models import Workspace
from gatepost.chains import queries as chains
from gatepost.mailboxes.models import Mailbox
from gatepost.reports import charts, queries
from gatepost.reports import privacy as records
from gatepost.web import spreadsheets
from gatepost.web.pages import page_of
from gatepost.web.parameters import id_in
from gatepost.web.weeks import Span, monday_of, span_of

PERIODS = (4, 12, 26, 52)
USUAL_PERIOD = 12
KINDS = ("sent", "replied", "interested", "meetings")
FUNNEL_WIDTH = 100


@page
def reports(request: Any) -> HttpResponse:
    weeks, span = _period(request)
    zone = ZoneInfo(request.workspace.time_zone)
    found = queries.report(request.member, span, zone, now=clock.now())
    context = {
        "weeks": weeks,
        "periods": PERIODS,
        "since": monday_of(span[0], zone).isoformat(),
        "whole": found.whole,
        "erased": found.erased,
        "funnel": _funnel(found.whole),
        "sequences": found.sequences,
        "members": found.members,
        "by_week": found.weeks,
        "series": _series(found.weeks),
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
    }
    return render(request, "reports/reports.html", context)


@page
def export(request: Any) -> HttpResponse:
    """The figures by sequence and step as a CSV."""
    _weeks, span = _period(request)
    rows: list[list[object]] = []
    zone = ZoneInfo(request.workspace.time_zone)
    for each in queries.report(request.member, span, zone, now=clock.now()).sequences:
        rows.append([each.sequence.name, _("all steps"), *_cells(each.figures)])
        rows += [[each.sequence.name, step.position, *_cells(step.figures)] for step in each.steps]
    text = spreadsheets.as_csv(["sequence", "step", *queries.COLUMNS], rows)
    # The mark tells Excel that it is UTF-8.
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="gatepost-report.csv"'
    return response


@page
def privacy(request: Any) -> HttpResponse:
    chosen = id_in(request.GET, "mailbox")
    mailboxes = records.mailbox_ids(request.member, chosen)
    since = clock.now() - records.LEDGER_DAYS
    asked = request.GET.get("part", "")
    part = asked if asked in records.PARTS else records.PARTS[0]
    entries = records.entries(mailboxes, part=part, member=request.member)
    if chosen:
        entries = entries.filter(mailbox_id=chosen)
    opened = page_of(entries, by="at", after=request.GET.get("after", ""))
    context = {
        "asked": records.asked_of_microsoft(mailboxes, ZoneInfo(request.workspace.time_zone), since=since),
        "dropped": records.dropped(mailboxes, since=since.date()),
        "rows": replace(opened, rows=records.with_names(opened.rows)),
        "part": part,
        "mailboxes": records.mailbox_names(request.member),
        "chosen": chosen,
        "chain": chains.last_link(request.workspace.pk),
        "anchor": chains.last_anchor(request.workspace.pk),
    }
    return render(request, "reports/privacy.html", context)


@page
def anchors(request: Any) -> HttpResponse:
    """Every anchor of the workspace's records, to be kept elsewhere: `gatepost verify audit --anchors` compares with it."""
    lines = chains.anchors(request.workspace.pk)
    response = HttpResponse("".join(f"{line}\n" for line in lines), content_type="application/x-ndjson")
    response["Content-Disposition"] = 'attachment; filename="gatepost-anchors.jsonl"'
    return response


@page
def looked_at(request: Any, mailbox_id: UUID) -> HttpResponse:
    """What was looked at in one mailbox today; a part of its page."""
    mailbox = get_object_or_404(Mailbox, pk=mailbox_id)
    return render(request, "reports/looked_at.html", {"today": records.looked_at(mailbox, now=clock.now())})


def _period(request: Any) -> tuple[int, Span]:
    """The weeks that are asked for, this one included, and what they span."""
    asked = request.GET.get("weeks", "")
    weeks = int(asked) if asked in map(str, PERIODS) else USUAL_PERIOD
    return weeks, _last_weeks(weeks, request.workspace, clock.now())


def _last_weeks(weeks: int, workspace: Workspace, now: datetime) -> Span:
    zone = ZoneInfo(workspace.time_zone)
    this_monday = monday_of(now, zone)
    start, _end = span_of(this_monday - timedelta(days=7 * (weeks - 1)), zone)
    return start, span_of(this_monday, zone)[1]


def _cells(figures: queries.Figures) -> list[object]:
    return [getattr(figures, column) for column in queries.COLUMNS]


def _funnel(whole: queries.Figures) -> list[dict[str, object]]:
    kinds = ("sent", "confirmed", "replied", "interested", "meetings")
    values = [getattr(whole, kind) for kind in kinds]
    lengths = charts.lengths(values, width=FUNNEL_WIDTH)
    return [
        {"kind": kind, "value": value, "length": length}
        for kind, value, length in zip(kinds, values, lengths, strict=True)
    ]


def _series(weeks: list[queries.Week]) -> list[dict[str, object]]:
    """One row of columns for each kind, each with its own scale: a hundred mails bring one meeting."""
    series = []
    for kind in KINDS:
        values = [getattr(week.figures, kind) for week in weeks]
        bars = [
            {"bar": bar, "monday": week.monday, "narrow": f"week={week.monday.isoformat()}"}
            for bar, week in zip(charts.columns(values), weeks, strict=True)
        ]
        series.append({"kind": kind, "bars": bars, "highest": max(values, default=0), "sum": sum(values)})
    return series
