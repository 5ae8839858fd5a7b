"""docs/what-a-thief-gets.md, made from the tables as they are.

    python -m gatepost.config.thief_page docs/what-a-thief-gets.md

Every column that can hold text is sealed, a blind index, or told of here in words; one that is none of these ends the
making of the page, and with it the test.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from gatepost.mailboxes.permissions_page import markdown_table

OURS = "words of ours: names of states, kinds, permissions and codes"
THEIRS = "Microsoft's ids, which open nothing without a token"
# What lies in clear, by table and column. `OURS` and `THEIRS` are told together.
CLEAR: Mapping[str, str] = {
    # People who use Gatepost
    "user.email": "the address that a member signs in with",
    "user.password": "a salted scrypt hash of the password",
    "account_emailaddress.email": "the same address",
    "account_emailconfirmation.key": "a link that confirms an address, used once",
    "member.name": "a member's name",
    "usersessions_usersession.ip": "from which network address a member is signed in, until the session ends",
    "usersessions_usersession.user_agent": "with which browser",
    "usersessions_usersession.session_key": "the key of a session that is open: it signs in until it ends",
    "usersessions_usersession.data": "nothing",
    "django_session.session_key": "the same",
    "django_session.session_data": "what a session notes: who, since when, which workspace",
    "mfa_authenticator.data": "public keys of passkeys; secrets of authenticator apps are sealed inside",
    "socialaccount_socialaccount.uid": "Microsoft's or the provider's id of a member's linked account",
    "socialaccount_socialaccount.extra_data": "what that provider says of the member: name, address",
    "socialaccount_socialtoken.token": "nothing: tokens of sign-in are not kept",
    "socialaccount_socialtoken.token_secret": "nothing",
    "socialaccount_socialapp.name": "nothing: the provider stands in the settings",
    "socialaccount_socialapp.client_id": "nothing",
    "socialaccount_socialapp.secret": "nothing",
    "socialaccount_socialapp.key": "nothing",
    "socialaccount_socialapp.settings": "nothing",
    "apitoken.name": "what a member called an API token",
    # What a workspace is called, and how it is set
    "workspace.name": "the workspace's name",
    "workspace.internal_domains": "domains of the own organisation, as an administrator typed them",
    "workspace.mailbox_domains": "domains whose mailboxes may be connected",
    "workspace.sender_domains": "domains that mail may be sent from",
    "workspace.retention": "how many days each kind is kept",
    "workspace.usual_access": "what the owners call usual access",
    "mailbox.signature": "a mailbox's signature, with its name and numbers",
    "mailbox.signature_html": "the same, formatted",
    "mailbox.postal_address": "the postal address below mails",
    "domaincheck.domain": "a domain that mail is sent from",
    "domaincheck.findings": "what the public name servers say of it",
    "savedview.name": "what a member called a view of the reports",
    "savedview.address": "what that view shows, by ids",
    # What the team writes for itself
    "sequence.name": "a sequence's name",
    "snippet.name": "a snippet's name",
    "contactfield.name": "the name of a field of the team's own",
    "contactfield.label": "the same, as shown",
    "contactfield.choices": "what may be chosen in it",
    "contactimport.file_name": "what an imported file was called",
    "contactimport.columns": "the headings of its columns",
    "contactimport.mapping": "which of them was taken for what",
    "contactimport.problems": "how many rows were left out, and why",
    "enrolment.reason": "why it stands as it does, in a sentence of ours or as a member typed it",
    "message.reason": "the same of a mail",
    "task.reason": "the same of a task",
    "sequence.pause_reason": "the same of a sequence",
    "mailbox.state_reason": "the same of a mailbox",
    "rung.reason": "the same of a meeting",
    "recovery.reason": "why all sending was stopped",
    "alert.reason": "what was unusual about an access",
    # Contacts and mail
    "contact.time_zone": "a contact's time zone",
    "contact.country": "a contact's country",
    "contact.source": "how a contact came here: typed, or from which kind of list",
    "suppression.source": "the same of an entry of the do-not-contact list",
    "message.content_hash": "a hash (SHA-256) of a mail of ours: whoever guesses the whole mail can tell that it is this one",
    "message.draft_hash": "the same, as Microsoft has it",
    "brief.content_hash": "a hash of a brief, likewise",
    "brief.facts_hash": "a hash of what a brief was made of",
    "brief.event_hash": "a hash of a brief and its time",
    "erasure.receipt": "a signed receipt, which names nobody",
    "erasure.ordered_by": "which member ordered it, by id",
    "erasure.keys": "which keys were destroyed, by id",
    "erasure.counts": "how many rows went",
    "erasure.left_at_microsoft": "what could not be removed at Microsoft, in words of ours",
    # Records
    "auditentry.actor_id": "who did it, by id",
    "auditentry.detail": "ids, counts and reasons",
    "anchor.said": "how far the chain had come, signed",
    "link.prints": "hashes of records that hold random ids",
    "ledgerrow.reason": "why a request was made, in words of ours",
    "procrastinate_jobs.args": "ids only",
    "procrastinate_jobs.lock": "the same",
    "procrastinate_jobs.queueing_lock": "the same",
}  # fmt: skip
OURS_ARE = frozenset(
    [
        "alert.key",
        "auditentry.actor_kind",
        "auditentry.tag",
        "connectattempt.scopes",
        "connectattempt.problem",
        "connection.claims",
        "contact.stage",
        "contactimport.encoding",
        "contactimport.delimiter",
        "conversation.label",
        "correction.before",
        "correction.after",
        "dropcount.reason",
        "folder.left_out",
        "folder.name",
        "folder.position",
        "gap.code",
        "guest.answer",
        "installation.mark",
        "labelrule.label",
        "labelrule.course",
        "ledgerrow.shape",
        "link.previous",
        "link.hash",
        "link.mark",
        "mailbox.time_zone",
        "mailbox.state_code",
        "mailbox.scopes",
        "mailbox.left_at_microsoft",
        "mailbox.sync_problem",
        "mailbox.problem_who",
        "mailbox.problem_code",
        "mailbox.calendar_problem",
        "mailbox.health_told",
        "message.key",
        "message.guard",
        "message.route",
        "notice.about",
        "probe.name",
        "probe.code",
        "probe.who",
        "promise.precision",
        "quarantine.decided",
        "registration.id",
        "registration.refused_code",
        "reply.label",
        "reply.labels",
        "reply.return_precision",
        "reply.bounce",
        "reply.version",
        "reply.corrected_from",
        "reply.followed",
        "sequence.window",
        "sequence.time_zone",
        "step.conditions",
        "stray.key",
        "stray.guard",
        "subscription.problem",
        "subscription.resource",
        "subscription.wakes",
        "workspace.time_zone",
        "workspace.features",
        "auth_group.name",
        "auth_permission.name",
        "auth_permission.codename",
        "django_content_type.app_label",
        "django_content_type.model",
        "procrastinate_jobs.queue_name",
        "procrastinate_jobs.task_name",
        "procrastinate_periodic_defers.task_name",
        "procrastinate_periodic_defers.periodic_id",
        "socialaccount_socialaccount.provider",
        "socialaccount_socialapp.provider",
        "socialaccount_socialapp.provider_id",
        "alert.mailbox_ids",
    ]
)
THEIRS_ARE = frozenset(
    [
        "brief.event_id",
        "folder.microsoft_id",
        "meeting.graph_id",
        "meeting.change_key",
        "message.answers_graph_id",
        "message.graph_id",
        "message.change_key",
        "quarantine.graph_id",
        "reply.graph_id",
        "subscription.microsoft_id",
        "workspace.mailbox_tenants",
        "workspace.sign_in_tenants",
    ]
)
# Keyed hashes whose names do not end as the others do.
INDEXES = frozenset({"suppression.index", "ledgerrow.item_hash"})

HEAD = """\
# What a thief gets

Made by `python -m gatepost.config.thief_page docs/what-a-thief-gets.md` from the tables themselves; a test fails when this page
differs from them, or when a column can hold text and nobody said what.

| Somebody has | and reads | and does not |
|---|---|---|
| a dump or a backup of the main database | what lies in clear below: who uses Gatepost, how sequences are called, when how many mails left and how answers were labelled; and **the keys of sessions that are open**: who can reach the pages as well is signed in with one until it ends, so end them all after a theft (*Account* → *Sessions*) | any address, name, subject or text of a contact or a mail; any token of Microsoft's; anything by which a mailbox could be opened from elsewhere |
| a dump or a backup of the keystore | how many workspaces and mailboxes there are | anything else: its keys are wrapped by the installation's key |
| both | the same as of the main database | the rest, without the file `GATEPOST_KEY_FILE` |
| the disk, without that file | the same, and the logs, which hold ids and no address, text or token | the rest |
| the disk, with that file | **everything that is kept**, and refresh tokens: they open the mailboxes until Microsoft is told to refuse them ([operate/keys.md](operate/keys.md)) | what was erased before: its key is gone. Unrelated mail, which was never there |
| the right to run SQL as the application | the rows of a workspace that he names, as in a dump; nothing where he names none | what is sealed; the record, to change it |
| the running machine | **everything**, and what passes through memory while it is there; he can ask Microsoft for whatever the permissions allow, which stands in Microsoft's own log | what was erased before |
| a member's session or an API token | what that member may see, each text with an entry in the record, and an alert where it is unusual | other workspaces; tokens |

So keep the key file apart from disk and dumps: on another machine, or in the secret store of your platform.
What was stolen while a mailbox was connected is stolen; erasing it makes copies of the main database unreadable, also earlier ones.
"""
SEALED = """\
## Sealed

AES-256-GCM, bound to table, column and row. The key lies in the keystore, wrapped by the installation's key; erasing a mailbox
or closing a workspace deletes it.
"""
BLIND = """\
## Blind indexes

HMAC-SHA256 with a key of the workspace (`identity_index`, `state_index`, `session_index`, `page_index`, `token_index` and
`secret_index`: of the installation), cut to 16 bytes; once the workspace's keys were changed, encrypted once more under the key of that time (all but
`item_hash`, which stands for ids of Microsoft's that nobody guesses). They tell that two rows mean the same, and how often; what it is, they tell nobody without
the keys. With both keys, a guess can be tried.
"""
IN_CLEAR = """\
## In clear
"""


def page() -> str:
    """The whole page, as Markdown. LookupError where nobody said what a column holds."""
    sealed: dict[tuple[str, str], list[str]] = defaultdict(list)
    indexes: dict[str, list[str]] = defaultdict(list)
    clear: list[tuple[str, str]] = []
    ours = theirs = other = 0
    for name, kind in columns():
        table, _, column = name.rpartition(".")
        if isinstance(kind, tuple):
            sealed[kind].append(f"`{name}`")
        elif kind == "index":
            indexes[table].append(f"`{column}`")
        elif kind == "other":
            other += 1
        elif name in OURS_ARE or kind == "word":
            ours += 1
        elif name in THEIRS_ARE:
            theirs += 1
        elif name in CLEAR:
            clear.append((f"`{name}`", CLEAR[name]))
        else:
            raise LookupError(
                f"What does the column {name} hold? Say it in gatepost/config/thief_page.py, or seal it."
            )
    told = (
        (f"{ours} columns", OURS),
        (f"{theirs} columns", THEIRS),
        (f"{other} columns", "ids of rows, times, numbers, yes and no"),
    )
    return "\n".join(
        (
            HEAD,
            SEALED,
            markdown_table(("With the key of the", "Holds", "Columns"), [(owner, holds, ", ".join(them)) for (owner, holds), them in sorted(sealed.items())]),
            BLIND,
            markdown_table(("Table", "Columns"), [(f"`{table}`", ", ".join(them)) for table, them in sorted(indexes.items())]),
            IN_CLEAR,
            markdown_table(("Column", "Holds"), [*clear, *told]),
        )
    )  # fmt: skip


def columns() -> Iterator[tuple[str, object]]:
    """Each column of the database: (owner of the key, what it holds) where it is sealed, else "index", "word" (one of ours),
    "text" or "other"."""
    from django.apps import apps
    from django.contrib.postgres.fields import ArrayField
    from django.db import models

    from gatepost.vault.fields import SealedField

    texts = (
        models.CharField,
        models.TextField,
        models.JSONField,
        models.BinaryField,
        models.GenericIPAddressField,
        ArrayField,
    )
    for model in sorted(apps.get_models(include_auto_created=True), key=lambda each: each._meta.db_table):
        for each in model._meta.local_fields:
            name = f"{model._meta.db_table.removeprefix('gatepost_')}.{each.column}"
            if isinstance(each, SealedField):
                yield name, (model.sealed_with, each.holds)  # type: ignore[attr-defined]
            elif name.endswith(("_index", "_indexes")) or name in INDEXES:
                yield name, "index"
            elif each.choices:
                yield name, "word"
            else:
                yield name, "text" if isinstance(each, texts) else "other"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Where to? For example: python -m gatepost.config.thief_page docs/what-a-thief-gets.md")
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatepost.config.settings")
    django.setup()
    Path(sys.argv[1]).write_text(page())
