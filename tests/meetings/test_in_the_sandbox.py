"""Meetings of every kind in the sandbox's calendars, looked at by the real job. `./dev soak meetings` has more of them."""

import os
from typing import Any

from tests.mailboxes.microsoft import signing_in_at
from tests.proofs import calendars
from tests.sandbox.conftest import Served, sandbox, stage

__all__ = ["sandbox", "stage"]


def test_every_kind_of_meeting_is_found_on_its_rung_and_nothing_else_is_read(
    committed_db: None, sandbox: Served, settings: Any
) -> None:
    meetings = int(os.environ.get("SOAK_MEETINGS", len(calendars.KINDS)))
    unrelated = int(os.environ.get("SOAK_UNRELATED", "230"))
    with signing_in_at(sandbox, settings):
        wrong, figures = calendars.run(
            sandbox, meetings=meetings, unrelated=unrelated, seed=int(os.environ.get("SOAK_SEED", "1"))
        )
    print(", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in figures.items()))
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:40])
    assert figures["dropped"] == unrelated
