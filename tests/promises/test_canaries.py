"""Twelve kinds of mail that are none of our business, a word in each of twenty places of each: none is anywhere.

`./dev soak privacy` searches memory too, and does it all again without a cipher.
"""

from . import canaries
from .conftest import Told
from .test_internal_and_unrelated_mail_is_never_stored import ENVELOPE_FIELDS

SENDER_FIELDS = {"from", "sender", "toRecipients", "isDraft"}


def test_of_240_canaries_none_left_the_mailbox_or_lies_anywhere_and_the_reply_can_be_read(
    told: Told, story
) -> None:  # type: ignore[no-untyped-def]
    planted = canaries.plant(story)
    assert len(canaries.CLASSES) * len(canaries.PLACES) == 240 == len(planted.words) - 1
    left = canaries.served(told.stand, planted)
    assert all(left.values()), "a test about mail that was never looked at proves nothing"
    assert set().union(*left.values()) <= ENVELOPE_FIELDS | SENDER_FIELDS
    assert canaries.is_stored(story, planted)
    leaked, readable = [], {}
    for name, surface in canaries.surfaces(told.stand, story, memory=False).items():
        found, controls = canaries.hits(surface, planted)
        leaked += [(name, *each) for each in found]
        readable[name] = controls
    assert leaked == []
    # Where it may be read it is found, and nowhere else.
    assert "text" in readable.pop("pages")
    assert set().union(*readable.values()) == set()
