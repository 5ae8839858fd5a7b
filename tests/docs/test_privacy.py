"""docs/privacy.md: every promise has its test, and every promise test its promise; the times are the code's."""

from gatepost.erasure.rules import KEPT, RETENTION
from tests.docs.pages import ROOT, paths


def test_the_page_names_the_promise_tests_and_no_other() -> None:
    told = {
        path
        for path in paths((ROOT / "docs/privacy.md").read_text())
        if path.startswith("tests/promises/test_")
    }
    written = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/promises").glob("test_*.py")}
    assert told == written


def test_the_page_tells_how_long_each_kind_is_kept_as_the_code_does() -> None:
    part = (ROOT / "docs/privacy.md").read_text().partition("## How long it is kept")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    times = [
        [each.what, each.since, str(each.days), f"{each.least} to {each.most}", each.why]
        for each in RETENTION
    ]
    assert [row for row in rows if len(row) == 5][1:] == times
    assert [row for row in rows if len(row) == 2][1:] == [[each.what, each.why] for each in KEPT]
