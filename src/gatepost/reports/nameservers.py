"""Asking the name servers. The one door to them; what the records mean is decided in `deliverability`."""

from collections.abc import Callable

import dns.exception
import dns.resolver

from gatepost.reports.deliverability import (
    MOST_LOOKUPS,
    SELECTORS,
    Answer,
    Records,
    names_in,
    spf_of,
    with_parents,
)

# One name may take so many seconds; a page waits for all of them.
PATIENCE = 3.0


def texts_at(name: str) -> Answer:
    """The TXT records at a name: none where there is no such name or record, None where no answer came."""
    resolver = dns.resolver.Resolver()
    resolver.lifetime = PATIENCE
    try:
        found = resolver.resolve(name, "TXT", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except (dns.exception.DNSException, OSError, UnicodeError):
        return None
    return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in found)


def look_up(domain: str, *, ask: Callable[[str], Answer] = texts_at) -> Records:
    """What the name servers say of a sending domain: its SPF with all that it leads to, the two DKIM keys, DMARC."""
    texts: dict[str, Answer] = {}

    def asked(name: str) -> Answer:
        name = name.casefold()
        if name not in texts:
            texts[name] = ask(name)
        return texts[name]

    waiting = [domain]
    while waiting and len(texts) <= 2 * MOST_LOOKUPS:
        for spf in spf_of(asked(waiting.pop(0)))[:1]:
            waiting += [name for name in names_in(spf) if name not in texts and "%" not in name]
    for selector in SELECTORS:
        asked(f"{selector}._domainkey.{domain}")
    for each in with_parents(domain):
        if asked(f"_dmarc.{each}"):
            break
    return Records(domain.casefold(), texts)
