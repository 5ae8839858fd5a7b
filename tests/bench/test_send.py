"""`gatepost bench send`, small."""

from gatepost import bench
from gatepost.bench.send import LIMITS, measure


def test_what_was_sent_is_told_beside_its_limit_and_compared_with_what_was_delivered() -> None:
    told = measure(mailboxes=2, mails=3)

    assert set(told["limits"]) == set(LIMITS) <= set(told["figures"])
    assert told["figures"]["sends"] == told["figures"]["delivered"] == 6
    assert told["figures"]["delivered_twice"] == 0 and told["figures"]["commits_kept"] is True
    assert "send" in bench.NAMES
