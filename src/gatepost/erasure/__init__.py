"""Erasing a mailbox, a contact or a whole workspace, the receipt for it, and how long each kind of data is kept.

An *erasure* is ordered by a person or by a retention time, and carried out by a job: first keys, then rows. Its
*receipt* is signed, holds no personal data and stays.
"""
