"""Unusual access to texts is told to the workspace's owners and to those in whose mailboxes it happened.

What is looked at is the record: each text that a member or a program opened left an audit entry (audit.reveal). Seconds
later, when the entry stands in the chain, `rules.unusual` judges it, and what comes of it is an *alert* with its reason.
"""
