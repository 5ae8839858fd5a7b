"""docs/permissions.md, made from the tables that the code itself uses.

    python -m gatepost.mailboxes.permissions_page docs/permissions.md

It imports no Django, so that an administrator can make the page from the source and compare.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from gatepost.graph.shapes import Shape
from gatepost.mailboxes.rules import ALWAYS, FEATURES, PROFILES, Explained, explained, scopes_to_ask

HEAD = """\
# Permissions

Made by `python -m gatepost.mailboxes.permissions_page docs/permissions.md` from `src/gatepost/mailboxes/rules.py` and
`src/gatepost/graph/shapes.py`, the same tables that the program uses. A test fails when this page differs from them.

All permissions are *delegated*: they reach the mailbox of whoever signs in, and no other. None is an application
permission. How to approve them: [how-to/register-the-app.md](how-to/register-the-app.md).
"""

CONSENT = """\
*Accepted by* is Microsoft's own consent policy as of July 2026, which new organisations have; yours may be stricter or
milder. *Send only* never needs an administrator under it.
"""

FEATURES_HEAD = """\
## What each makes possible

An administrator of the workspace switches these under *Mailboxes → Permissions*. Switching one on asks for its permission
the next time a mailbox goes to Microsoft, whose page then shows only what is new. A mailbox without it goes on with
the rest, and its page says what does not run.
"""

PROFILES_HEAD = """\
## Three sets

*Standard* is what a new workspace asks for. *Send only* can be chosen for one mailbox when it is connected: first steps
go out, each at most once, and follow-ups become tasks for the rep, since replies cannot be noticed. *Full* is everything
switched on.
"""

REQUESTS = """\
## Every request that can be made

Requests to Microsoft Graph go through one gateway (`src/gatepost/graph/gateway.py`). It knows the requests below and
refuses any other before a connection is opened, also one that names another field. Fields in braces are filled in for
each request. Each request leaves a row in the ledger, shown under *Privacy*.

There is no request for the name of a folder, for attachments, for the MIME source of a mail, for search or for previews.
The sender of a mail is asked for only where its references name a mail of ours; subject, text and headers only of a
matched reply ([decisions/0006-intake-is-the-only-reader.md](decisions/0006-intake-is-the-only-reader.md)).
"""


def page() -> str:
    """The whole page, as Markdown."""
    permissions = explained()
    parts = [
        HEAD,
        _overview(permissions),
        CONSENT,
        _features(),
        _profiles(),
        REQUESTS,
        *(_requests(each) for each in permissions if each.requests),
    ]
    return "\n".join(parts)


def _overview(permissions: Sequence[Explained]) -> str:
    rows = [
        (
            f"`{each.permission.scope}`",
            each.permission.shown,
            each.permission.reason,
            each.permission.without,
            each.asked_for,
            "an administrator" if each.permission.by_administrator else "the user",
        )
        for each in permissions
    ]
    head = ("Permission", "Microsoft's words", "Why", "Without it", "Asked for", "Accepted by")
    return "## What is asked for, and why\n\n" + markdown_table(head, rows)


def _features() -> str:
    rows = [
        (
            feature.title,
            ", ".join(f"`{need}`" for need in feature.needs),
            "always" if feature.name in ALWAYS else "on" if feature.name in PROFILES["standard"] else "off",
        )
        for feature in FEATURES
    ]
    head = ("What Gatepost does", "Needs", "In a new workspace")
    return FEATURES_HEAD + "\n" + markdown_table(head, rows)


def _profiles() -> str:
    rows = [
        (
            name,
            ", ".join(f"`{scope}`" for scope in sorted(scopes_to_ask(features), key=str.casefold)),
        )
        for name, features in PROFILES.items()
    ]
    return PROFILES_HEAD + "\n" + markdown_table(("Profile", "Asks for"), rows)


def _requests(each: Explained) -> str:
    rows = [(f"`{_address(s)}`", s.why, ", ".join(f"`{m}`" for m in sorted(s.body))) for s in each.requests]
    return f"### {each.permission.scope}\n\n" + markdown_table(("Request", "Why", "What it writes"), rows)


def _address(shape: Shape) -> str:
    query = "&".join(f"{name}={value}" for name, value in shape.query)
    return f"{shape.method} {shape.path}" + (f"?{query}" if query else "")


def markdown_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown, whatever stands in its cells."""
    lines = [head, tuple("---" for _ in head), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Where to? For example: python -m gatepost.mailboxes.permissions_page docs/permissions.md")
    Path(sys.argv[1]).write_text(page())
