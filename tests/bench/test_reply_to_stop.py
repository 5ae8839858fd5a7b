"""`gatepost bench reply-to-stop`: what it makes of the seconds. A run of it takes two installations, too long for here."""

from gatepost import bench
from gatepost.bench.reply_to_stop import LIMITS, beside_limits


def test_one_slow_answer_in_twenty_is_told_and_two_break_the_limit() -> None:
    told = beside_limits([0.5] * 39 + [9.0], [12.0, 21.9], poll=20)
    assert set(told["limits"]) == set(LIMITS) <= set(told["figures"])
    assert (
        told["ok"] and told["figures"]["replies"] == 40 and told["figures"]["with_notifications_p95_s"] == 0.5
    )
    assert not beside_limits([0.5] * 37 + [9.0] * 3, [12.0], poll=20)["ok"]


def test_without_notifications_an_answer_may_wait_for_one_look_and_no_longer() -> None:
    late = beside_limits([0.5], [22.5], poll=20)
    assert not late["ok"] and late["kept"] == {
        "with_notifications_p95_s": True,
        "without_longest_polls": False,
    }
    assert "reply-to-stop" in bench.NAMES
