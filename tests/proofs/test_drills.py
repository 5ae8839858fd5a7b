"""Proof 3 in small: five restored databases, and no mail is sent again. The long form: ./dev soak sends --drills 100"""

import random
from pathlib import Path

from tests.journeys.story import Story
from tests.proofs.drills import MAILS, drill, prepare


def test_a_database_that_is_restored_at_any_moment_sends_nothing_again(story: Story, tmp_path: Path) -> None:
    prepare(story)
    chance = random.Random(5)
    drills = [drill(story, tmp_path / str(number), chance) for number in range(5)]
    assert [each.wrong for each in drills] == [[]] * 5
    assert sum(each.forgotten for each in drills) >= MAILS / 2, "else nothing could have been sent again"
