"""`gatepost bench sandbox`, small."""

from gatepost import bench
from gatepost.bench.sandbox import LIMITS, measure


def test_size_and_speed_are_told_beside_their_limits() -> None:
    told = measure(mailboxes=20, messages=8000, pages=20)

    assert set(told["limits"]) == set(LIMITS) <= set(told["figures"])
    assert told["figures"]["messages"] == 8000 and told["figures"]["page_ms_p50"] > 0
    assert told["ok"] is all(told["kept"].values())
    assert "sandbox" in bench.NAMES
