"""The person a reply points to: named, introduced in copy, or already holding our mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .patterns import compiled
from .quotes import Extracted

Kind = Literal["named", "introduced", "forwarded"]


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Somebody other than the sender and us, as the new text or the copy line gives him."""

    name: str | None
    address: str | None
    kind: Kind


_ADDRESS = compiled(r"[\pL\pN._%+\-]+@[\pL\pN\-]+(?:\.[\pL\pN\-]+)*\.\pL{2,}")
_FORWARDED = compiled(
    r"(?i)(forward(ed|ing)? (this|it|your|you|the)|passed (this|it|your|you)|passing (this|it|your) |sent (this|it|your \w+) on|"
    r"weitergeleitet|leite .{0,40} weiter|weitergegeben|transf[ée]r|transmis|fais suivre|fait suivre|reenvi|remit[ií]|"
    r"encaminh|reencaminh|inoltr|girat[oa] |doorgestuurd|stuur .{0,30} door|vidarebefordra|videresend|przekaza|przesła)"
)
_INTRODUCED = compiled(
    r"(?i)(\bcc'?(ing|ed|d)?\b|in copy|copied in|copying|loop(ing|ed)|adding .{0,40} (here|to this)|in kopie|im cc|setze .{0,50} cc|"
    r"en copie|en copia|em c[óo]pia|in copia|in de cc|kopia|cc:|dw\b)"
)
_NAME_WORD = r"\p{Lu}[\pL'’\-]+"
_NAME = rf"((?:{_NAME_WORD} (?:(?:van|von|de|der|den|da|di|del|du|la|le|af|zu) ){{0,2}}){{0,3}}{_NAME_WORD})"
_POINTS_TO = compiled(
    r"(?:[Cc]ontact|[Rr]each out to|[Ss]peak (?:to|with)|[Tt]alk (?:to|with)|[Tt]ouch with|[Aa]sk|[Ee]mail|[Ww]rite to|[Tt]ry|"
    r"[Aa]pproach|[Pp]ing|[Cc]olleague|[Mm]anager|[Bb]oss|[Cc][Cc]'?i?n?g?e?d?|[Cc]opying|[Ll]ooping in|[Aa]dding|[Mm]eet|to|with|by|is|"
    r"Kolleg(?:e|in|en)|Herrn?|Frau|an|wäre|ist|bei|wenden Sie sich an|collègue|contacter|à|avec|Monsieur|Madame|M\.|Mme|"
    r"est|compañer[oa]|colega|con|a|es|contactar|hable con|é|com|o|collega|contattare|è|dottor|dott\.(?:ssa)?|signor[ae]?|met|"
    r"aan|bij|naar|kollega?n?|kollegan|till|til|hos|med|är|er|do|z|kolega|koleżanka|panem|panią|jest|Mr\.?|Mrs\.?|Ms\.?|Dr\.?)"
    rf"[,:]? (?:(?:my|our|meinen?|unseren?|mon|ma|notre|mi|nuestr[oa]|mijn|onze|min|vår|il|la|le|the|de|het|colleague|Kolleg\w+|collègue|"
    rf"collega|kollega|colega|compañer[oa]|[Hh]errn?|[Ff]rau|Mr\.?|Mrs\.?|Ms\.?|Dr\.?|Monsieur|Madame|Mme|M\.|signor[ae]?) ){{0,3}}{_NAME}"
)
_NOT_NAMES = frozenset(
    [
        "i",
        "we",
        "you",
        "it",
        "this",
        "that",
        "the",
        "they",
        "he",
        "she",
        "if",
        "please",
        "thanks",
        "hi",
        "hello",
        "dear",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "marketing",
        "sales",
        "it",
        "hr",
        "procurement",
        "finance",
        "purchasing",
        "operations",
        "legal",
        "gdpr",
        "ceo",
        "cto",
        "cfo",
        "coo",
        "cmo",
        "head",
        "team",
        "support",
        "sie",
        "ihnen",
        "ihr",
        "wir",
        "ich",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "januar",
        "februar",
        "märz",
        "mai",
        "juni",
        "juli",
        "oktober",
        "dezember",
        "einkauf",
        "vertrieb",
        "geschäftsführung",
        "personal",
        "anfrage",
        "mail",
        "email",
        "e-mail",
        "zeit",
        "moment",
        "outlook",
        "teams",
        "zoom",
        "google",
        "microsoft",
        "linkedin",
        "office",
        "q1",
        "q2",
        "q3",
        "q4",
        "no",
        "yes",
        "best",
        "regards",
        "kind",
        "merci",
        "vous",
        "bonjour",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "grazie",
        "gracias",
        "usted",
    ]
)


def find(
    parts: Extracted, *, sender: str | None, cc: Sequence[str], sent: Sequence[str] = ()
) -> ThirdParty | None:
    """The person the new text points to, or None. Never the sender himself, nor anyone named in our mail."""
    message = parts.message
    own = f"{(sender or '')}\n{parts.signature}\n{parts.sign_off}\n" + "\n".join(sent)
    own = own.lower()
    address = _foreign_address(message, own)
    name = _foreign_name(message, own, address)
    if address is None and name is None and not (cc and _INTRODUCED.search(message)):
        return None
    if address is None and _INTRODUCED.search(message):
        address = _foreign_address("\n".join(cc), own)
    return ThirdParty(name, address, _kind(message))


def _kind(message: str) -> Kind:
    if _FORWARDED.search(message):
        return "forwarded"
    return "introduced" if _INTRODUCED.search(message) else "named"


def _foreign_address(text: str, own: str) -> str | None:
    for found in _ADDRESS.finditer(text):
        address = found.group(0).strip(".").lower()
        if address not in own:
            return address
    return None


def _foreign_name(text: str, own: str, address: str | None) -> str | None:
    names = [found.group(1) for found in _POINTS_TO.finditer(text)]
    for name in names:
        if _is_a_name(name) and name.lower() not in own:
            return name
    return _named_by(address, text)


def _is_a_name(name: str) -> bool:
    return len(name) <= 60 and not any(word.lower() in _NOT_NAMES for word in name.split())


def _named_by(address: str | None, text: str) -> str | None:
    """The capitalised words of the text that the address itself is made of."""
    if address is None:
        return None
    local = address.partition("@")[0].replace(".", " ").replace("_", " ").replace("-", " ")
    words = [word for word in local.split() if len(word) > 2 and word.capitalize() in text]
    return " ".join(word.capitalize() for word in words) or None
