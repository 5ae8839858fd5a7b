"""Trying what a mailbox must be able to do, right after it was connected and whenever somebody asks.

A draft is made and removed with the rep's agreement only; whatever else is tried only looks.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.graph import housekeeping
from gatepost.graph.errors import GraphError
from gatepost.graph.gateway import Gateway
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.jobs.threads import in_thread
from gatepost.mailboxes import watch
from gatepost.mailboxes.models import Mailbox, Probe, Subscription
from gatepost.vault.sealing import installation_index


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing to try: what it is called, the feature that needs it, what does not run without it."""

    name: str
    title: str
    feature: str
    without: str
    try_it: Callable[[Gateway, str], Awaitable[None]] | None  # None: it shows by itself


async def _profile(gateway: Gateway, key: str) -> None:
    await housekeeping.profile(gateway)


async def _folders(gateway: Gateway, key: str) -> None:
    for folder in ("inbox", "junkemail", "sentitems"):
        await housekeeping.check_folder(gateway, folder)


async def _changes(gateway: Gateway, key: str) -> None:
    await housekeeping.check_changes(gateway, since=clock.now())


async def _drafts(gateway: Gateway, key: str) -> None:
    await housekeeping.check_draft(gateway, key)


async def _calendar(gateway: Gateway, key: str) -> None:
    await housekeeping.check_calendar(gateway)


KINDS = (
    Kind("profile", "Reads the profile", "sign-in", "The mailbox cannot be told from another.", _profile),
    Kind("folders", "Finds inbox, junk and sent items", "replies", "Replies are not noticed.", _folders),
    Kind("changes", "Is told what is new in the inbox", "replies", "Replies are not noticed.", _changes),
    Kind("drafts", "Makes a draft and removes it", "drafts", "Nothing is sent.", _drafts),
    Kind("calendar", "Finds the calendar", "meetings", "Meetings are not found.", _calendar),
    Kind("notifications", "Microsoft tells of new mail at once", "replies",
         "Replies are found by the timer, some minutes later.", None),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the checklist."""

    kind: Kind
    probe: Probe | None
    why: str = ""
    to_do: str = ""

    @property
    def outcome(self) -> str:
        return self.probe.outcome if self.probe else Probe.Outcome.NOT_TRIED


def checklist(mailbox: Mailbox) -> list[Line]:
    """Of what it is meant to do: what works, what does not, why, and what to do. Inside the workspace."""
    found: dict[str, Probe | None] = {probe.name: probe for probe in Probe.objects.filter(mailbox=mailbox)}
    found["notifications"] = _notifications(mailbox)
    return [_line(kind, found.get(kind.name)) for kind in KINDS if kind.feature in mailbox.running]


def ask(mailbox_id: UUID, *, workspace_id: UUID, drafts: bool, actor: Actor) -> None:
    """Everything is tried soon; a draft only where the rep agreed."""
    with inside(workspace_id):
        mailbox = Mailbox.objects.get(pk=mailbox_id)
        record(actor, tags.MAILBOX_PROBE, mailbox, mailbox_id=mailbox.pk, drafts=drafts)
        enqueue(
            "mailboxes.probe", once_for=mailbox_id, workspace=str(workspace_id), mailbox=str(mailbox_id),
            drafts="yes" if drafts else "",
        )  # fmt: skip


async def try_all(box: Mailbox, gateway: Gateway, *, drafts: bool) -> None:
    """Everything that may be tried was tried, each by itself: one that fails hides no other."""
    key = installation_index("send", f"{box.pk}|probe")
    for kind in KINDS:
        if kind.try_it is None or kind.feature not in box.running or (kind.name == "drafts" and not drafts):
            continue
        try:
            await kind.try_it(gateway, key)
        except GraphError as error:
            who, code, _ = watch.problem_of(error)
            await in_thread(_store, box, kind, Probe.Outcome.FAILS, code or type(error).__name__, who)
            if who in ("rep", "operator"):
                raise  # nothing else will work either
        else:
            await in_thread(_store, box, kind, Probe.Outcome.WORKS, "", "")


def _store(mailbox: Mailbox, kind: Kind, outcome: str, code: str, who: str) -> None:
    with inside(mailbox.workspace_id):
        Probe.objects.update_or_create(
            mailbox=mailbox,
            name=kind.name,
            defaults={
                "workspace_id": mailbox.workspace_id, "outcome": outcome, "code": code[:60], "who": who,
                "tried_at": clock.now(),
            },
        )  # fmt: skip


def _notifications(mailbox: Mailbox) -> Probe | None:
    """It shows by itself: a subscription stands, or could not be made."""
    rows = list(Subscription.objects.filter(mailbox=mailbox, wakes="mail"))
    if not rows or not settings.GATEPOST_HOOKS_URL:
        return None
    failed = next((row for row in rows if row.microsoft_id is None), None)
    outcome = Probe.Outcome.FAILS if failed else Probe.Outcome.WORKS
    return Probe(name="notifications", outcome=outcome, code=failed.problem[:60] if failed else "", who="wait",
                 tried_at=clock.now())  # fmt: skip


TO_DO = {
    "wait": "It is tried again by itself.",
    "rep": "Connect the mailbox again.",
    "it": "Ask your IT: a permission is missing, or a policy keeps apps from this mailbox.",
    "operator": "Whoever runs Gatepost must correct its app registration.",
    "us": "Tell whoever runs Gatepost; its log says more.",
}


def _line(kind: Kind, probe: Probe | None) -> Line:
    if kind.name == "notifications" and not settings.GATEPOST_HOOKS_URL:
        every = round(settings.GATEPOST_SYNC_EVERY / 60) or 1
        return Line(kind, probe, f"This Gatepost has no public address. The timer looks every {every} min.")
    if probe is None:
        agreed = "Only with your agreement: tick the box below." if kind.name == "drafts" else ""
        return Line(kind, probe, agreed)
    if probe.outcome == Probe.Outcome.FAILS:
        return Line(kind, probe, f"{kind.without} ({probe.code})", TO_DO.get(probe.who, ""))
    return Line(kind, probe)
