"""docs/decisions/: one page each, numbered, of one form, and listed."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, name

DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))
HEADINGS = ["## Context", "## Decision", "## Consequences", "## Alternatives", "## References"]


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_has_its_five_parts_in_order(page: Path) -> None:
    told = [line for line in page.read_text().splitlines() if line in HEADINGS]
    assert told == HEADINGS


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_begins_with_its_number(page: Path) -> None:
    assert page.read_text().startswith(f"# {page.name[:4]} ")


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [page.name[:4] for page in DECISIONS] == [f"{n:04}" for n in range(1, len(DECISIONS) + 1)]


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text()
    assert [page.name for page in DECISIONS if f"({page.name})" not in listed] == []
