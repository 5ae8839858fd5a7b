"""Templates, quotes, signatures, dates, tone: pure functions over text. No Django, no network, no database."""
