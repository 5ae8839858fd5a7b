"""Composing a step for a contact: what will be sent, and what a preview shows."""

from collections.abc import Collection
from dataclasses import dataclass

from gatepost.contacts.models import Contact
from gatepost.contacts.queries import merge_fields
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.optout import BY_REPLY
from gatepost.outbox.writing import parts_of
from gatepost.sequences.models import Sequence
from gatepost.snippets.queries import put_in
from gatepost.text import snippets, spintax, templates
from gatepost.text.mail import sanitised
from gatepost.text.templates import FIELDS, Problem, TemplateError
from gatepost.vault import names

__all__ = ("BY_REPLY", "FIELDS", "Preview", "check", "compose", "filled", "merge_fields_of", "seed_of")


@dataclass(frozen=True, slots=True)
class Preview:
    """A composed mail. `missing` names the fields that this contact has no value for: such a mail is not sent."""

    subject: str
    body: str  # the text part; of an unsigned mail what was written, with its marks
    missing: tuple[str, ...]
    html: str = ""

    @property
    def shown(self) -> str:
        """The HTML part as a piece of a page."""
        return sanitised(self.html)


def compose(
    subject: str,
    body: str,
    contact: Contact,
    mailbox: Mailbox | None,
    *,
    thread_subject: str = "",
    opt_out: str = BY_REPLY,
    seed: str = "",
    signed: bool = True,
) -> Preview:
    """Subject and text for this contact from this mailbox. A step without a subject continues the thread's.

    `opt_out`: how the mail says that one need not hear more. `seed`: by what alternatives are chosen, where the
    sequence does so. Not `signed`: without what stands below each mail. Raises TemplateError, also where nothing
    would be left of subject or text.
    """
    text, line = filled(subject, body, contact, mailbox, seed=seed)
    if subject.strip():
        subject_line = line.text
    else:
        subject_line = f"Re: {thread_subject}"[: templates.MAX_SUBJECT] if thread_subject else ""
    missing = tuple(dict.fromkeys((*text.missing, *line.missing)))
    if not missing and not templates.says_something(text.text):
        raise TemplateError([Problem(1, "Nothing is left of the text for this contact.")])
    if not missing and subject.strip() and not templates.says_something(subject_line):
        raise TemplateError([Problem(1, "Nothing is left of the subject for this contact.")])
    if not signed:
        return Preview(subject_line, text.text.strip(), missing)
    parts = parts_of(text.text, mailbox, opt_out)
    return Preview(subject_line, parts.text, missing, parts.html)


def filled(
    subject: str, body: str, contact: Contact, mailbox: Mailbox | None, *, seed: str = ""
) -> tuple[templates.Rendered, templates.Rendered]:
    """Text and subject with snippets, chosen alternatives and fields in their places; nothing around them."""
    fields = merge_fields_of(contact, mailbox)
    return (
        templates.render(_source(body, f"{seed}|text" if seed else ""), fields),
        templates.render_subject(_source(subject, f"{seed}|subject" if seed else ""), fields),
    )


def seed_of(sequence: Sequence, contact: Contact, position: int) -> str:
    """By what a contact's alternatives are chosen: in the preview as when it is sent. "" where the sequence has none."""
    return f"{sequence.pk}|{contact.pk}|{position}" if sequence.spintax else ""


def check(
    source: str, *, known: set[str], known_snippets: Collection[str], alternatives: bool
) -> list[Problem]:
    """Everything that the writer of a step has to change, in the order of the lines."""
    found = snippets.problems(source, set(known_snippets))
    source = snippets.without(source)
    found += spintax.problems(source, templates.is_whole)
    if not alternatives and spintax.has_alternatives(source):
        found.append(Problem(1, spintax.OFF))
    if not found:
        found = [
            each for one in spintax.every_alternative(source) for each in templates.check(one, known=known)
        ]
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line)


def _source(written: str, seed: str) -> str:
    """The template to fill: with snippets in their places, and one of the alternatives in each place."""
    source = put_in(written)
    if seed:
        return spintax.spin(source, spintax.chooser(seed))
    if spintax.has_alternatives(source):
        raise TemplateError([Problem(1, spintax.OFF)])
    return source


def merge_fields_of(contact: Contact, mailbox: Mailbox | None) -> dict[str, str | None]:
    """What a template may say: about the contact, and about who sends."""
    return {**merge_fields(contact), **_sender(mailbox)}


def _sender(mailbox: Mailbox | None) -> dict[str, str | None]:
    name = (names.open(mailbox, "name") or "") if mailbox else "Your Name"
    return {"sender_name": name, "sender_first_name": name.partition(" ")[0]}
