"""HTML to text and back, and what of a message is new in it (Graph's uniqueBody)."""

import html
import re
from html.parser import HTMLParser

_BREAKS = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "table", "hr", "blockquote"}
_SILENT = {"style", "script", "head", "title"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in ("p", "div", "blockquote", "table"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data.replace("\r", "").replace("\n", " "))


def to_text(source: str) -> str:
    parser = _Text()
    parser.feed(source)
    parser.close()
    text = "".join(parser.parts).replace("\xa0", " ")
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


_UNSAFE = re.compile(
    r"<(script|iframe|object|embed|applet)\b.*?(?:</\1\s*>|$)|\son\w+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+)",
    re.IGNORECASE | re.DOTALL,
)


def safe(source: str) -> str:
    """HTML without what could run: Graph gives it so unless it is asked for the unsafe."""
    return _UNSAFE.sub("", source) if _UNSAFE.search(source) else source


def to_html(text: str) -> str:
    body = html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return f"<html><head></head><body>{body}</body></html>"


def preview(body_type: str, body: str) -> str:
    # Only the beginning matters, and long bodies are the rule.
    text = to_text(body[:6000]) if body_type == "html" else body[:1000]
    return " ".join(text.split())[:255]


# Exchange knows its own marks and cuts there cleanly. Of other programs it recognises the quoted block, but the
# line that introduces it ("On Monday, Ann wrote:") stays in uniqueBody.
_HTML_MARKS = (
    'id="appendonsend"', 'id="divRplyFwdMsg"', "border-top:solid #E1E1E1", "<blockquote", 'name="quote"',
    'class="yahoo_quoted"',
)  # fmt: skip
_TEXT_MARK = re.compile(
    r"^(?:-{2,} ?(?:Original Message|Ursprüngliche Nachricht|Message d'origine|Mensaje original"
    r"|Messaggio originale|Oorspronkelijk bericht) ?-{2,}|_{20,}|(?:From|Von|De|Da|Van|Från|Od): .{1,200})$|^>",
    re.MULTILINE,
)


def unique_part(body_type: str, body: str) -> str:
    """The part of the body that no earlier message holds, as well as Exchange can tell."""
    if body_type != "html":
        mark = _TEXT_MARK.search(body)
        return body[: mark.start()].rstrip() if mark else body
    places = [place for place in map(body.find, _HTML_MARKS) if place >= 0]
    if not places:
        return body
    start = body.rfind("<", 0, min(places) + 1)
    return body[: max(start, 0)] + "</body></html>"
