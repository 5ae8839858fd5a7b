"""Whole stories: the product and the sandbox as processes, a real PostgreSQL, a person at a browser."""
