"""`./dev soak privacy`: 240 canaries over twelve surfaces, with the real cipher and with none.

    ./dev soak privacy

Exit code 1 where a canary is found that must not be there, or where the search does not find what must. With the real
cipher the true reply is readable on pages only; without one it stands in files, log and dumps, or the search is blind.
Then 10,000 changes of the records, all found: `./dev soak chains`.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.sends import _set_up

NULL_CIPHER = Path(__file__).parents[1] / "promises/null_cipher"
PAGES = {"text"}
# Where the true reply must be found when nothing is sealed.
SEEN_WITHOUT_A_CIPHER = {"the database's files", "its write-ahead log", "dumps of both databases", "pages"}


def main() -> int:
    holds = True
    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as name:
        _set_up(Path(name))
        holds &= _run(Path(name) / "sealed", cipher=True)
        os.environ["PYTHONPATH"] = str(NULL_CIPHER)
        import tests.promises.null_cipher.sitecustomize  # noqa: F401  # this process reads as the others write

        holds &= _run(Path(name) / "open", cipher=False)
    return 0 if holds else 1


def _run(folder: Path, *, cipher: bool) -> bool:
    from tests.journeys.standing import a_stand
    from tests.journeys.story import Story
    from tests.promises import canaries

    called = "real cipher" if cipher else "no cipher"
    began = time.monotonic()
    os.environ["GATEPOST_LOG_LEVEL"] = "debug"
    with a_stand(folder, prospects=2, unrelated=60) as stand:
        canaries.in_lines(stand)
        story = Story.begin(stand)
        planted = canaries.plant(story)
        left = canaries.served(stand, planted)
        fields = sorted(set().union(*left.values()))
        print(
            f"{called}: {len(planted.words)} canaries in {len(left)} mails; of them left: {', '.join(fields)}"
        )
        holds = all(left.values()) and canaries.is_stored(story, planted)
        cells = 0
        for name, surface in canaries.surfaces(stand, story, memory=True).items():
            found, controls = canaries.hits(surface, planted)
            cells += len(planted.words)
            # The mailbox's owner may have what he read in the memory of the processes that showed it.
            wanted = (
                PAGES if name == "pages" or (not cipher and name in SEEN_WITHOUT_A_CIPHER) else set[str]()
            )
            as_wanted = controls >= wanted and (
                not controls or bool(wanted) or not cipher or name == "memory"
            )
            holds &= not found and as_wanted
            verdict = "ok" if not found and as_wanted else "WRONG"
            print(
                f"  {verdict:5} {name}: {len(found)} canaries, true reply: {', '.join(sorted(controls)) or 'not there'}"
            )
            for each in found:
                print(f"        {each[0]}: {each[1]}")
        print(
            f"{called}: {cells} cells, {'holds' if holds else 'VIOLATED'}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return holds


if __name__ == "__main__":
    sys.exit(main())
