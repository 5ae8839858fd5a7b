"""Composing a step for a contact: what will be sent, and what a preview shows."""

from dataclasses import dataclass

from gatepost.contacts.models import Contact
from gatepost.contacts.queries import merge_fields
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.optout import BY_REPLY
from gatepost.text import templates
from gatepost.vault import names

# What a template may say, with an explanation for the page.
FIELDS: dict[str, str] = {
    "first_name": "the contact's first name",
    "last_name": "the contact's last name",
    "company": "the contact's company",
    "title": "the contact's job title",
    "email": "the contact's address",
    "sender_name": "your name",
    "sender_first_name": "your first name",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """A composed mail. `missing` names the fields that this contact has no value for: such a mail is not sent."""

    subject: str
    body: str
    missing: tuple[str, ...]


def compose(
    subject: str,
    body: str,
    contact: Contact,
    mailbox: Mailbox | None,
    *,
    thread_subject: str = "",
    opt_out: str = BY_REPLY,
) -> Preview:
    """Subject and text for this contact from this mailbox. A step without a subject continues the thread's.

    `opt_out`: how the mail says that one need not hear more.
    """
    fields = merge_fields_of(contact, mailbox)
    text = templates.render(body, fields)
    missing = list(text.missing)
    if subject.strip():
        line = templates.render_subject(subject, fields)
        missing += line.missing
        subject_line = line.text
    else:
        subject_line = f"Re: {thread_subject}" if thread_subject else ""
    return Preview(subject_line, _signed(text.text, mailbox, opt_out), tuple(dict.fromkeys(missing)))


def merge_fields_of(contact: Contact, mailbox: Mailbox | None) -> dict[str, str | None]:
    """What a template may say: about the contact, and about who sends."""
    return {**merge_fields(contact), **_sender(mailbox)}


def _sender(mailbox: Mailbox | None) -> dict[str, str | None]:
    name = (names.open(mailbox, "name") or "") if mailbox else "Your Name"
    return {"sender_name": name, "sender_first_name": name.partition(" ")[0]}


def _signed(body: str, mailbox: Mailbox | None, opt_out: str) -> str:
    signature = mailbox.signature.strip() if mailbox else ""
    parts = [body.strip(), signature or _sender(mailbox)["sender_name"], opt_out]
    return "\n\n".join(part for part in parts if part)
