"""What stands around each mail of a mailbox: the address it comes from, the signature, the postal address below."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes.models import Mailbox
from gatepost.text import mail, templates
from gatepost.vault import names
from gatepost.vault.sealing import seal

MAX_SIGNATURE = 2_000
MAX_SIGNATURE_HTML = 10_000
MAX_POSTAL_ADDRESS = 500


@dataclass(frozen=True, slots=True)
class Letterhead:
    """As it is set. `sends_as` is empty for the mailbox's own address."""

    signature: str = ""
    signature_html: str = ""
    postal_address: str = ""
    sends_as: str = ""


def change(mailbox_id: UUID, new: Letterhead, *, workspace_id: UUID, actor: Actor) -> None:
    """Mails composed from now on look like this. The HTML signature is stored without what runs, loads or hides.

    Raises BadInput.
    """
    _check(new)
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        sends_as = new.sends_as.strip()
        if sends_as and sends_as.casefold() not in {each.casefold() for each in addresses(mailbox)}:
            raise BadInput(
                f"“{sends_as[:100]}” is no address of this mailbox at Microsoft. Choose one of: "
                f"{', '.join(addresses(mailbox))}."
            )
        mailbox.signature = _lines(new.signature)
        mailbox.signature_html = mail.sanitised(new.signature_html)
        mailbox.postal_address = _lines(new.postal_address)
        is_own = sends_as.casefold() == addresses(mailbox)[0].casefold()
        seal(mailbox, "sends_as", None if is_own or not sends_as else sends_as)
        # Mail that the workspace did not let leave from the former address may leave from this one.
        mailbox.sending_not_before = None
        mailbox.save(
            update_fields=["signature", "signature_html", "postal_address", "sends_as", "sending_not_before"]
        )
        record(
            actor, tags.MAILBOX_LETTERHEAD, mailbox, mailbox_id=mailbox.id, alias=mailbox.sends_as is not None
        )
        enqueue("sequences.send", once_for=mailbox.id, workspace=str(workspace_id), mailbox=str(mailbox.id))


def of(mailbox: Mailbox) -> Letterhead:
    return Letterhead(
        mailbox.signature,
        mailbox.signature_html,
        mailbox.postal_address,
        names.open(mailbox, "sends_as") or "",
    )


def addresses(mailbox: Mailbox) -> list[str]:
    """The mailbox's own address, then its aliases as Microsoft named them when it was connected."""
    own = names.open(mailbox, "address") or ""
    return [own, *(each for each in (names.open(mailbox, "aliases") or "").splitlines() if each)]


def sender_address(mailbox: Mailbox) -> str:
    """The address that its mail comes from. An alias that Microsoft took away meanwhile is not used."""
    known = addresses(mailbox)
    chosen = names.open(mailbox, "sends_as") or ""
    return chosen if chosen.casefold() in {each.casefold() for each in known} else known[0]


def signature_text(mailbox: Mailbox) -> str:
    """The signature of the text part: as written, else the words of the HTML one, else the name."""
    return (
        mailbox.signature.strip()
        or _text_of_html(mailbox.signature_html)
        or (names.open(mailbox, "name") or "")
    )


def signature_html(mailbox: Mailbox) -> str:
    """The signature of the HTML part: as written, else made from the text."""
    # Once more on the way out: what was stored before a rule became stricter obeys it too.
    return _sanitised(mailbox.signature_html) or _as_html(signature_text(mailbox))


def postal_address_html(mailbox: Mailbox) -> str:
    return _as_html(mailbox.postal_address)


# All mails of a mailbox end alike.
_text_of_html = lru_cache(maxsize=256)(mail.text_of_html)
_sanitised = lru_cache(maxsize=256)(mail.sanitised)
_as_html = lru_cache(maxsize=256)(mail.as_html)


def _check(new: Letterhead) -> None:
    for text, most, name in (
        (new.signature, MAX_SIGNATURE, "signature"),
        (new.signature_html, MAX_SIGNATURE_HTML, "HTML signature"),
        (new.postal_address, MAX_POSTAL_ADDRESS, "postal address"),
    ):
        if len(text) > most:
            raise BadInput(f"Shorten the {name} to at most {most:,} characters. Nothing was changed.")
    if new.signature_html.strip() and not mail.text_of_html(mail.sanitised(new.signature_html)):
        raise BadInput(
            "Nothing of the HTML signature would be left: pictures, scripts and styles are not sent. Write words or links."
        )


def _lines(text: str) -> str:
    """Lines that show as they are written: no control characters, no turned directions."""
    return "\n".join(templates.shown(line) for line in text.splitlines()).strip("\n")
