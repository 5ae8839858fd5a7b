"""Watching over mailboxes: what is known of their health, and telling who can act when it changes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db.models import F, Max, QuerySet

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.models import LedgerRow
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.errors import Conflict, GatepostError, Who
from gatepost.isolation import inside
from gatepost.mailboxes import credential, gaps, health, notices, rules
from gatepost.mailboxes.health import Health
from gatepost.mailboxes.models import ConnectAttempt, Connection, Gap, Mailbox, Notice, Subscription
from gatepost.mailboxes.queries import Found, across_workspaces

BY_WATCH = by_job("mailboxes.tell")
OFTEN_WITHIN = timedelta(days=30)
# Microsoft's budget for one app and mailbox (https://learn.microsoft.com/graph/throttling-limits, Outlook).
BUDGET, BUDGET_WITHIN = 10_000, timedelta(minutes=10)


# Reading


def health_of(mailbox: Mailbox) -> Health:
    return health_of_all([mailbox])[mailbox.pk]


def health_of_all(mailboxes: Sequence[Mailbox]) -> dict[UUID, Health]:
    """The health of each, with as many queries as for one where their workspaces are loaded. Inside the workspace."""
    now = clock.now()
    ids = [mailbox.pk for mailbox in mailboxes]
    refusal = credential.refusal()
    signed_out = Counter(
        Gap.objects.filter(
            mailbox__in=ids, code=health.SIGN_IN_FREQUENCY, began_at__gt=now - OFTEN_WITHIN
        ).values_list("mailbox_id", flat=True)
    )
    asked = dict(
        ConnectAttempt.objects.filter(again__in=ids, outcome=ConnectAttempt.Outcome.NOT_APPROVED)
        .values("again_id")
        .annotate(last=Max("left_at"))
        .values_list("again_id", "last")
    )
    reading = dict(
        Gap.objects.filter(mailbox__in=ids, resumed_at__isnull=True).values_list("mailbox_id", "ended_at")
    )
    found = {}
    for mailbox in mailboxes:
        reads_mail = "replies" in mailbox.running
        facts = health.Facts(
            state=mailbox.state,
            state_code=mailbox.state_code,
            state_since=mailbox.state_since or mailbox.connected_at,
            paused_at=mailbox.paused_at,
            approval_asked_at=asked.get(mailbox.pk),
            registration_code=refusal.refused_code if refusal else "",
            registration_since=refusal.refused_since if refusal else None,
            # Without the permission nothing is read, and that is no problem but a permission that is missing.
            problem=_problem(mailbox) if reads_mail else None,
            read_through=mailbox.read_through if reads_mail else None,
            reading_since=reading.get(mailbox.pk, mailbox.connected_at) if reads_mail else None,
            sync_every=clock.at_least(timedelta(seconds=settings.GATEPOST_SYNC_EVERY), real=gaps.REAL_PAUSE),
            calendar_problem=mailbox.calendar_problem if "meetings" in mailbox.running else "",
            missing=tuple(
                dict.fromkeys(each.without for each in rules.missing(mailbox.scopes, mailbox.wanted))
            ),
            signed_out_often=signed_out[mailbox.pk] + (mailbox.state_code == health.SIGN_IN_FREQUENCY),
        )
        found[mailbox.pk] = health.of(facts, now=now)
    return found


def _problem(mailbox: Mailbox) -> health.Problem | None:
    if mailbox.problem_since is None or mailbox.problem_who == "operator":
        return None  # the operator's is told of by the registration, once for all mailboxes
    return health.Problem(
        cast(Who, mailbox.problem_who), mailbox.problem_code, mailbox.sync_problem, mailbox.problem_since
    )


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the mailbox's page shows of its life."""

    last_read: datetime | None
    timer_minutes: float
    live: bool  # Microsoft tells us of new mail
    live_problem: str
    live_until: datetime | None
    notified_at: datetime | None
    asked_lately: int
    budget: int
    wait_until: datetime | None


def vitals_of(mailbox: Mailbox) -> Vitals:
    now = clock.now()
    subscriptions = list(Subscription.objects.filter(mailbox=mailbox).order_by("expires_at"))
    alive = [each for each in subscriptions if each.microsoft_id and each.expires_at > now]
    mail_is_live = any(each.wakes == "mail" for each in alive)
    problem = next((each.problem for each in subscriptions if each.problem), "")
    return Vitals(
        last_read=mailbox.read_through,
        timer_minutes=settings.GATEPOST_SYNC_EVERY / 60,
        live=mail_is_live,
        live_problem=problem if settings.GATEPOST_HOOKS_URL else "no-address",
        live_until=min((each.expires_at for each in alive), default=None),
        notified_at=max((each.notified_at for each in subscriptions if each.notified_at), default=None),
        asked_lately=LedgerRow.objects.filter(
            workspace_id=mailbox.workspace_id, mailbox_id=mailbox.pk, at__gt=now - BUDGET_WITHIN
        ).count(),
        budget=BUDGET,
        wait_until=mailbox.not_before if mailbox.not_before and mailbox.not_before > now else None,
    )


def to_tell(now: datetime) -> list[Found]:
    """Mailboxes at which it is time to look whether there is news."""
    return across_workspaces("mailboxes_to_tell", now)


# Changing


def look_soon(mailboxes: QuerySet[Mailbox], **changes: object) -> int:
    """The mailboxes change so, and whether that is news is looked at soon. Inside the caller's transaction."""
    return mailboxes.update(**changes, tell_at=clock.now())


def problem_of(error: Exception) -> tuple[Who, str, str]:
    """Who can act on an error, its code, and what the page says."""
    if not isinstance(error, GatepostError):
        return "us", "", "An error of Gatepost's own; its log says more."
    return error.who, str(getattr(error, "code", "")), error.message


def cannot_be_read(mailbox: Mailbox, error: Exception, *, again_at: datetime) -> None:
    """The mailbox could not be read: its page says why and since when, and it is tried again."""
    who, code, text = problem_of(error)
    now = clock.now()
    with inside(mailbox.workspace_id):
        this = Mailbox.objects.filter(pk=mailbox.pk)
        this.update(
            sync_problem=text[:200], problem_who=who, problem_code=code[:60], sync_due_at=again_at,
            tell_at=now,
        )  # fmt: skip
        this.filter(problem_since__isnull=True).update(problem_since=now)
        gaps.goes_on(mailbox, who, code)


def tell_news(mailbox_id: UUID, *, workspace_id: UUID) -> bool:
    """Its owner is told how the mailbox is, if that changed and did not mend itself. True when there was news."""
    now = clock.now()
    with inside(workspace_id):
        mailbox = (
            Mailbox.objects.select_for_update(of=("self",))
            .select_related("member__user", "workspace")
            .filter(pk=mailbox_id)
            .first()
        )
        if mailbox is None:
            return False
        found = health_of(mailbox)
        news = health.news(mailbox.health_told, found, now=now)
        if isinstance(news, health.LookAgain):
            Mailbox.objects.filter(pk=mailbox_id).update(tell_at=news.at)
            return False
        Mailbox.objects.filter(pk=mailbox_id).update(tell_at=None, health_told=found.word)
        if news is None:
            return False
        # What was said before of this mailbox's health is out of date.
        Notice.objects.filter(
            mailbox=mailbox, kind=Notice.Kind.HEALTH, seen_at__isnull=True
        ).update(seen_at=now)  # fmt: skip
        record(BY_WATCH, tags.MAILBOX_HEALTH, mailbox, mailbox_id=mailbox.pk, health=found.word)
        if news.by_letter:
            for member in _who_can_act(mailbox, found):
                notices.tell(member, Notice.Kind.HEALTH, about=found.word, mailbox=mailbox)
    return True


def _who_can_act(mailbox: Mailbox, found: Health) -> list[Member]:
    """The owner of the mailbox; administrators too where a policy of the organisation is behind it."""
    told = [mailbox.member]
    if found.word == "needs_it" or "Sign-in frequency" in found.to_do:
        administrators = Member.objects.select_related("user").filter(role__in=notices.ADMINISTRATORS)
        told += [each for each in administrators if each.pk != mailbox.member_id]
    return told


def pause(mailbox_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """Nothing is sent any more; replies and meetings are still found."""
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        if mailbox.paused_at is None:
            look_soon(Mailbox.objects.filter(pk=mailbox_id), paused_at=clock.now())
            record(actor, tags.MAILBOX_PAUSE, mailbox, mailbox_id=mailbox.pk)


def resume(mailbox_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """It sends again, as soon as its mail was read."""
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        if mailbox.paused_at is None:
            return
        if mailbox.state == Mailbox.State.DISCONNECTED:
            raise Conflict("This mailbox is disconnected. Connect it again first.")
        look_soon(Mailbox.objects.filter(pk=mailbox_id), paused_at=None)
        record(actor, tags.MAILBOX_RESUME, mailbox, mailbox_id=mailbox.pk)
        gaps.send_again(mailbox, spread=True)


def refused_unknown(workspace_id: UUID, mailbox_id: UUID) -> bool:
    """Microsoft refused to renew the sign-in for a reason that we do not know. True when that is for good."""
    now = clock.now()
    with inside(workspace_id):
        this = Connection.objects.filter(mailbox_id=mailbox_id)
        this.filter(refused_since__isnull=True).update(refused_since=now)
        this.update(refusals=F("refusals") + 1)
        refusals, since = this.values_list("refusals", "refused_since").first() or (0, None)
    return health.refused_for_good(refusals, since or now, now=now)
