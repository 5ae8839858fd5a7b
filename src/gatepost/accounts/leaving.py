"""What becomes of what a member looked after. Concepts above say so, with `on_leaving`; accounts knows none of them."""

from collections.abc import Callable

from gatepost.accounts.models import Member
from gatepost.audit.record import Actor

# What a member leaves behind, in words for the page ("2 mailboxes"); "" for nothing.
Count = Callable[[Member], str]
# Runs in the transaction of the removal: it passes to `heir`, or ends where there is none.
Pass = Callable[[Member, Member | None, Actor], None]

_concerned: list[tuple[Count, Pass]] = []


def on_leaving(count: Count, pass_on: Pass) -> None:
    _concerned.append((count, pass_on))


def left_behind(member: Member) -> list[str]:
    return [words for count, _ in _concerned if (words := count(member))]


def pass_on(member: Member, heir: Member | None, actor: Actor) -> None:
    for _, each in _concerned:
        each(member, heir, actor)
