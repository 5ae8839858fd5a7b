"""`./dev soak privacy`: 245 canaries over twelve surfaces, three times. Exit code 1 where it does not hold.

    ./dev soak privacy             all three
    ./dev soak privacy --sealed    as the product is: no canary is anywhere, and the true reply can be read on pages only
    ./dev soak privacy --open      without a cipher: nor was one ever kept; and the true reply lies wherever rows do
    ./dev soak privacy --leaking   what must not happen does, on each surface: each is found

On every surface a word must be found that lies there rightly, or the search of it is blind and proves nothing.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.promises.tampered.sitecustomize import LEAKS
from tests.soak.sends import _set_up

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.journeys.story import Story
    from tests.promises.canaries import Planted

TAMPERED = Path(__file__).parents[1] / "promises/tampered"
# Where the true reply may be found: shown to whom it belongs, and taken along by the workspace's owner.
READABLE = {"pages", "backups and exports", "memory"}
# And where it must be found when nothing is sealed.
ROWS = {"the database's files", "its write-ahead log", "its server's log", "dumps of both databases"}
THIS_MACHINE = ("127.0.0.1", "localhost", "::1", "/")
HOW = {
    "sealed": (),
    "open": ("TESTS_NO_CIPHER",),
    "leaking": ("TESTS_NO_CIPHER", "TESTS_LEAKS"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak privacy")
    for each in HOW:
        parser.add_argument(f"--{each}", action="store_true")
    given = parser.parse_args()
    chosen = [each for each in HOW if getattr(given, each)] or list(HOW)
    holds = True
    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as name:
        _set_up(Path(name))
        for each in chosen:
            holds &= _run(each, Path(name) / each)
    return 0 if holds else 1


def _run(called: str, folder: Path) -> bool:
    from tests.journeys.standing import a_stand
    from tests.journeys.story import Story
    from tests.promises import canaries
    from tests.promises.tampered import sitecustomize

    began, watched = time.monotonic(), folder.with_suffix(".watched")
    (folder / "tmp").mkdir(parents=True)
    os.environ |= {
        "PYTHONPATH": str(TAMPERED), "TESTS_WATCHED": str(watched), "GATEPOST_LOG_LEVEL": "debug",
        "TMPDIR": str(folder / "tmp"), "PYTHONDONTWRITEBYTECODE": "1", **dict.fromkeys(HOW[called], "yes"),
    }  # fmt: skip
    if "TESTS_NO_CIPHER" in HOW[called]:
        sitecustomize.remove_the_cipher()  # this process reads as the others write
    with a_stand(folder, prospects=2, unrelated=60) as stand:
        canaries.uncompressed(stand)
        canaries.talkative(stand)
        story = Story.begin(stand)
        planted = canaries.plant(story)
        judge = _judge_leaks if called == "leaking" else _judge
        holds = judge(called, story, planted, watched)
        verdict = "holds" if holds else "VIOLATED"
        print(f"{called}: {verdict}, {time.monotonic() - began:.0f} s\n", flush=True)
    return holds


def _judge(called: str, story: "Story", planted: "Planted", watched: Path) -> bool:
    """Nothing that is none of our business left the mailbox or is anywhere; what is ours is where it may be."""
    from tests.promises import canaries

    too_much = canaries.left_too_much(story.stand, planted)
    stored = canaries.is_stored(story, planted)
    holds = stored and not too_much
    print(f"{called}: {len(planted.words)} canaries; fields that left and must not: {too_much or 'none'}")
    print(f"  stored: {'the true reply and nothing else' if stored else 'NOT what it must be'}")
    cells = found_cells = beacons = 0
    surfaces = canaries.surfaces(story, memory=True, watched=watched)
    for name, place in surfaces.items():
        found = canaries.search(place, planted, memory=name == "memory")
        must = name == "pages" or (called == "open" and name in ROWS)
        may = must or name in READABLE
        right = (not must or "text" in found.controls) and (may or not found.controls)
        ok = right and found.beacon and not found.canaries
        cells, found_cells, beacons = (
            cells + len(planted.words),
            found_cells + len(found.canaries),
            beacons + found.beacon,
        )
        told = ", ".join(sorted(found.controls)) or "not there"
        print(
            f"  {'ok' if ok else 'WRONG':5} {name}: {len(found.canaries)} canaries, true reply: {told}"
            f"{'' if found.beacon else ', BLIND'}", flush=True,
        )  # fmt: skip
        for each in found.canaries:
            print(f"        {each[0]}: {each[1]}")
        holds &= ok
    elsewhere = {path for path in canaries.written_elsewhere(story.stand.folder, watched) if path.exists()}
    others = {each for each in canaries.connected_to(watched) if not each.startswith(THIS_MACHINE)}
    print(
        f"  files written elsewhere: {len(elsewhere)}; other machines talked to: {sorted(others) or 'none'}"
    )
    for path in sorted(elsewhere):
        print(f"        {path}")
    print(f"{called}: {cells} cells, {found_cells} hits, {beacons} of {len(surfaces)} controls found")
    return holds and not others and not elsewhere


def _judge_leaks(called: str, story: "Story", planted: "Planted", watched: Path) -> bool:
    """Each leak is found on its surface, and that more was asked for is seen by the sandbox's own record."""
    from tests.promises import canaries

    too_much = {field for _, field in canaries.left_too_much(story.stand, planted)}
    holds = too_much >= {"subject", "body", "bodyPreview", "ccRecipients"}
    print(f"{called}: fields that left and must not: {', '.join(sorted(too_much)) or 'NONE SEEN'}")
    for name, place in canaries.surfaces(story, memory=True, watched=watched).items():
        found = {each for _, each in canaries.search(place, planted, memory=name == "memory").canaries}
        left = {each for each, where in LEAKS.items() if where == name} or {"to name"}
        holds &= left <= found
        verdict = "found" if left <= found else "MISSED"
        print(f"  {verdict:6} {name}: {', '.join(sorted(left))} (and {len(found - left)} more)", flush=True)
    return holds


if __name__ == "__main__":
    sys.exit(main())
