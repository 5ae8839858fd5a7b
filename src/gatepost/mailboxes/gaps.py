"""Gaps: times in which a mailbox was not read. After one it reads before it speaks, and says what happened.

A gap ends when Microsoft lets the mailbox be read again; it is over when mail and calendar are in. Until then
`read_through` or `calendar_read_through` is empty, and the gate lets nothing leave.
"""

from datetime import datetime, timedelta

from django.conf import settings

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import job as by_job
from gatepost.audit.record import record
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import health, notices
from gatepost.mailboxes.models import Gap, Mailbox, Notice

BY_SYNC = by_job("intake.sync")
# A shorter one in which nothing waited and nothing came is on the mailbox's page, and no letter is written about it.
WORTH_A_LETTER = timedelta(hours=1)
# In this time a clock that runs fast reads a mailbox once.
REAL_PAUSE = timedelta(seconds=20)


def begin(mailbox: Mailbox, cause: str, *, began_at: datetime, code: str = "") -> Gap:
    """The mailbox reads before it speaks. While one gap is not over there is no second. Inside the transaction."""
    only_mail = cause == Gap.Cause.POSITION_LOST
    mailbox.read_through = None
    changes: dict[str, object] = {"read_through": None}
    if not only_mail:
        mailbox.calendar_read_through = None
        changes |= {"calendar_read_through": None, "calendar_due_at": clock.now()}
    Mailbox.objects.filter(pk=mailbox.pk).update(**changes)
    gap = Gap.objects.filter(mailbox=mailbox, resumed_at__isnull=True).first()
    if gap is None:
        gap = Gap.objects.create(
            workspace_id=mailbox.workspace_id,
            mailbox=mailbox,
            cause=cause,
            code=code[:60],
            began_at=began_at,
            ended_at=clock.now(),
            calendar_read_at=clock.now() if only_mail else None,
        )
        record(BY_SYNC, tags.GAP_BEGIN, gap, cause=cause)
    elif not only_mail:
        _goes_on(gap, cause, code)
    return gap


def goes_on(mailbox: Mailbox, who: str, code: str) -> None:
    """While it was to be read up, Microsoft refused: the gap is not over, and this is its cause. Inside the transaction."""
    cause = {"rep": Gap.Cause.SIGN_IN, "operator": Gap.Cause.REGISTRATION}.get(who)
    gap = open_gap(mailbox) if cause else None
    if gap is not None and cause is not None:
        _goes_on(gap, cause, code)


def _goes_on(gap: Gap, cause: str, code: str) -> None:
    gap.cause, gap.code, gap.ended_at = cause, code[:60], clock.now()
    gap.save(update_fields=["cause", "code", "ended_at"])


def begin_at_reconnect(mailbox: Mailbox) -> None:
    """Before the mailbox is described anew: what it missed since it was read last. Inside the transaction."""
    if mailbox.state == Mailbox.State.CONNECTED and not _too_old(mailbox, clock.now()):
        return
    signed_out = mailbox.state == Mailbox.State.NEEDS_RECONNECT
    cause = Gap.Cause.SIGN_IN if signed_out else Gap.Cause.DISCONNECTED
    if mailbox.state == Mailbox.State.CONNECTED:
        cause = _cause(mailbox)
    began = mailbox.read_through or mailbox.state_since or mailbox.connected_at
    begin(mailbox, cause, began_at=began, code=mailbox.state_code)


def begin_if_unread(mailbox: Mailbox, started: datetime) -> None:
    """Where the mail was not read for too long: we were down, or Microsoft did not answer."""
    if mailbox.read_through is None or not _too_old(mailbox, started):
        return
    with inside(mailbox.workspace_id):
        begin(mailbox, _cause(mailbox), began_at=mailbox.read_through, code=mailbox.problem_code)


def mail_is_in(mailbox: Mailbox, *, replies: int, bounces: int, begun: int) -> None:
    """All mail of the gap was looked at; so many mails that were begun before it wait. Inside the transaction."""
    Gap.objects.filter(mailbox=mailbox, mail_read_at__isnull=True).update(
        mail_read_at=clock.now(), replies=replies, bounces=bounces, waiting_steps=begun
    )
    _go_on(mailbox)


def calendar_is_in(mailbox: Mailbox, *, meetings: int) -> None:
    """All meetings of the gap are known. Inside the caller's transaction."""
    Gap.objects.filter(mailbox=mailbox, calendar_read_at__isnull=True).update(
        calendar_read_at=clock.now(), meetings=meetings
    )
    _go_on(mailbox)


def open_gap(mailbox: Mailbox) -> Gap | None:
    return Gap.objects.filter(mailbox=mailbox, resumed_at__isnull=True).order_by("began_at").first()


def of_mailbox(mailbox: Mailbox, *, limit: int = 5) -> list[Gap]:
    """The latest ones, newest first."""
    return list(Gap.objects.filter(mailbox=mailbox).order_by("-ended_at")[:limit])


def reads_calendar(mailbox: Mailbox) -> bool:
    """Whether there is a calendar to be read up. Reads its workspace."""
    return "meetings" in mailbox.running and not mailbox.calendar_problem


def _go_on(mailbox: Mailbox) -> None:
    """With mail and calendar in, sending goes on. Its concept lies above this one, so it is asked for by name."""
    if all_is_in(Mailbox.objects.select_related("workspace").get(pk=mailbox.pk)):
        send_again(mailbox, spread=False)


def all_is_in(mailbox: Mailbox) -> bool:
    """Mail and calendar were read since the last gap, as far as they are read at all. Reads its workspace."""
    mail = mailbox.read_through is not None or "replies" not in mailbox.running
    return mail and (mailbox.calendar_read_through is not None or not reads_calendar(mailbox))


def send_again(mailbox: Mailbox, *, spread: bool) -> None:
    """Sending goes on soon; with `spread`, what had waited goes out one after another."""
    enqueue(
        "sequences.return",
        once_for=mailbox.pk,
        workspace=str(mailbox.workspace_id),
        mailbox=str(mailbox.pk),
        spread="yes" if spread else "",
    )


def over(gap: Gap, *, due: int, last_step_due_at: datetime | None) -> None:
    """Sending goes on; besides the mails begun, so many steps were due. The report stands on the mailbox's page and goes out once. Inside the transaction."""
    now = clock.now()
    gap.resumed_at, gap.last_step_due_at = now, last_step_due_at
    gap.waiting_steps += due
    gap.mail_read_at, gap.calendar_read_at = gap.mail_read_at or now, gap.calendar_read_at or now
    gap.save()
    record(
        BY_SYNC, tags.GAP_END, gap, cause=gap.cause, replies=gap.replies, bounces=gap.bounces,
        meetings=gap.meetings, waiting_steps=gap.waiting_steps,
    )  # fmt: skip
    found = gap.replies + gap.bounces + gap.meetings + gap.waiting_steps
    if gap.ended_at - gap.began_at >= WORTH_A_LETTER or (found and gap.cause != Gap.Cause.POSITION_LOST):
        mailbox = Mailbox.objects.select_related("member").get(pk=gap.mailbox_id)
        notices.tell(mailbox.member, Notice.Kind.GAP, mailbox=mailbox, gap=gap)


def oldest_read() -> timedelta:
    """How old the last look at a mailbox may be before it counts as a gap."""
    oldest = health.oldest_read(timedelta(seconds=settings.GATEPOST_SYNC_EVERY))
    return clock.at_least(oldest, real=REAL_PAUSE)


def _too_old(mailbox: Mailbox, now: datetime) -> bool:
    return mailbox.read_through is not None and now - mailbox.read_through > oldest_read()


def _cause(mailbox: Mailbox) -> Gap.Cause:
    if mailbox.problem_who == "operator":
        return Gap.Cause.REGISTRATION
    return Gap.Cause.MICROSOFT if mailbox.problem_since else Gap.Cause.DOWNTIME
