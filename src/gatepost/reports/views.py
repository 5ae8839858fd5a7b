"""The pages of reports, and the privacy page: what was asked, looked at and opened."""

import io
import tempfile
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazily
from django.views.decorators.http import require_POST

from gatepost import clock
from gatepost.accounts.membership import by, page
from gatepost.accounts.models import Member
from gatepost.accounts.rules import Ability
from gatepost.alerts import queries as alerts
from gatepost.chains import queries as chains
from gatepost.mailboxes.models import Mailbox
from gatepost.reports import actions, charts, queries, showing
from gatepost.reports import privacy as records
from gatepost.reports.choosing import PERIODS, Asked, asked_in
from gatepost.reports.models import DomainCheck, SavedView
from gatepost.reports.rules import difference
from gatepost.sequences.models import Sequence
from gatepost.web import spreadsheets
from gatepost.web.labels import LABELS
from gatepost.web.pages import page_of
from gatepost.web.parameters import day_in, id_in

DIVISIONS = {
    "sequence": lazily("Sequence"),
    "step": lazily("Step"),
    "variant": lazily("Wording"),
    "member": lazily("Person"),
    "company": lazily("Company"),
}
OUTCOMES = {
    "bounced": lazily("Came back"),
    "replied": lazily("Answered by a person"),
    "interested": lazily("Interested, of the answers whose label is known"),
    "opted_out": lazily("Asked for no more mail"),
    "meetings": lazily("Led to a meeting"),
}


@page
def reports(request: Any) -> HttpResponse:
    asked = _asked(request)
    found = queries.report(request.member, asked.chosen, asked.span, asked.zone, by=asked.by)
    whole = found.whole
    context = {
        "asked": asked,
        "periods": PERIODS,
        "whole": whole,
        "anything": any((whole.planned, whole.sent, whole.replied, whole.meetings, whole.tasks)),
        "whole_cells": showing.cells(whole, asked.chosen, asked.first, asked.last),
        "days_to_reply": showing.days(whole.days_to_reply),
        "days_to_meeting": showing.days(whole.days_to_meeting),
        "erased": found.erased,
        "funnel": showing.funnel(whole, asked),
        "series": showing.series(found, asked),
        "axis": charts.ticks([week.first for week in found.weeks]),
        "labels": showing.labels(whole, asked),
        "rungs": showing.rungs(whole, asked),
        "by_week": showing.by_week(found, asked),
        "parts": showing.parts(found.parts, asked),
        "most_parts": queries.MOST_PARTS if len(found.parts) >= queries.MOST_PARTS else None,
        "words": showing.WORDS.values(),
        "divisions": DIVISIONS,
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "views": _views_of(request.member),
        **_choices(request, asked),
    }
    return render(request, "reports/reports.html", context)


def _asked(request: Any) -> Asked:
    return asked_in(request.GET, ZoneInfo(request.workspace.time_zone), now=clock.now())


def _choices(request: Any, asked: Asked) -> dict[str, Any]:
    """What the form above a report offers, and what the report is narrowed to."""
    kept = asked.parameters
    return {
        "narrowed_to": queries.chosen_in_words(asked.chosen),
        "sequences": Sequence.objects.order_by("name").values_list("pk", "name")[:200],
        "members": (
            Member.objects.filter(mailbox__isnull=False).distinct().order_by("name").values_list("pk", "name")
            if request.member.role != Member.Role.REP
            else []
        ),
        "labels_to_choose": LABELS.values(),
        "kept": {name: kept[name] for name in ("step", "variant", "company", "by", "weeks") if name in kept},
    }


@page
def compare(request: Any) -> HttpResponse:
    """Two periods, or two wordings of a step, side by side with what the difference can be trusted for."""
    asked = _asked(request)
    wordings = queries.variants_of(asked.chosen.step_id) if asked.chosen.step_id else []
    ids = [key for key, _letter in wordings]
    first_id, second_id = id_in(request.GET, "first"), id_in(request.GET, "second")
    if first_id in ids and second_id in ids:
        sides = [
            (_("Wording %(letter)s") % {"letter": letter}, replace(asked, chosen=replace(asked.chosen, variant_id=key)))
            for wanted in (first_id, second_id)
            for key, letter in wordings
            if key == wanted
        ]  # fmt: skip
    else:
        sides = [(_("Before"), asked.before), (_("This period"), asked)]
    outcomes = [queries.outcome(request.member, each.chosen, each.span, each.zone) for _name, each in sides]
    (first_name, _first), (second_name, _second) = sides
    rows = []
    for kind in ("bounced", "replied", "interested", "opted_out", "meetings"):
        rates = [getattr(each, kind) for each in outcomes]
        scale = charts.scale([each.high for each in rates if each.whole])
        rows.append(
            {
                "kind": kind,
                "word": OUTCOMES[kind],
                "scale": scale,
                "sides": [
                    showing.side(name, kind, rate, each, scale)
                    for (name, each), rate in zip(sides, rates, strict=True)
                ],
                "verdict": showing.verdict(difference(*rates), first_name, second_name),
            }
        )
    context = {
        "asked": asked,
        "periods": PERIODS,
        "sides": [
            {"name": name, "asked": each, "confirmed": found.confirmed, "address": showing.rows_of("confirmed", each.chosen, each.first, each.last)}
            for (name, each), found in zip(sides, outcomes, strict=True)
        ],
        "rows": rows,
        "wordings": wordings,
        "chosen_wordings": (first_id, second_id),
        **_choices(request, asked),
    }  # fmt: skip
    return render(request, "reports/compare.html", context)


@page
def export(request: Any, form: str) -> HttpResponse:
    """The figures as the report divides them, as a CSV or a workbook."""
    asked = _asked(request)
    found = queries.report(
        request.member, asked.chosen, asked.span, asked.zone, by=asked.by, medians_of_parts=True
    )
    heading = [asked.by, "step", *queries.NUMBERS, "days_to_reply", "days_to_meeting"]
    heading += [f"label_{name}" for name in LABELS]
    rows: list[list[object]] = [[_("all"), "", *_cells(found.whole)]]
    for part in found.parts:
        rows.append([part.name, "", *_cells(part.figures)])
        rows += [[part.name, int(step.name), *_cells(step.figures)] for step in part.below]
    if form == "csv":
        # The mark tells Excel that it is UTF-8.
        content: str | bytes = "\ufeff" + spreadsheets.as_csv(heading, rows)
        kind = "text/csv; charset=utf-8"
    elif form == "xlsx":
        content, kind = spreadsheets.as_xlsx(heading, rows, name=_("Report")), spreadsheets.XLSX
    else:
        raise Http404
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="gatepost-report.{form}"'
    return response


def _cells(figures: queries.Figures) -> list[object]:
    numbers: list[object] = [getattr(figures, column) for column in queries.NUMBERS]
    medians = [
        None if days is None else round(days, 2) for days in (figures.days_to_reply, figures.days_to_meeting)
    ]
    return [*numbers, *medians, *(figures.labels.get(name, 0) for name in LABELS)]


@page
def health(request: Any) -> HttpResponse:
    now = clock.now()
    checks = {each.domain: each for each in DomainCheck.objects.all()}
    span = (now - queries.LATELY).astimezone(ZoneInfo(request.workspace.time_zone)).date()
    context = {
        "rows": [
            {
                "health": each,
                "bounced": showing.in_full(each.bounced),
                "bounced_share": showing.short(each.bounced),
                "complained": showing.in_full(each.complained),
                "complained_share": showing.short(each.complained),
            }
            for each in queries.health_of_mailboxes(request.member, now=now)
        ],
        "domains": [{"domain": each, "check": checks.get(each)} for each in queries.sending_domains()],
        "since": span,
    }
    return render(request, "reports/health.html", context)


@page(write=True)
@require_POST
def look(request: Any) -> HttpResponse:
    """The name servers are asked outside any transaction: they may take their time."""
    domain = request.POST.get("domain", "")
    actions.check_domain(request.workspace.id, domain, actor=by(request.member))
    return redirect("reports:health")


@page
def saved_views(request: Any) -> HttpResponse:
    return render(request, "reports/views.html", {"views": _views_of(request.member)})


@page(changes=Ability.LOOK)
@require_POST
def save_view(request: Any) -> HttpResponse:
    parameters = QueryDict(request.POST.get("address", "")).dict()
    view = actions.save_view(
        request.member, request.POST.get("name", ""), parameters, weekly="weekly" in request.POST
    )
    messages.success(request, _("Saved."))
    return redirect(f"{reverse('reports:reports')}?{view.address}")


@page(changes=Ability.LOOK)
@require_POST
def change_view(request: Any, view_id: UUID) -> HttpResponse:
    """One's own view comes by mail, comes no more, or is gone."""
    change = request.POST.get("change", "")
    if change == "remove":
        actions.remove_view(request.member, view_id)
    else:
        actions.switch_mail(request.member, view_id, weekly=change == "mail")
    messages.success(request, _("Done."))
    return redirect("reports:saved_views")


def _views_of(member: Member) -> QuerySet[SavedView]:
    return SavedView.objects.filter(member=member).order_by("name")


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
        "today": records.today(request.member, chosen, now=clock.now()),
        "alerts": alerts.alerts(request.member).order_by("-at")[:3],
        "first_day": clock.now().date() - timedelta(days=records.EXPORT_DAYS),
        "last_day": clock.now().date(),
        "chain": chains.last_link(request.workspace.pk),
        "anchor": chains.last_anchor(request.workspace.pk),
    }
    return render(request, "reports/privacy.html", context)


@page
def records_file(request: Any, kind: str) -> Any:
    """The record or the ledger of some days, to keep and to compare elsewhere."""
    zone = ZoneInfo(request.workspace.time_zone)
    today = clock.now().astimezone(zone).date()
    first = day_in(request.GET, "since") or today - timedelta(days=records.EXPORT_DAYS)
    last = day_in(request.GET, "until") or today
    span = (datetime.combine(first, time.min, zone), datetime.combine(last, time.max, zone))
    heading, rows = (
        (records.RECORD_COLUMNS, records.record_rows)
        if kind == "record"
        else (records.LEDGER_COLUMNS, records.ledger_rows)
    )
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - the response closes it
    text = io.TextIOWrapper(file, "utf-8", newline="")
    text.write("\ufeff")  # tells Excel that it is UTF-8
    spreadsheets.write_csv(text, heading, rows(request.member, span))
    text.detach().seek(0)
    return FileResponse(file, as_attachment=True, filename=f"gatepost-{kind}-{first}-{last}.csv")


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
