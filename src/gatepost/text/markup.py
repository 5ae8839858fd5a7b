"""An HTML reply as lines: quoted containers come out as lines marked with “> ”, their beginnings as a mark."""

import functools

from selectolax.lexbor import LexborHTMLParser, LexborNode

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


def flattened(html: str) -> bodies.Flat:
    """The mail's text with the lines that its mail program marked as quoted."""
    return bodies.flatten(html, Roles)


class Roles:
    """What an element of this tree is to the quote: `quote`, `open` (the quote begins here), `rule` (it may) or nothing."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self._tree = tree
        self._left = bodies.MAX_TEXT_ABOVE

    def __call__(self, node: LexborNode, attributes: bodies.Attributes) -> str:
        ident = _without_x(attributes.get("id"))
        classes = _without_x(attributes.get("class"))
        style = (attributes.get("style") or "")[:_LONG].lower().replace(" ", "")
        if ident.startswith(_OPENING_IDS):
            return "open"
        if (
            node.tag == "div"
            and style.startswith("border:none;")
            and any(b in style for b in _OPENING_BORDERS)
        ):
            return "open"
        if any(name in classes for name in _QUOTING_CLASSES) or ident.startswith(_QUOTING_IDS):
            return "quote"
        if node.tag == "div" and attributes.get("name") == "quote":
            return "quote"
        if (
            node.tag == "blockquote"
            and "border:none" not in style
            and self._quotes_somebody(node, attributes, style)
        ):
            return "quote"
        if node.tag == "hr":
            return "rule"
        if "gmail_quote" in classes.split() and node.mem_id not in self._with_blockquotes:
            return "quote"
        return ""

    def _quotes_somebody(self, node: LexborNode, attributes: bodies.Attributes, style: str) -> bool:
        """A blockquote may be the writer's own citation: the mail's has a mark, or an attribution above it."""
        if attributes.get("type") == "cite" or "border-left" in style:
            return True
        parent, before = node.parent, node.prev
        if parent is not None and "gmail_" in (parent.attributes.get("class") or ""):
            return True
        for _ in range(FAR_ABOVE):
            if before is None or self._left <= 0:
                return False
            if said := self._said(before):
                # Without any mark, the only one below an answer is the mail that it answers.
                return said.endswith((":", "：")) or (not attributes and self._one_blockquote)
            before = before.prev
        return False

    def _said(self, node: LexborNode) -> str:
        """The words of an element."""
        said = (node.text_content if node.tag == "-text" else node.text(deep=True)) or ""
        self._left -= len(said)
        return said.strip()

    @functools.cached_property
    def _one_blockquote(self) -> bool:
        return len(self._tree.css("blockquote")) == 1

    @functools.cached_property
    def _with_blockquotes(self) -> set[int]:
        having: set[int] = set()
        for quote in self._tree.css("blockquote"):
            node: LexborNode | None = quote
            while node is not None and node.mem_id not in having:
                having.add(node.mem_id)
                node = node.parent
        return having


_LONG = 400


def _without_x(value: str | None) -> str:
    """Outlook prefixes what it nests with x_, once for every round."""
    lowered = (value or "")[:200].lower()
    if lowered.startswith("x_"):
        lowered = lowered.lstrip("x_")
    return lowered.replace(" x_", " ")
