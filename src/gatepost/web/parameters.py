"""Reading a page's address. A value that cannot be meant is as good as none: a link may be old or cut off."""

from collections.abc import Mapping
from uuid import UUID


def id_in(parameters: Mapping[str, str], name: str) -> UUID | None:
    try:
        return UUID(parameters.get(name, ""))
    except ValueError:
        return None
