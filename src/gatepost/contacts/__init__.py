"""Contacts, their companies, and suppressions: whom never to write to. Adding by hand and by CSV."""
