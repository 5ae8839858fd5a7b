"""What a reader can see of HTML: text that its style hides was not written to him, and is not read.

Hidden are elements that take no room, stand off the page or are switched off; text in the colour of its ground; text
too small to read. In doubt text counts as seen: a background picture, a colour that is not understood.
"""

import colorsys
import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from .patterns import Sign

Colour = tuple[int, int, int]
Style = Mapping[str, str]

ALIKE = 24  # ink that differs from its ground by no more than this, of 255 in each colour, shows nothing
TINY = 2.0  # points or pixels
FAR = 900.0  # a length that leads off the page
FAINT = 0.05
MAX_SHEETS, MAX_SHEET, MAX_RULES, MAX_SELECTORS = 20, 40_000, 400, 20
MAX_STYLE, MAX_DECLARATIONS = 2_000, 40
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

_SELECTOR = Sign(r"^([a-z][a-z0-9]*)?([.#][\w\-]+)?$")


class Styles:
    """What the mail's own style sheets and its elements say of how they look.

    Only the simple rules of a sheet count; selectors of more than one step are left aside. What is said often is read once.
    """

    def __init__(self, tree: LexborHTMLParser) -> None:
        self.sheet: dict[str, dict[str, str]] = {}
        self._by_names: dict[tuple[str, str, str], dict[str, str]] = {}
        self._looks: dict[tuple[Look, str, tuple[str | None, ...]], Look | None] = {}
        whole = "\n".join(node.text() or "" for node in tree.css("style")[:MAX_SHEETS])
        rules = _rules(whole[:MAX_SHEET].lower())
        for selectors, declarations in itertools.islice(rules, MAX_RULES):
            declared = None
            for selector in selectors.split(",", MAX_SELECTORS)[:MAX_SELECTORS]:
                selector = selector.strip()
                if selector and " " not in selector and _SELECTOR.is_in(selector):
                    declared = _declared(declarations) if declared is None else declared
                    self.sheet.setdefault(selector, {}).update(declared)

    def look(self, before: Look, tag: str, attributes: Mapping[str, str | None]) -> Look | None:
        """How text in this element looks, within one that looks like `before`; None where the element is hidden."""
        if "hidden" in attributes:
            return None
        if not self.sheet and attributes.keys().isdisjoint(_SAYING):
            return before
        alike = before, tag, tuple(map(attributes.get, _SHOWING))
        if alike not in self._looks:
            style = self._of(tag, attributes)
            self._looks[alike] = None if _is_hidden(style) else _look(before, style)
        return self._looks[alike]

    def _of(self, tag: str, attributes: Mapping[str, str | None]) -> Style:
        """What is said of this element's look; nothing where nothing is."""
        style = self._by_sheet(tag, attributes) if self.sheet else {}
        told = {
            property_: value.lower().strip()
            for attribute, property_ in _ATTRIBUTES
            if (value := attributes.get(attribute))
        }
        own = attributes.get("style")
        if not (told or own):
            return style
        return {**style, **told, **(_declared(own[:MAX_STYLE].lower()) if own else {})}

    def _by_sheet(self, tag: str, attributes: Mapping[str, str | None]) -> dict[str, str]:
        named = tag, attributes.get("class") or "", attributes.get("id") or ""
        if named not in self._by_names:
            classes = named[1][:MAX_STYLE].lower().split()[:MAX_CLASSES]
            names = [
                tag,
                *(f".{c}" for c in classes),
                *(f"{tag}.{c}" for c in classes),
                f"#{named[2].lower()}",
            ]
            style: dict[str, str] = {}
            for name in names:
                if name in self.sheet:
                    style.update(self.sheet[name])
            self._by_names[named] = style
        return self._by_names[named]


def _rules(text: str) -> Iterator[tuple[str, str]]:
    """Selectors and declarations of each rule, but for those inside `@media` and its like: they are of another screen."""
    text = "".join(
        part.partition("*/")[2] if number else part for number, part in enumerate(text.split("/*"))
    )
    depth = 0
    for part in text.split("}"):
        head, *opened = part.split("{")
        if (
            depth == 0
            and len(opened) == 1
            and not (selectors := head.rpartition(";")[2].strip()).startswith("@")
        ):
            yield selectors, opened[0]
        depth = max(0, depth + len(opened) - 1)


def _declared(style: str) -> dict[str, str]:
    """Those properties that can hide text, and their values, without spaces more than needed; the last one said counts."""
    declared = {}
    for declaration in style.split(";", MAX_DECLARATIONS)[:MAX_DECLARATIONS]:
        name, colon, value = declaration.partition(":")
        if colon and (name := name.strip()) in _TELLING:
            declared[name] = " ".join(value.replace("!important", "").split())
    return declared


_TELLING = frozenset(
    [
        "display",
        "visibility",
        "mso-hide",
        "opacity",
        "clip",
        "clip-path",
        "transform",
        "overflow",
        "overflow-y",
        "height",
        "max-height",
        "width",
        "max-width",
        "text-indent",
        "margin-left",
        "position",
        "left",
        "right",
        "top",
        "bottom",
        "color",
        "background",
        "background-color",
        "background-image",
        "font-size",
    ]
)
_ATTRIBUTES = (("bgcolor", "background-color"), ("color", "color"), ("text", "color"))
_SAYING = ("style", *(attribute for attribute, _ in _ATTRIBUTES))
# Two elements that are alike in these look alike.
_SHOWING = (*_SAYING, "class", "id")

# --- hidden elements ----------------------------------------------------------------------------------------


def _is_hidden(style: Style) -> bool:
    """Whether the element and all in it take no place on the page."""
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


_NO_CLIP = Sign(r"^(rect\((0[a-z]*[ ,]*){4}\)|rect\((1px[ ,]*){4}\)|inset\((50|100)%\)|circle\(0[a-z%]*\))$")


def _takes_no_room(style: Style) -> bool:
    if _NO_CLIP.is_in(style.get("clip", "")) or _NO_CLIP.is_in(style.get("clip-path", "")):
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


_UNITS = "abcdefghijklmnopqrstuvwxyz% "


def _number(value: str | None, otherwise: float) -> float:
    """The number of a length, whatever its unit."""
    if not value or value[0] not in "+-.0123456789":
        return otherwise
    try:
        number = float(value.split(None, 1)[0][:_LONGEST_NUMBER].rstrip(_UNITS))
    except ValueError:
        return otherwise
    return min(max(number, -_MOST), _MOST)


_LONGEST_NUMBER = 20
_MOST = 1e6


# --- ink, ground and size -----------------------------------------------------------------------------------


def _look(before: Look, style: Style) -> Look:
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


def _parts(written: str) -> list[str]:
    """The parts of a colour in brackets, such as `rgb(0, 0, 0)`."""
    inside = written[:_LONGEST_COLOUR].partition("(")[2].partition(")")[0]
    return inside.replace(",", " ").replace("/", " ").split()


_LONGEST_COLOUR = 60


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
    parts = _parts(colour) if colour.startswith(("rgba(", "rgb(", "hsla(", "hsl(")) else []
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
    parts = [_number(part, 0.0) for part in _parts(written)]
    if written.startswith("rgb") and len(parts) >= 3:
        scale = 2.55 if "%" in written else 1.0
        red, green, blue = (min(255, round(part * scale)) for part in parts[:3])
        return red, green, blue
    if written.startswith("hsl") and len(parts) >= 3:
        hue, lightness, saturation = parts[0] / 360 % 1, min(1.0, parts[2] / 100), min(1.0, parts[1] / 100)
        red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, saturation))
        return red, green, blue
    return None
