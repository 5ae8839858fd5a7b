"""`./dev soak sends`: kills and faults during sends, until as many kills are done as asked for.

    ./dev soak sends --kills 300 --seed 1

Rounds of mails leave three mailboxes while the worker is killed at random moments, now and then the database or the
sandbox too, and while requests to Microsoft fail in every way before and after their work is done. After each round
the sandbox's own record is compared with the outbox. Exit code 0 only if no step was delivered twice, none was lost
and none is held.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from gatepost.contacts.models import Contact
    from gatepost.sequences.actions import StepDraft
    from tests.journeys.standing import Standing
    from tests.journeys.story import Story

FAULTS = (
    ("reset", "before"),
    ("reset", "after"),
    ("503", "before"),
    ("504", "after"),
    ("429", "after"),
    ("html", "after"),
)
MAILS_A_MAILBOX = 15
KILLS_A_ROUND = 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak sends")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--faults", type=float, default=0.05, help="the share of requests that fails, for each kind of fault"
    )
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gatepost-soak-") as folder:
        _set_up(Path(folder))
        from tests.journeys.standing import a_stand

        with a_stand(Path(folder) / "stand") as stand:
            return _run(stand, given.kills, given.faults, random.Random(given.seed))


def _set_up(folder: Path) -> None:
    """Django in this process; its database becomes the stand's as soon as that runs."""
    os.environ.update(
        {"GATEPOST_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "gatepost.config.settings"}
    )
    import django

    django.setup()


def _run(stand: "Standing", kills: int, share: float, chance: random.Random) -> int:
    began, done, mails, wrong = time.monotonic(), Counter(), 0, []
    while done.total() < kills:
        stories, people = _begin(stand)
        for action, when in FAULTS:
            stand.fault("/me/messages", action, when=when, probability=share, retry_after=1)
        for story in stories:
            story.enrol(*people[story.number], steps=_one_step())
        for _ in range(min(KILLS_A_ROUND, kills - done.total())):
            _let_pass(stand, chance.randint(1, 8))
            part = chance.choices(("worker", "database", "sandbox"), (8, 1, 1))[0]
            stand.kill(part)
            stand.start()
            done[part] += 1
        stand.mend()
        for story in stories:
            wrong += _judge(story, people[story.number])
            mails += len(people[story.number])
            story.end()
        print(
            f"{done.total()} kills {dict(done)}, {mails} mails, {len(wrong)} wrong, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        if wrong:
            print("\n".join(wrong), file=sys.stderr)
            return 1
    return 0


def _begin(stand: "Standing") -> "tuple[list[Story], dict[str, list[Contact]]]":
    from tests.journeys.story import Story

    stories = [Story.begin(stand) for _ in range(3)]
    names = [f"Prospect Number{n}" for n in range(MAILS_A_MAILBOX)]
    return stories, {story.number: [story.prospect(name=name) for name in names] for story in stories}


def _one_step() -> "tuple[StepDraft, ...]":
    from gatepost.sequences.actions import StepDraft

    return (StepDraft(0, "Quick question, {{ first_name }}", "Hi {{ first_name }},\n\nshall we talk?"),)


def _let_pass(stand: "Standing", requests: int) -> None:
    """So many requests, or a second in which none came since all is sent."""
    goal, deadline = stand.last_request() + requests, time.monotonic() + 1
    while stand.last_request() < goal and time.monotonic() < deadline:
        time.sleep(0.002)


def _judge(story: "Story", contacts: "list[Contact]") -> list[str]:
    """What is wrong with this mailbox's mails, by the sandbox's record and by the outbox."""
    try:
        story.come_through(*contacts)
    except AssertionError as error:
        return [f"{story.address}: {error}"]
    rows = Counter({row["to"]: row["count"] for row in story.deliveries()})
    expected = Counter(story.address_of(contact) for contact in contacts)
    return (
        []
        if rows == expected
        else [f"{story.address}: delivered {rows - expected}, missing {expected - rows}"]
    )


if __name__ == "__main__":
    sys.exit(main())
