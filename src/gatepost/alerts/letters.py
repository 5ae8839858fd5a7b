"""The letter about an alert."""

from uuid import UUID

from gatepost.alerts.actions import LETTER
from gatepost.alerts.models import Alert
from gatepost.mailboxes.models import Mailbox, Notice
from gatepost.post.letters import Letter, from_template, letter


@letter(LETTER)
def alert(notice_id: UUID) -> Letter | None:
    """Who opened how many texts and what is unusual about it; no text, contact or address stands in it."""
    notice = Notice.objects.select_related("member__user").filter(pk=notice_id, seen_at__isnull=True).first()
    if notice is None:
        return None
    found = Alert.objects.select_related("member", "token").filter(pk=notice.about).first()
    if found is None:
        return None
    own = Mailbox.objects.filter(member=notice.member, pk__in=found.mailbox_ids).exists()
    context: dict[str, object] = {"alert": found, "member": notice.member, "own": own}
    return from_template("alerts/letters/alert.txt", context, to=notice.member.user.email)
