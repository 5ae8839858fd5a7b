"""Row ids: UUIDv7, ordered by time and never reissued.

Serial numbers would be handed out a second time after a restore from backup, and the send key
is derived from row ids (docs/decisions/0004-exactly-once-sends.md).
"""

import os
import threading
import time
from uuid import UUID

_NANOSECONDS = 1_000_000  # in a millisecond
_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562 §5.7): later ones of a process are greater, also within a millisecond and when the
    clock was put back, so that what was written in an order is found in it. 48 bits of Unix milliseconds, 12 bits of
    the millisecond's 4096ths (§6.2, method 3), 62 random bits.
    """
    global _last
    milliseconds, rest = divmod(time.time_ns(), _NANOSECONDS)
    with _lock:
        _last = moment = max(milliseconds << 12 | rest * 4096 // _NANOSECONDS, _last + 1)
    chance = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=moment >> 12 << 80 | 0x7 << 76 | (moment & 0xFFF) << 64 | 0x2 << 62 | chance)
