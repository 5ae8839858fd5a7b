"""The record of who did and saw what, and of every request to Microsoft with its cause.

An *audit entry* is written in the transaction of the change it tells of; a read of mail content is written
before it is opened (`reveal`). A *ledger row* is one Graph request. Both are append-only: the application's
database role may insert and select, nothing else.
"""
