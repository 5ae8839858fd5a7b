"""Who may do what, and whose sign-in is good enough for a workspace. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

INVITATION_LIFE = timedelta(days=7)

OWNER, ADMIN, LEAD, REP, AUDITOR = ROLES = ("owner", "admin", "lead", "rep", "auditor")


class Ability(StrEnum):
    """Something that a role may do."""

    LOOK = "look"
    READ_OWN = "read own"
    WORK = "work"
    READ_ALL = "read all"
    ADMINISTER = "administer"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Row:
    """One ability: what it is in words, and the roles that have it."""

    ability: Ability
    words: str
    roles: tuple[str, ...]


# The one table: pages and API ask it, the page of members and docs/how-to/people.md show it, and
# tests/accounts/test_roles.py tries every address with every role.
TABLE = (
    Row(
        Ability.LOOK,
        "See lists, reports and the records under Privacy; a rep those of their own mailboxes",
        ROLES,
    ),
    Row(Ability.READ_OWN, "Open the texts of their own mailboxes", (OWNER, ADMIN, LEAD, REP)),
    Row(
        Ability.WORK,
        "Connect mailboxes, write sequences, enrol and suppress contacts, answer; make API tokens",
        (OWNER, ADMIN, LEAD, REP),
    ),
    Row(Ability.READ_ALL, "Open everybody's texts, and send from every mailbox", (OWNER, ADMIN, LEAD)),
    Row(
        Ability.ADMINISTER,
        "Change settings and sign-in rules, invite and remove members, change roles, look after everybody's "
        "mailboxes and tokens",
        (OWNER, ADMIN),
    ),
    Row(Ability.OWN, "Make, change and remove owners; take the whole workspace along, or close it", (OWNER,)),
)
_ROLES_WITH = {row.ability: row.roles for row in TABLE}


def may(role: str, ability: Ability) -> bool:
    return role in _ROLES_WITH[ability]


@dataclass(frozen=True, slots=True)
class No:
    """It may not happen; `reason` is a sentence for whoever asked."""

    reason: str


def may_change_member(
    *, actor_role: str, role_before: str, role_after: str | None, owners: int, themselves: bool
) -> No | None:
    """Whether somebody may give a member another role, or take the last one (`role_after` None)."""
    if not may(actor_role, Ability.ADMINISTER):
        return No("Only an owner or administrator of the workspace can do this.")
    if OWNER in (role_before, role_after) and not may(actor_role, Ability.OWN):
        return No("Only an owner can make, change or remove an owner.")
    if role_before == OWNER and role_after != OWNER and owners < 2:
        return No("This is the last owner, and a workspace needs one. Make somebody else an owner first.")
    if themselves and role_after is None:
        return No("You cannot remove yourself. Ask another owner or administrator.")
    return None


# Signing in

SECOND_FACTOR, SINGLE_SIGN_ON = "second_factor", "single_sign_on"


@dataclass(frozen=True, slots=True)
class Proof:
    """How somebody has shown who he is, in this session.

    `tenant`: the Microsoft organisation that vouched for him; `other_provider`: the operator's OpenID provider did.
    `second_factor`: he has an authenticator app or a passkey, which every sign-in with a password then asks for.
    """

    tenant: str = ""
    other_provider: bool = False
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """The workspace does not open for this session. `needs` is what would open it."""

    needs: str  # "another_organisation", SINGLE_SIGN_ON or SECOND_FACTOR


def closed(*, requires: str, tenants: Collection[str], proof: Proof) -> Closed | None:
    """Why a workspace with these sign-in rules does not open for a session with this proof; None: it opens.

    Who came from Microsoft or the OpenID provider needs no second factor of ours: their own rules decide.
    """
    if proof.tenant and proof.tenant not in tenants:
        return Closed("another_organisation")
    vouched_for = bool(proof.tenant) or proof.other_provider
    if requires == SINGLE_SIGN_ON and not vouched_for:
        return Closed(SINGLE_SIGN_ON)
    if requires == SECOND_FACTOR and not (vouched_for or proof.second_factor):
        return Closed(SECOND_FACTOR)
    return None
