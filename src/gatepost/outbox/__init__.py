"""Messages, each sent exactly once.

A *message* is one step as sent (or an answer from the inbox). Its life:

    PLANNED → DRAFTED (the draft's id is committed) → SENDING (committed) → ACCEPTED → CONFIRMED

Only that one draft is ever sent. An unclear answer is resolved by looking, never by creating again; what cannot be
resolved is HELD for a person. Why, and what was proved: docs/decisions/0004-exactly-once-sends.md.
"""
