"""Every module that serves Graph operations; importing them fills the table in `routes`."""

from m365_sandbox.graph import (  # noqa: F401
    calendar,
    calendars,
    contacts,
    delta,
    drafts,
    folders,
    meeting_times,
    meetings,
    messages,
    outlook,
    parts,
    sharing,
    subscriptions,
    users,
)
