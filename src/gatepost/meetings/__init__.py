"""Meetings that contacts booked, found in the calendar of a connected mailbox, and briefs to prepare for them.

The calendar is listed with attendees, times and ids only; an event without an enrolled contact is dropped on its
attendees and leaves one number. A *brief* is what the rep should know before the call. Where switched on it is
also a private event of the rep's own next to the meeting. An event with attendees is never changed.
"""
