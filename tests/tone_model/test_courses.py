"""From whom the model learns."""

from pathlib import Path

from tone_model import replies
from tone_model.courses import COURSES

WRITTEN = replies.read(Path(__file__).parents[2] / "data/replies/training")


def test_every_hand_is_learned_from_in_the_last_course_and_all_but_those_named_before() -> None:
    """Courses that named their hands had left two new ones out, and nothing said so."""
    hands = {row.writer for row in WRITTEN}
    for course in COURSES:
        assert {row.writer for row in course.of(WRITTEN)} == hands - set(course.without)
    assert set(COURSES[0].without) < hands and not COURSES[-1].without
