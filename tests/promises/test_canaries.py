"""Twelve kinds of mail that are none of our business, a word in each of twenty places of each: none is anywhere.

`./dev soak privacy` searches memory too, does it all again without a cipher, and a third time with leaks that must be found.
"""

from . import canaries
from .conftest import Told


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
