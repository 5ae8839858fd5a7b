"""What the rules of an inbox make of a letter that arrives: https://learn.microsoft.com/graph/api/resources/messagerule

Pure: the rules as Graph writes them, and the letter, in; what is to happen out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from m365_sandbox.entities import Address
from m365_sandbox.mail import MESSAGE_CLASS, Letter, header
from m365_sandbox.markup import to_text

Rule = dict[str, Any]
LOOP = "X-MS-Exchange-Inbox-Rules-Loop"
"""A letter that a rule of this address has passed on; it does so once."""


@dataclass(slots=True)
class Outcome:
    """`folder`: an id or well-known name; empty for the inbox."""

    folder: str = ""
    copies: list[str] = field(default_factory=list)
    read: bool = False
    importance: str = ""
    categories: list[str] = field(default_factory=list)
    forward_to: list[Address] = field(default_factory=list)
    redirect_to: list[Address] = field(default_factory=list)
    gone: bool = False
    """It is deleted for good."""


def outcome(rules: list[Rule], letter: Letter, owner: str) -> Outcome:
    """Every rule that is on and fits, by `sequence`, until one of them says that it is the last."""
    found = Outcome()
    for rule in sorted(rules, key=lambda rule: rule.get("sequence") or 0):
        if not rule.get("isEnabled", True) or not fits(rule, letter, owner):
            continue
        actions = rule.get("actions") or {}
        _take(found, actions)
        if actions.get("stopProcessingRules"):
            break
    if owner.lower() in header(letter.headers, LOOP).lower().split():
        found.forward_to, found.redirect_to = [], []
    return found


def fits(rule: Rule, letter: Letter, owner: str) -> bool:
    """All its conditions hold, and none of its exceptions."""
    conditions, exceptions = rule.get("conditions") or {}, rule.get("exceptions") or {}
    return all(_holds(name, wanted, letter, owner) for name, wanted in _given(conditions)) and not any(
        _holds(name, wanted, letter, owner) for name, wanted in _given(exceptions)
    )


def _given(conditions: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(n, v) for n, v in conditions.items() if v not in (None, [], False) and not n.startswith("@")]


def _holds(name: str, wanted: Any, letter: Letter, owner: str) -> bool:
    test = _TESTS.get(name)
    return test is not None and test(wanted, letter, owner.lower())


def _contains(text: str, words: list[str]) -> bool:
    return any(str(word).casefold() in text.casefold() for word in words)


def _body(letter: Letter) -> str:
    return to_text(letter.body) if letter.body_type == "html" else letter.body


def _people(pairs: list[Address]) -> str:
    return " ".join(f"{name} {address}" for name, address in pairs)


def _has(pairs: list[Address], address: str) -> bool:
    return any(own.lower() == address for _, own in pairs)


def _named(recipients: list[dict[str, Any]], pairs: list[Address]) -> bool:
    return any(_has(pairs, pair[1].lower()) for pair in addresses(recipients))


def _sized(wanted: dict[str, Any], letter: Letter, _: str) -> bool:
    """In kilobytes."""
    size = (len(letter.body) + sum(part.get("size", 0) for part in letter.attachments)) / 1024
    most = wanted.get("maximumSize")
    return size >= (wanted.get("minimumSize") or 0) and (not most or size <= most)


# What is not here (signed, encrypted, voice mail, read receipts, …) never holds: the sandbox carries no such mail.
_TESTS: dict[str, Callable[[Any, Letter, str], bool]] = {
    "subjectContains": lambda words, mail, _: _contains(mail.subject, words),
    "bodyContains": lambda words, mail, _: _contains(_body(mail), words),
    "bodyOrSubjectContains": lambda words, mail, _: _contains(f"{mail.subject} {_body(mail)}", words),
    "senderContains": lambda words, mail, _: _contains(_people([mail.sender]), words),
    "recipientContains": lambda words, mail, _: _contains(_people([*mail.to, *mail.cc]), words),
    "headerContains": lambda words, mail, _: _contains(
        "\n".join(f"{key}: {value}" for key, value in mail.headers), words
    ),
    "fromAddresses": lambda wanted, mail, _: _named(wanted, [mail.sender]),
    "sentToAddresses": lambda wanted, mail, _: _named(wanted, [*mail.to, *mail.cc]),
    "sentToMe": lambda _, mail, me: _has(mail.to, me),
    "sentCcMe": lambda _, mail, me: _has(mail.cc, me),
    "sentToOrCcMe": lambda _, mail, me: _has([*mail.to, *mail.cc], me),
    "sentOnlyToMe": lambda _, mail, me: _has(mail.to, me) and len(mail.to) == 1 and not mail.cc,
    "notSentToMe": lambda _, mail, me: not _has(mail.to, me),
    "hasAttachments": lambda _, mail, me: any(not part.get("isInline") for part in mail.attachments),
    "importance": lambda wanted, mail, _: mail.importance == wanted,
    "sensitivity": lambda wanted, mail, _: wanted == "normal",
    "isAutomaticReply": lambda _, mail, me: is_automatic(mail) and not _is_report(mail),
    "isAutomaticForward": lambda _, mail, me: bool(header(mail.headers, LOOP)),
    "isNonDeliveryReport": lambda _, mail, me: _is_report(mail),
    "isMeetingRequest": lambda _, mail, me: mail.kind == "eventMessageRequest",
    "isMeetingResponse": lambda _, mail, me: mail.kind == "eventMessageResponse",
    "withinSizeRange": _sized,
}  # fmt: skip


def is_automatic(letter: Letter) -> bool:
    """RFC 3834, and what Exchange writes: no person wrote it."""
    return header(letter.headers, "Auto-Submitted").lower() not in ("", "no") or _is_report(letter)


def _is_report(letter: Letter) -> bool:
    return letter.properties.get(MESSAGE_CLASS, "").startswith("REPORT.")


def addresses(recipients: list[dict[str, Any]]) -> list[Address]:
    """As Graph writes recipients, as the sandbox keeps them."""
    emails = [row.get("emailAddress") or {} for row in recipients]
    return [[e.get("name") or e["address"], e["address"]] for e in emails if e.get("address")]


def _take(found: Outcome, actions: dict[str, Any]) -> None:
    found.folder = actions.get("moveToFolder") or ("deleteditems" if actions.get("delete") else found.folder)
    found.copies += [actions["copyToFolder"]] if actions.get("copyToFolder") else []
    found.read = found.read or bool(actions.get("markAsRead"))
    found.importance = actions.get("markImportance") or found.importance
    found.categories += [
        name for name in actions.get("assignCategories") or [] if name not in found.categories
    ]
    found.gone = found.gone or bool(actions.get("permanentDelete"))
    found.redirect_to += addresses(actions.get("redirectTo") or [])
    for name in ("forwardTo", "forwardAsAttachmentTo"):
        found.forward_to += addresses(actions.get(name) or [])
