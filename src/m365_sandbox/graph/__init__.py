"""Microsoft Graph v1.0: mail, calendar, contacts, people, subscriptions."""
