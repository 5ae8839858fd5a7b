"""Reading a page's address and its forms."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext as _

from gatepost.errors import BadInput

MOST_TICKED = 200


def id_in(parameters: Mapping[str, str], name: str) -> UUID | None:
    """A value that cannot be meant is as good as none: a link may be old or cut off."""
    try:
        return UUID(parameters.get(name, ""))
    except ValueError:
        return None


def day_in(parameters: Mapping[str, str], name: str) -> date | None:
    """Likewise a day."""
    try:
        return date.fromisoformat(parameters.get(name, ""))
    except ValueError:
        return None


def change_in(form: QueryDict, ticks: str) -> tuple[str, list[UUID]]:
    """What a list's form asks for, and for which rows: the button of a row names it ("skip <id>"), those above the list
    go for what is ticked. Raises BadInput."""
    name, _space, row = form.get("change", "").partition(" ")
    try:
        return name, [UUID(each) for each in ([row] if row else form.getlist(ticks)[:MOST_TICKED])]
    except ValueError:
        raise BadInput(_("One of the rows is not known. Load the page again.")) from None


def moment_in(form: Mapping[str, str], name: str, time_zone: str) -> datetime:
    """A moment as a browser's field gives it, by the workspace's clock. Raises BadInput."""
    try:
        return datetime.fromisoformat(form.get(name, "")).replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    except ValueError:
        raise BadInput(_("Say until when to postpone it.")) from None
