"""Lists from the command line: imported here and now, without a worker."""

from collections.abc import Iterator
from pathlib import Path

from gatepost.accounts.membership import by, member_of
from gatepost.accounts.models import Member, User
from gatepost.contacts import actions, imports
from gatepost.contacts.models import ContactImport
from gatepost.errors import BadInput


def import_list(file: Path, address: str, *, what: str, dry: bool) -> ContactImport:
    """The list is in, for the member who signs in with this address, or (`dry`) only judged."""
    with file.open("rb") as opened:
        return imports.import_csv(
            _member(address).workspace_id, file.name, opened, member=_member(address), what=what, dry=dry
        )


def rejected(imported: ContactImport) -> Iterator[str]:
    return imports.rejected_text(imported.workspace_id, imported.pk)


def suppressions(address: str) -> Iterator[str]:
    """The do-not-contact list of this member's workspace; that it was taken along is in the record."""
    member = _member(address)
    actions.note_export(member.workspace, actor=by(member))
    return imports.suppressions_text(member.workspace_id)


def _member(address: str) -> Member:
    user = User.objects.filter(email=address.strip().lower()).first()
    member = member_of(user.pk) if user else None
    if member is None:
        raise BadInput(f"Nobody signs in with {address!r} here.")
    return member
