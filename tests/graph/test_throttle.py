from datetime import UTC, datetime, timedelta

import pytest

from gatepost.graph.throttle import LONGEST, retry_after

NOW = datetime(2027, 1, 11, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(minutes=2)),
        ("0.5", timedelta(seconds=0.5)),
        ("-3", timedelta(0)),
        ("999999999", LONGEST),
        ("1e300", LONGEST),
        ("Mon, 11 Jan 2027 09:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 11 Jan 2027 10:00:30 +0100", timedelta(seconds=30)),
        ("Mon, 11 Jan 2027 08:00:00 GMT", timedelta(0)),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", timedelta(0)),
        ("inf", LONGEST),
    ],
)
def test_a_wait_is_read_in_every_form_that_microsoft_uses(header, wait):
    assert retry_after(header, now=NOW) == wait
