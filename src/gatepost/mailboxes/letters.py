"""Letters about mailboxes: their approval, health and gaps, and the app registration behind them all."""

from uuid import UUID

from django.conf import settings

from gatepost import clock
from gatepost.mailboxes import credential, watch
from gatepost.mailboxes.models import ConnectAttempt, Notice
from gatepost.mailboxes.notices import LETTER
from gatepost.post.letters import Letter, from_template, letter
from gatepost.vault import names

APPROVED = "mailboxes.approved"


@letter(LETTER)
def notice(about: UUID) -> Letter | None:
    """What the notice says, as things are when the letter leaves; nothing where it is out of date."""
    found = (
        Notice.objects.select_related("member__user", "mailbox__workspace", "mailbox__member", "gap")
        .filter(pk=about, seen_at__isnull=True)
        .first()
    )
    if found is None:
        return None
    context: dict[str, object] = {"notice": found, "member": found.member}
    if found.mailbox is not None:
        health = watch.health_of(found.mailbox)
        if found.kind == Notice.Kind.HEALTH and health.word != found.about:
            return None
        context |= {
            "mailbox": found.mailbox,
            "address": names.open(found.mailbox, "address") or "",
            "own": found.mailbox.member_id == found.member_id,
            "health": health,
            "gap": found.gap,
        }
    if found.kind == Notice.Kind.CREDENTIAL_ENDS:
        context |= {"ends": credential.ends(), "days": int(found.about or 0), "now": clock.now()}
    if found.kind == Notice.Kind.BRIEFS:
        count, _, day = found.about.partition(" ")
        context |= {"count": int(count), "today": day == "same"}
    context["client_id"] = settings.GATEPOST_CLIENT_ID
    return from_template(f"mailboxes/letters/{found.kind}.txt", context, to=found.member.user.email)


@letter(APPROVED)
def approved(attempt_id: UUID) -> Letter | None:
    """To the rep: it seems that the administrator approved, and one click finishes it."""
    attempt = ConnectAttempt.objects.select_related("member__user").filter(pk=attempt_id).first()
    if attempt is None or attempt.outcome not in ("waiting", "not_approved", "other_account"):
        return None
    context: dict[str, object] = {"name": attempt.member.name, "attempt": attempt}
    return from_template("mailboxes/letters/approved.txt", context, to=attempt.member.user.email)
