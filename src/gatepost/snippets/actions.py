"""Writing and removing snippets."""

from uuid import UUID

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.contacts.queries import field_names
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.snippets.models import Snippet
from gatepost.text import snippets, spintax, templates
from gatepost.vault.sealing import seal

MOST = 200


def save(workspace_id: UUID, name: str, body: str, *, actor: Actor, new: bool = False) -> Snippet:
    """The team has this snippet; mails composed from now on have this text in its place.

    Raises BadInput for a name or text that cannot be used, Conflict where a `new` one is there already.
    """
    name, body = name.strip(), body.replace("\r\n", "\n").strip()
    if not snippets.NAME.fullmatch(name):
        raise BadInput(
            "A snippet's name is of small letters, digits and underscores, begins with a letter and has at most 40: "
            "case_study."
        )
    with inside(workspace_id):
        _check(body)
        found = Snippet.objects.select_for_update().filter(name=name).first()
        if found is not None and new:
            raise Conflict(f"There is a snippet “{name}” already. Change that one, or choose another name.")
        if found is None and Snippet.objects.count() >= MOST:
            raise BadInput(f"A workspace has at most {MOST} snippets. Remove one that is not used.")
        now = clock.now()
        snippet = found or Snippet(workspace_id=workspace_id, name=name, created_at=now)
        snippet.changed_at = now
        seal(snippet, "body", body)
        snippet.save()
        record(actor, tags.SNIPPET_SAVE, snippet, name=name, new=found is None)
    return snippet


def remove(name: str, *, workspace_id: UUID, actor: Actor) -> None:
    """It is gone. A step that still names it waits, with that reason, instead of leaving with a hole."""
    with inside(workspace_id):
        snippet = Snippet.objects.get(name=name)
        record(actor, tags.SNIPPET_REMOVE, snippet, name=name)
        snippet.delete()


def _check(body: str) -> None:
    if not body:
        raise BadInput("The snippet is empty. Write its text.")
    if len(body) > snippets.MAX_LENGTH:
        raise BadInput(f"Shorten the snippet to at most {snippets.MAX_LENGTH:,} characters.")
    if snippets.named_in(body):
        raise BadInput("A snippet cannot have another snippet in it. Put both into the step.")
    known = {*templates.FIELDS, *field_names()}
    found = spintax.problems(body, templates.is_whole)
    if not found:
        found = [
            each
            for source in spintax.every_alternative(body)
            for each in templates.check(source, known=known)
        ]
    if found:
        raise BadInput(f"Line {found[0].line}: {found[0].message}")
