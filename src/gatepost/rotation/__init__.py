"""Changing the keys of workspaces and mailboxes while everything runs.

A key gets a newer *generation*, which seals from then on; what former ones sealed is sealed anew in batches, by a job. Former
ones are kept, only to open, for as long as backups of the main database may hold what they sealed; then they are destroyed.
"""
