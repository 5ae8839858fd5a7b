"""Bodies: our plain text as HTML, and anybody's HTML as plain text."""

import html as html_entities
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import re2
from selectolax.lexbor import LexborHTMLParser, LexborNode

from . import sight
from .lines import MAX_LINES
from .patterns import compiled

# What is read of one mail. Every limit bounds work that a sender could make grow with the square of what he writes. Those that
# leave text out say so (`Flat.cut`); the others only take shape from it. gatepost.bench.extract has the mails that they are for.
MAX_HTML_BYTES = 256 * 1024
MAX_TAGS = 8_000
MAX_DEPTH = 100  # deeper tags stay text, but no longer shape it
MAX_STYLED = 20  # of such tags (bold, font …) open at once: a parser opens them all again in every paragraph
MAX_ATTRIBUTES = (
    2_000_000  # the sum, over all tags, of the square of a tag's attributes: a parser compares each with each
)
MAX_NODES = 2_500  # of the tree that comes of it
MAX_TEXT_ABOVE = 200_000  # characters looked through for what stands above quotes

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
    return flatten(html, max_bytes=max_bytes).text()


# --- limits -------------------------------------------------------------------------------------------------


def parse(html: str, max_bytes: int = MAX_HTML_BYTES) -> tuple[LexborHTMLParser, bool]:
    """The HTML as a tree, within the limits whatever a sender nests; and whether something of it was left out."""
    whole = html.encode("utf-8", "replace")
    kept = whole[:max_bytes].decode("utf-8", "ignore").replace("\x00", "")
    limited, cut = _limited(kept)
    return LexborHTMLParser(limited), cut or len(whole) > max_bytes


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
_SELF_CLOSING = _VOID | {"p", "li", "td", "tr", "th", "dd", "dt"}
_STYLED = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_SINGLE = frozenset(["html", "body"])  # further ones add their attributes to the first
_LONGEST_NAME = 24
_FEW_ATTRIBUTES = 20


def _limited(html: str) -> tuple[str, bool]:
    """The HTML up to MAX_TAGS, without the tags that open too deep and without attributes that are too many; and whether there
    was more of it.

    It takes every `<` for a tag's beginning, so that whatever a parser takes for one was counted here.
    """
    pieces = html.split("<", MAX_TAGS + 1)
    cut = len(pieces) > MAX_TAGS + 1
    if cut:
        pieces.pop()
    depth = styled = work = 0
    single: set[str] = set()
    for number in range(1, len(pieces)):
        piece = pieces[number]
        closing = piece[:1] == "/"
        name = _name(piece[1:_LONGEST_NAME] if closing else piece[:_LONGEST_NAME])
        if not name:
            pieces[number] = "<" + piece  # a comment, or no tag at all
            continue
        step = -1 if closing else 1
        drop = False
        if name in _STYLED:
            # One that closes none has no meaning, and a parser looks for it through all that is open.
            drop = max(styled, styled + step) > MAX_STYLED or styled + step < 0
            styled = min(max(0, styled + step), MAX_DEPTH)
        if name in _SINGLE and not closing:
            drop = name in single
            single.add(name)
        elif name not in _SELF_CLOSING:
            drop = drop or max(depth, depth + step) > MAX_DEPTH
            depth = max(0, depth + step)
        if not drop and len(piece) > 2 * _FEW_ATTRIBUTES and (count := _attributes(piece)) > _FEW_ATTRIBUTES:
            work += count * count
            if work > MAX_ATTRIBUTES:
                pieces[number] = f"<{'/' * closing}{name}>{piece.partition('>')[2]}"
                continue
        pieces[number] = piece.partition(">")[2] if drop else "<" + piece
    return "".join(pieces), cut


def _name(piece: str) -> str:
    """The name of the tag that these characters begin; nothing where they begin none."""
    if not piece[:1].isalpha():
        return ""
    return piece.partition(">")[0].split(None, 1)[0].partition("/")[0].lower()


def _attributes(piece: str) -> int:
    """At least as many as the attributes of the tag at the beginning of the piece."""
    tag = piece.partition(">")[0]
    if ("'" in tag and '"' in tag) or tag.count('"') % 2 or tag.count("'") % 2:
        tag = piece  # a sign of its end may stand within quotes
    if len(tag) <= 2 * _FEW_ATTRIBUTES:
        return 0
    return min(len(tag) // 2, len(tag.split()) + tag.count("/") + tag.count('"') + tag.count("'"))


# --- the tree as text ---------------------------------------------------------------------------------------

Attributes = Mapping[str, str | None]
Role = Callable[[LexborNode, Attributes], str]

OPENING = "\ue005"  # private use: no mail has a meaning for it
_BREAK = "\x01"  # a block's border: one line break, however many borders meet
_GAP = "\x02"  # a paragraph's border: an empty line
_ENTER, _LEAVE = "\x03", "\x04"  # a quoted container's borders
_OPEN, _RULE, _PALE = "\x05", "\x06", "\x07"
_MARKS = dict.fromkeys([*range(1, 9), ord(OPENING)])
_SPACES = dict.fromkeys(map(ord, "\t\r\n\f"), " ")


@dataclass(slots=True)
class Flat:
    """A tree in the order of its text: what is shown, and the borders of blocks and of quoted containers between."""

    pieces: list[str] = field(default_factory=list)
    cut: bool = False

    def text(self, *, colours: bool = True, roles: bool = True) -> str:
        """The text that a reader sees, the lines of quoted containers behind “> ”; a line of its own with OPENING announces a
        quoted mail. Without `colours`, text in the colour of its ground is taken for seen; without `roles`, nothing is quoted."""
        return _lines(self.pieces, colours, roles)

    @property
    def pale(self) -> bool:
        """Whether colours alone hide some of it."""
        return _PALE in self.pieces


def no_role(node: LexborNode, attributes: Attributes) -> str:
    return ""


def flatten(
    html: str, roles: Callable[[LexborHTMLParser], Role] | None = None, *, max_bytes: int = MAX_HTML_BYTES
) -> Flat:
    """What a reader sees of the HTML. The role of an element in quoting: `quote`, `open`, `rule` or nothing."""
    tree, cut = parse(html, max_bytes)
    flat = Flat(cut=cut)
    if tree.root is None:
        return flat
    role = roles(tree) if roles else no_role
    styles = sight.Styles(tree)
    pieces, left = flat.pieces, MAX_NODES
    stack: list[tuple[LexborNode, sight.Look, bool] | str] = [(tree.root, sight.PLAIN, False)]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            pieces.append(top)
            continue
        if left == 0:
            flat.cut = True
            continue  # the borders that are open still close
        left -= 1
        node, look, pre = top
        if (following := node.next) is not None:
            stack.append((following, look, pre))
        tag = node.tag or ""
        if tag == "-text":
            if not look.tiny:
                if not look.shows():
                    pieces.append(_PALE)
                pieces.append(_inline_space(node.text_content or "", keep=pre))
            continue
        if tag == "br":
            pieces.append("\n")
            continue
        if tag in SILENT or tag.startswith(("-", "!")):
            continue
        attributes = node.attributes
        if attributes or styles.sheet:
            seen = styles.look(look, tag, attributes)
            if seen is None:
                continue
            look = seen
        _visit(tag, role(node, attributes) if attributes or tag in _ROLES else "", stack, pieces)
        if (child := node.first_child) is not None:
            stack.append((child, look, tag in _PRE))
    return flat


_PRE = frozenset({"pre", "plaintext"})
_ROLES = frozenset({"hr", "blockquote"})  # have one without attributes


def _visit(
    tag: str, role: str, stack: list[tuple[LexborNode, sight.Look, bool] | str], pieces: list[str]
) -> None:
    border = _GAP if tag == "p" else _BREAK if tag in BLOCKS else ""
    if role == "quote":
        pieces += [border, _ENTER]
        stack += [border, _LEAVE]
    elif role == "rule":
        pieces += [_BREAK, _RULE]
    elif role == "open":
        pieces += [_BREAK, _OPEN]
        if border:
            stack.append(border)
    elif border:
        pieces.append(border)
        stack.append(border)
    elif tag in {"td", "th"}:
        stack.append(" ")


def _inline_space(text: str, *, keep: bool) -> str:
    text = text.translate(_MARKS)
    if keep:
        return text
    text = text.translate(_SPACES)
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _lines(pieces: list[str], colours: bool, roles: bool) -> str:
    """The pieces as text: borders that meet become one line break, quoted lines get their mark. A line more than is read."""
    lines: list[str] = []
    line: list[str] = []
    depth = 0
    pale = False

    def end_line(*, gap: bool = False) -> None:
        words = "".join(line).strip(" ")
        line.clear()
        if words:
            lines.append("> " * min(depth, 5) + words)
        elif gap and lines and lines[-1].strip("> "):
            lines.append("> ".rstrip() * min(depth, 1))

    for piece in pieces:
        if len(lines) > MAX_LINES:
            break
        match piece:
            case "":
                continue
            case "\x01":
                end_line()
            case "\x02":
                end_line()
                end_line(gap=True)
            case "\x03" | "\x04":
                if roles:
                    end_line()
                    depth += 1 if piece == _ENTER else -1
            case "\x05" | "\x06":
                if roles:
                    line.append(OPENING if piece == _OPEN else "_____")
                end_line()
            case "\x07":
                pale = True
                continue
            case _ if pale and colours:
                pass
            case _:
                first, *rest = piece.split("\n", MAX_LINES)
                line.append(first)
                for part in rest:
                    end_line(gap=True)
                    line.append(part)
        pale = False
    end_line()
    return "\n".join(lines).strip("\n")
