"""The two parts of a mail, text and HTML: what was written for the contact, with what stands below each mail."""

from dataclasses import dataclass

from gatepost.mailboxes import letterhead
from gatepost.mailboxes.models import Mailbox
from gatepost.text import mail


@dataclass(frozen=True, slots=True)
class Parts:
    """They say the same, each in its own way."""

    text: str
    html: str


def parts_of(marked: str, mailbox: Mailbox | None, opt_out: str) -> Parts:
    """The text, the signature, the postal address, and how to hear no more. Without a mailbox there is no signature."""
    text = (
        mail.as_text(marked.strip()),
        letterhead.signature_text(mailbox) if mailbox else "",
        mailbox.postal_address if mailbox else "",
        opt_out,
    )
    html = (
        mail.as_html(marked.strip()),
        letterhead.signature_html(mailbox) if mailbox else "",
        letterhead.postal_address_html(mailbox) if mailbox else "",
        mail.as_html(opt_out),
    )
    return Parts("\n\n".join(part for part in text if part), mail.html_document(*html))
