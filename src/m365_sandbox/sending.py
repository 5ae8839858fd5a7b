"""How much a mailbox and its tenant may send: Exchange Online's limits, by the sandbox's clock.

https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits
and, for the tenant, the Exchange Team blog on the external recipient rate (TERRL).
"""

from m365_sandbox.entities import Thing, User
from m365_sandbox.sandbox import Sandbox

DAY_MINUTES = 24 * 60
KIND = "sends"

Minutes = dict[str, list[int]]
"""minute of the clock → [messages, recipients, recipients outside the tenant]"""


def may_address(sandbox: Sandbox, user: User, recipients: int) -> bool:
    """Whether so many more recipients fit into the mailbox's 24 hours."""
    most = sandbox.switches.recipients_a_day
    return not most or sum(row[1] for row in _minutes(sandbox, user).values()) + recipients <= most


def when(sandbox: Sandbox, user: User, recipients: list[str]) -> float:
    """Note one more message; the time at which its minute comes: excess waits, it is not refused."""
    now, most = sandbox.now(), sandbox.switches.messages_a_minute
    minutes, minute = _minutes(sandbox, user), int(now // 60)
    while most and minutes.get(str(minute), [0])[0] >= most:
        minute += 1
    row = minutes.get(str(minute), [0, 0, 0])
    outside = sum(1 for address in recipients if is_external(sandbox, user, address))
    minutes[str(minute)] = [row[0] + 1, row[1] + len(recipients), row[2] + outside]
    sandbox.store.save(Thing(f"{user.id}.{KIND}", user.id, KIND, minutes))
    return max(now, minute * 60.0)


def is_external(sandbox: Sandbox, user: User, address: str) -> bool:
    return address.rpartition("@")[2].lower() != sandbox.tenant_of(user).domain


def tenant_is_over(sandbox: Sandbox, user: User) -> bool:
    """Whether the tenant's recipients outside, of 24 hours, exceed 500 × licences^0.7 + 9,500."""
    if sandbox.switches.external_recipients == "unlimited":
        return False
    colleagues = [u for u in sandbox.store.users.values() if u.tenant == user.tenant and u.licensed]
    sent = sum(row[2] for u in colleagues for row in _minutes(sandbox, u).values())
    return sent > external_limit(len(colleagues))


def external_limit(licences: int) -> int:
    return int(500 * licences**0.7 + 9500)


def _minutes(sandbox: Sandbox, user: User) -> Minutes:
    """Those of the last 24 hours and those to come."""
    thing = sandbox.store.things.get(f"{user.id}.{KIND}")
    oldest = int(sandbox.now() // 60) - DAY_MINUTES
    return {} if thing is None else {m: row for m, row in thing.fields.items() if int(m) > oldest}
