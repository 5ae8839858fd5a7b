"""Counts, charts and exports, deliverability, and the page that shows what was asked, looked at and opened.

Every number leads to its rows: a report counts by the same choice (`Chosen`) that the list behind it shows by.
A rate is a share of what was sent and confirmed; a reply labelled *unsure* stands in neither half of a share.
"""
