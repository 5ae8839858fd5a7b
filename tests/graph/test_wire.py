from datetime import UTC, datetime, timedelta, timezone

import pytest

from gatepost.graph.wire import moment, person, written


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00.0000000Z",
        "2026-11-23T10:00:00.0000000",
        "2026-11-23T10:00:00",
    ],
)
def test_a_moment_is_read_in_each_of_microsofts_forms(text):
    assert moment(text) == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_moment_is_written_in_utc():
    berlin = timezone(timedelta(hours=1))
    assert written(datetime(2026, 11, 23, 11, tzinfo=berlin)) == "2026-11-23T10:00:00Z"


@pytest.mark.parametrize("nobody", [None, {}, {"emailAddress": None}, {"emailAddress": {}}])
def test_a_recipient_without_an_address_is_empty(nobody):
    assert person(nobody) == ("", "")
