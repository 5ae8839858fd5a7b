"""A mail as its writer means it: one text, which becomes a text part and an HTML part that say the same.

Marks: `**bold**`, lines that begin with “- ” or “1. ”, addresses of the web. Everything else is what it looks like.
"""

from collections.abc import Iterator

import nh3

from .bodies import html_to_text, linked
from .patterns import compiled

# What a signature may hold. No pictures: they come from elsewhere, and who loads one tells that the mail was opened.
TAGS = {
    "a", "b", "br", "div", "em", "hr", "i", "li", "ol", "p", "small", "span", "strong", "table", "tbody", "td", "tr",
    "u", "ul",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel"}


def sanitised(html: str) -> str:
    """The HTML with nothing in it that runs, loads, styles or hides."""
    return nh3.clean(
        html, tags=TAGS, attributes={"a": {"href"}}, url_schemes=SCHEMES, link_rel=None, strip_comments=True
    ).strip()


def as_text(marked: str) -> str:
    """The text part: what was written, without the marks of bold."""
    return "\n".join("".join(words for words, _bold in _emphasis(line)) for line in _lines_of(marked))


def as_html(marked: str) -> str:
    """What was written as HTML: paragraphs, lists, bold and links, all else escaped."""
    paragraphs = _BLANK_LINE.split("\n".join(_lines_of(marked)).strip("\n"))
    return "\n".join(part for each in paragraphs if each.strip() for part in _blocks(each.strip("\n")))


def html_document(*parts: str) -> str:
    return "<html><body>\n" + "\n".join(part for part in parts if part) + "\n</body></html>"


def text_of_html(html: str) -> str:
    """The signature's text where only its HTML was given."""
    return html_to_text(html)


def _lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


_BLANK_LINE = compiled(r"\n[ \t]*\n")
_BULLET = compiled(r"[ \t]*[-*•] +(\S.*)")
_NUMBER = compiled(r"[ \t]*(\d{1,3})[.)] +(\S.*)")


def _blocks(paragraph: str) -> Iterator[str]:
    """Lines of text as one paragraph; two or more points in a row as a list. A single one may be a dash before a name."""
    lines, text, at = paragraph.split("\n"), [], 0
    while at < len(lines):
        bullets = _run(lines, at)
        numbers = [] if bullets else _numbered_run(lines, at)
        points = bullets or numbers
        if len(points) < 2:
            text.append(lines[at])
            at += 1
            continue
        if text:
            yield _paragraph(text)
            text = []
        items = "".join(f"<li>{_inline(each)}</li>" for each in points)
        if bullets:
            yield f"<ul>{items}</ul>"
        else:
            first = _first_number(lines[at])
            yield f"<ol>{items}</ol>" if first == 1 else f'<ol start="{first}">{items}</ol>'
        at += len(points)
    if text:
        yield _paragraph(text)


def _run(lines: list[str], at: int) -> list[str]:
    points = []
    while at < len(lines) and (found := _BULLET.fullmatch(lines[at])):
        points.append(found.group(1))
        at += 1
    return points


def _numbered_run(lines: list[str], at: int) -> list[str]:
    points: list[str] = []
    number = _first_number(lines[at])
    while at < len(lines) and (found := _NUMBER.fullmatch(lines[at])) and int(found.group(1)) == number:
        points.append(found.group(2))
        number, at = number + 1, at + 1
    return points


def _first_number(line: str) -> int:
    found = _NUMBER.fullmatch(line)
    return int(found.group(1)) if found else -1


def _paragraph(lines: list[str]) -> str:
    return f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>"


def _inline(line: str) -> str:
    return "".join(f"<b>{linked(words)}</b>" if bold else linked(words) for words, bold in _emphasis(line))


_STARS = compiled(r"\*+")


def _emphasis(line: str) -> Iterator[tuple[str, bool]]:
    """The words of a line, and whether they are bold. Stars that enclose no words are stars."""
    if "**" not in line:
        yield line, False
        return
    at = 0
    begins: int | None = None
    for found in _STARS.finditer(line):
        if found.group(0) != "**":
            continue
        start, end = found.span()
        if begins is not None and not line[start - 1].isspace():
            yield line[at : begins - 2], False
            yield line[begins:start], True
            at, begins = end, None
        elif begins is None and end < len(line) and not line[end].isspace():
            begins = end
    yield line[at:], False
