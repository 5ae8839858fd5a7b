"""An HTML reply as lines: quoted containers come out as lines marked with “> ”, their beginnings as a mark."""

from selectolax.lexbor import LexborNode

from . import bodies

# Containers that hold the quoted mail and nothing else.
_QUOTING_CLASSES = (
    "gmail_attr",
    "moz-cite-prefix",
    "yahoo_quoted",
    "protonmail_quote",
    "zmail_extra",
    "tutanota_quote",
)
_QUOTING_IDS = ("yahoo_quoted", "olk_src_body_section", "replysplit")
# Marks in front of the quoted mail: all that follows is quoted.
_OPENING_IDS = ("divrplyfwdmsg", "appendonsend", "stopspelling", "mail-editor-reference-message-container",
                "ms-outlook-mobile-reference-message")  # fmt: skip
FAR_ABOVE = 30  # no attribution stands so many elements above its quote
_OPENING_BORDERS = ("border-top:solid#e1e1e1", "border-top:solid#b5c4df")


def marked_text(html: str, *, colours: bool = True) -> str:
    """The visible text of a mail, with the lines that its mail program marked as quoted behind “> ”."""
    return bodies.flatten(bodies.parse(html), role, colours=colours)


def role(node: LexborNode) -> str:
    """What this element is to the quote: `quote`, `open` (the quote begins here), `rule` (it may) or nothing."""
    attributes = node.attributes
    ident = _without_x(attributes.get("id"))
    classes = _without_x(attributes.get("class"))
    style = (attributes.get("style") or "").lower().replace(" ", "")
    if ident.startswith(_OPENING_IDS):
        return "open"
    if node.tag == "div" and style.startswith("border:none;") and any(b in style for b in _OPENING_BORDERS):
        return "open"
    if any(name in classes for name in _QUOTING_CLASSES) or ident.startswith(_QUOTING_IDS):
        return "quote"
    if node.tag == "div" and attributes.get("name") == "quote":
        return "quote"
    if node.tag == "blockquote" and "border:none" not in style and _quotes_somebody(node, style):
        return "quote"
    if node.tag == "hr":
        return "rule"
    if "gmail_quote" in classes.split() and not _has_blockquote(node):
        return "quote"
    return ""


def _quotes_somebody(node: LexborNode, style: str) -> bool:
    """A blockquote may be the writer's own citation: the mail's has a mark, or an attribution above it."""
    if node.attributes.get("type") == "cite" or "border-left" in style:
        return True
    parent, before = node.parent, node.prev
    if parent is not None and "gmail_" in (parent.attributes.get("class") or ""):
        return True
    for _ in range(FAR_ABOVE):
        if before is None or (before.text_content or "").strip():
            break
        before = before.prev
    return before is not None and (before.text_content or "").strip().endswith((":", "："))


def _has_blockquote(node: LexborNode) -> bool:
    return node.css_first("blockquote") is not None


def _without_x(value: str | None) -> str:
    """Outlook prefixes what it nests with x_, once for every round."""
    lowered = (value or "").lower()[:200]
    while lowered.startswith("x_"):
        lowered = lowered[2:]
    return lowered.replace(" x_", " ")
