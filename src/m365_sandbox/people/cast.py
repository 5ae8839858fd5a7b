"""The world that the sandbox starts with: organisations, people, the mail and the meetings that are not ours.

The same seed gives the same world; prospect number k is the same person however many there are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain, count, islice
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from m365_sandbox.people import corpus
from m365_sandbox.people.companies import BY_DOMAIN, COMPANIES, Company
from m365_sandbox.people.names import FIRST, LAST, TITLES, mailbox_name
from m365_sandbox.people.person import Behaviour, Person
from m365_sandbox.people.unrelated import unrelated_events, unrelated_mail

APP = {
    "client_id": "6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5",
    "client_secret": "sandbox-secret-not-a-real-one",
    "name": "Gatepost",
    "publisher": "Gatepost",
    "verified": False,
    "redirect_uris": [],
}

NORTHWIND, FABRIKAM = "northwind.example", "fabrikam.example"

# domain, name, consent policy, whether the administrator's approval can be asked for
REP_TENANTS = (
    (NORTHWIND, "Northwind Studio", "legacy", False),
    (FABRIKAM, "Fabrikam Legal", "recommended-2026-07", True),
)

# local part, domain, name, title, role, kind
STAFF = (
    ("alice", NORTHWIND, "Alice Berger", "Account Executive", "user", "rep"),
    ("ben", NORTHWIND, "Ben Okafor", "Account Executive", "user", "rep"),
    ("chloe", NORTHWIND, "Chloé Martin", "Sales Lead", "user", "rep"),
    ("dana", NORTHWIND, "Dana Reyes", "IT Administrator", "admin", "rep"),
    ("erin", FABRIKAM, "Erin Walsh", "Business Development", "user", "rep"),
    ("frank", FABRIKAM, "Frank Adler", "IT Administrator", "admin", "rep"),
    ("gustav", NORTHWIND, "Gustav Lind", "Managing Director", "user", "colleague"),
    ("hana", NORTHWIND, "Hana Suzuki", "Designer", "user", "colleague"),
    ("idris", NORTHWIND, "Idris Cole", "Customer Success", "user", "colleague"),
    ("jolanta", NORTHWIND, "Jolanta Kowal", "Accounts", "user", "colleague"),
    ("kirsten", NORTHWIND, "Kirsten Holm", "Marketing", "user", "colleague"),
    ("leo", NORTHWIND, "Leo Santos", "Support", "user", "colleague"),
    ("mina", NORTHWIND, "Mina Farahani", "Product", "user", "colleague"),
    ("noel", NORTHWIND, "Noel Pritchard", "Operations", "user", "colleague"),
)

# How many of each 120 prospects behave how.
PARTS = {
    Behaviour.REPLY: 80,
    Behaviour.OUT_OF_OFFICE: 10,
    Behaviour.BOOKS_MEETING: 10,
    Behaviour.FORWARDS: 4,
    Behaviour.AUTO_REPLY: 4,
    Behaviour.BOUNCE_HARD: 4,
    Behaviour.BOUNCE_SOFT: 2,
    Behaviour.SILENT: 6,
}


def build(seed: int, *, prospects: int = 120, unrelated: int = 2400, start: datetime) -> dict[str, Any]:
    """The world as plain values: tenants, users, apps, mail, events. `start` is when its clock begins."""
    cast = list(islice(_prospects(seed), prospects))
    referred = _referred(cast)
    reps = [_staff(seed, *row) for row in STAFF]
    prospect_users = [_user(seed, person, "prospect") for person in cast]
    others = [_user(seed, person, "colleague") for person in referred]
    senders = [{"name": person.name, "address": person.address} for person in cast]
    mailboxes = [user["address"] for user in reps if user["kind"] == "rep"]
    domains = dict.fromkeys(person.domain for person in chain(cast, referred))
    return {
        "seed": seed,
        "start": start.isoformat(),
        "tenants": [_tenant(seed, *row) for row in REP_TENANTS]
        + [_tenant(seed, domain, BY_DOMAIN[domain].name, "legacy", False) for domain in domains],
        "users": reps + prospect_users + others,
        "apps": [{**APP, "redirect_uris": []}],
        "mail": unrelated_mail(seed, unrelated, mailboxes, senders),
        "events": unrelated_events(seed, mailboxes, start),
    }


def prospects_csv(world: dict[str, Any]) -> str:
    """The prospects of a world as a list to import, in the order of the cast."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("first_name", "last_name", "email", "company", "title", "time_zone", "country"))
    for user in world["users"]:
        if user["kind"] == "prospect":
            person = user["person"]
            first, _, last = person["name"].partition(" ")
            table.writerow(
                (first, last, person["address"])
                + tuple(person[key] for key in ("company", "title", "time_zone", "country"))
            )
    return out.getvalue()


# Tenants and users


def _guid(seed: int, thing: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"sandbox:{seed}:{thing}"))


def _tenant(seed: int, domain: str, name: str, policy: str, workflow: bool) -> dict[str, Any]:
    return {
        "id": _guid(seed, domain),
        "domain": domain,
        "name": name,
        "consent_policy": policy,
        "admin_consent_workflow": workflow,
    }


def _staff(seed: int, local: str, domain: str, name: str, title: str, role: str, kind: str) -> dict[str, Any]:
    return {
        "id": _guid(seed, f"{local}@{domain}"),
        "tenant": _guid(seed, domain),
        "address": f"{local}@{domain}",
        "name": name,
        "title": title,
        "role": role,
        "licensed": True,
        "kind": kind,
        "time_zone": "Europe/London",
        "person": None,
    }


def _user(seed: int, person: Person, kind: str) -> dict[str, Any]:
    return {
        "id": _guid(seed, person.address),
        "tenant": _guid(seed, person.domain),
        "address": person.address,
        "name": person.name,
        "title": person.title,
        "role": "user",
        "licensed": True,
        "kind": kind,
        "time_zone": person.time_zone,
        "person": person.to_json(),
    }


# Prospects


def _prospects(seed: int) -> Iterator[Person]:
    """Prospects without end: first everybody who wrote a reply of the corpus, then invented people who say the same."""
    decks = {
        behaviour: _deck(seed, behaviour, [r for r in corpus.replies() if fits(r)])
        for behaviour, fits in _WORDS.items()
    }
    taken: set[str] = set()
    for number, behaviour in enumerate(_parts(seed)):
        chance = Random(f"{seed} prospect {number}")
        reply = next(decks[behaviour]) if behaviour in decks else None
        yield _prospect(behaviour, reply, taken, chance)


def _prospect(behaviour: Behaviour, reply: corpus.Reply | None, taken: set[str], chance: Random) -> Person:
    company, name, title = _identity(behaviour, reply, taken, chance)
    if behaviour is Behaviour.REPLY and reply and {"unsubscribe", "hard_no"} & {reply.label, *reply.labels}:
        behaviour = Behaviour.OPTS_OUT
    quiet_booking = behaviour is Behaviour.BOOKS_MEETING and chance.random() < 0.5
    forwards, absent = behaviour is Behaviour.FORWARDS, behaviour is Behaviour.OUT_OF_OFFICE
    return Person(
        address=_address(name, company),
        name=name,
        company=company.name,
        title=title,
        time_zone=company.time_zone,
        country=company.country,
        language=reply.language if reply else company.language,
        behaviour=behaviour,
        reply_id=reply.id if reply and not quiet_booking else None,
        later_reply_id=_on_return(reply, chance) if absent and reply else None,
        answers_message=chance.choices((1, 2, 3), weights=(60, 28, 12))[0],
        delay_hours=round(chance.choice((0.2, 1, 3, 6, 20, 30)) * chance.uniform(0.7, 1.3), 2),
        client=reply.client if reply else "outlook-desktop",
        office_hours=chance.choice(((8, 18), (9, 17), (7, 16), (9, 19))),
        colleague=_colleague(company, taken, chance) if forwards else None,
    )


def _on_return(notice: corpus.Reply, chance: Random) -> str | None:
    """What half of those who announce a day of return write when they are back, in the same language."""
    if "in_days" not in (notice.return_date or {}) or chance.random() < 0.5:
        return None
    return chance.choice(
        [
            reply.id
            for reply in corpus.replies()
            if _answer(reply) and reply.label == "interested" and reply.language == notice.language
        ]
    )


def _identity(
    behaviour: Behaviour, reply: corpus.Reply | None, taken: set[str], chance: Random
) -> tuple[Company, str, str]:
    """The author of the reply, or somebody invented where the author is taken or somebody else's words are used."""
    if reply and behaviour is not Behaviour.FORWARDS and reply.author.address not in taken:
        taken.add(reply.author.address)
        return BY_DOMAIN[reply.author.domain], reply.author.name, reply.author.title
    language = reply.language if reply else None
    company = chance.choice([c for c in COMPANIES if language in (None, c.language)])
    return company, _free_name(company, taken, chance), chance.choice(TITLES[company.language])


def _colleague(company: Company, taken: set[str], chance: Random) -> dict[str, str]:
    name = _free_name(company, taken, chance)
    return {"name": name, "address": _address(name, company)}


def _free_name(company: Company, taken: set[str], chance: Random) -> str:
    """A name that nobody at the company has; it belongs to the caller from now on."""
    name = next(name for name in _names(company, chance) if _free(_address(name, company), taken))
    taken.add(_address(name, company))
    return name


def _free(address: str, taken: set[str]) -> bool:
    return address not in taken and address not in _AUTHORS


def _names(company: Company, chance: Random) -> Iterator[str]:
    """Names in the company's language without end; after twenty, double names, of which there are enough."""
    firsts, lasts = FIRST[company.language].split(), LAST[company.language].split()
    for number in count():
        second = f"-{chance.choice(lasts)}" if number > 20 else ""
        yield f"{chance.choice(firsts)} {chance.choice(lasts)}{second}"


def _address(name: str, company: Company) -> str:
    return f"{mailbox_name(name)}@{company.domain}"


def _referred(cast: list[Person]) -> list[Person]:
    """The people whom the cast names or forwards to: they have mailboxes and read without answering."""
    known = {person.address for person in cast}
    found: dict[str, Person] = {}
    for person in cast:
        for who in _mentions(person):
            if who["address"] not in known and who["address"] not in found:
                found[who["address"]] = _silent(person, who)
    return list(found.values())


def _mentions(person: Person) -> list[dict[str, str]]:
    said = corpus.reply(person.reply_id).third_party if person.reply_id else None
    named = []
    if said and said["address"]:
        local = said["address"].partition("@")[0]
        named = [{"name": said["name"], "address": f"{local}@{person.domain}"}]
    return named + ([dict(person.colleague)] if person.colleague else [])


def _silent(beside: Person, who: dict[str, str]) -> Person:
    """A colleague of somebody in the cast, who reads mail and does not answer it."""
    return Person(
        address=who["address"],
        name=who["name"],
        company=beside.company,
        title="",
        time_zone=beside.time_zone,
        country=beside.country,
        language=beside.language,
        behaviour=Behaviour.SILENT,
    )


def _parts(seed: int) -> Iterator[Behaviour]:
    """Behaviours without end, each spread evenly over every 120, so that a small cast has all the common ones."""
    for block in count():
        chance = Random(f"{seed} parts {block}")
        spread = [
            ((index + chance.uniform(0.3, 0.7)) / amount, behaviour)
            for behaviour, amount in PARTS.items()
            for index in range(amount)
        ]
        yield from (behaviour for _, behaviour in sorted(spread))


def _deck(seed: int, name: str, cards: list[corpus.Reply]) -> Iterator[corpus.Reply]:
    """The replies without end, each once a round, each label spread evenly over the round."""
    for round_ in count():
        chance = Random(f"{seed} {name} {round_}")
        by_label: dict[str, list[corpus.Reply]] = {}
        for card in chance.sample(cards, len(cards)):
            by_label.setdefault(card.label, []).append(card)
        spread = [
            ((index + chance.random()) / len(group), card.id, card)
            for group in by_label.values()
            for index, card in enumerate(group)
        ]
        yield from (card for _, _, card in sorted(spread, key=lambda place: place[:2]))


def _answer(reply: corpus.Reply) -> bool:
    return not reply.automatic and reply.occasion == "answer"


# Who says what.
_WORDS = {
    Behaviour.REPLY: _answer,
    Behaviour.BOOKS_MEETING: lambda r: r.occasion == "meeting",
    Behaviour.FORWARDS: lambda r: r.occasion == "forwarded",
    Behaviour.OUT_OF_OFFICE: lambda r: r.automatic and r.label == "out_of_office",
    Behaviour.AUTO_REPLY: lambda r: r.automatic and r.label in ("auto_reply", "left_company"),
    Behaviour.BOUNCE_HARD: lambda r: bool(r.bounce) and r.bounce["kind"] == "hard",
    Behaviour.BOUNCE_SOFT: lambda r: bool(r.bounce) and r.bounce["kind"] != "hard",
}


def with_words(person: Person) -> Person:
    """The person with a reply that fits what they do: the own one, or another in their language."""
    wanted = _WORDS.get(person.behaviour)
    if person.behaviour is Behaviour.OPTS_OUT:
        wanted = _opt_out
    if wanted is None:
        return person
    fitting = [reply for reply in corpus.replies() if wanted(reply)]
    if person.reply_id in {reply.id for reply in fitting}:
        return person
    spoken = [reply for reply in fitting if reply.language == person.language] or fitting
    return replace(person, reply_id=Random(person.address).choice(spoken).id, later_reply_id=None)


def _opt_out(reply: corpus.Reply) -> bool:
    return _answer(reply) and reply.label == "unsubscribe"


_AUTHORS = {reply.author.address for reply in corpus.replies()}
