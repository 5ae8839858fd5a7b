"""Which permissions are asked for, why, and what they switch on. The page for IT is made from this table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Permission:
    """One Microsoft permission. `shown` is the text of Microsoft's own page (Microsoft Graph, MIT licence)."""

    scope: str
    shown: str
    reason: str
    without: str
    feature: str


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    title: str
    needs: tuple[str, ...]


FEATURES = (
    Feature("send", "Sends the steps of your sequences", ("Mail.Send",)),
    Feature(
        "drafts", "Each step exactly once, follow-ups in the same thread", ("Mail.Send", "Mail.ReadWrite")
    ),
    Feature("replies", "Notices replies and stops the sequence", ("Mail.Read",)),
    Feature("meetings", "Finds meetings that contacts booked", ("Calendars.Read",)),
    Feature("briefs", "Shows briefs as private events in your calendar", ("Calendars.ReadWrite",)),
)

PERMISSIONS = (
    Permission(
        "openid", "Sign in as you", "To know that it is you who connects.", "No mailbox can be connected.", "sign-in"
    ),
    Permission(
        "profile", "View your basic profile", "To tell your account from any other.",
        "No mailbox can be connected.", "sign-in",
    ),
    Permission(
        "offline_access", "Maintain access to data you have given it access to",
        "Steps go out and replies are noticed while you are away.", "You would have to sign in every hour.", "sign-in",
    ),
    Permission(
        "User.Read", "Sign you in and read your profile", "Your address and aliases, to tell your own mail from replies.",
        "No mailbox can be connected.", "sign-in",
    ),
    Permission("Mail.Send", "Send mail as you", "To send the steps that you wrote.", "Nothing is sent.", "send"),
    Permission(
        "Mail.ReadWrite", "Read and write access to your mail",
        "Each step is first a draft of ours in your mailbox, so that it is sent exactly once. "
        "Gatepost writes and removes its own drafts and changes no other mail.",
        "No step can be sent from this mailbox.", "drafts",
    ),
    Permission(
        "Mail.Read", "Read your mail",
        "To notice replies to your sequences. Of other mail Gatepost sees ids and references, "
        "never sender, subject or text.",
        "Replies are not noticed, and no follow-up is sent.", "replies",
    ),
    Permission(
        "Calendars.Read", "Read your calendars",
        "To find meetings with contacts you wrote to. Of other events Gatepost sees times and attendees, "
        "never subject or text.",
        "Meetings are not found.", "meetings",
    ),
    Permission(
        "Calendars.ReadWrite", "Have full access to your calendars",
        "To put the brief into your calendar as a private event of your own. "
        "An event with attendees is never changed.",
        "Briefs are shown in Gatepost only.", "briefs",
    ),
)  # fmt: skip

SIGN_IN = ("openid", "profile", "offline_access", "User.Read")


def scopes_to_ask(*, briefs: bool) -> frozenset[str]:
    """The permissions that the features in use need, and no other.

    Mail.ReadWrite contains Mail.Read, but a change notification must be asked for with the read permission
    (https://learn.microsoft.com/graph/api/subscription-post-subscriptions).
    """
    scopes = {*SIGN_IN, "Mail.Send", "Mail.Read", "Mail.ReadWrite", "Calendars.Read"}
    return frozenset(scopes | {"Calendars.ReadWrite"} if briefs else scopes)


def granted(scope: str, scopes: Iterable[str]) -> bool:
    """Whether what was granted covers `scope`: a ReadWrite permission contains its Read."""
    scopes = set(scopes) | {"openid", "profile", "offline_access"}
    return scope in scopes or (scope.endswith(".Read") and scope.replace(".Read", ".ReadWrite") in scopes)


def running_features(scopes: Iterable[str]) -> frozenset[str]:
    """The features that the granted permissions let run. Missing ones degrade, they never refuse."""
    scopes = set(scopes)
    return frozenset(f.name for f in FEATURES if all(granted(need, scopes) for need in f.needs))


def missing(scopes: Iterable[str], *, briefs: bool) -> tuple[Permission, ...]:
    """What was asked for and not granted."""
    asked, have = scopes_to_ask(briefs=briefs), set(scopes)
    return tuple(p for p in PERMISSIONS if p.scope in asked and not granted(p.scope, have))


# Microsoft lets a mail subscription live 10,080 minutes at most; renewed at half of what it returned.
SUBSCRIPTION_LIFE = timedelta(minutes=10_000)


def renewal_due(*, created: datetime, expires: datetime) -> datetime:
    return created + (expires - created) / 2


# A connect attempt's address works for so long, and once.
ATTEMPT_LIFE = timedelta(minutes=30)


# What is ours at Microsoft is ended with the old tokens for at most so long (real time); then they are destroyed
# anyway. Where the mailbox is erased, what it holds here must not wait for Microsoft.
CLEAN_UP_FOR = timedelta(minutes=15)
CLEAN_UP_BEFORE_ERASING_FOR = timedelta(seconds=30)

# What could not be ended there, and how somebody ends it by hand.
LEFT_AT_MICROSOFT = {
    "drafts": "Drafts of ours may still lie in the drafts folder: delete them in Outlook. Nobody sends them.",
    "notifications": "Microsoft may still send notifications for up to seven days; they are thrown away.",
}
