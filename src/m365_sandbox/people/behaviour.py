"""What a prospect does with a mail: a pure function of the person and the mail, the same each time it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from m365_sandbox.people import corpus, quoting
from m365_sandbox.people.actions import (
    Action,
    AutoReply,
    BookMeeting,
    Bounce,
    ForwardTo,
    SendReply,
    action_from_json,
    action_to_json,
)
from m365_sandbox.people.names import mailbox_name
from m365_sandbox.people.person import Behaviour, Incoming, Person

__all__ = [
    "Action", "AutoReply", "Behaviour", "BookMeeting", "Bounce", "ForwardTo", "Incoming", "Person", "SendReply",
    "action_from_json", "action_to_json", "react",
]  # fmt: skip

_BOUNCES = (Behaviour.BOUNCE_HARD, Behaviour.BOUNCE_SOFT)
_MACHINES = (Behaviour.OUT_OF_OFFICE, Behaviour.AUTO_REPLY)


def react(person: Person, message: Incoming, *, now: datetime, thread: Sequence[Incoming]) -> list[Action]:
    """What `person` does with `message`, which arrived at `now`; an empty list is silence.

    `thread` holds the mails that the person has had in this conversation; it decides nothing beyond
    `message.count_from_sender`, and is empty where the caller does not know it.
    """
    if not _worth_reading(person, message):
        return []
    chance = Random(f"{person.address} {message.internet_message_id}")
    count = max(message.count_from_sender, 1 + sum(_before(message, other) for other in thread))
    if person.behaviour in _BOUNCES:
        return [_bounce(person, message, now)] if _bounces(person, count) else []
    if person.behaviour in _MACHINES:
        return _machine(person, message, now, chance) if count == 1 else []
    if count != person.answers_message:
        return []
    when = person.at_desk(now + timedelta(hours=person.delay_hours))
    match person.behaviour:
        case Behaviour.REPLY | Behaviour.OPTS_OUT:
            return [_reply(person, message, now, when, person.reply_id)]
        case Behaviour.BOOKS_MEETING:
            return _booking(person, message, now, when, chance)
        case Behaviour.FORWARDS:
            return _handing_on(person, message, now, when, chance)
        case _:
            return []


def _worth_reading(person: Person, message: Incoming) -> bool:
    """Written by a person outside the company, to this person."""
    return (
        not message.auto_submitted
        and message.to_address.lower() == person.address.lower()
        and message.from_address.lower().partition("@")[2] != person.domain
        and bool(message.text.strip() or message.html)
    )


def _before(message: Incoming, other: Incoming) -> bool:
    same_sender = other.from_address.lower() == message.from_address.lower()
    return same_sender and other.internet_message_id != message.internet_message_id


def _bounces(person: Person, count: int) -> bool:
    """An address that is gone refuses every mail; a full mailbox has been emptied by the second."""
    return count == 1 or person.behaviour is Behaviour.BOUNCE_HARD


def _machine(person: Person, message: Incoming, now: datetime, chance: Random) -> list[Action]:
    notice = _auto_reply(person, message, now, now + timedelta(seconds=chance.randint(2, 40)))
    if person.later_reply_id is None:
        return [notice]
    back = corpus.day_meant(corpus.reply(person.reply_id or "").return_date, person.local(now).date())
    if back is None:
        return [notice]
    morning = person.local(now).replace(year=back.year, month=back.month, day=back.day, hour=9)
    when = person.at_desk(morning + timedelta(hours=person.delay_hours % 8))
    return [notice, _reply(person, message, now, when, person.later_reply_id)]


def _booking(
    person: Person, message: Incoming, now: datetime, when: datetime, chance: Random
) -> list[Action]:
    day = (when + timedelta(days=chance.randint(2, 6))).replace(minute=chance.choice((0, 30)), second=0)
    start = person.at_desk(day.replace(hour=chance.randint(9, 16), microsecond=0))
    meeting = BookMeeting(
        after=when - now,
        starts_in=start - when,
        duration_minutes=chance.choice((15, 30, 30, 45)),
        subject=chance.choice(_MEETING_SUBJECTS[person.language]).format(company=person.company),
        body=chance.choice(_MEETING_BODIES[person.language]),
    )
    if person.reply_id is None:
        return [meeting]
    return [meeting, _reply(person, message, now, when + timedelta(minutes=7), person.reply_id)]


def _handing_on(
    person: Person, message: Incoming, now: datetime, when: datetime, chance: Random
) -> list[Action]:
    colleague = person.colleague or {}
    note = chance.choice(_HANDING_ON[person.language])
    forward = ForwardTo(after=when - now, address=colleague["address"], text=note)
    later = person.at_desk(when + timedelta(hours=chance.uniform(0.5, 9)))
    return [forward, _reply(person, message, now, later, person.reply_id, as_colleague=True)]


def _bounce(person: Person, message: Incoming, now: datetime) -> Bounce:
    report = corpus.reply(person.reply_id or "")
    facts = report.bounce or {"kind": "hard", "status": "5.0.0"}
    text = _said(report, person, message, now)
    sender = "postmaster" if "exchange" in report.id else "mailer-daemon"
    return Bounce(
        after=timedelta(seconds=20),
        kind=facts["kind"],
        status=facts["status"],
        text=text,
        subject=_subject(report, message),
        from_name="Microsoft Outlook" if sender == "postmaster" else "Mail Delivery System",
        from_address=f"{sender}@{person.domain}",
        headers=dict(report.headers or {}),
        truth=_truth(report, person, text, now, None),
    )


def _auto_reply(person: Person, message: Incoming, now: datetime, when: datetime) -> AutoReply:
    notice = corpus.reply(person.reply_id or "")
    text = _said(notice, person, message, when)
    third_party = _third_party(notice, person)
    return AutoReply(
        after=when - now,
        subject=_subject(notice, message),
        text=text,
        html=quoting.page(quoting.paragraphs(text)),
        headers=dict(notice.headers or {}),
        truth=_truth(notice, person, text, when, third_party),
    )


def _reply(
    person: Person,
    message: Incoming,
    now: datetime,
    when: datetime,
    reply_id: str | None,
    *,
    as_colleague: bool = False,
) -> SendReply:
    reply = corpus.reply(reply_id or "")
    colleague = (person.colleague or {}) if as_colleague else {}
    speaker = {"name": person.name, "address": person.address, **colleague}
    text = _said(reply, person, message, when, speaker)
    third_party = _third_party(reply, person, speaker)
    body = quoting.quoted(
        text,
        _original(person, message),
        client=reply.client,
        language=reply.language,
        placement=reply.placement,
    )
    return SendReply(
        after=when - now,
        subject=quoting.reply_subject(message.subject, reply.client, reply.language),
        text=body.text,
        html=body.html,
        from_address=colleague.get("address"),
        from_name=colleague.get("name"),
        cc=[third_party["address"]] if third_party and third_party["kind"] == "introduced" else [],
        truth={**_truth(reply, person, text, when, third_party), "someone_else": as_colleague},
    )


def _said(
    reply: corpus.Reply,
    person: Person,
    message: Incoming,
    when: datetime,
    speaker: dict[str, str] | None = None,
) -> str:
    """The reply's own words, as this person writes them to this sender on that day."""
    text = _in_the_name_of(reply.text, reply, person, speaker)
    text = corpus.addressed(text, message.from_name, message.from_address)
    return corpus.dated(text, person.local(when).date(), reply.language)


def _in_the_name_of(
    text: str, reply: corpus.Reply, person: Person, speaker: dict[str, str] | None = None
) -> str:
    name = (speaker or {}).get("name", person.name)
    address = (speaker or {}).get("address", person.address)
    return corpus.renamed(text, reply.author, name, address, person.company)


def _third_party(
    reply: corpus.Reply, person: Person, speaker: dict[str, str] | None = None
) -> dict[str, Any] | None:
    """Whom the reply names; a colleague's address moves to the domain of whoever says it."""
    if reply.third_party is None:
        return None
    address = reply.third_party.get("address")
    moved = _in_the_name_of(address, reply, person, speaker) if address else None
    return {**reply.third_party, "address": moved}


def _original(person: Person, message: Incoming) -> quoting.Original:
    return quoting.Original(
        from_name=message.from_name or mailbox_name(message.from_address.partition("@")[0]),
        from_address=message.from_address,
        to_name=person.name,
        to_address=person.address,
        subject=message.subject,
        sent=person.local(message.received),
        text=message.text,
        html=message.html,
    )


def _subject(notice: corpus.Reply, message: Incoming) -> str:
    return (notice.subject or "Automatic reply: …").replace("…", message.subject)


def _truth(
    reply: corpus.Reply, person: Person, text: str, when: datetime, third_party: dict | None
) -> dict[str, object]:
    """What a reader with perfect understanding would say of the mail."""
    back = corpus.day_meant(reply.return_date, person.local(when).date())
    return {
        "reply_id": reply.id,
        "label": reply.label,
        "labels": list(reply.labels),
        "language": reply.language,
        "client": reply.client,
        "automatic": reply.automatic,
        "new_text": text,
        "return_date": back.isoformat() if back else None,
        "return_precision": (reply.return_date or {}).get("precision", "day") if back else None,
        "third_party": third_party,
        "behaviour": str(person.behaviour),
    }


_MEETING_SUBJECTS = {
    "en": ("Call with {company}", "Intro {company}", "Quick chat", "{company} / 30 minutes"),
    "de": ("Kennenlernen {company}", "Telefonat", "Termin {company}"),
    "fr": ("Échange {company}", "Point téléphonique", "Visio {company}"),
    "es": ("Llamada {company}", "Reunión breve", "Videollamada {company}"),
    "it": ("Call conoscitiva {company}", "Chiamata", "Incontro {company}"),
    "nl": ("Kennismaking {company}", "Belafspraak", "Overleg {company}"),
    "pt": ("Conversa {company}", "Reunião", "Chamada {company}"),
    "sv": ("Möte {company}", "Kort avstämning", "Samtal {company}"),
    "pl": ("Rozmowa {company}", "Spotkanie", "Krótka rozmowa {company}"),
}
_MEETING_BODIES = {
    "en": (
        "Took a free slot from your calendar. My colleague from finance may join.",
        "Happy to see it in action. Please send a link beforehand.",
        "Booked as suggested. I have a hard stop after this.",
    ),
    "de": (
        "Habe mir einen freien Termin genommen. Bitte vorab einen Link schicken.",
        "Wie vorgeschlagen. Meine Kollegin kommt eventuell dazu.",
    ),
    "fr": ("J'ai pris un créneau libre. Merci d'envoyer le lien.", "Comme convenu, à bientôt."),
    "es": ("He reservado un hueco. ¿Me pasas el enlace?", "Tal como proponías. Un saludo."),
    "it": ("Ho preso uno slot libero. Mandami il link per favore.", "Come proposto, a presto."),
    "nl": ("Ik heb een vrij moment gekozen. Stuur je de link nog?", "Zoals voorgesteld, tot dan."),
    "pt": ("Marquei num horário livre. Podes enviar o link?", "Conforme proposto. Até lá."),
    "sv": ("Jag tog en ledig tid. Skicka gärna länken.", "Enligt förslag, vi hörs då."),
    "pl": ("Wybrałem wolny termin. Proszę o link.", "Zgodnie z propozycją, do usłyszenia."),
}
_HANDING_ON = {
    "en": ("Is this one for you?", "Fyi, sounds like your project. Can you answer them?"),
    "de": ("Ist das was für dich?", "Bitte übernehmen, falls interessant."),
    "fr": ("Pour toi je pense.", "Tu peux leur répondre ?"),
    "es": ("Esto es tuyo, ¿no?", "¿Puedes contestarles tú?"),
    "it": ("Questo è per te?", "Puoi rispondere tu? Grazie"),
    "nl": ("Is dit iets voor jou?", "Wil jij hierop reageren?"),
    "pt": ("Isto é contigo?", "Podes responder?"),
    "sv": ("Är det här något för dig?", "Kan du svara dem?"),
    "pl": ("To chyba do Ciebie.", "Możesz odpisać?"),
}
