"""Row ids: UUIDv7, ordered by time and never reissued.

Serial numbers would be handed out a second time after a restore from backup, and the send key
is derived from row ids (docs/decisions/0004-exactly-once-sends.md).
"""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = int.from_bytes(milliseconds.to_bytes(6, "big") + os.urandom(10), "big")
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=value | (0x7 << 76) | (0x2 << 62))
