"""The parts of one sandbox, held together."""

import random
from collections import deque
from dataclasses import dataclass, field

from m365_sandbox.clock import Clock
from m365_sandbox.contract import Watch
from m365_sandbox.entities import Tenant, User
from m365_sandbox.entra.orders import Orders
from m365_sandbox.faults import Faults
from m365_sandbox.schedule import Schedule
from m365_sandbox.store import Store
from m365_sandbox.switches import Switches


@dataclass(slots=True)
class Sandbox:
    seed: int
    store: Store
    clock: Clock
    switches: Switches
    faults: Faults = field(default_factory=Faults)
    chance: random.Random = field(default_factory=random.Random)
    """Draws token lives and which notifications get lost."""
    schedule: Schedule = field(init=False)
    notifications_in_flight: set[str] = field(default_factory=set)
    watch: Watch | None = None
    """Checks all that is said to Graph and by it, where that is wanted."""
    orders: Orders = field(default_factory=Orders)
    """Refusals and broken id tokens that were ordered."""
    requests_in_flight: dict[tuple[str, str], int] = field(default_factory=dict)
    recent_requests: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    recent_uploads: dict[tuple[str, str], deque[tuple[float, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.schedule = Schedule(self.store)

    def now(self) -> float:
        return self.clock.now()

    def keep_settings(self) -> None:
        """Switches, faults and orders outlive a restart."""
        self.store.set_meta("switches", self.switches.to_json())
        self.store.set_meta("faults", self.faults.to_json())
        self.store.set_meta("orders", self.orders.to_json())

    def take_up_settings(self) -> None:
        """As the store remembers them."""
        self.switches.change(self.store.meta.get("switches", {}))
        self.faults.clear()
        for rule in self.store.meta.get("faults", []):
            self.faults.add(rule)
        self.orders.take_up(self.store.meta.get("orders", []))

    def user(self, address: str) -> User | None:
        return self.store.user_by_address.get(address.lower())

    def tenant_of(self, user: User) -> Tenant:
        return self.store.tenants[user.tenant]

    def knows_domain(self, address: str) -> bool:
        return address.rpartition("@")[2].lower() in self.store.tenant_by_domain
