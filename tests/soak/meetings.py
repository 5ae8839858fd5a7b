"""`./dev soak meetings`: 500 meetings of every kind among 20,000 events that are none of our business.

    ./dev soak meetings --meetings 500 --unrelated 20000 --seed 1

People in the sandbox invite, answer, move, cancel and forward; the job reads the calendars of two reps, and briefs are
switched off and on in mid-run. Said is how many meetings there were, how many details of other events left Microsoft or
are kept, and how many mails we caused; nothing but our own events may have changed. Exit code 0 only if all held.
The small form is tests/meetings/test_in_the_sandbox.py.
"""

import argparse
import os
import sys
import time

import pytest


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak meetings")
    parser.add_argument("--meetings", type=int, default=500)
    parser.add_argument("--unrelated", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ |= {
        "SOAK_MEETINGS": str(given.meetings),
        "SOAK_UNRELATED": str(given.unrelated),
        "SOAK_SEED": str(given.seed),
    }
    began = time.monotonic()
    code = pytest.main(
        ["tests/meetings/test_in_the_sandbox.py", "-q", "-s", "-n", "0", "-p", "no:cacheprovider"]
    )
    print(f"{time.monotonic() - began:.0f} s")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
