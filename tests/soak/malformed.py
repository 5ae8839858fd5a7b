"""`./dev soak malformed`: the corpus of malformed mail and 100,000 mutants of it through the real intake, into the database.

    ./dev soak malformed --mutants 100000 --seed 1

Exit code 1 where one was not stored, our own code tripped over one, one took a second of processor time (its reader is then
ended), or the memory of the worker or of its reader grew by 100 MB.
"""

import argparse
import os
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path

from tests.bare import bare_installation

MAILS_A_MAILBOX = 500
SECONDS, GROWN_MB = 1.0, 100.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak malformed")
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as name, bare_installation(Path(name)):
        return _run(given.mutants, given.seed, Path(name))


def _run(count: int, seed: int, folder: Path) -> int:
    import pytest

    from gatepost.intake import jobs
    from gatepost.intake.reader import reader
    from gatepost.text.tone import ReplyInput
    from tests.at_once import without_threads
    from tests.intake.malformed import CORPUS, Hostile, corpus, mutants
    from tests.intake.test_sync import Story
    from tests.makers import MONDAY, clock_at

    if not CORPUS.is_dir():
        sys.exit(f"The corpus is not in {CORPUS}.")
    without_threads(pytest.MonkeyPatch(), jobs)
    reader.read(ReplyInput(id="first", text="Hello"))  # the model is loaded
    began, mails, stored, slow, wrong, memory, worst = time.monotonic(), 0, 0, 0, 0, (), (0.0, "")
    with clock_at(MONDAY, folder):
        hostile = Hostile(Story())
        for mails, mail in enumerate(chain(corpus(), mutants(count, seed)), 1):
            if mails % MAILS_A_MAILBOX == 0:
                stored, worst = stored + hostile.stored, max(worst, hostile.slowest)
                hostile = Hostile(Story())
                ours, its = _memory_mb("self"), _memory_mb(reader.process_id)
                print(
                    f"{mails} mails, {wrong} wrong, {slow} slow, {dict(reader.ended)} ended, {ours:.0f} MB and {its:.0f} MB, "
                    f"{time.monotonic() - began:.0f} s",
                    flush=True,
                )
            took = hostile.receive(mail)
            if took >= SECONDS:
                slow += 1
                print(f"SLOW {mail.name}: {took:.2f} s", flush=True)
            for each in hostile.wrong:
                wrong += 1
                print(f"WRONG {each}", flush=True)
            hostile.wrong.clear()
            if mails == 1_000:  # models and caches are loaded
                memory = _memory_mb("self"), _memory_mb(reader.process_id)
    stored, worst = stored + hostile.stored, max(worst, hostile.slowest)
    now = _memory_mb("self"), _memory_mb(reader.process_id)
    grown = max(after - before for before, after in zip(memory or now, now, strict=True))
    ended = reader.ended.total()
    fine = stored == mails and not wrong and not slow and not ended and grown < GROWN_MB
    print(
        f"{mails} mails, {stored} read, {wrong} wrong, {slow} of a second or more, {ended} readers ended, the slowest {worst[0]:.2f} s "
        f"({worst[1]}), memory grown {grown:.0f} MB; {time.monotonic() - began:.0f} s: {'holds' if fine else 'VIOLATED'}"
    )
    reader.close()
    return 0 if fine else 1


def _memory_mb(process: int | str | None) -> float:
    if process is None:
        return 0.0  # about to be renewed
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


if __name__ == "__main__":
    sys.exit(main())
