"""The fast door for Microsoft's change notifications: a bare ASGI app that only wakes a sync.

A notification carries no truth: it may come twice, late, out of order or forged. What it can do is make the
timer's next look happen now. It is answered with 202 after that is committed, and with 503 when it cannot be.
"""
