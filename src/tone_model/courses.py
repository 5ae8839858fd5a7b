"""In which rounds the model learns, and from whom."""

from dataclasses import dataclass

from . import replies


@dataclass(frozen=True)
class Course:
    """Some rounds over the replies of all hands but some; `tokens` is how much of each is read."""

    epochs: int
    tokens: int
    rate: float
    without: tuple[str, ...] = ()

    def of(self, rows: list[replies.Reply]) -> list[replies.Reply]:
        return [row for row in rows if row.writer not in self.without]


# First whole replies, above all of hands that avoid the usual words: they teach what the words alone do not tell. Then, more
# gently, the very short ones among them, and of long ones their gist, with more room than the product gives it.
COURSES = (
    Course(8, tokens=250, rate=8e-4, without=("greta",)),
    Course(2, tokens=66, rate=2e-4),
)
