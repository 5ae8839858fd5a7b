"""Reads about messages."""

from gatepost.audit.record import job as by_job
from gatepost.audit.reveal import reveal
from gatepost.isolation import inside
from gatepost.outbox.models import Message


def texts_sent_to(message: Message) -> list[str]:
    """What we wrote in this enrolment so far: it stands quoted in the reply and must not be taken for it."""
    with inside(message.workspace_id):
        sent = Message.objects.filter(enrolment_id=message.enrolment_id, sending_at__isnull=False)
        texts = []
        for each in sent.order_by("position"):
            opened = reveal(
                by_job("intake.sync"), each, "body", reason="to recognise our own text in a reply"
            )
            texts.append(opened["body"] or "")
        return texts
