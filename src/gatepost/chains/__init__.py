"""The records are chained: whoever changes, removes, adds or reorders one afterwards breaks a link, and an anchor says so.

A record (an audit entry or a ledger row) is written as before, in its own transaction. Some seconds later a tick puts
what has come into one more *link* of the workspace's chain: a print (hash) of each record, and the hash of the link
before. Every hour an *anchor* says outside the database how far the chain had come (docs/decisions/0017-chained-records.md).
"""
