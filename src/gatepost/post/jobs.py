"""Carrying a letter to the mail server."""

import logging
import smtplib
from email.utils import format_datetime
from uuid import UUID

from django.core.mail import EmailMessage

from gatepost import clock
from gatepost.errors import GatepostError, Who
from gatepost.isolation import inside
from gatepost.jobs.queue import job
from gatepost.jobs.threads import in_thread
from gatepost.post import letters

log = logging.getLogger(__name__)


class NotDelivered(GatepostError):
    "The mail server did not take a letter; it is tried again."

    who: Who = "operator"


@job("post.deliver", try_again=True)
async def deliver(kind: str, workspace: str, about: str) -> None:
    """The mail server has the letter or refuses it for good, or there was nothing to tell any more."""
    letter = await in_thread(_write, kind, UUID(workspace), UUID(about))
    if letter is not None:
        await in_thread(_carry, letter, kind)


def _write(kind: str, workspace_id: UUID, about: UUID) -> letters.Letter | None:
    with inside(workspace_id):
        return letters.write(kind, about)


def _carry(letter: letters.Letter, kind: str) -> None:
    # RFC 3834: so that no out-of-office answers us.
    headers = {"Auto-Submitted": "auto-generated", "Date": format_datetime(clock.now())}
    try:
        EmailMessage(letter.subject, letter.text, to=[letter.to], headers=headers).send()
    except (smtplib.SMTPException, OSError) as error:
        # Its text can hold the address: only its kind and number go on.
        number = _number(error)
        if 500 <= number < 600:
            log.warning("the mail server refuses a letter for good", extra={"kind": kind, "status": number})
            return
        raise NotDelivered(f"The mail server took no letter ({type(error).__name__}, {number}).") from None


def _number(error: Exception) -> int:
    """SMTP's reply code, 0 where there was none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _ in error.recipients.values()), default=0)
    return int(getattr(error, "smtp_code", 0) or 0)
