"""`gatepost bench pages`, small."""

from gatepost import bench
from gatepost.bench.pages import LIMITS, measure_here


def test_every_page_opens_and_asks_no_more_queries_of_more_rows(committed_db: None) -> None:
    told = measure_here(contacts=400, messages=6000, rounds=1)

    assert set(told["limits"]) == set(LIMITS) <= set(told["figures"])
    assert len(told["figures"]["pages"]) > 25
    assert all(page["queries"] > 0 for page in told["figures"]["pages"].values())
    assert told["kept"]["queries_more_than_in_a_small_workspace"], told["figures"]["pages"]
    assert "pages" in bench.NAMES
