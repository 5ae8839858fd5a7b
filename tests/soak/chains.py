"""`./dev soak chains`: so many random edits, deletions, swaps and truncations of the records, each looked for.

    ./dev soak chains --times 10000 --seed 1

Exit code 1 where one was not found. Also says what chaining costs for each record.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.bare import bare_installation


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak chains")
    parser.add_argument("--times", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as name, bare_installation(Path(name)):
        return _tamper(given.times, random.Random(given.seed))


def _tamper(times: int, chance: random.Random) -> int:
    from gatepost.chains import actions, queries
    from gatepost.chains.verify import verify_all
    from tests.chains import tampering
    from tests.makers import make_workspace

    workspace = make_workspace()
    tampering.write(workspace, 20_000, chance)
    through = queries.settled()
    began = time.process_time()
    count = actions.add_links(workspace.pk, through=through)
    took = time.process_time() - began
    print(f"{count} records chained, {took / count * 1e6:.0f} µs of this process's time for each", flush=True)
    office = tampering.an_office(chance)
    began = time.monotonic()
    tally = tampering.tamper(office, times, chance)
    for name, number in sorted(tally.done.items()):
        print(f"  {number:6} × {name}")
    for missed in tally.missed:
        print(f"NOT FOUND {missed}")
    seconds = time.monotonic() - began
    began = time.monotonic()
    whole = all(each.holds for each in verify_all())
    print(f"all that were undone hold again: {whole} ({time.monotonic() - began:.1f} s for {count} records)")
    print(f"{times} changes in {seconds:.0f} s, {times - len(tally.missed)} found")
    return 0 if whole and not tally.missed else 1


if __name__ == "__main__":
    sys.exit(main())
