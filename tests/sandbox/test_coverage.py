"""COVERAGE.md says what is served."""

import pytest

from m365_sandbox import coverage

from .contract import FILE, contract


def test_the_coverage_page_is_current() -> None:
    assert coverage.FILE.read_text() == coverage.text(), "run `python -m m365_sandbox.coverage`"


@pytest.mark.skipif(not FILE.exists(), reason="needs graph-openapi-subset.yaml")
def test_every_path_of_microsofts_description_is_listed() -> None:
    rules = contract()
    assert rules is not None
    verbs = {"get", "post", "patch", "put", "delete"}
    listed = {name: {verb.upper() for verb in item if verb in verbs} for _, name, item in rules.paths}
    assert {path: set(methods) for path, methods in coverage.PATHS.items()} == listed


def test_every_operation_of_a_mailbox_needs_a_permission() -> None:
    rows = [
        line
        for line in coverage.text().splitlines()
        if line.startswith("| `") and " /me" in line and "| not done |" not in line
    ]

    assert rows
    assert not [row for row in rows if "that of the resource" in row]
