"""Names for new things, in the shapes that Microsoft uses."""

import re
import secrets
import uuid


def guid() -> str:
    return str(uuid.uuid4())


def key() -> str:
    return secrets.token_hex(8)


def item_id() -> str:
    """An Outlook item id as Graph gives it by default; an item gets a new one when it moves."""
    return f"AAMkAD{secrets.token_urlsafe(69)}="


def may_be_item(name: str) -> bool:
    """Whether it has the shape of an id of Outlook's, in either form: base64 for the web."""
    return re.fullmatch(r"AA[\w-]{6,}=*", name) is not None


def immutable_id() -> str:
    return f"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{secrets.token_urlsafe(30)}="


def internet_message_id(domain: str) -> str:
    host = secrets.token_hex(4).upper()
    return f"<{secrets.token_hex(16).upper()}@{host}.prod.{domain}>"


def conversation_id() -> str:
    return f"AAQkAD{secrets.token_urlsafe(42)}="


def token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(96)
