"""Mail and events that have nothing to do with the outreach: what a program that reads only its own must leave alone.

Each carries a token of its own, the canary, in the subject and in the body. Found anywhere outside the mailbox it
tells which mail has leaked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

HISTORY = timedelta(days=60)
TO_COME = timedelta(days=10)

Address = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An unrelated mail before it has a mailbox, a time and a canary."""

    sender: Address
    subject: str
    text: str
    cc: list[Address] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    conversation: str | None = None
    html: bool = False


def unrelated_mail(seed: int, amount: int, mailboxes: list[str], prospects: list[Address]) -> list[dict]:
    """`amount` mails over the mailboxes and classes in turn: half before the start, half in the ten days after."""
    if not prospects:
        prospects = [{"name": "Somebody Else", "address": "somebody@elsewhere.example"}]
    classes = list(CLASSES.items())
    mails = []
    for number in range(amount):
        chance = Random(f"{seed} mail {number}")
        name, write = classes[number % len(classes)]
        mailbox = mailboxes[number // len(classes) % len(mailboxes)]
        draft = write(chance, mailbox, prospects)
        mails.append(_mail(seed, number, name, mailbox, draft, chance))
    return sorted(mails, key=lambda mail: mail["offset_seconds"])


def unrelated_events(seed: int, mailboxes: list[str], start: datetime) -> list[dict[str, Any]]:
    """Some meetings and private events for each mailbox around the start, none with a prospect."""
    monday = start - timedelta(days=start.weekday())
    events = []
    for mailbox in mailboxes:
        for number, (subject, body, private) in enumerate(_EVENTS * 2):
            chance = Random(f"{seed} event {mailbox} {number}")
            at = monday.replace(
                hour=chance.randint(8, 17), minute=chance.choice((0, 30)), second=0, microsecond=0
            )
            at += timedelta(days=chance.choice((0, 1, 2, 3, 4)) + 7 * chance.randint(-1, 3))
            token = canary(seed, f"event {mailbox} {number}")
            events.append(
                {
                    "mailbox": mailbox,
                    "subject": f"{subject} {token}",
                    "body": f"{body}\n\nRef {token}",
                    "offset_seconds": int((at - start).total_seconds()),
                    "duration_minutes": chance.choice((15, 30, 60)),
                    "organizer": mailbox,
                    "attendees": [] if private else [_colleague(chance, mailbox)["address"]],
                    "private": private,
                    "canary": token,
                    "unrelated": True,
                }
            )
    return events


def canary(seed: int, thing: str) -> str:
    return f"cnry-{sha256(f'{seed} {thing}'.encode()).hexdigest()[:12]}"


def _mail(seed: int, number: int, name: str, mailbox: str, draft: Draft, chance: Random) -> dict[str, Any]:
    token = canary(seed, f"mail {number}")
    text = f"{draft.text}\n\nRef {token}"
    span = TO_COME if chance.random() < 0.5 else -HISTORY
    return {
        "mailbox": mailbox,
        "class": name,
        "from": draft.sender,
        "to": [{"name": "", "address": mailbox}],
        "cc": draft.cc,
        "subject": f"{draft.subject} {token}",
        "text": text,
        "html": _page(text) if draft.html else None,
        "headers": draft.headers,
        "offset_seconds": int(span.total_seconds() * chance.uniform(0.0005, 1)),
        "attachments": draft.attachments,
        "conversation": draft.conversation,
        "canary": token,
        "unrelated": True,
    }


def _page(text: str) -> str:
    lines = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    return f"<html><body><p>{lines}</p></body></html>"


# The classes: each writes one mail


def _internal(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    subject, text = chance.choice(_INTERNAL)
    thread = f"{mailbox} {subject}" if chance.random() < 0.4 else None
    return Draft(sender=_colleague(chance, mailbox), subject=subject, text=text, conversation=thread)


def _internal_forward(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    """A colleague passes on a prospect's mail by hand: it quotes outreach, and stays internal mail."""
    prospect = chance.choice(prospects)
    subject, note = chance.choice(_OUTREACH_SUBJECTS), chance.choice(_NOTES)
    return Draft(
        sender=_colleague(chance, mailbox),
        subject=f"{chance.choice(('FW', 'Fwd', 'Re'))}: {subject}",
        text=f"{note}\n\n---------- Forwarded message ---------\nFrom: {prospect['name']} <{prospect['address']}>\n"
        f"Subject: Re: {subject}\n\n{chance.choice(_FRESH)}",
    )


def _newsletter(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    name, domain, subject = chance.choice(_NEWSLETTERS)
    unsubscribe = f"<https://{domain}/unsubscribe/{chance.randrange(10**8)}>, <mailto:leave@{domain}>"
    return Draft(
        sender={"name": name, "address": f"news@{domain}"},
        subject=subject,
        text=f"{chance.choice(_NEWS)}\n\nYou get this because you signed up. Unsubscribe: https://{domain}/unsubscribe",
        headers={
            "List-Id": f"<news.{domain}>",
            "List-Unsubscribe": unsubscribe,
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
        },
        html=True,
    )


def _same_subject(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    """Looks like an answer to a sequence by its subject only."""
    return Draft(
        sender=_outsider(chance),
        subject=f"{chance.choice(('', 'Re: '))}{chance.choice(_OUTREACH_SUBJECTS)}",
        text=chance.choice(_FRESH),
    )


def _attachments(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    name, content_type = chance.choice(_FILES)
    size = chance.randrange(8_000, 4_000_000)
    return Draft(
        sender=_outsider(chance),
        subject=f"{name} as discussed",
        text="Please find the file attached. Shout if it will not open.",
        attachments=[{"name": name, "contentType": content_type, "size": size}],
    )


def _invoice(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    number = chance.randrange(10_000, 99_999)
    name, domain, amount = chance.choice(_SUPPLIERS)
    return Draft(
        sender={"name": name, "address": f"billing@{domain}"},
        subject=f"Invoice {number}",
        text=f"Your invoice {number} over {amount} is ready. It is due within 14 days. Thank you for your custom.",
        attachments=[{"name": f"{number}.pdf", "contentType": "application/pdf", "size": 61_440}],
        html=True,
    )


def _calendar_invite(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    return Draft(
        sender=_outsider(chance),
        subject=f"Invitation: {chance.choice(_INVITATIONS)}",
        text="You have been invited to the event below. Please accept or decline.",
        headers={"Content-Class": "urn:content-classes:calendarmessage"},
        attachments=[{"name": "invite.ics", "contentType": "text/calendar", "size": 2_048}],
    )


def _other_bounce(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    """A delivery report about a mail that the rep wrote by hand."""
    lost = f"old.address{chance.randrange(1000)}@nowhere.example"
    return Draft(
        sender={"name": "Mail Delivery System", "address": "mailer-daemon@mx.nowhere.example"},
        subject="Undeliverable: Lunch on Friday?",
        text=f"Your message to {lost} could not be delivered.\n550 5.1.1 <{lost}>: user unknown",
        headers={
            "Content-Type": "multipart/report; report-type=delivery-status; boundary=x",
            "Auto-Submitted": "auto-replied",
            "In-Reply-To": _message_id(chance),
        },
    )


def _forged_reference(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    """Claims to answer mail that nobody has sent."""
    reference = _message_id(chance)
    return Draft(
        sender=_outsider(chance),
        subject=f"Re: {chance.choice(_OUTREACH_SUBJECTS)}",
        text=chance.choice(_SPAM),
        headers={"In-Reply-To": reference, "References": f"{_message_id(chance)} {reference}"},
    )


def _personal(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    subject, text = chance.choice(_PERSONAL)
    return Draft(sender=_outsider(chance, "home.example"), subject=subject, text=text)


def _alert(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    name, domain, subject, text = chance.choice(_ALERTS)
    return Draft(
        sender={"name": name, "address": f"no-reply@{domain}"},
        subject=subject,
        text=text,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        html=True,
    )


def _fresh_from_prospect(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    """A new mail from somebody who may be enrolled, outside any conversation of ours."""
    return Draft(
        sender=dict(chance.choice(prospects)),
        subject=chance.choice(_FRESH_SUBJECTS),
        text=chance.choice(_FRESH),
    )


def _third_party_reply_all(chance: Random, mailbox: str, prospects: list[Address]) -> Draft:
    """A thread among outsiders in which the rep is only copied."""
    topic = chance.choice(_INVITATIONS)
    return Draft(
        sender=_outsider(chance),
        subject=f"Re: {topic}",
        text=chance.choice(_FRESH),
        cc=[_outsider(chance) for _ in range(3)],
        headers={"In-Reply-To": _message_id(chance)},
        conversation=f"{mailbox} {topic}",
    )


CLASSES: dict[str, Callable[[Random, str, list[Address]], Draft]] = {
    "internal": _internal,
    "internal_forward": _internal_forward,
    "newsletter": _newsletter,
    "same_subject": _same_subject,
    "attachments": _attachments,
    "invoice": _invoice,
    "calendar_invite": _calendar_invite,
    "other_bounce": _other_bounce,
    "forged_reference": _forged_reference,
    "personal": _personal,
    "alert": _alert,
    "fresh_from_prospect": _fresh_from_prospect,
    "third_party_reply_all": _third_party_reply_all,
}


def _colleague(chance: Random, mailbox: str) -> Address:
    """Somebody else at the mailbox's own company."""
    local, _, domain = mailbox.partition("@")
    names = [name for name in _COLLEAGUES[domain] if not name.lower().startswith(local)]
    name = chance.choice(names)
    return {"name": name, "address": f"{name.split()[0].lower()}@{domain}"}


def _outsider(chance: Random, domain: str | None = None) -> Address:
    name = chance.choice(_OUTSIDERS)
    return {
        "name": name,
        "address": f"{name.lower().replace(' ', '.')}@{domain or chance.choice(_OUTSIDE_DOMAINS)}",
    }


def _message_id(chance: Random) -> str:
    return f"<{chance.getrandbits(96):024x}@mail.{chance.choice(_OUTSIDE_DOMAINS)}>"


# What they write

_COLLEAGUES = {
    "northwind.example": (
        "Gustav Lind", "Hana Suzuki", "Idris Cole", "Jolanta Kowal", "Kirsten Holm", "Leo Santos",
        "Mina Farahani", "Noel Pritchard",
    ),
    "fabrikam.example": ("Erin Walsh", "Frank Adler"),
}  # fmt: skip
_OUTSIDERS = (
    "Ravi Menon", "Greta Ohlin", "Paul Essex", "Lina Haddad", "Tom Beckwith", "Marisol Vega", "Hiro Tanabe",
    "Ingrid Bauer", "Sam Adeyemi", "Claire Dumont",
)  # fmt: skip
_OUTSIDE_DOMAINS = (
    "printworks.example",
    "lawfirm.example",
    "agency.example",
    "landlord.example",
    "supplier.example",
)

_OUTREACH_SUBJECTS = (
    "Quick question about your front desk",
    "Quick question about scheduling",
    "Fewer no-shows next month",
    "Idea for your team",
    "Following up",
    "Shorter waiting times",
)
_NOTES = (
    "See below, do you want this one?",
    "Look what came back. Not sure they are serious.",
    "For your information, please do not forward outside the company.",
    "Can you take over while I am away?",
)
_FRESH_SUBJECTS = (
    "Parking at our office",
    "Your badge",
    "Conference next week",
    "Reference request",
    "Old invoice",
)
_FRESH = (
    "Hello, could you send me the floor plan again? The printer ate mine.",
    "Thanks for lunch. I am interested in the recipe, not in the wine.",
    "Please remove me from the car pool list for next week, I am cycling.",
    "We are not interested in extending the lease, as said on the phone.",
    "I am out on Wednesday, let us meet on Thursday at nine instead.",
    "Wrong Smith again! I have passed it to the other one.",
    "Could you sign the form by tonight? It only needs page two.",
)
_INTERNAL = (
    ("Pay review", "Numbers are confidential until the 1st. Your increase is in the sheet."),
    ("Kitchen rota", "Whoever left the fish: we know."),
    ("Board minutes", "Draft minutes below. Not to leave the company."),
    ("Sick leave", "I am not well and will stay home until Thursday. Please keep the reason between us."),
    ("Forecast call", "Moved to 10:00. Bring your pipeline, and the honest version of it."),
    ("Re: Forecast call", "I have nothing to add to last week, sadly."),
    ("Urlaubsplanung", "Bitte bis Freitag eintragen, sonst verteile ich."),
    ("Déjeuner d'équipe", "Jeudi midi, chez l'Italien. Qui vient ?"),
)
_NEWSLETTERS = (
    ("The Weekly Ledger", "weeklyledger.example", "Five numbers for your week"),
    ("Design Crumbs", "crumbs.example", "Type that whispers"),
    ("Branchendienst", "branchendienst.example", "Was sich im Januar ändert"),
    ("Harbour Theatre", "harbourtheatre.example", "New season on sale"),
    ("Outdoor Outlet", "outdooroutlet.example", "48 hours only"),
)
_NEWS = (
    "This week: rates, rents and the return of the fax machine.",
    "We have rounded up what our readers liked best. Interested? Read on. Not interested? No hard feelings.",
    "Diesmal mit neuen Fristen, einem Urteil und einem Rezept.",
    "Members book first. Reply to this mail if you would like to circle back to us later.",
)
_FILES = (
    ("contract-final-v7.pdf", "application/pdf"),
    ("floorplan.png", "image/png"),
    ("budget.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("minutes.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("archive.zip", "application/zip"),
)
_SUPPLIERS = (
    ("Paper & Sons", "paperandsons.example", "£184.20"),
    ("Stromwerk", "stromwerk.example", "312,77 €"),
    ("Cloudshed", "cloudshed.example", "$49.00"),
)
_INVITATIONS = (
    "Site visit",
    "Tender clarification",
    "Roof repairs",
    "Residents' meeting",
    "Quarterly review",
)
_SPAM = (
    "As per our last discussion I confirm your bank details are needed today.",
    "Yes, very interested in your offer, see the link: https://prize.example/claim",
    "Thanks for getting back to me! Our SEO audit of your website is attached.",
)
_PERSONAL = (
    ("Mum's birthday", "I have booked the boat. Do not tell her. You owe me forty."),
    ("Results", "The doctor says it is nothing to worry about. Call me tonight."),
    ("School run", "Can you fetch the kids at three? My train is stuck."),
    ("Flat", "The bank said yes!! We can move in after Easter."),
    ("Weekend", "Kommt ihr am Samstag? Wir grillen auch bei Regen."),
)
_ALERTS = (
    ("Build server", "builds.example", "Build failed", "main is red since 09:12. Last change by hana."),
    ("Bank", "bank.example", "New sign-in to your account", "If this was not you, call us at once."),
    (
        "Parcel service",
        "parcels.example",
        "Your parcel arrives today",
        "Between 11:20 and 12:20. No signature needed.",
    ),
    ("Monitor", "uptime.example", "Recovered: website", "The check is green again after 4 minutes."),
)
_EVENTS = (
    ("Dentist", "Bring the old X-ray.", True),
    ("Team weekly", "Agenda: pipeline, hiring, the coffee question.", False),
    ("1:1", "Pay, holidays, the thing with the printer.", False),
    ("Pick up kids", "Gate 2.", True),
    ("Interview: designer", "Candidate's papers are in the usual place. Confidential.", False),
    ("Focus time", "Do not book.", True),
)
