"""Faults on order: which requests fail, how, and how often."""

import random
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

What = Literal["429", "500", "503", "504", "reset", "slow", "html", "truncate"]
WHATS = ("429", "500", "503", "504", "reset", "slow", "html", "truncate")


@dataclass(slots=True)
class Rule:
    """Requests whose path matches fail: `when` before the work is done, or after it (done, but not told)."""

    path: str = ""
    method: str = ""
    mailbox: str = ""
    action: str = "503"
    when: Literal["before", "after"] = "before"
    probability: float = 1.0
    count: int | None = None
    seconds: float = 1.0
    retry_after: float | None = None

    def matches(self, method: str, path: str, mailbox: str) -> bool:
        return (
            (not self.method or self.method.upper() == method)
            and (not self.mailbox or self.mailbox.lower() == mailbox)
            and re.search(self.path, path) is not None
        )


class Faults:
    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._chance = random.Random(1)
        self.struck = 0

    def add(self, values: dict[str, Any]) -> Rule:
        """Raises ValueError that says what is wrong with the rule."""
        unknown = set(values) - set(Rule.__dataclass_fields__)
        if unknown:
            raise ValueError(
                f"A fault has no {', '.join(sorted(unknown))}. It has {', '.join(Rule.__dataclass_fields__)}."
            )
        rule = Rule(**values)
        rule.action = str(rule.action)
        if rule.action not in WHATS:
            raise ValueError(f"action is one of {', '.join(WHATS)}, not {rule.action!r}.")
        if rule.when not in ("before", "after"):
            raise ValueError(f"when is before or after, not {rule.when!r}.")
        try:
            re.compile(rule.path)
        except re.error as error:
            raise ValueError(f"path is a regular expression, and {rule.path!r} is none: {error}.") from None
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def strike(self, method: str, path: str, mailbox: str) -> Rule | None:
        """The rule that this request falls victim to, if any; its count goes down."""
        for rule in self.rules:
            if not rule.matches(method, path, mailbox) or rule.count == 0:
                continue
            if self._chance.random() >= rule.probability:
                continue
            if rule.count is not None:
                rule.count -= 1
            self.struck += 1
            return rule
        return None

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]
