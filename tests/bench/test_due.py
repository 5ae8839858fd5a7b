"""`gatepost bench due`, small."""

from gatepost import bench
from gatepost.bench.due import LIMITS, measure_here


def test_the_planner_finds_nothing_and_then_a_job_for_each_mailbox(committed_db: None) -> None:
    told = measure_here(waiting=300, due=20, ticks=3)

    assert set(told["limits"]) == set(LIMITS) <= set(told["figures"])
    assert told["figures"]["due"] == 20 and told["figures"]["planned_a_second"] > 0
    assert told["ok"] is all(told["kept"].values())
    assert "due" in bench.NAMES
