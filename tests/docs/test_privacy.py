"""docs/privacy.md: every promise has its test, and every promise test its promise."""

from tests.docs.pages import ROOT, paths


def test_the_page_names_the_promise_tests_and_no_other() -> None:
    told = {
        path for path in paths((ROOT / "docs/privacy.md").read_text()) if path.startswith("tests/promises/")
    }
    written = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/promises").glob("test_*.py")}
    assert told == written
