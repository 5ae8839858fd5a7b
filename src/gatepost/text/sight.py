"""What a reader can see of HTML: text that its style hides was not written to him, and is not read.

Hidden are elements that take no room, stand off the page or are switched off; text in the colour of its ground; text
too small to read. In doubt text counts as seen: a background picture, a colour that is not understood.
"""

import colorsys
from collections.abc import Mapping
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from .patterns import compiled

Colour = tuple[int, int, int]
Style = Mapping[str, str]
Sheet = Mapping[str, Style]  # by selector: `tag`, `.class`, `tag.class`, `#id`

ALIKE = 24  # ink that differs from its ground by no more than this, of 255 in each colour, shows nothing
TINY = 2.0  # points or pixels
FAR = 900.0  # a length that leads off the page
FAINT = 0.05
MAX_RULES = 400
MAX_CLASSES = 12


class Look(NamedTuple):
    """How text is shown at some place: ink and ground (None: not known), too small, or without any colour."""

    ink: Colour | None = (0, 0, 0)
    ground: Colour | None = (255, 255, 255)
    tiny: bool = False
    clear: bool = False

    def shows(self, *, colours: bool = True) -> bool:
        """Whether text of this look can be read."""
        if self.tiny:
            return False
        if not colours:
            return True
        return not self.clear and not _alike(self.ink, self.ground)


PLAIN = Look()


def _alike(ink: Colour | None, ground: Colour | None) -> bool:
    if ink is None or ground is None:
        return False
    return all(abs(one - other) <= ALIKE for one, other in zip(ink, ground, strict=True))


# --- styles -------------------------------------------------------------------------------------------------

_COMMENT = compiled(r"(?s)/\*.*?\*/")
_AT_BLOCK = compiled(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # of a screen that may be another one
_RULE = compiled(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = compiled(r"^([a-z][a-z0-9]*)?([.#][\w\-]+)?$")


def sheet(tree: LexborHTMLParser) -> Sheet:
    """The simple rules of the mail's own style sheets; selectors of more than one step are left aside."""
    found: dict[str, dict[str, str]] = {}
    for node in tree.css("style"):
        text = _AT_BLOCK.sub("", _COMMENT.sub("", (node.text() or "").lower()))
        for number, rule in enumerate(_RULE.finditer(text)):
            if number >= MAX_RULES:
                break
            for selector in rule.group(1).split(","):
                if (selector := selector.strip()) and _SELECTOR.match(selector):
                    found.setdefault(selector, {}).update(_declared(rule.group(2)))
    return found


def _declared(style: str) -> dict[str, str]:
    """Property and value, lower case and without spaces; the last one said counts."""
    pairs = (declaration.partition(":") for declaration in style.lower().split(";"))
    return {
        name.strip(): " ".join(value.replace("!important", "").split())
        for name, colon, value in pairs
        if colon
    }


def style_of(node: LexborNode, attributes: Mapping[str, str | None], rules: Sheet) -> Style:
    """What the sheet and the element itself say of how it looks."""
    style: dict[str, str] = {}
    if rules:
        tag = node.tag or ""
        classes = (attributes.get("class") or "").lower().split()[:MAX_CLASSES]
        names = [tag, *(f".{c}" for c in classes), *(f"{tag}.{c}" for c in classes)]
        for name in (*names, f"#{(attributes.get('id') or '').lower()}"):
            style.update(rules.get(name, {}))
    for attribute, property_ in _ATTRIBUTES:
        if value := attributes.get(attribute):
            style[property_] = value.lower().strip()
    if own := attributes.get("style"):
        style.update(_declared(own))
    return style


_ATTRIBUTES = (("bgcolor", "background-color"), ("color", "color"), ("text", "color"))

# --- hidden elements ----------------------------------------------------------------------------------------


def is_hidden(attributes: Mapping[str, str | None], style: Style) -> bool:
    """Whether the element and all in it take no place on the page."""
    if "hidden" in attributes:
        return True
    if not style:
        return False
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or style.get("mso-hide") == "all"
        or _number(style.get("opacity"), 1.0) <= FAINT
        or _takes_no_room(style)
        or _off_the_page(style)
    )


_NO_CLIP = compiled(
    r"^(rect\((0[a-z]*[ ,]*){4}\)|rect\((1px[ ,]*){4}\)|inset\((50|100)%\)|circle\(0[a-z%]*\))$"
)


def _takes_no_room(style: Style) -> bool:
    if _NO_CLIP.match(style.get("clip", "")) or _NO_CLIP.match(style.get("clip-path", "")):
        return True
    if style.get("transform", "").replace(" ", "") in ("scale(0)", "scale(0,0)"):
        return True
    cut = style.get("overflow", style.get("overflow-y", "")) in ("hidden", "clip")
    sizes = ("height", "max-height", "width", "max-width")
    return cut and any(_number(style.get(size), 1.0) == 0 for size in sizes)


def _off_the_page(style: Style) -> bool:
    if _number(style.get("text-indent"), 0.0) <= -FAR or _number(style.get("margin-left"), 0.0) <= -FAR:
        return True
    if style.get("position") not in ("absolute", "fixed", "relative"):
        return False
    return any(abs(_number(style.get(side), 0.0)) >= FAR for side in ("left", "right", "top", "bottom"))


_NUMBER = compiled(r"^[+\-]?(\d+\.?\d*|\.\d+)")


def _number(value: str | None, otherwise: float) -> float:
    found = _NUMBER.match(value) if value else None
    return float(found.group(0)) if found else otherwise


# --- ink, ground and size -----------------------------------------------------------------------------------


def look(before: Look, style: Style) -> Look:
    """How text in this element looks, within one that looks like `before`."""
    if not style:
        return before
    ink, ground, tiny, clear = before
    if (colour := style.get("color", "inherit")) not in ("inherit", "currentcolor"):
        ink, clear = _colour(colour), _is_clear(colour)
    if paint := style.get("background-color") or style.get("background"):
        ground = _ground(paint, ground)
    if style.get("background-image", "none") != "none":
        ground = None
    if size := style.get("font-size"):
        tiny = _is_tiny(size, tiny)
    return Look(ink, ground, tiny, clear)


def _is_tiny(size: str, before: bool) -> bool:
    number = _number(size, -1.0)
    if number < 0:  # a word such as `medium`
        return before if size in ("inherit", "smaller", "larger") else False
    if number == 0:
        return True
    if size.endswith(("px", "pt")):
        return number < TINY
    return before or (size.endswith(("em", "rem")) and number < 0.1) or (size.endswith("%") and number < 10)


_PARTS = compiled(r"[\d.]+")


def _ground(paint: str, before: Colour | None) -> Colour | None:
    if "url(" in paint or "gradient" in paint:
        return None
    words = [paint] if "(" in paint else paint.split()
    for word in words:
        if word in ("transparent", "none", "inherit", "initial") or _is_clear(word):
            return before
        if (colour := _colour(word)) is not None:
            return colour
    return None


def _is_clear(colour: str) -> bool:
    if colour == "transparent":
        return True
    if colour.startswith("#") and len(colour) in (5, 9):
        return int(_hex(colour[1:][-1 if len(colour) == 5 else -2 :]) or 255) <= 12
    parts = _PARTS.findall(colour) if colour.startswith(("rgba(", "rgb(", "hsla(", "hsl(")) else []
    return len(parts) == 4 and _number(parts[3], 1.0) <= FAINT


def _hex(digits: str) -> int | None:
    try:
        return int(digits, 16)
    except ValueError:
        return None


_NAMED: dict[str, Colour] = {
    "white": (255, 255, 255), "window": (255, 255, 255), "snow": (255, 250, 250), "ivory": (255, 255, 240),
    "ghostwhite": (248, 248, 255), "whitesmoke": (245, 245, 245), "floralwhite": (255, 250, 240),
    "black": (0, 0, 0), "windowtext": (0, 0, 0), "navy": (0, 0, 128), "blue": (0, 0, 255), "red": (255, 0, 0),
    "green": (0, 128, 0), "yellow": (255, 255, 0), "gray": (128, 128, 128), "grey": (128, 128, 128),
}  # fmt: skip


def _colour(written: str) -> Colour | None:
    if written in _NAMED:
        return _NAMED[written]
    if written.startswith("#"):
        digits = written[1:]
        if len(digits) in (3, 4):
            digits = "".join(2 * digit for digit in digits[:3])
        value = _hex(digits[:6])
        return None if value is None or len(digits) < 6 else (value >> 16, value >> 8 & 255, value & 255)
    parts = [_number(part, 0.0) for part in _PARTS.findall(written)]
    if written.startswith("rgb") and len(parts) >= 3:
        scale = 2.55 if "%" in written else 1.0
        red, green, blue = (min(255, round(part * scale)) for part in parts[:3])
        return red, green, blue
    if written.startswith("hsl") and len(parts) >= 3:
        hue, lightness, saturation = parts[0] / 360 % 1, min(1.0, parts[2] / 100), min(1.0, parts[1] / 100)
        red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, saturation))
        return red, green, blue
    return None
