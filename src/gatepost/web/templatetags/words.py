"""Words for times, shares and states, in every template without loading them."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.defaultfilters import date as written
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gatepost import clock
from gatepost.web.labels import Label, label_of

register = template.Library()

EXACT = "D j M Y, H:i T"
TONES = {
    # mailboxes
    "connected": "good", "limited": "warn", "waiting_for_approval": "warn", "needs_rep": "bad", "needs_it": "bad",
    "needs_operator": "bad", "disconnected": "calm",
    # attempts to connect one
    "at_microsoft": "info", "silent": "warn", "not_approved": "warn", "reported": "good", "other_account": "warn",
    # sequences and enrolments
    "draft": "calm", "active": "good", "paused": "warn", "archived": "calm", "stopped": "calm", "finished": "info",
    # messages
    "planned": "calm", "drafted": "calm", "sending": "info", "accepted": "info", "confirmed": "good", "held": "bad",
    "cancelled": "calm",
    # tasks
    "open": "warn", "done": "good", "skipped": "calm", "called_off": "calm",
    # meetings
    "booked": "good", "declined": "bad", "proposed": "calm", "on_calendar": "info", "moved": "warn",
    "took_place": "good", "no_show": "bad", "dismissed": "calm",
}  # fmt: skip


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A time as one would say it, with the exact one on hover."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        written(local, EXACT),
        said(value, now=clock.now()),
    )


@register.filter
def exactly(value: datetime | None) -> SafeString | str:
    """A time in full, for where the time itself matters."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        written(local, EXACT),
        written(local, "D j M, H:i"),
    )


def said(value: datetime, *, now: datetime) -> str:
    """How one speaks of `value` at `now`: relative within a week, the day after that."""
    away = abs(value - now)
    if away < timedelta(minutes=1):
        return _("just now") if value <= now else _("in a moment")
    if away >= timedelta(days=7):
        local = timezone.localtime(value)
        return written(local, "j M" if local.year == timezone.localtime(now).year else "j M Y")
    length = _length(away)
    return (
        _("%(length)s ago") % {"length": length} if value <= now else _("in %(length)s") % {"length": length}
    )


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    if minutes < 24 * 60:
        return ngettext("%d hour", "%d hours", minutes // 60) % (minutes // 60)
    return ngettext("%d day", "%d days", minutes // 1440) % (minutes // 1440)


@register.filter
def day(value: date | None) -> SafeString | str:
    """A day of the calendar."""
    if value is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), written(value, "D j M Y"))


@register.filter
def delay(minutes: int) -> str:
    """A step's delay: 2880 is "2 days", 90 is "1 hour 30 minutes", 0 is "at once"."""
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = [
        ngettext("%d day", "%d days", days) % days if days else "",
        ngettext("%d hour", "%d hours", hours) % hours if hours else "",
        ngettext("%d minute", "%d minutes", left) % left if left else "",
    ]
    return " ".join(part for part in parts if part) or _("at once")


@register.filter
def share(part: int, whole: int) -> str:
    """`part` of `whole` as a percentage; nothing for none of it, or of nothing."""
    if not part or not whole:
        return ""
    value = 100 * part / whole
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %"


@register.filter
def tone(state: str) -> str:
    """The tone of a state's chip. The word stands beside it: colour alone says nothing."""
    return TONES.get(str(state), "calm")


@register.filter
def label(name: str) -> Label:
    return label_of(name)


@register.simple_tag(takes_context=True)
def address_with(context: Any, **changes: object) -> str:
    """This page's address with some of its parameters changed; an empty one is left out."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.simple_tag
def narrowed(narrow: str, **parameters: object) -> str:
    """What an address narrows a list to, with more: `since=2026-09-07` and a sequence."""
    return "&".join([*filter(None, [narrow]), urlencode(parameters)])


@register.filter
def figures(cells: Iterable[Any]) -> SafeString:
    """A row's numbers, each leading to its rows, as cells of a table. A report has a thousand of them: written here, they
    take a fraction of the time that a template takes."""
    return SafeString("".join(_figure(each) for each in cells))


def _figure(cell: Any) -> str:
    # Python's own escape: Django's looks at each value several times.
    said = cell.share
    share = f' <span class="faint" title="{escape(cell.exactly)}">{escape(said)}</span>' if said else ""
    return (
        f'<td class="number nowrap" data-of="{escape(cell.word)}">'
        f'<a href="{escape(cell.address)}">{cell.value:d}</a>{share}</td>'
    )


@register.filter
def bars(row: Any) -> SafeString:
    """A series' weeks as parts of a picture, each leading to its rows: hundreds of them, so written here like `figures`."""
    said, kind = escape(_("week of")), escape(row["kind"])
    return SafeString("".join(_bar(each, said, kind) for each in row["bars"] if each["bar"].value))


def _bar(each: Any, said: str, kind: str) -> str:
    bar = each["bar"]
    return (
        f'<a tabindex="-1" href="{escape(each["address"])}">'
        f'<rect class="{kind}" x="{bar.x}" y="{bar.y}" width="{bar.width}" height="{bar.height}">'
        f"<title>{bar.value:d}: {said} {escape(written(each['first'], 'j M'))}</title></rect></a>"
    )
