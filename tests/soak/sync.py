"""`./dev soak sync`: 50,000 events around mailboxes in bad weather; each reply is found exactly once, nothing else ever stored.

    ./dev soak sync --events 50000 --seed 1

Exit code 1 where that is not so; the seed of the mailbox is told.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bare import bare_installation

EVENTS_A_MAILBOX = 250


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak sync")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as name, bare_installation(Path(name)):
        return _run(given.events, given.seed, Path(name))


def _run(events: int, seed: int, folder: Path) -> int:
    import pytest

    from gatepost.intake import jobs
    from tests.at_once import without_threads
    from tests.intake.test_sync import Story
    from tests.intake.weather import Weather
    from tests.makers import MONDAY, clock_at

    without_threads(pytest.MonkeyPatch(), jobs)
    told: Counter[str] = Counter()
    began, mailboxes, replies, wrong, texts = time.monotonic(), 0, 0, 0, 0
    for mailboxes in range(1, -(-events // EVENTS_A_MAILBOX) + 1):
        with clock_at(MONDAY, folder) as clock_file:
            weather = Weather(Story(), random.Random(f"{seed} {mailboxes}"), clock_file)
            weather.go(EVENTS_A_MAILBOX)
            for each in weather.wrong():
                wrong += 1
                print(f"WRONG mailbox {mailboxes}: {each}", flush=True)
        told.update(weather.done)
        replies += len(weather.expected)
        texts += len(weather.microsoft.texts)
        if mailboxes % 20 == 0:
            print(
                f"{mailboxes * EVENTS_A_MAILBOX} events, {wrong} wrong, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    for name, number in sorted(told.items()):
        print(f"  {number:7} × {name.replace('_', ' ')}")
    print(
        f"{mailboxes * EVENTS_A_MAILBOX} events in {mailboxes} mailboxes, {replies} replies delivered, {texts} times a text "
        f"was asked for, {wrong} wrong; {time.monotonic() - began:.0f} s: {'VIOLATED' if wrong else 'holds'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
