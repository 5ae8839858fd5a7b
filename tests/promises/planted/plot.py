"""A copy of the project in which bugs are planted, one at a time; what its tests say of each. The checkout is only read."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from m365_sandbox import contract
from tests.promises.planted import ROOT, Bug, Stale

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".dev", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info"
)
# A bug is found by an assertion, by pytest's own `Failed`, or by a refusal of ours. Whatever else ends a test (a name that
# is not there, a module that cannot be imported) only says that the bug is badly written.
RIGHT_KIND = re.compile(r"assert\b|AssertionError\b|Failed\b|gatepost\.[\w.]+: ")
LONGEST = 600.0  # seconds for one run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What each test said; "" where it passed. `ended` says why there is nothing to say at all, or ""."""

    said: dict[str, str]
    ended: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who caught a bug, or why it counts as one that survived."""

    bug: Bug
    caught: bool
    reason: str
    seconds: float


class Plot:
    """The copy, and what the tests of these bugs say in it while it is unchanged: asked once, of all of them together."""

    def __init__(self, folder: Path, chosen: Iterable[Bug]) -> None:
        self.folder = folder / "copy"
        shutil.copytree(ROOT, self.folder, ignore=NOT_COPIED)
        self.unchanged = self.run(sorted({test for bug in chosen for test in bug.caught_by}))

    def try_one(self, bug: Bug) -> Verdict:
        """Whether every test that must catch it does, for the right reason."""
        for name in bug.caught_by:
            if (said := self.unchanged.said.get(name)) != "":
                why = self.unchanged.ended or said or "it is not there"
                return Verdict(bug, False, f"{name} does not pass without the bug: {why}", 0.0)
        try:
            with self._planted(bug):
                outcome = self.run(bug.caught_by)
        except Stale as error:
            return Verdict(bug, False, str(error), 0.0)
        return Verdict(bug, *judge(bug, outcome), outcome.seconds)

    def run(self, tests: Sequence[str]) -> Outcome:
        """These tests, in the copy as it is now."""
        report, began = self.folder.with_name("report.xml"), time.monotonic()
        report.unlink(missing_ok=True)
        options = ["-n", "0", "-p", "no:cacheprovider", f"--junitxml={report}"]
        try:
            ran = subprocess.run(
                [sys.executable, "-m", "pytest", *options, *tests], cwd=self.folder, env=self._surroundings(), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LONGEST, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome({}, f"no end after {LONGEST:.0f} s", time.monotonic() - began)
        seconds = time.monotonic() - began
        # 1: tests failed. With any other number there was no proper run.
        if ran.returncode not in (0, 1) or not report.exists():
            return Outcome({}, f"pytest ended with {ran.returncode}: {ran.stdout[-2000:]}", seconds)
        return Outcome(_said(report, tests), "", seconds)

    @contextmanager
    def _planted(self, bug: Bug) -> Iterator[None]:
        """The file has the bug in it; afterwards it is what it was, with its time, so that Python takes what it compiled."""
        file = self.folder / bug.file
        text, times = file.read_text(), file.stat()
        file.write_text(bug.changed(text))
        try:
            yield
        finally:
            file.write_text(text)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _surroundings(self) -> dict[str, str]:
        """Processes that a test starts take the copy's code too. What the run around this one set up is not for them."""
        ours = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "GATEPOST_", "DJANGO_")) and name != contract.VARIABLE
        }  # fmt: skip
        return {**ours, "PYTHONPATH": f"{self.folder / 'src'}{os.pathsep}{self.folder}"}


@contextmanager
def plot(chosen: Iterable[Bug]) -> Iterator[Plot]:
    with TemporaryDirectory(prefix="gatepost-planted-") as name:
        yield Plot(Path(name), chosen)


def judge(bug: Bug, outcome: Outcome) -> tuple[bool, str]:
    """Whether each test that must find the bug did, for a reason of the right kind; and that reason, or what is missing."""
    if outcome.ended:
        return False, outcome.ended
    for name in bug.caught_by:
        said = outcome.said.get(name)
        if not said:
            return False, f"{name} {'did not run' if said is None else 'passed'}"
        if not RIGHT_KIND.match(said):
            return False, f"{name} failed for another reason: {said}"
    return True, outcome.said[bug.caught_by[0]]


def _said(report: Path, tests: Sequence[str]) -> dict[str, str]:
    """Of each test its first failure of the right kind, else its first one, else "" where it passed. Left out: not run.

    A test with parameters is several cases; that one of them finds the bug is enough.
    """
    cases: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        path = case.get("classname", "").replace(".", "/")
        name = f"{path}.py::{case.get('name', '').partition('[')[0]}"
        if case.find("skipped") is None:
            wrong = [
                each.get("message", "") or "failed" for each in (*case.iter("failure"), *case.iter("error"))
            ]
            cases.setdefault(name, []).append(wrong[0] if wrong else "")
    found = {name: [said for said in cases[name] if said] for name in tests if name in cases}
    return {
        name: next((each for each in those if RIGHT_KIND.match(each)), those[0] if those else "")
        for name, those in found.items()
    }
