"""The pages of meetings: what is coming, what was, and the brief of each; the switch for briefs."""

from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from gatepost import clock
from gatepost.accounts.membership import by, page
from gatepost.audit.reveal import reveal
from gatepost.mailboxes.queries import require_may_read
from gatepost.meetings import lists
from gatepost.meetings.models import Meeting
from gatepost.web.pages import page_of
from gatepost.web.parameters import id_in
from gatepost.web.weeks import span_in


@page
def meetings(request: Any) -> HttpResponse:
    asked = request.GET
    chosen = lists.Chosen(
        part=asked["part"] if asked.get("part") in lists.PARTS else "upcoming",
        sequence_id=id_in(asked, "sequence"),
        step_id=id_in(asked, "step"),
        member_id=id_in(asked, "member"),
        variant_id=id_in(asked, "variant"),
        company_id=id_in(asked, "company"),
        answer=asked.get("answer", ""),
        state=asked.get("state", ""),
        found_within=span_in(asked, ZoneInfo(request.workspace.time_zone)),
        mailed_within=span_in(asked, ZoneInfo(request.workspace.time_zone), prefix="mailed_"),
    )
    found = lists.listed(lists.chosen_meetings(chosen, now=clock.now()), request.member)
    soonest_first = chosen.part == "upcoming"
    rows = page_of(found, by="starts_at", after=asked.get("after", ""), newest_first=not soonest_first)
    context = {
        "rows": replace(rows, rows=[lists.row_of(each) for each in rows]),
        "chosen": chosen,
        "narrowed": chosen != lists.Chosen(part=chosen.part),
    }
    return render(request, "meetings/meetings.html", context)


@page
def meeting(request: Any, meeting_id: UUID) -> HttpResponse:
    """One meeting with its subject and brief. That somebody opened them is in the record."""
    found = get_object_or_404(lists.listed(Meeting.objects.all(), request.member), pk=meeting_id)
    require_may_read(request.member, found.mailbox)
    row, actor = lists.row_of(found), by(request.member)
    context = {
        "row": row,
        "subject": reveal(actor, found, "subject", reason="meeting page")["subject"],
        "brief": reveal(actor, found.brief, "text", reason="meeting page")["text"] if row.has_brief else None,
    }
    return render(request, "meetings/meeting.html", context)


@page
def of_contact(request: Any, contact_id: UUID) -> HttpResponse:
    """The meetings with one contact, as a part of its page."""
    found = lists.listed(Meeting.objects.filter(contact_id=contact_id), request.member).order_by(
        "-starts_at"
    )[:20]
    return render(request, "meetings/of_contact.html", {"rows": [lists.row_of(each) for each in found]})
