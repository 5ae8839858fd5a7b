"""The planted bugs in small: none is stale, and a few of the quickest are planted and caught. All: `./dev soak planted`."""

import ast
from collections.abc import Iterator

import pytest

from tests.promises.planted import ROOT, Bug, Stale, bugs
from tests.promises.planted.plot import Outcome, Plot, judge, plot

BUGS = bugs()
QUICKEST = ("every-field-of-a-list", "locals-in-a-traceback")  # they need no database


def test_there_are_thirty() -> None:
    assert len(BUGS) == 30


@pytest.mark.parametrize("bug", BUGS.values(), ids=lambda bug: bug.name)
def test_its_text_stands_in_its_file_once_and_its_tests_are_there(bug: Bug) -> None:
    changed = bug.changed((ROOT / bug.file).read_text())
    ast.parse(changed)  # a bug that no Python reads would be caught by anything
    for test in bug.caught_by:
        file, _, name = test.partition("::")
        tree = ast.parse((ROOT / file).read_text())
        assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, test


@pytest.fixture(scope="module")
def copy() -> Iterator[Plot]:
    with plot([BUGS[name] for name in QUICKEST]) as found:
        yield found


@pytest.mark.parametrize("name", QUICKEST)
def test_a_bug_that_is_planted_is_caught(name: str, copy: Plot) -> None:
    before = (ROOT / BUGS[name].file).read_text()
    verdict = copy.try_one(BUGS[name])
    assert verdict.caught, verdict.reason
    assert (ROOT / BUGS[name].file).read_text() == before == (copy.folder / BUGS[name].file).read_text()


def a_bug(replaces: str = "yes", *tests: str) -> Bug:
    return Bug(
        "a-bug", "It does what it must not", "a.py", replaces, "no", tests or ("tests/test_a.py::test_a",)
    )


@pytest.mark.parametrize("text", ["maybe", "yes and yes"])
def test_a_bug_whose_text_is_gone_or_stands_twice_is_stale(text: str) -> None:
    with pytest.raises(Stale, match="a-bug"):
        a_bug().changed(text)


@pytest.mark.parametrize(
    ("said", "caught"),
    [
        ("assert [] == ['subject']", True),
        ("AssertionError: the body was asked for", True),
        ("Failed: DID NOT RAISE KeyErased", True),
        ("gatepost.jobs.queue.NotAnId: no id", True),
        ("", False),
        ("NameError: name 'log' is not defined", False),
        ("ModuleNotFoundError: No module named 'gatepost.x'", False),
        ("SyntaxError: invalid syntax", False),
        ('failed on setup with "ImportError"', False),
    ],
)
def test_a_bug_is_caught_by_an_assertion_or_a_refusal_and_by_nothing_else(said: str, caught: bool) -> None:
    bug = a_bug()
    assert judge(bug, Outcome({bug.caught_by[0]: said}, "", 1.0))[0] is caught


def test_a_test_that_did_not_run_or_did_not_end_caught_nothing() -> None:
    bug = a_bug("yes", "tests/test_a.py::test_a", "tests/test_a.py::test_b")
    assert judge(bug, Outcome({"tests/test_a.py::test_a": "assert 0"}, "", 1.0))[0] is False
    assert judge(bug, Outcome({name: "assert 0" for name in bug.caught_by}, "no end", 1.0))[0] is False
