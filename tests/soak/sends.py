"""`./dev soak sends`: what is promised of sends, at length. What it says is said in figures; exit code 1 on any violation.

    ./dev soak sends --model        the protocol's every reachable state, under the widest assumptions
    ./dev soak sends --kills 1000   a worker killed at every network call of a send, on both routes, while 58 % of the
                                    requests about mail fail: none twice, none lost, none falsely recorded
    ./dev soak sends --drills 100   a dump while mails leave, they go on, the dump is put back: none again

Several may be asked for at once; without any, all three are run. `--seed` repeats a run.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.journeys.standing import Standing
    from tests.proofs.kills import Killing

KILLS_A_ROUND = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak sends")
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--drills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    if not (given.model or given.kills or given.drills):
        given.model, given.kills, given.drills = True, 1000, 100
    print(f"seed {given.seed}", flush=True)
    chance = random.Random(given.seed)
    holds = True
    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as name:
        folder = Path(name)
        _set_up(folder)
        from tests.journeys.standing import a_stand

        if given.model:
            holds &= _model()
        if given.kills or given.drills:
            with a_stand(folder / "stand") as stand:
                if given.kills:
                    holds &= _kills(stand, given.kills, chance)
                if given.drills:
                    holds &= _drills(stand, given.drills, chance, folder)
    return 0 if holds else 1


def _set_up(folder: Path) -> None:
    """Django in this process; its database becomes the stand's as soon as that runs."""
    os.environ.update(
        {"GATEPOST_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "gatepost.config.settings"}
    )
    import django

    django.setup()


# The model


def _model() -> bool:
    from tests.outbox.model.designs import FULL, KNOWN_BAD
    from tests.outbox.model.search import search

    holds, states = True, 0
    for assumed, bounds in FULL.items():
        began = time.monotonic()
        found = search(bounds)
        holds &= not found.wrong
        states += found.states
        verdict = f"WRONG: {found.wrong}: {' · '.join(found.trace)}" if found.wrong else "nothing wrong"
        print(
            f"model, {assumed}: {found.states:,} states, {verdict}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    for name, (design, bounds) in KNOWN_BAD.items():
        found = search(bounds, design)
        holds &= found.wrong == "sent twice"
        told = f"{found.wrong} in {len(found.trace)} steps" if found.wrong else "NOT FOUND"
        print(f"known bad, {name}: {told}", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"model: {states:,} states, {memory:,} MB: {'holds' if holds else 'VIOLATED'}", flush=True)
    return holds


# Kills


def _kills(stand: "Standing", kills: int, chance: random.Random) -> bool:
    from gatepost.outbox.protocol import Route
    from tests.proofs.kills import HAS_STRACE, a_killing

    if not HAS_STRACE:
        print("strace is not installed: apt install strace", file=sys.stderr)
        return False
    holds, began, told = True, time.monotonic(), Counter[str]()
    for route, share in ((Route.JSON, kills - kills // 2), (Route.MIME, kills // 2)):
        if share:
            with a_killing(stand, route=route) as killing:
                holds &= _kill_on(killing, route.value, share, chance, told, began)
            stand.close_what_was_told()
    bound = f", so at most {3 / told['kills']:.2%} a kill (95 %)" if holds and told["kills"] else ""
    print(
        f"kills: {told['kills']} of {told['mails']} mails, {told['delivered twice']} delivered twice, {told['lost']} lost, "
        f"{told['falsely recorded']} falsely recorded, {told['held']} held for a person{bound}; "
        f"{time.monotonic() - began:.0f} s: {'holds' if holds else 'VIOLATED'}",
        flush=True,
    )
    return holds


def _kill_on(
    killing: "Killing", route: str, kills: int, chance: random.Random, told: Counter[str], began: float
) -> bool:
    """So many kills on this route, round after round of every call that a send makes."""
    from tests.proofs.kills import fail_mostly, kill_at_each, points_of

    stand = killing.story.stand
    points = points_of(killing, all_calls=True)
    print(f"kills, {route}: {len(points)} network calls in a send", flush=True)
    done, place = 0, 0
    while done < kills:
        size = min(KILLS_A_ROUND, kills - done)
        here = [points[(place + n) % len(points)] for n in range(size)]
        place += size
        fail_mostly(stand)
        killed = kill_at_each(killing, here, chance)
        stand.mend()
        killing.finish()
        wrong = killing.wrong()
        done += killed
        told.update(kills=killed, mails=len(killing.messages), held=killing.held())
        told.update(each.kind for each in wrong)
        print(
            f"kills, {route}: {done} of {kills}, {len(wrong)} wrong, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        for each in wrong:
            print(f"{each.kind}: message {each.message} {each.said}", file=sys.stderr)
        if wrong:
            return False
        killing.messages.clear()
    return True


# Restore drills


def _drills(stand: "Standing", drills: int, chance: random.Random, folder: Path) -> bool:
    from tests.journeys.story import Story
    from tests.proofs.drills import drill, prepare

    began, mails, forgotten, wrong = time.monotonic(), 0, 0, 0
    story = Story.begin(stand)
    prepare(story)
    for number in range(1, drills + 1):
        drilled = drill(story, folder / f"dump-{number}", chance)
        mails, forgotten, wrong = (
            mails + drilled.mails,
            forgotten + drilled.forgotten,
            wrong + len(drilled.wrong),
        )
        for each in drilled.wrong:
            print(f"drill {number}: {each}", file=sys.stderr)
        if number % 10 == 0 or number == drills:
            print(
                f"drills: {number} of {drills}, {wrong} wrong, {time.monotonic() - began:.0f} s", flush=True
            )
    print(
        f"drills: {drills} restores, {mails} mails, {forgotten} of them sent and unknown to the restored database, "
        f"{wrong} sent again or lost; {time.monotonic() - began:.0f} s: {'VIOLATED' if wrong else 'holds'}",
        flush=True,
    )
    return not wrong


if __name__ == "__main__":
    sys.exit(main())
