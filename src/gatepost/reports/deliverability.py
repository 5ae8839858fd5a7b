"""What a domain's records say of its mail, and what to change. Pure: records in, findings out.

SPF: RFC 7208. DKIM: RFC 6376, and the two selectors of Microsoft 365
(https://learn.microsoft.com/defender-office-365/email-authentication-dkim-configure). DMARC: RFC 7489.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MICROSOFT = "spf.protection.outlook.com"
SELECTORS = ("selector1", "selector2")
# RFC 7208, 4.6.4: more look-ups than this, and a receiver takes the record for broken.
MOST_LOOKUPS = 10

# The TXT records at a name; None where no answer came, which says nothing about them.
Answer = tuple[str, ...] | None
Level = Literal["good", "look", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Records:
    """What was found for a domain."""

    domain: str
    texts: Mapping[str, Answer] = field(
        default_factory=dict
    )  # by name: the domain, what SPF includes, selectors, _dmarc

    def at(self, name: str) -> Answer:
        return self.texts.get(name.casefold())


@dataclass(frozen=True, slots=True)
class Finding:
    """What one record says, how grave that is, and what to do about it."""

    record: Literal["SPF", "DKIM", "DMARC"]
    level: Level
    what: str
    to_do: str = ""


def findings(records: Records) -> list[Finding]:
    return [_spf(records), _dkim(records), _dmarc(records)]


def spf_of(texts: Answer) -> list[str]:
    return [text for text in texts or () if text.casefold().split(" ", 1)[0] == "v=spf1"]


def names_in(spf: str) -> list[str]:
    """The names whose records a receiver reads as well."""
    found = []
    for term in spf.split()[1:]:
        term = term.casefold().lstrip("+-~?")
        if term.startswith("include:"):
            found.append(term.removeprefix("include:"))
        elif term.startswith("redirect="):
            found.append(term.removeprefix("redirect="))
    return found


def _spf(records: Records) -> Finding:
    texts = records.at(records.domain)
    if texts is None:
        return _no_answer("SPF")
    found = spf_of(texts)
    if not found:
        return Finding(
            "SPF", "bad", "There is no SPF record: receivers cannot tell who may send for this domain.",
            f"Add a TXT record at {records.domain}: v=spf1 include:{MICROSOFT} -all",
        )  # fmt: skip
    if len(found) > 1:
        return Finding(
            "SPF", "bad", f"There are {len(found)} SPF records. Receivers take that for an error and use none.",
            "Put what they allow into one record and remove the others.",
        )  # fmt: skip
    names, lookups, unanswered = _walked(records, found[0])
    if lookups > MOST_LOOKUPS:
        return Finding(
            "SPF", "bad", f"The SPF record needs {lookups} look-ups; receivers give up after {MOST_LOOKUPS}.",
            "Remove includes of services that no longer send for you.",
        )  # fmt: skip
    if MICROSOFT not in names:
        if unanswered:
            return _no_answer("SPF")
        return Finding(
            "SPF", "bad", "The SPF record does not name Microsoft 365, where your mail leaves from.",
            f"Add include:{MICROSOFT} to it, before its “all”.",
        )  # fmt: skip
    last = _all_of(records, found[0])
    if last in ("+all", "all"):
        return Finding(
            "SPF", "bad", "The SPF record lets anybody send for this domain (+all).", "End it with -all."
        )
    if last not in ("-all", "~all"):
        return Finding(
            "SPF",
            "look",
            "The SPF record does not say what becomes of mail from elsewhere.",
            "End it with -all.",
        )
    return Finding("SPF", "good", f"SPF names Microsoft 365 and ends with {last}.")


def _walked(records: Records, spf: str) -> tuple[set[str], int, bool]:
    """Every name that the record leads to, how many look-ups that takes, and whether one was not answered."""
    names: set[str] = set()
    lookups, unanswered = 0, False
    waiting = [spf]
    while waiting:
        record = waiting.pop()
        terms = [term.casefold().lstrip("+-~?") for term in record.split()[1:]]
        # `a`, `mx`, `ptr` and `exists` each cost one as well.
        lookups += sum(
            term in ("a", "mx", "ptr") or term.startswith(("a:", "a/", "mx:", "mx/", "ptr:", "exists:"))
            for term in terms
        )
        for name in names_in(record):
            lookups += 1
            if name in names or lookups > 3 * MOST_LOOKUPS:
                continue
            names.add(name)
            answer = records.at(name)
            unanswered |= answer is None
            waiting += spf_of(answer)[:1]
    return names, lookups, unanswered


def _all_of(records: Records, spf: str, depth: int = 0) -> str:
    """The record's last word, or that of the one that it redirects to."""
    terms = [term.casefold() for term in spf.split()[1:]]
    for term in terms:
        if term.lstrip("+-~?") == "all":
            return term
    for term in terms:
        if term.startswith("redirect=") and depth < MOST_LOOKUPS:
            further = spf_of(records.at(term.removeprefix("redirect=")))
            return _all_of(records, further[0], depth + 1) if further else ""
    return ""


def _dkim(records: Records) -> Finding:
    answers = [records.at(f"{selector}._domainkey.{records.domain}") for selector in SELECTORS]
    if any(_is_key(text) for texts in answers for text in texts or ()):
        return Finding(
            "DKIM", "good", "Microsoft's DKIM key is published, so mails can be signed as this domain."
        )
    if any(texts is None for texts in answers):
        return _no_answer("DKIM")
    return Finding(
        "DKIM", "bad", "No DKIM key of Microsoft 365 is published: mails are not signed as this domain.",
        "In the Microsoft Defender portal open Email authentication settings, DKIM; choose the domain, add the two CNAME "
        "records that it shows (selector1._domainkey and selector2._domainkey), then switch signing on.",
    )  # fmt: skip


def _is_key(text: str) -> bool:
    """An empty key is a withdrawn one (RFC 6376, 3.6.1)."""
    return bool(_tags(text).get("p"))


def _dmarc(records: Records) -> Finding:
    for domain in with_parents(records.domain):
        answer = records.at(f"_dmarc.{domain}")
        if answer is None:
            return _no_answer("DMARC")
        found = [text for text in answer if text.replace(" ", "").casefold().startswith("v=dmarc1")]
        if len(found) > 1:
            return Finding(
                "DMARC",
                "bad",
                "There are several DMARC records. Receivers use none of them.",
                "Keep one of them.",
            )
        if found:
            return _policy(_tags(found[0]), inherited=domain != records.domain)
    return Finding(
        "DMARC", "bad", "There is no DMARC record. Google and Yahoo refuse mail to many people without one.",
        f"Add a TXT record at _dmarc.{records.domain}: v=DMARC1; p=none; rua=mailto:dmarc@{records.domain} "
        "and read its reports for some weeks before you choose p=quarantine.",
    )  # fmt: skip


def _policy(said: Mapping[str, str], *, inherited: bool) -> Finding:
    policy = ((said.get("sp") if inherited else "") or said.get("p", "")).casefold()
    if policy in ("quarantine", "reject"):
        return Finding(
            "DMARC", "good", f"DMARC asks receivers to act on mail that is not yours (p={policy})."
        )
    if policy == "none":
        return Finding(
            "DMARC", "look", "DMARC only watches (p=none): mail in your name from elsewhere is still delivered.",
            "When its reports show no mail of yours that fails, choose p=quarantine, later p=reject.",
        )  # fmt: skip
    return Finding(
        "DMARC",
        "bad",
        "The DMARC record names no policy that receivers know.",
        "Set p=none, p=quarantine or p=reject.",
    )


def with_parents(domain: str) -> list[str]:
    """The domain and those above it, as DMARC looks for a record; never a top-level domain."""
    labels = domain.casefold().split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().casefold(): value.strip() for name, _equals, value in pairs if name.strip()}


def _no_answer(record: Literal["SPF", "DKIM", "DMARC"]) -> Finding:
    return Finding(
        record,
        "unknown",
        "The name servers did not answer, so nothing is known of this record.",
        "Look again in a few minutes.",
    )
