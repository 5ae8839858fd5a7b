"""The weekly mail of a saved view."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict

from gatepost import clock
from gatepost.post.letters import Letter, from_template, letter
from gatepost.reports import queries, showing
from gatepost.reports.actions import WEEKLY
from gatepost.reports.choosing import asked_in, days_of
from gatepost.reports.models import SavedView
from gatepost.web.weeks import monday_of


@letter(WEEKLY)
def weekly(view_id: UUID) -> Letter | None:
    """The figures of the week that ended, beside those of the week before it. No name of a contact stands in it."""
    view = SavedView.objects.select_related("member__user", "member__workspace").filter(pk=view_id).first()
    if view is None or view.member.removed_at is not None:
        return None
    zone, now = ZoneInfo(view.member.workspace.time_zone), clock.now()
    monday = monday_of(now, zone)
    asked = asked_in(QueryDict(view.address).dict(), zone, now=now)
    week = days_of(asked, monday - timedelta(days=7), monday - timedelta(days=1))
    now_and_before = [
        queries.report(view.member, each.chosen, each.span, zone, by=each.by).whole
        for each in (week, week.before)
    ]
    rows = [
        (word, *(getattr(figures, kind) for figures in now_and_before))
        for kind, word in showing.WORDS.items()
    ]
    context = {"view": view, "member": view.member, "week": week, "rows": rows}
    return from_template("reports/letters/weekly.txt", context, to=view.member.user.email)
