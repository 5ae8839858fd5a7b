"""The pages of meetings: what is coming, what was, what is asked, and one meeting with its brief."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from functools import wraps
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost import clock
from gatepost.accounts.membership import by, page
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.queries import require_may_read
from gatepost.meetings import actions, lists
from gatepost.meetings.models import BriefTime, Meeting
from gatepost.web.pages import page_of
from gatepost.web.parameters import id_in
from gatepost.web.weeks import span_in


@page
def meetings(request: Any) -> HttpResponse:
    asked, now = request.GET, clock.now()
    chosen = lists.Chosen(
        part=asked["part"] if asked.get("part") in lists.PARTS else "upcoming",
        sequence_id=id_in(asked, "sequence"),
        step_id=id_in(asked, "step"),
        member_id=id_in(asked, "member"),
        variant_id=id_in(asked, "variant"),
        company_id=id_in(asked, "company"),
        answer=asked.get("answer", ""),
        found_within=span_in(asked, ZoneInfo(request.workspace.time_zone)),
        mailed_within=span_in(asked, ZoneInfo(request.workspace.time_zone), prefix="mailed_"),
        rung=asked["rung"] if asked.get("rung") in Meeting.Rung.values else "",
    )
    found = lists.listed(lists.chosen_meetings(chosen, now=now, member=request.member), request.member)
    soonest_first = chosen.part in ("upcoming", "soon")
    rows = page_of(found, by="starts_at", after=asked.get("after", ""), newest_first=not soonest_first)
    context = {
        "rows": replace(rows, rows=[lists.row_of(each) for each in rows]),
        "chosen": chosen,
        "narrowed": chosen != lists.Chosen(part=chosen.part),
        "asked": lists.asked(request.member),
        "brief_time": lists.brief_time_of(request.member),
        "ways": BriefTime.By.choices,
        "days": BriefTime.Day.choices,
    }
    return render(request, "meetings/meetings.html", context)


@page
def meeting(request: Any, meeting_id: UUID) -> HttpResponse:
    """One meeting with its subject and brief. That somebody opened them is in the record."""
    found = get_object_or_404(lists.listed(Meeting.objects.all(), request.member), pk=meeting_id)
    require_may_read(request.member, found.mailbox)
    shown = lists.whole(found, by(request.member), reason="meeting page", now=clock.now())
    return render(request, "meetings/meeting.html", {"whole": shown, "row": shown.row})


def _change(view: Callable[[Any, Meeting], str]) -> Callable[..., HttpResponse]:
    """A change of one meeting that the member may read; afterwards its page says what was done."""

    @page(write=True)
    @require_POST
    @wraps(view)
    def changed(request: Any, meeting_id: UUID) -> HttpResponse:
        with inside(request.workspace.id):
            found = get_object_or_404(lists.listed(Meeting.objects.all(), request.member), pk=meeting_id)
            require_may_read(request.member, found.mailbox)
        messages.success(request, view(request, found))
        return redirect("meetings:meeting", meeting_id)

    return changed


@_change
def notes(request: Any, found: Meeting) -> str:
    actions.write_notes(
        found.pk, request.POST.get("notes", ""), workspace_id=found.workspace_id, actor=by(request.member)
    )
    return _("Saved. The brief has them in a moment.")


@_change
def attribution(request: Any, found: Meeting) -> str:
    message_id = id_in(request.POST, "message")
    actions.attribute(found.pk, message_id, workspace_id=found.workspace_id, actor=by(request.member))
    return _("Saved. Reports count it so from now on.")


@_change
def no_show(request: Any, found: Meeting) -> str:
    came = request.POST.get("no_show") == "no"
    actions.mark_no_show(found.pk, not came, workspace_id=found.workspace_id, actor=by(request.member))
    return _("It took place.") if came else _("Marked as a no-show.")


@_change
def theirs(request: Any, found: Meeting) -> str:
    is_theirs = request.POST.get("theirs") == "yes"
    actions.say_whether_theirs(found.pk, is_theirs, workspace_id=found.workspace_id, actor=by(request.member))
    if is_theirs:
        return _("It is with them: their sequence has stopped.")
    return _("It is not with them: their sequence goes on, and nothing of the meeting is kept but its time.")


@_change
def go_on(request: Any, found: Meeting) -> str:
    goes_on = request.POST.get("go_on") == "yes"
    actions.go_on_after(found.pk, goes_on, workspace_id=found.workspace_id, actor=by(request.member))
    return _("The sequence goes on with its next step.") if goes_on else _("The sequence stays stopped.")


@_change
def brief(request: Any, found: Meeting) -> str:
    on = request.POST.get("on") == "yes"
    actions.show_brief(found.pk, on, workspace_id=found.workspace_id, actor=by(request.member))
    if on:
        return _("The brief is put beside the meeting, where briefs are switched on.")
    return _("The brief leaves the calendar and stays here.")


@page(write=True)
@require_POST
def brief_time(request: Any) -> HttpResponse:
    """When the member is told of the meetings ahead."""
    asked = request.POST
    try:
        at = time.fromisoformat(asked.get("local_time", ""))
    except ValueError:
        raise BadInput(_("That is no time of day. Write it like 17:00. Nothing was changed.")) from None
    actions.choose_brief_time(
        request.member, by=asked.get("by", ""), day=asked.get("day", ""), local_time=at, actor=by(request.member)
    )  # fmt: skip
    messages.success(request, _("Saved."))
    return redirect("meetings:meetings")


@page
def of_contact(request: Any, contact_id: UUID) -> HttpResponse:
    """The meetings with one contact, as a part of its page."""
    found = lists.listed(Meeting.objects.filter(contact_id=contact_id), request.member)
    found = found.exclude(rung=Meeting.Rung.DISMISSED).order_by("-starts_at")[:20]
    return render(request, "meetings/of_contact.html", {"rows": [lists.row_of(each) for each in found]})
