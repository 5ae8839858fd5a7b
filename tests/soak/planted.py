"""`./dev soak planted`: thirty bugs that break the privacy promise, each planted in a copy of the project; each must be caught.

    ./dev soak planted                       all of them, in an order by chance
    ./dev soak planted --only key-for-ever   one; may be given several times
    ./dev soak planted --seed 7              in the order of that run

Exit code 1 where one survives: its tests pass with it, fail for another reason, or fail without it too; or its text is no
longer where it says. The bugs: tests/promises/planted/bugs.toml.
"""

import argparse
import random
import sys
import time

from tests.promises.planted import bugs
from tests.promises.planted.plot import Verdict, plot

SHOWN = 100  # characters of what a test said


def main() -> int:
    every = bugs()
    parser = argparse.ArgumentParser(prog="./dev soak planted", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=every, metavar="NAME")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    chosen = [every[name] for name in given.only or every]
    # In another order each time: none may be caught by what an earlier one left behind.
    random.Random(given.seed).shuffle(chosen)
    print(f"{len(chosen)} bugs, seed {given.seed}", flush=True)
    began, caught = time.monotonic(), 0
    with plot(chosen) as copy:
        print(f"unchanged: {copy.unchanged.seconds:.0f} s", flush=True)
        for bug in chosen:
            verdict = copy.try_one(bug)
            caught += verdict.caught
            _print(verdict)
    print(f"{caught} of {len(chosen)} caught, {time.monotonic() - began:.0f} s")
    return 0 if caught == len(chosen) else 1


def _print(verdict: Verdict) -> None:
    bug = verdict.bug
    print(f"{'caught  ' if verdict.caught else 'SURVIVED'} {verdict.seconds:4.0f} s  {bug.name}: {bug.says}")
    for test in bug.caught_by:
        print(f"{'':17}{test}")
    reason = " ".join(verdict.reason.split())
    print(f"{'':17}{reason[:SHOWN] if verdict.caught else verdict.reason}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
