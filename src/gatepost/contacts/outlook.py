"""Importing from Outlook: what Microsoft shows is looked at once, and only what a member ticks is kept."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from asgiref.sync import async_to_sync

from gatepost.accounts.models import Member
from gatepost.contacts import rules
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import address_index
from gatepost.errors import BadInput, NotAllowed
from gatepost.graph import people as graph_people
from gatepost.graph.gateway import http_session
from gatepost.graph.people import Person
from gatepost.isolation import inside
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Mailbox
from gatepost.vault import names
from gatepost.vault.sealing import index

# The features that read from Outlook, and what their imports are called.
SOURCES = {"outlook-contacts": "Outlook contacts", "people": "People I work with"}


@dataclass(frozen=True, slots=True)
class Source:
    """One list of one mailbox that a member may import from."""

    mailbox_id: UUID
    feature: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody of the list, and what stands in the way of importing."""

    person: Person
    problem: str


def sources_of(member: Member) -> list[Source]:
    """The lists of the member's own mailboxes that Microsoft lets be read. A colleague's are nobody else's business."""
    own = Mailbox.objects.filter(member=member, state=Mailbox.State.CONNECTED).select_related("workspace")
    return [
        Source(mailbox.pk, feature, f"{words}: {names.open(mailbox, 'address') or ''}")
        for mailbox in own.order_by("connected_at")
        for feature, words in SOURCES.items()
        if feature in mailbox.running
    ]


def look(member: Member, mailbox_id: UUID, feature: str) -> list[Seen]:
    """Everybody on the list, asked of Microsoft now; nothing is stored. Raises NotAllowed, or one of graph.errors."""
    with inside(member.workspace_id):
        if (mailbox_id, feature) not in {(s.mailbox_id, s.feature) for s in sources_of(member)}:
            raise NotAllowed("This list is not yours to import from, or Microsoft has not granted it.")
        mailbox = Mailbox.objects.select_related("workspace").get(pk=mailbox_id)
    people = async_to_sync(_ask)(mailbox, feature)
    with inside(member.workspace_id):
        internal = {
            domain for each in Mailbox.objects.values_list("domain_indexes", flat=True) for domain in each
        }
        internal |= {
            index(member.workspace_id, "domain", each) for each in mailbox.workspace.internal_domains
        }
        indexes = {person.id: address_index(member.workspace_id, person.address) for person in people}
        known = set(
            Contact.objects.filter(email_index__in=indexes.values()).values_list("email_index", flat=True)
        )
    return [
        Seen(person, _problem(person, member.workspace_id, internal, known=indexes[person.id] in known))
        for person in people
    ]


def ticked_of(seen: Iterable[Seen], ticked: Collection[str]) -> list[dict[str, str]]:
    """The ticked ones that may be imported. Raises BadInput where none was ticked."""
    chosen = [_values(each.person) for each in seen if each.person.id in ticked and not each.problem]
    if not chosen:
        raise BadInput("Tick at least one person.")
    return chosen


def _problem(person: Person, workspace_id: UUID, internal: Collection[str], *, known: bool) -> str:
    if known:
        return "is a contact already"
    if index(workspace_id, "domain", rules.domain_of(person.address)) in internal:
        return "is an address of your own organisation"
    return rules.check(_values(person))


def _values(person: Person) -> dict[str, str]:
    values = {
        "email": person.address, "first_name": person.first_name, "last_name": person.last_name,
        "company": person.company, "title": person.title,
    }  # fmt: skip
    return {
        key: rules.clean(value)[: rules.LIMITS.get(key, rules.MAX_CELL)]
        for key, value in values.items()
        if rules.clean(value)
    }


async def _ask(mailbox: Mailbox, feature: str) -> list[Person]:
    async with (
        http_session() as http,
        gateway_for(mailbox, reason="importing contacts", http=http) as gateway,
    ):
        if feature == "people":
            return await graph_people.people(gateway)
        return await graph_people.outlook_contacts(gateway)
