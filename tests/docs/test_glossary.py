"""docs/glossary.md: each word names its folder, and each folder has its word."""

import re

from tests.docs.pages import ROOT, paths

PARAGRAPH = re.compile(r"^\*\*[^*]+\*\*.*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
WITHOUT_A_FOLDER = {"action"}


def paragraphs() -> dict[str, str]:
    text = (ROOT / "docs/glossary.md").read_text()
    return {word: part for part in PARAGRAPH.findall(text) for word in re.findall(r"\*\*([^*]+)\*\*", part)}


def test_every_word_names_a_place_that_exists() -> None:
    nowhere = {
        word
        for word, paragraph in paragraphs().items()
        if not [path for path in paths(paragraph) if path.startswith("src/") and (ROOT / path).exists()]
    }
    assert nowhere == WITHOUT_A_FOLDER


def test_every_folder_has_a_word() -> None:
    folders = {path.parent.name for path in (ROOT / "src/gatepost").glob("*/__init__.py")}
    assert folders - set(paragraphs()) == set()


def test_words_stand_in_alphabetical_order() -> None:
    words = (ROOT / "docs/glossary.md").read_text().partition("## Words")[2].partition("\n## ")[0]
    told = re.findall(r"^\*\*([^*]+)\*\*", words, re.MULTILINE)
    assert told == sorted(told, key=str.casefold)
