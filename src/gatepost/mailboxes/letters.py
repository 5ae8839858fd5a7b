"""Letters about mailboxes."""

from uuid import UUID

from gatepost.mailboxes.models import ConnectAttempt
from gatepost.post.letters import Letter, from_template, letter

APPROVED = "mailboxes.approved"


@letter(APPROVED)
def approved(attempt_id: UUID) -> Letter | None:
    """To the rep: it seems that the administrator approved, and one click finishes it."""
    attempt = ConnectAttempt.objects.select_related("member__user").filter(pk=attempt_id).first()
    if attempt is None or attempt.outcome not in ("waiting", "not_approved", "other_account"):
        return None
    context: dict[str, object] = {"name": attempt.member.name, "attempt": attempt}
    return from_template("mailboxes/letters/approved.txt", context, to=attempt.member.user.email)
