"""Proof 2 in small: one send is killed at every request that it makes of any server, on both routes, with 58 % of the
requests to Microsoft failing. Nothing is delivered twice, lost, or falsely recorded as sent.

The long form: ./dev soak sends --kills 1000
"""

import pytest

from gatepost.outbox.protocol import Route
from tests.journeys.standing import Standing
from tests.proofs.kills import HAS_STRACE, a_killing, fail_mostly, kill_at_each, points_of

pytestmark = pytest.mark.skipif(not HAS_STRACE, reason="strace is not installed: apt install strace")


@pytest.mark.parametrize("route", [Route.JSON, Route.MIME])
def test_a_send_that_is_killed_at_any_request_is_delivered_once(stand: Standing, route: Route) -> None:
    with a_killing(stand, route=route) as killing:
        points = points_of(killing, all_calls=False)
        assert len(points) > 20
        fail_mostly(stand)
        killed = kill_at_each(killing, points)
        assert killed > len(points) / 4, "a fault may end a send before its point, but not most of them"
        stand.mend()
        killing.finish()
        assert killing.wrong() == []
        assert killing.held() <= 1
