"""Which permissions are asked for, why, and what they switch on. The page for IT is made from this table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gatepost.graph.shapes import SHAPES, Shape


@dataclass(frozen=True, slots=True)
class Permission:
    """One Microsoft permission. `shown` is the text of Microsoft's own page (Microsoft Graph, MIT licence)."""

    scope: str
    shown: str
    reason: str
    without: str
    # Microsoft's own policy, which most organisations have, leaves it to an administrator
    # (microsoft-user-default-recommended as of July 2026, Message Center MC1163922 and MC1304287).
    by_administrator: bool = False


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that Gatepost does, and the permissions it takes. The last one is asked for because of it alone."""

    name: str
    title: str
    needs: tuple[str, ...]
    # Features that are switched on with it, and without which it is switched off.
    together_with: tuple[str, ...] = ()


PERMISSIONS = (
    Permission("openid", "Sign in as you", "To know that it is you who connects.", "No mailbox can be connected."),
    Permission(
        "profile", "View your basic profile", "To tell your account from any other.", "No mailbox can be connected."
    ),
    Permission(
        "offline_access", "Maintain access to data you have given it access to",
        "Steps go out and replies are noticed while you are away.", "You would have to sign in every hour.",
    ),
    Permission(
        "User.Read", "Sign you in and read your profile", "Your address and aliases, to tell your own mail from replies.",
        "No mailbox can be connected.",
    ),
    Permission("Mail.Send", "Send mail as you", "To send the steps that you wrote.", "Nothing is sent."),
    Permission(
        "Mail.ReadWrite", "Read and write access to your mail",
        "Each step is first a draft of ours in your mailbox, so that it is sent exactly once. "
        "Gatepost writes and removes its own drafts and changes no other mail.",
        "Only first steps are sent; follow-ups become tasks for you, with the text ready to copy.",
        by_administrator=True,
    ),
    Permission(
        "Mail.Read", "Read your mail",
        "To notice replies to your sequences, in whatever folder a rule puts them. Of other mail Gatepost sees ids and "
        "references, never sender, subject or text; of folders ids and how many mails lie in each, never a name.",
        "Replies are not noticed, and no follow-up is sent by itself.",
        by_administrator=True,
    ),
    Permission(
        "Calendars.Read", "Read your calendars",
        "To find meetings with contacts you wrote to. Of other events Gatepost sees times and attendees, "
        "never subject or text.",
        "Meetings are not found.",
        by_administrator=True,
    ),
    Permission(
        "Calendars.ReadWrite", "Have full access to your calendars",
        "To put the brief into your calendar as a private event of your own. "
        "An event with attendees is never changed.",
        "Briefs are shown in Gatepost only.",
        by_administrator=True,
    ),
    Permission(
        "Contacts.Read", "Read your contacts",
        "To show your Outlook contacts when you import some of them. Only those that you tick are kept.",
        "Contacts come from a CSV file, or by hand.",
    ),
    Permission(
        "People.Read", "Read your relevant people list",
        "To show the people you work with most when you import some of them. Only those that you tick are kept.",
        "Contacts come from a CSV file, or by hand.",
        by_administrator=True,
    ),
)  # fmt: skip

FEATURES = (
    Feature("sign-in", "Knows whose mailbox it is", ("openid", "profile", "offline_access", "User.Read")),
    Feature("send", "Sends the steps of your sequences", ("Mail.Send",)),
    Feature(
        "drafts", "Sends each step exactly once, and follow-ups in the same thread", ("Mail.Send", "Mail.ReadWrite"),
        # A follow-up leaves only after replies were looked for, and a reply is known by the draft it answers.
        together_with=("replies",),
    ),
    Feature("replies", "Notices replies and stops the sequence", ("Mail.Read",), together_with=("drafts",)),
    Feature("meetings", "Finds meetings that contacts booked", ("Calendars.Read",)),
    Feature(
        "briefs", "Shows briefs as private events in your calendar", ("Calendars.Read", "Calendars.ReadWrite"),
        together_with=("meetings",),
    ),
    Feature("outlook-contacts", "Imports contacts from Outlook", ("Contacts.Read",)),
    Feature("people", "Imports from the people you work with most", ("People.Read",)),
)  # fmt: skip

ALWAYS = frozenset({"sign-in", "send"})  # without these there is no mailbox
CHOICES = tuple(feature for feature in FEATURES if feature.name not in ALWAYS)
SIGN_IN = FEATURES[0].needs

# Sets of features by name. What a workspace begins with is `standard`; `full` asks for everything in the table.
PROFILES = {
    "send only": ALWAYS,
    "standard": ALWAYS | {"drafts", "replies", "meetings"},
    "full": frozenset(feature.name for feature in FEATURES),
}


def scopes_to_ask(features: Iterable[str]) -> frozenset[str]:
    """The permissions that these features need, and no other.

    Mail.ReadWrite contains Mail.Read, but a change notification must be asked for with the read permission
    (https://learn.microsoft.com/graph/api/subscription-post-subscriptions).
    """
    wanted = {*ALWAYS, *features}
    return frozenset(need for feature in FEATURES if feature.name in wanted for need in feature.needs)


def permissions_of(scopes: Iterable[str]) -> tuple[Permission, ...]:
    """The rows of the table for these scopes, in its order."""
    wanted = set(scopes)
    return tuple(permission for permission in PERMISSIONS if permission.scope in wanted)


def switched(in_use: Iterable[str], name: str, *, on: bool) -> frozenset[str]:
    """The features in use after one was switched: with it goes what it makes no sense without."""
    by_name = {feature.name: feature for feature in CHOICES}
    features = frozenset(in_use) & by_name.keys()
    if on:
        return features | {name, *by_name[name].together_with}
    return frozenset(each for each in features - {name} if name not in by_name[each].together_with)


def wanted_features(in_use: Iterable[str], *, send_only: bool, briefs: bool) -> frozenset[str]:
    """What one mailbox is meant to do: what its workspace has in use, less what was left out for this mailbox."""
    if send_only:
        return ALWAYS
    return ALWAYS | (frozenset(in_use) if briefs else frozenset(in_use) - {"briefs"})


def granted(scope: str, scopes: Iterable[str]) -> bool:
    """Whether what was granted covers `scope`: a ReadWrite permission contains its Read."""
    scopes = set(scopes) | {"openid", "profile", "offline_access"}
    return scope in scopes or (scope.endswith(".Read") and scope.replace(".Read", ".ReadWrite") in scopes)


def running_features(scopes: Iterable[str], wanted: Iterable[str]) -> frozenset[str]:
    """The wanted features that the granted permissions let run. Missing ones degrade, they never refuse."""
    scopes, wanted = set(scopes), set(wanted)
    return frozenset(
        f.name for f in FEATURES if f.name in wanted and all(granted(need, scopes) for need in f.needs)
    )


def missing(scopes: Iterable[str], wanted: Iterable[str]) -> tuple[Permission, ...]:
    """What the wanted features need and Microsoft did not grant."""
    have = set(scopes)
    return tuple(p for p in permissions_of(scopes_to_ask(wanted)) if not granted(p.scope, have))


@dataclass(frozen=True, slots=True)
class Explained:
    """All there is to say about one permission: for docs/permissions.md and for the page that IT gets."""

    permission: Permission
    features: tuple[Feature, ...]
    requests: tuple[Shape, ...]  # every request of Graph that is made with it, and no other

    @property
    def asked_for(self) -> str:
        """When it is asked for, in words."""
        if any(feature.name in ALWAYS for feature in self.features):
            return "always"
        return "while switched on: " + "; ".join(feature.title for feature in self.features)


def explained(scopes: Iterable[str] | None = None) -> tuple[Explained, ...]:
    """Each of these permissions with its features and requests; all of the table where none are named."""
    permissions = PERMISSIONS if scopes is None else permissions_of(scopes)
    return tuple(
        Explained(
            permission,
            tuple(feature for feature in FEATURES if permission.scope in feature.needs),
            tuple(shape for shape in SHAPES.values() if shape.scope == permission.scope),
        )
        for permission in permissions
    )


def why_not_here(domain: str, tenant: UUID, *, domains: Iterable[str], tenants: Iterable[str]) -> str:
    """Why an account may not be connected to this workspace, or "". An empty list allows all."""
    domains, tenants = sorted(domains), sorted(tenants)
    if domains and domain.casefold() not in domains:
        return f"This workspace takes only mailboxes of {_either(domains)}, and this one is of {domain}."
    if tenants and str(tenant) not in tenants:
        return (
            "This workspace takes only mailboxes of certain Microsoft organisations, "
            f"and this one belongs to another (tenant {tenant})."
        )
    return ""


def may_send_as(domain: str, sender_domains: Iterable[str]) -> bool:
    """Whether mail may leave from addresses of this domain. An empty list allows all."""
    allowed = {each.casefold() for each in sender_domains}
    return not allowed or domain.casefold() in allowed


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


# Microsoft lets a mail subscription live 10,080 minutes at most; renewed at half of what it returned.
SUBSCRIPTION_LIFE = timedelta(minutes=10_000)


def renewal_due(*, created: datetime, expires: datetime) -> datetime:
    return created + (expires - created) / 2


# What is ours at Microsoft is ended with the old tokens for at most so long (real time); then they are destroyed
# anyway. Where the mailbox is erased, what it holds here must not wait for Microsoft.
CLEAN_UP_FOR = timedelta(minutes=15)
CLEAN_UP_BEFORE_ERASING_FOR = timedelta(seconds=30)

# What could not be ended there, and how somebody ends it by hand.
LEFT_AT_MICROSOFT = {
    "drafts": "Drafts of ours may still lie in the drafts folder: delete them in Outlook. Nobody sends them.",
    "briefs": "Briefs of ours may still stand in the calendar, in the category Gatepost: delete them in Outlook.",
    "notifications": "Microsoft may still send notifications for up to seven days; they are thrown away.",
}


# The way back from Microsoft works for so long, and once.
DEPARTURE_LIFE = timedelta(minutes=30)
# An attempt waits for an administrator for so long.
ATTEMPT_HELD = timedelta(days=30)
# Whoever has not come back from Microsoft by then is taken to be stuck there: the administrator's approval is asked for
# on Microsoft's own page, and then Gatepost hears nothing at all.
SILENCE = timedelta(minutes=3)
# Microsoft is asked without a page no more often than this.
QUIET_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an attempt stands, in words for the rep. `open`: it can still be finished."""

    name: str
    title: str
    words: str
    open: bool = True


AT_MICROSOFT = Standing(
    "at_microsoft", "Waiting for Microsoft", "You left for Microsoft a moment ago and have not come back yet."
)
SILENT = Standing(
    "silent",
    "Microsoft has not sent you back",
    "You may have closed its page, or an administrator must approve. Nothing was connected so far.",
)
NOT_APPROVED = Standing(
    "not_approved",
    "Cancelled, or waiting for your administrator",
    "Microsoft sent you back without permission, and does not say which of the two it was. Nothing was connected so far.",
)
REPORTED = Standing(
    "reported",
    "Your administrator seems to have approved",
    "Microsoft said so in a browser that came back from there. One click finishes it.",
)
OTHER_ACCOUNT = Standing(
    "other_account",
    "Another account signed in",
    "It is not the one to connect again. Nothing was connected or changed.",
)
CONNECTED = Standing("connected", "Connected", "This was finished.", open=False)
FAILED = Standing("failed", "Not connected", "It failed, and nothing was connected.", open=False)
GIVEN_UP = Standing("given_up", "Given up", "Nothing was connected.", open=False)
EXPIRED = Standing("expired", "Over", "It was kept for 30 days. Nothing was connected.", open=False)
_BY_OUTCOME = {each.name: each for each in (NOT_APPROVED, OTHER_ACCOUNT, CONNECTED, FAILED, GIVEN_UP)}


def standing_of(
    outcome: str,
    *,
    created: datetime,
    left: datetime,
    reported: datetime | None,
    now: datetime,
    silence: timedelta = SILENCE,
) -> Standing:
    """How an attempt stands, from what happened to it and when. `silence` is longer on a fast clock."""
    standing = _BY_OUTCOME.get(outcome)
    if standing is not None and not standing.open:
        return standing
    if now - created > ATTEMPT_HELD:
        return EXPIRED
    if reported is not None and reported >= left:
        return REPORTED
    if standing is not None:
        return standing
    return SILENT if now - left > silence else AT_MICROSOFT


PERSONAL_ACCOUNTS = UUID(
    "9188040d-6c67-4c5b-b112-36a304b66dad"
)  # Microsoft's tenant of all personal accounts


@dataclass(frozen=True, slots=True)
class Known:
    """A mailbox of ours that has the identity that signed in."""

    mailbox_id: UUID
    workspace_id: UUID


def identity_problem(
    *, tenant: UUID, guest: bool, known: Known | None, workspace_id: UUID, again: UUID | None
) -> str:
    """Why this account cannot be connected here, by its name in refusals.IDENTITIES; "" where nothing speaks against it."""
    if tenant == PERSONAL_ACCOUNTS:
        return "personal"
    if guest:
        return "guest"
    if again is not None and (known is None or known.mailbox_id != again):
        return "other_account"
    if known is not None and known.workspace_id != workspace_id:
        return "other_workspace"
    return ""
