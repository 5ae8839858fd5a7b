"""Starting a demo: one at a time in a folder, and its clock goes on from where it was."""

import socket
import time

import pytest

from gatepost import clock
from gatepost.demo.stand import DidNotStart, _alone, _start_clock, free_port, note_time, standing
from tests.makers import MONDAY, clock_at


def test_a_second_demo_in_the_same_folder_does_not_start(tmp_path):
    with _alone(tmp_path), pytest.raises(DidNotStart, match="already"):
        _alone(tmp_path)
    _alone(tmp_path).close()  # the first one has ended


def test_a_folder_that_is_a_file_is_said_so(tmp_path):
    file = tmp_path / "data"
    file.write_text("")
    with pytest.raises(DidNotStart, match="is a file"):
        with standing(file, seed=1, prospects=1, unrelated=0):
            pytest.fail("it started")


def test_a_demo_that_was_killed_goes_on_from_the_time_it_last_showed(tmp_path, monkeypatch):
    monkeypatch.setenv(clock.FILE_VARIABLE, "")  # put back after the test
    with clock_at(MONDAY, tmp_path) as file:
        note_time(tmp_path)
        # The clock was last set three days of its time before, and stands still for nobody who is dead.
        clock.write(file, clock.Reading(time.time() - 3600, MONDAY.timestamp() - 3 * 86_400, 300.0))
        _start_clock(file, start_at=0.0, rate=300.0)
        late = (clock.now() - MONDAY).total_seconds()
    assert 0 <= late < 3600


def test_a_port_in_use_is_passed_over(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
