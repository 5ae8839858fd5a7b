"""`./dev soak reports`: reports narrowed by chance, compared with a plain count of the raw rows.

    ./dev soak reports --filters 1000 --seed 1

In a throw-away installation. Each filter is another mixture of sequence, step, wording, person, company, label and days,
seen by somebody who sees all or by a rep; whole, weeks and parts are compared. Between them weeks are counted (`reports.counted`)
and mails of counted weeks change. Exit code 0 only if nothing differed.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak reports", description=__doc__)
    parser.add_argument("--filters", type=int, default=1000)
    parser.add_argument("--enrolments", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    from gatepost.config import installation

    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as folder:
        os.environ["GATEPOST_DATA_DIR"] = str(Path(folder) / "data")
        for variable in ("DATABASE_URL", "GATEPOST_OWNER_DATABASE_URL", "GATEPOST_KEYSTORE_URL"):
            os.environ.pop(variable, None)
        with installation.ready():
            installation.migrate()
            from django.db import connections

            try:
                return compare(given.filters, given.enrolments, random.Random(given.seed))
            finally:
                connections.close_all()


def compare(filters: int, enrolments: int, dice: random.Random) -> int:
    from gatepost.reports.counted import count_weeks
    from tests.reports.test_counting import differences
    from tests.reports.worlds import Raw, change_late, make_world

    world = make_world(dice, enrolments=enrolments)
    raw, wrong = Raw(world.member), 0
    for number in range(1, filters + 1):
        if number % 10 == 0:
            count_weeks(world.member.workspace_id, at_once=dice.randrange(1, 12))
        if number % 25 == 0:
            change_late(dice, world)
            raw = Raw(world.member)
        for each in differences(world, raw, dice):
            wrong += 1
            print(f"BAD  {each}", flush=True)
        if number % 100 == 0:
            print(f"     {number} filters, {wrong} differences", flush=True)
    print(f"{'ok  ' if not wrong else 'BAD '} {filters} filters, {wrong} differences")
    return 0 if not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
