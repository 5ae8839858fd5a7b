"""Thirty bugs that break the privacy promise, as a colleague could commit them in haste, and the tests that must catch them.

Whoever changes a file that a bug is written for changes the bug with it: `test_planted.py` says so when its text is no
longer there. All thirty are planted, one after another, by `./dev soak planted`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILE = Path(__file__).with_name("bugs.toml")


class Stale(Exception):
    """The text that a bug replaces does not stand in its file exactly once."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One change of the product's code. `caught_by`: the fewest tests that must find it, each of them."""

    name: str
    says: str
    file: str
    replaces: str
    puts: str
    caught_by: tuple[str, ...]

    def changed(self, text: str) -> str:
        """The file's text with the bug in it. Raises Stale."""
        if (found := text.count(self.replaces)) != 1:
            raise Stale(f"{self.name}: its text stands {found} times in {self.file}")
        return text.replace(self.replaces, self.puts)


def bugs() -> Mapping[str, Bug]:
    """All of them, by name, in the order of the file."""
    found = tomllib.loads(FILE.read_text())
    return {
        name: Bug(name, each["says"], each["file"], each["replaces"], each["puts"], tuple(each["caught_by"]))
        for name, each in found.items()
    }
