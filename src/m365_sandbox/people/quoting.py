"""How mail programs set a reply above, below or inside the mail that it answers, in text and in HTML.

The forms and words are those that replies in the wild show: Gmail's `gmail_quote`, Outlook's header block, Apple's
`blockquote type=cite`, Thunderbird's `moz-cite-prefix`, Yahoo's `yahoo_quoted`, GMX's `div name=quote`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape

from m365_sandbox.people.wording import spell

CLIENTS = (
    "outlook-desktop", "outlook-web", "gmail", "apple-mail", "iphone", "thunderbird", "yahoo", "gmx", "plain",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Original:
    """The mail that is answered. `sent` is in the time zone of the person who answers."""

    from_name: str
    from_address: str
    to_name: str
    to_address: str
    subject: str
    sent: datetime
    text: str
    html: str | None = None

    @property
    def plain(self) -> str:
        return (self.text or as_text(self.html or "")).strip()

    @property
    def markup(self) -> str:
        return inner_html(self.html) if self.html else paragraphs(self.text)


@dataclass(frozen=True, slots=True)
class Body:
    text: str
    html: str | None


def quoted(answer: str, original: Original, *, client: str, language: str, placement: str = "top") -> Body:
    """`answer` together with the original, as `client` set to `language` would send it."""
    if placement == "none":
        return Body(answer, None if client == "plain" else page(paragraphs(answer)))
    if client == "iphone":
        answer = f"{answer}\n\n{_PHONE[language]}"
    if placement == "inline":
        return _inline(answer, original, client, language)
    return _FORMS[client](answer, original, language, placement == "bottom")


def reply_subject(subject: str, client: str, language: str) -> str:
    """`subject` with the prefix of an answer, unless it has one."""
    if re.match(r"\s*(re|aw|sv|antw|odp|r|res|rif)\s*:", subject, re.IGNORECASE):
        return subject
    outlook = client.startswith("outlook")
    localised = {"de": "AW", "sv": "SV", "nl": "Antw", "it": "R", "pl": "Odp", "pt": "RES"}
    return f"{localised.get(language, 'RE') if outlook else 'Re'}: {subject}"


# The words


_HEADER_KEYS = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De", "Envoyé", "À", "Objet"),
    "es": ("De", "Enviado", "Para", "Asunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "pt": ("De", "Enviado", "Para", "Assunto"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
}
_HEADER_DATE = {
    "en": "%A, %-d %B %Y %H:%M",
    "de": "%A, %-d. %B %Y %H:%M",
    "fr": "%A %-d %B %Y %H:%M",
    "es": "%A, %-d de %B de %Y %-H:%M",
    "it": "%A %-d %B %Y %H:%M",
    "nl": "%A %-d %B %Y %H:%M",
    "pt": "%A, %-d de %B de %Y %H:%M",
    "sv": "den %-d %B %Y %H:%M",
    "pl": "%A, %-d %B %Y %H:%M",
}
_GMAIL = {
    "en": "On %a, %-d %b %Y at %H:%M, {name} <{address}> wrote:",
    "de": "Am %a, %-d. %b %Y um %H:%M Uhr schrieb {name} <{address}>:",
    "fr": "Le %a %-d %b %Y à %H:%M, {name} <{address}> a écrit :",
    "es": "El %a, %-d %b %Y a las %-H:%M, {name} (<{address}>) escribió:",
    "it": "Il giorno %a %-d %b %Y alle ore %H:%M {name} <{address}> ha scritto:",
    "nl": "Op %a %-d %b %Y om %H:%M schreef {name} <{address}>:",
    "pt": "Em %a, %-d de %b de %Y às %H:%M, {name} <{address}> escreveu:",
    "sv": "Den %a %-d %b %Y kl %H:%M skrev {name} <{address}>:",
    "pl": "%a, %-d %b %Y o %H:%M {name} <{address}> napisał(a):",
}
_APPLE = {
    "en": "On %-d %b %Y, at %H:%M, {name} <{address}> wrote:",
    "de": "Am %d.%m.%Y um %H:%M schrieb {name} <{address}>:",
    "fr": "Le %-d %b %Y à %H:%M, {name} <{address}> a écrit :",
    "es": "El %-d %b %Y, a las %-H:%M, {name} <{address}> escribió:",
    "it": "Il giorno %-d %b %Y, alle ore %H:%M, {name} <{address}> ha scritto:",
    "nl": "Op %-d %b %Y, om %H:%M heeft {name} <{address}> het volgende geschreven:",
    "pt": "No dia %d/%m/%Y, às %H:%M, {name} <{address}> escreveu:",
    "sv": "%-d %b %Y kl. %H:%M skrev {name} <{address}>:",
    "pl": "Wiadomość napisana przez {name} <{address}> w dniu %-d %b %Y, o godz. %H:%M:",
}
_THUNDERBIRD = {
    "en": "On %d/%m/%Y %H:%M, {name} wrote:",
    "de": "Am %d.%m.%y um %H:%M schrieb {name}:",
    "fr": "Le %d/%m/%Y à %H:%M, {name} a écrit :",
    "es": "El %d/%m/%y a las %-H:%M, {name} escribió:",
    "it": "Il %d/%m/%Y %H:%M, {name} ha scritto:",
    "nl": "Op %d-%m-%Y om %H:%M schreef {name}:",
    "pt": "Em %d/%m/%Y %H:%M, {name} escreveu:",
    "sv": "Den %Y-%m-%d kl. %H:%M, skrev {name}:",
    "pl": "W dniu %d.%m.%Y o %H:%M, {name} pisze:",
}
_YAHOO = {
    "en": "On %A, %-d %B %Y at %H:%M:%S %Z, {name} <{address}> wrote:",
    "de": "Am %A, %-d. %B %Y um %H:%M:%S %Z hat {name} <{address}> Folgendes geschrieben:",
    "fr": "Le %A %-d %B %Y à %H:%M:%S %Z, {name} <{address}> a écrit :",
    "es": "El %A, %-d de %B de %Y, %H:%M:%S %Z, {name} <{address}> escribió:",
    "it": "Il %A %-d %B %Y alle ore %H:%M:%S %Z, {name} <{address}> ha scritto:",
    "nl": "Op %A %-d %B %Y om %H:%M:%S %Z schreef {name} <{address}>:",
    "pt": "Em %A, %-d de %B de %Y às %H:%M:%S %Z, {name} <{address}> escreveu:",
    "sv": "den %A %-d %B %Y %H:%M:%S %Z skrev {name} <{address}>:",
    "pl": "%A, %-d %B %Y o %H:%M:%S %Z {name} <{address}> napisał(a):",
}
_PHONE = {
    "en": "Sent from my iPhone",
    "de": "Von meinem iPhone gesendet",
    "fr": "Envoyé de mon iPhone",
    "es": "Enviado desde mi iPhone",
    "it": "Inviato da iPhone",
    "nl": "Verstuurd vanaf mijn iPhone",
    "pt": "Enviado do meu iPhone",
    "sv": "Skickat från min iPhone",
    "pl": "Wysłane z iPhone'a",
}


def _attribution(words: dict[str, str], original: Original, language: str) -> str:
    line = spell(original.sent, words[language], language)
    return line.format(name=original.from_name or original.from_address, address=original.from_address)


def _header_block(original: Original, language: str) -> list[tuple[str, str]]:
    """The lines of Outlook's header block as (key, value)."""
    values = (
        f"{original.from_name} <{original.from_address}>",
        spell(original.sent, _HEADER_DATE[language], language),
        f"{original.to_name} <{original.to_address}>",
        original.subject,
    )
    colon = " " if language == "fr" else ""
    return [(f"{key}{colon}:", value) for key, value in zip(_HEADER_KEYS[language], values, strict=True)]


# The forms: one function per mail program


def _outlook_desktop(answer: str, original: Original, language: str, bottom: bool) -> Body:
    block = _header_block(original, language)
    text = f"{answer}\n\n" + "\n".join(f"{key} {value}" for key, value in block) + f"\n\n{original.plain}\n"
    lines = "<br>".join(f"<b>{key}</b> {escape(value)}" for key, value in block)
    html = (
        f'<div class="WordSection1">{_word_paragraphs(answer)}<p class="MsoNormal">&nbsp;</p>'
        '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        f'<p class="MsoNormal">{lines}</p></div></div><p class="MsoNormal">&nbsp;</p>{original.markup}</div>'
    )
    return Body(text, page(html))


def _outlook_web(answer: str, original: Original, language: str, bottom: bool) -> Body:
    block = _header_block(original, language)
    rule = "_" * 32
    text = f"{answer}\n\n{rule}\n" + "\n".join(f"{k} {v}" for k, v in block) + f"\n\n{original.plain}\n"
    lines = "<br>".join(f"<b>{key}</b> {escape(value)}" for key, value in block)
    html = (
        f'<div class="elementToProof">{paragraphs(answer)}</div><div id="appendonsend"></div>'
        '<hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif">{lines}</font><div>&nbsp;</div></div>'
        f"<div>{original.markup}</div>"
    )
    return Body(text, page(html))


def _gmail(answer: str, original: Original, language: str, bottom: bool) -> Body:
    line = _attribution(_GMAIL, original, language)
    quote = (
        f'<div class="gmail_quote"><div dir="ltr" class="gmail_attr">{escape(line)}<br></div>'
        '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);'
        f'padding-left:1ex">{original.markup}</blockquote></div>'
    )
    own = f'<div dir="ltr">{paragraphs(answer)}</div>'
    return _around(answer, own, line, quote, original, bottom)


def _apple_mail(answer: str, original: Original, language: str, bottom: bool) -> Body:
    line = _attribution(_APPLE, original, language)
    quote = (
        f'<div><br><blockquote type="cite"><div>{escape(line)}</div><br class="Apple-interchange-newline">'
        f"<div>{original.markup}</div></blockquote></div>"
    )
    return _around(answer, paragraphs(answer), line, quote, original, bottom)


def _iphone(answer: str, original: Original, language: str, bottom: bool) -> Body:
    """Unlike Apple's desktop mail, the phone marks the attribution as quoted too."""
    line = _attribution(_APPLE, original, language)
    quote = (
        f'<div dir="ltr"><br><blockquote type="cite">{escape(line)}<br><br></blockquote></div>'
        f'<blockquote type="cite"><div dir="ltr">{original.markup}</div></blockquote>'
    )
    return _around(
        answer, f'<div dir="ltr">{paragraphs(answer)}</div>', f"> {line}\n> ", quote, original, bottom
    )


def _thunderbird(answer: str, original: Original, language: str, bottom: bool) -> Body:
    line = _attribution(_THUNDERBIRD, original, language)
    quote = (
        f'<div class="moz-cite-prefix">{escape(line)}<br></div>'
        f'<blockquote type="cite" cite="mid:{escape(original.from_address)}">{original.markup}</blockquote>'
    )
    return _around(answer, paragraphs(answer), line, quote, original, bottom)


def _yahoo(answer: str, original: Original, language: str, bottom: bool) -> Body:
    line = _attribution(_YAHOO, original, language)
    quote = (
        '<div id="yahoo_quoted_4711" class="yahoo_quoted"><div style="color:#26282a">'
        f"<div>{escape(line)}</div><div><br></div><div>{original.markup}</div></div></div>"
    )
    own = f'<div class="ydp-yahoo-style-wrap">{paragraphs(answer)}</div>'
    body = _around(answer, own, line, quote, original, bottom)
    return Body(body.text.replace("\n> ", "\n  ").replace("\n>\n", "\n\n"), body.html)  # Yahoo indents


def _gmx(answer: str, original: Original, language: str, bottom: bool) -> Body:
    sender, sent, recipient, subject = _header_block(original, language)
    block = [sent, sender, recipient, subject]  # GMX puts the date first
    text = f"{answer}\n\n" + "\n".join(f"{key} {value}" for key, value in block) + f"\n{original.plain}\n"
    lines = "<br>".join(f"<b>{key}</b>&nbsp;{escape(value)}" for key, value in block)
    html = (
        f'<div style="font-family: Verdana;font-size: 12.0px;"><div>{paragraphs(answer)}</div>'
        '<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; '
        f'border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;">{lines}</div>'
        f'<div name="quoted-content">{original.markup}</div></div></div>'
    )
    return Body(text, page(html))


def _plain(answer: str, original: Original, language: str, bottom: bool) -> Body:
    line = _attribution(_THUNDERBIRD, original, language)
    return Body(_around(answer, "", line, "", original, bottom).text, None)


_FORMS: dict[str, Callable[[str, Original, str, bool], Body]] = {
    "outlook-desktop": _outlook_desktop,
    "outlook-web": _outlook_web,
    "gmail": _gmail,
    "apple-mail": _apple_mail,
    "iphone": _iphone,
    "thunderbird": _thunderbird,
    "yahoo": _yahoo,
    "gmx": _gmx,
    "plain": _plain,
}


def _around(answer: str, own: str, line: str, quote: str, original: Original, bottom: bool) -> Body:
    """Answer and quote, whichever comes first."""
    cited = f"{line}\n{marked(original.plain)}"
    if bottom:
        return Body(f"{cited}\n\n{answer}\n", page(f"{quote}<div>{own}</div>"))
    return Body(f"{answer}\n\n{cited}\n", page(own + quote))


def _inline(answer: str, original: Original, client: str, language: str) -> Body:
    """The pieces of the answer each below a paragraph of the original; what is left over stands at the end."""
    pieces = _split(answer)
    parts = _split(original.plain)
    line = _attribution(_GMAIL if client == "gmail" else _THUNDERBIRD, original, language)
    text, html = [line], [f'<div class="moz-cite-prefix">{escape(line)}<br></div>']
    for index in range(max(len(pieces), len(parts))):
        if index < len(parts):
            text.append(marked(parts[index]))
            html.append(f'<blockquote type="cite">{paragraphs(parts[index])}</blockquote>')
        if index < len(pieces):
            text.append(f"\n{pieces[index]}\n")
            html.append(paragraphs(pieces[index]))
    return Body("\n".join(text) + "\n", None if client == "plain" else page("".join(html)))


# Text and HTML


def marked(text: str) -> str:
    """Every line behind a ">"."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def paragraphs(text: str) -> str:
    """Text as HTML: a `<p>` for each paragraph, a `<br>` for each line."""
    return "".join(f"<p>{_lines(block)}</p>" for block in _split(text))


def _word_paragraphs(text: str) -> str:
    return "".join(f'<p class="MsoNormal">{_lines(block)}</p>' for block in _split(text))


def _lines(block: str) -> str:
    return escape(block, quote=False).replace("\n", "<br>")


def _split(text: str) -> list[str]:
    return [block for block in re.split(r"\n\s*\n", text.strip()) if block]


def page(inner: str) -> str:
    return f'<html><head><meta charset="utf-8"></head><body>{inner}</body></html>'


def inner_html(html: str) -> str:
    """What stands between the body tags, or everything where there are none."""
    match = re.search(r"<body[^>]*>(.*)</body>", html, re.IGNORECASE | re.DOTALL)
    return match.group(1) if match else html


def as_text(html: str) -> str:
    """The words of simple HTML, with its line breaks; for mail of our own making, not for hostile mail."""
    broken = re.sub(r"<br\s*/?>|</(p|div|tr|li|h\d)>", "\n", inner_html(html), flags=re.IGNORECASE)
    return unescape(re.sub(r"<[^>]+>", "", broken)).strip()
