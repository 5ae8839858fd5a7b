"""Twelve kinds of mail that are none of our business, a word in each of twenty places of each: none is anywhere.

`./dev soak privacy` searches memory too, does it all again without a cipher, and a third time with leaks that must be found.
"""

import base64
import gzip
import quopri
import zlib

import pytest

from . import canaries
from .conftest import Told
from .surfaces import PIECE, found_in, inflated

WORD = canaries.word()
WRITTEN = {
    "as it is": WORD.encode(), "in capitals": WORD.upper().encode(), "backwards": WORD[::-1].encode(),
    "UTF-16": f"ab{WORD}c".encode("utf-16-le"), "the other way round": f"ab{WORD}c".encode("utf-16-be"),
    "hex": WORD.encode().hex().encode(), "capital hex": WORD.encode().hex().upper().encode(),
    **{f"base64 after {n}": base64.b64encode(b"-" * n + WORD.encode() + b"--") for n in range(3)},
    "base64 of UTF-16": base64.b64encode(f"a{WORD}".encode("utf-16-le")),
    "percent signs": "".join(f"%{each:02X}" for each in WORD.encode()).encode(),
    "entities": "".join(f"&#{each};" for each in WORD.encode()).encode(),
    "escapes": "".join(f"\\u{each:04x}" for each in WORD.encode()).encode(),
    "quoted-printable, folded": quopri.encodestring(b"-" * 62 + WORD.encode()),
    "half of it": WORD[: PIECE + 1].encode(), "the other half": WORD[-PIECE:].encode(),
}  # fmt: skip


def test_of_240_canaries_none_left_the_mailbox_or_lies_anywhere_and_the_reply_can_be_read(
    told: Told, story
) -> None:  # type: ignore[no-untyped-def]
    canaries.uncompressed(told.stand)
    planted = canaries.plant(story)
    assert len(canaries.CLASSES) * len(canaries.PLACES) == 240
    assert len(planted.words) == 240 + len(canaries.OF_AN_EVENT) + 1, "and one below the true reply"
    assert all(canaries.served(told.stand, planted).values()), "mail that was never looked at proves nothing"
    assert canaries.left_too_much(told.stand, planted) == []
    assert canaries.is_stored(story, planted)
    found = {
        name: canaries.search(place, planted)
        for name, place in canaries.surfaces(story, memory=False).items()
    }
    assert {name: each.canaries for name, each in found.items() if each.canaries} == {}
    assert [name for name, each in found.items() if not each.beacon] == [], "a search that cannot see"
    # Where it may be read it is found, and nowhere else.
    readable = {name: each.controls for name, each in found.items() if each.controls}
    assert readable == {"pages": {"text"}, "backups and exports": {"subject", "text"}}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_word_is_found_however_it_is_written(written: bytes) -> None:
    assert found_in([("here", b"before " + written + b" after")], [], canaries=[WORD]) == [("here", WORD)]
    assert found_in([("here", b"before " + written + b" after")], [], canaries=[canaries.word()]) == []


def test_a_word_is_found_in_what_is_compressed() -> None:
    for pack in (gzip.compress, zlib.compress):
        (part,) = inflated(b"before" + pack(f"it says {WORD} and more".encode()) + b"after")
        assert WORD.encode() in part
