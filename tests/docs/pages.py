"""The pages that are compared with the code, and how paths and commands are found in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")
# A path of ours begins at the root of the repository.
PATH = re.compile(
    r"(?:src|tests|docs|requirements)/[\w./-]*|[\w.-]+\.(?:md|toml)|LICENSE|NOTICE|\.ci/run|dev"
)


def name(page: Path) -> str:
    """For the test's name: which page it is."""
    return str(page.relative_to(ROOT))


def paths(text: str) -> set[str]:
    """Every path of this repository that stands in backticks, unless it is a pattern such as src/<concept>/."""
    return {span for span in CODE.findall(text) if PATH.fullmatch(span)}


def code(text: str) -> list[str]:
    """Every command-like piece: code in backticks, and the lines of indented and fenced blocks."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks = [line for block in fenced for line in block.splitlines()]
    indented = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    return [*CODE.findall(text), *blocks, *indented]
