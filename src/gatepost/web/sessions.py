"""The browser's session."""

from typing import Any


def session_key(request: Any) -> str:
    """The key of this browser's session, which is begun where there is none yet."""
    if not request.session.session_key:
        request.session.save()
    return str(request.session.session_key)
