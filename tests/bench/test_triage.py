"""`gatepost bench triage`, small."""

from gatepost import bench
from gatepost.bench.triage import LIMITS, measure


def test_what_was_kept_and_dropped_is_told_beside_the_limits_and_is_what_lies_there() -> None:
    told = measure(mailboxes=2, messages=400, walks=2)

    assert set(told["limits"]) == set(LIMITS) <= set(told["figures"])
    assert (told["figures"]["decided"], told["figures"]["kept"]) == (800, 8)
    assert told["ok"] is all(told["kept"].values())
    assert "triage" in bench.NAMES
