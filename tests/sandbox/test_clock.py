"""The clock, and the file that processes share it by."""

import json
import time
from pathlib import Path

from m365_sandbox.clock import Clock, Reading, from_iso, iso

from .conftest import WORLD, Served, Stage


def test_without_a_file_it_shows_real_time_until_it_is_set() -> None:
    clock = Clock()
    assert abs(clock.now() - time.time()) < 5

    clock.set(product=1_000_000.0, rate=0)
    assert clock.now() == 1_000_000.0


def test_a_change_is_seen_by_all_who_share_the_file(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    mine, other = Clock(file), Clock(file)

    mine.set(product=2_000_000.0, rate=0)
    assert other.now() == 2_000_000.0
    file.with_suffix(".new").write_text(json.dumps({"real": 0, "product": 3_000_000.0, "rate": 0}))
    file.with_suffix(".new").replace(file)
    assert mine.now() == other.now() == 3_000_000.0


def test_a_fast_clock_runs_as_many_times_as_fast() -> None:
    assert Reading(real=100.0, product=1000.0, rate=60.0).at(110.0) == 1600.0


def test_times_survive_their_printed_form() -> None:
    assert iso(from_iso("2027-03-01T08:00:00Z")) == "2027-03-01T08:00:00Z"
    assert from_iso("2027-03-01T09:00:00+01:00") == from_iso("2027-03-01T08:00:00")


def test_what_falls_due_in_a_jump_bears_its_own_time(stage: Stage) -> None:
    mail = [
        {
            "mailbox": "alice@northwind.example",
            "from": "a@b.example",
            "subject": f"{hours}",
            "offset_seconds": hours * 3600,
        }
        for hours in (5, 2)
    ]
    with stage.with_app(world={**WORLD, "mail": mail}) as sandbox:
        start = sandbox.control("health")["start"]
        sandbox.advance(86400)

        messages = sandbox.sign_in("alice@northwind.example").inbox("subject,receivedDateTime")
        assert [(m["subject"], m["receivedDateTime"]) for m in messages] == [
            ("5", iso(start + 5 * 3600)),
            ("2", iso(start + 2 * 3600)),
        ]


def test_the_clock_tells_what_comes_next(sandbox: Served) -> None:
    sandbox.control("clock", {"rate": 0})
    alice = sandbox.sign_in("alice@northwind.example")
    sandbox.control("switches", {"send_seconds": 60})
    alice.send(alice.draft("carol@contoso.example"))

    clock = sandbox.control("clock")
    assert (clock["pending"], clock["busy"]) == (1, 0)
    assert from_iso(clock["next_event_at"]) == int(clock["product"]) + 60
    assert sandbox.post("/_sandbox/clock", body={"to": "2001-01-01T00:00:00Z"}).status == 400
