"""Microsoft mailboxes: connecting, consent, health, limits, how far their mail was read, disconnecting.

A *mailbox* is keyed by Microsoft's (tenant, object id), never by its address. Its *connection* holds the tokens;
only `connection.py` opens them. `read_through` says up to which moment its mail was looked at: no step leaves
a mailbox whose mail was not read far enough.
"""
