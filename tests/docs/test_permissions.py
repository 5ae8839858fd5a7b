"""docs/permissions.md is what the tables of the code say."""

from gatepost.graph.shapes import SHAPES
from gatepost.mailboxes.permissions_page import page
from tests.docs.pages import ROOT


def test_the_page_is_current() -> None:
    made = page()
    assert (ROOT / "docs/permissions.md").read_text() == made, (
        "Run: ./dev run python -m gatepost.mailboxes.permissions_page docs/permissions.md"
    )


def test_the_page_tells_every_request_with_its_reason() -> None:
    text = page()
    assert [shape.name for shape in SHAPES.values() if f"{shape.method} {shape.path}" not in text] == []
    assert [shape.name for shape in SHAPES.values() if shape.why not in text] == []
