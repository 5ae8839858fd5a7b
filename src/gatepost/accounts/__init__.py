"""Workspaces, their members and how they sign in.

A *workspace* is one customer account (*tenant* is always Microsoft's word). A *member* is a person in it: owner,
admin, lead, rep or auditor.
"""
