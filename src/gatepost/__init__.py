"""Gatepost: outreach from Microsoft 365 mailboxes that reads nothing but its own conversations.

Start with ARCHITECTURE.md; docs/glossary.md has one paragraph for each folder here.
"""

__version__ = "0.1.0"
