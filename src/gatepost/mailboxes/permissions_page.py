"""docs/permissions.md, made from the tables that the code itself uses.

    python -m gatepost.mailboxes.permissions_page docs/permissions.md

It imports no Django, so that an administrator can make the page from the source and compare.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from gatepost.graph.shapes import SHAPES, Shape
from gatepost.mailboxes.rules import FEATURES, PERMISSIONS, Permission, scopes_to_ask

HEAD = """\
# Permissions

Made by `python -m gatepost.mailboxes.permissions_page docs/permissions.md` from `src/gatepost/mailboxes/rules.py` and
`src/gatepost/graph/shapes.py`, the same tables that the program uses. A test fails when this page differs from them.

All permissions are *delegated*: they reach the mailbox of whoever signs in, and no other. None is an application
permission. How to approve them: [how-to/register-the-app.md](how-to/register-the-app.md).
"""

REQUESTS = """\
## Every request that can be made

Requests to Microsoft Graph go through one gateway (`src/gatepost/graph/gateway.py`). It knows the requests below and
refuses any other before a connection is opened, also one that names another field. Fields in braces are filled in for
each request. Each request leaves a row in the ledger, shown under *Privacy*.

There is no request for attachments, for the MIME source of a mail, for search, for previews, for contacts or people.
The sender of a mail is asked for only where its references name a mail of ours; subject, text and headers only of a
matched reply ([decisions/0006-intake-is-the-only-reader.md](decisions/0006-intake-is-the-only-reader.md)).
"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [
        HEAD,
        _overview(),
        _features(),
        REQUESTS,
        *(_requests(each) for each in PERMISSIONS if _shapes(each)),
    ]
    return "\n".join(parts)


def _overview() -> str:
    asked = scopes_to_ask(briefs=False)
    rows = [
        (
            f"`{p.scope}`",
            p.shown,
            p.reason,
            p.without,
            "always" if p.scope in asked else "while briefs are on",
        )
        for p in PERMISSIONS
    ]
    head = ("Permission", "Microsoft's words", "Why", "Without it", "Asked for")
    return "## What is asked for, and why\n\n" + _table(head, rows)


def _features() -> str:
    rows = [(feature.title, ", ".join(f"`{need}`" for need in feature.needs)) for feature in FEATURES]
    return "## What each makes possible\n\n" + _table(("Feature", "Needs"), rows)


def _requests(permission: Permission) -> str:
    rows = [
        (f"`{_address(s)}`", s.why, ", ".join(f"`{m}`" for m in sorted(s.body))) for s in _shapes(permission)
    ]
    return f"### {permission.scope}\n\n" + _table(("Request", "Why", "What it writes"), rows)


def _shapes(permission: Permission) -> list[Shape]:
    return [shape for shape in SHAPES.values() if shape.scope == permission.scope]


def _address(shape: Shape) -> str:
    query = "&".join(f"{name}={value}" for name, value in shape.query)
    return f"{shape.method} {shape.path}" + (f"?{query}" if query else "")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Where to? For example: python -m gatepost.mailboxes.permissions_page docs/permissions.md")
    Path(sys.argv[1]).write_text(page())
