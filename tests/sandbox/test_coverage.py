"""COVERAGE.md says what is served."""

from m365_sandbox import coverage


def test_the_coverage_page_is_current() -> None:
    assert coverage.FILE.read_text() == coverage.text(), "run `python -m m365_sandbox.coverage`"


def test_what_is_not_done_is_left_out_for_a_reason() -> None:
    states = [
        coverage.state_of(method, path)[0] for path, methods in coverage.PATHS.items() for method in methods
    ]

    assert "not done" not in states
    for why in coverage.LEFT_OUT.values():
        assert f"not done: {why}" in states


def test_every_operation_of_a_mailbox_needs_a_permission() -> None:
    rows = [
        line
        for line in coverage.text().splitlines()
        if line.startswith("| `") and " /me" in line and "| not done" not in line
    ]

    assert rows
    assert not [row for row in rows if "that of the resource" in row]
