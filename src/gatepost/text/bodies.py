"""Bodies: our plain text as HTML, and anybody's HTML as plain text."""

import html as html_entities
from collections.abc import Callable

import re2
from selectolax.lexbor import LexborHTMLParser, LexborNode

from . import sight
from .patterns import compiled

MAX_HTML_BYTES = 256 * 1024
MAX_TAGS = 12_000  # more is looked at no further: no new text stands below so much
MAX_DEPTH = 200  # deeper tags stay text, but no longer shape it

_LINK = compiled(r"https?://[^\s<>\"']+")
_LINK_TAIL = ".,;:!?)]}'\"»”’"

# A tag that begins and ends a line of its own.
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
SILENT = frozenset(
    [
        "head",
        "script",
        "style",
        "title",
        "template",
        "noscript",
        "iframe",
        "object",
        "svg",
        "math",
        "select",
        "textarea",
        "datalist",
        "dialog",
        "audio",
        "video",
        "canvas",
        "noframes",
        "noembed",
    ]
)


def text_to_html(text: str) -> str:
    """Our own plain text as HTML that shows the same: paragraphs, line breaks and links, all else escaped."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    paragraphs = [part.strip("\n") for part in re2.split(r"\n\s*\n", text)]
    body = "\n".join(f"<p>{_lines_to_html(part)}</p>" for part in paragraphs if part.strip())
    return f"<html><body>\n{body}\n</body></html>"


def _lines_to_html(paragraph: str) -> str:
    return "<br>\n".join(linked(line) for line in paragraph.split("\n"))


def linked(line: str) -> str:
    """The line as HTML: addresses of the web as links, all else escaped."""
    pieces: list[str] = []
    at = 0
    for found in _LINK.finditer(line):
        address = found.group(0).rstrip(_LINK_TAIL)
        escaped = html_entities.escape(address)
        pieces.append(html_entities.escape(line[at : found.start()]))
        pieces.append(f'<a href="{escaped}">{escaped}</a>')
        at = found.start() + len(address)
    pieces.append(html_entities.escape(line[at:]))
    return "".join(pieces)


def html_to_text(html: str, max_bytes: int = MAX_HTML_BYTES) -> str:
    """What a reader sees of the HTML, block by block on lines of its own. At most `max_bytes` are read."""
    return flatten(parse(html, max_bytes))


def parse(html: str, max_bytes: int = MAX_HTML_BYTES) -> LexborHTMLParser:
    """The HTML as a tree, cut at `max_bytes`, at MAX_TAGS and at MAX_DEPTH open tags, whatever a sender nests."""
    cut = html.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore").replace("\x00", "")
    return LexborHTMLParser(_shallow(cut))


_TAG = compiled(r"</?[A-Za-z][^<>]*>")
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)


def _shallow(html: str) -> str:
    """The first MAX_TAGS of the HTML, without those that open more than MAX_DEPTH deep: a tree that deep stalls a parser."""
    if html.count("<") <= MAX_DEPTH:
        return html
    pieces: list[str] = []
    depth = at = 0
    for number, found in enumerate(_TAG.finditer(html)):
        if number == MAX_TAGS:
            html = html[: found.start()]
            break
        tag = found.group(0)
        closing = tag[1] == "/"
        name = tag[2 if closing else 1 : -1].split(maxsplit=1)[0].rstrip("/").lower() if len(tag) > 3 else "?"
        if name in _VOID or name in {"p", "li", "td", "tr", "th", "dd", "dt"}:  # these close themselves
            continue
        if not closing:
            depth += 1
        if depth > MAX_DEPTH:
            pieces.append(html[at : found.start()])
            at = found.end()
        if closing:
            depth = max(0, depth - 1)
    pieces.append(html[at:])
    return "".join(pieces)


def flatten(
    tree: LexborHTMLParser, role: Callable[[LexborNode], str] = lambda node: "", *, colours: bool = True
) -> str:
    """The text of the tree that a reader sees. Where `role` says `quote`, its lines come behind “> ”; where it says
    `open`, a line of its own with OPENING announces that a quoted mail begins. Without `colours`, text in the colour
    of its ground is taken for seen."""
    if tree.root is None:
        return ""
    rules = sight.sheet(tree)
    pieces: list[str] = []
    stack: list[tuple[LexborNode, sight.Look] | str] = [(tree.root, sight.PLAIN)]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            pieces.append(top)
            continue
        node, look = top
        tag = node.tag or ""
        if tag == "-text":
            if look.shows(colours=colours):
                pieces.append(_inline_space(node.text_content or "", keep=_in_pre(node)))
        elif tag == "br":
            pieces.append("\n")
        elif tag not in SILENT and not tag.startswith(("-", "!")):
            attributes = node.attributes
            style = sight.style_of(node, attributes, rules) if attributes or rules else {}
            if not sight.is_hidden(attributes, style):
                _visit(node, role(node), sight.look(look, style), stack, pieces)
    return _lines(pieces)


OPENING = "\ue005"  # private use: no mail has a meaning for it
_BREAK = "\x01"  # a block's border: one line break, however many borders meet
_GAP = "\x02"  # a paragraph's border: an empty line
_ENTER, _LEAVE = "\x03", "\x04"  # a quoted container's borders
_MARKS = compiled(r"[\x01-\x05\x{e005}]")


def _visit(
    node: LexborNode,
    role: str,
    look: sight.Look,
    stack: list[tuple[LexborNode, sight.Look] | str],
    pieces: list[str],
) -> None:
    tag = node.tag or ""
    border = _GAP if tag == "p" else _BREAK if tag in BLOCKS else ""
    if role == "quote":
        pieces.append(_ENTER)
        stack.append(_LEAVE)
    elif role == "rule":
        pieces += [_BREAK, "_____", _BREAK]
    elif role == "open":
        pieces += [_BREAK, OPENING, _BREAK]
    elif border:
        pieces.append(border)
        stack.append(border)
    elif tag in {"td", "th"}:
        stack.append(" ")
    stack.extend((child, look) for child in reversed(list(node.iter(include_text=True))))


def _in_pre(node: LexborNode) -> bool:
    parent = node.parent
    return parent is not None and parent.tag in {"pre", "plaintext"}


def _inline_space(text: str, *, keep: bool) -> str:
    text = _MARKS.sub("", text)
    return text if keep else re2.sub(r"[ \t\r\n\f]+", " ", text)


def _lines(pieces: list[str]) -> str:
    """The pieces as text: borders that meet become one line break, quoted lines get their mark."""
    lines: list[str] = []
    line: list[str] = []
    depth = 0

    def end_line(*, gap: bool = False) -> None:
        words = "".join(line).strip(" ")
        line.clear()
        if words:
            lines.append("> " * min(depth, 5) + words)
        elif gap and lines and lines[-1].strip("> "):
            lines.append("> ".rstrip() * min(depth, 1))

    for piece in pieces:
        if piece in (_ENTER, _LEAVE):
            end_line()
            depth += 1 if piece == _ENTER else -1
        elif piece == _BREAK:
            end_line()
        elif piece == _GAP:
            end_line()
            end_line(gap=True)
        else:
            first, *rest = piece.split("\n")
            line.append(first)
            for part in rest:
                end_line(gap=True)
                line.append(part)
    end_line()
    return "\n".join(lines).strip("\n")
