"""What the pages of contacts show of an import's columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from gatepost.contacts import rules
from gatepost.contacts.models import ContactImport

NAMES: dict[str, Any] = {
    "email": _("Email address"), "first_name": _("First name"), "last_name": _("Last name"), "company": _("Company"),
    "title": _("Title"), "phone": _("Phone"), "time_zone": _("Time zone"), "country": _("Country"), "stage": _("Stage"),
    "value": _("Address or domain"), "source": _("Came from"), "since": _("Since"), "cause": _("Cause"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its heading, some of its cells, what it is to hold, and the name of a new field for it."""

    heading: str
    examples: tuple[str, ...]
    target: str
    new: str


def columns(
    headings: Sequence[str], examples: Sequence[tuple[str, ...]], mapping: Sequence[str]
) -> list[Column]:
    return [
        Column(
            rules.clean(heading)[:60],
            tuple(rules.clean(row[place])[:60] for row in examples[:3] if place < len(row)),
            target,
            rules.FIELD + rules.field_name(heading),
        )
        for place, (heading, target) in enumerate(zip(headings, mapping, strict=True))
    ]


def targets(what: str) -> list[tuple[str, Any]]:
    """What a column may hold, with its name."""
    chosen = rules.SUPPRESSION_COLUMNS if what == ContactImport.What.SUPPRESSIONS else rules.KNOWN
    return [(name, NAMES[name]) for name in chosen]
