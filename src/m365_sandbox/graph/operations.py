"""Every module that serves Graph operations; importing them fills the table in `routes`."""

from m365_sandbox.graph import (  # noqa: F401
    calendar,
    calendars,
    contacts,
    delta,
    drafts,
    folders,
    meetings,
    messages,
    outlook,
    parts,
    subscriptions,
    users,
)
