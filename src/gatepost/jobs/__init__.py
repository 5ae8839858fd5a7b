"""Work in the background: a seam over Procrastinate, which keeps its queue in the same database.

The queue holds only today's work. When something is due stands in an indexed column of its own table; a
*tick* moves what is due into the queue, one job per mailbox (docs/decisions/0005-postgres-is-the-queue.md).

A job reads: facts (one query in a thread) → gateway (awaited, outside any transaction) → rules (pure) →
action (one transaction in a thread). A job may run twice; each send has its own fence.
"""
