"""The command line. Verbs are gathered here; what they do is in the concepts."""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

import click

from gatepost import __version__
from gatepost.errors import GatepostError

FIRST_OWNER = """
Nobody can sign in yet. In another terminal, with the same settings:

    gatepost create-workspace "Your company" --owner "Your Name" --email you@your-company.example

It asks for a password. Then `gatepost doctor` says what is still to be done.
"""
MOST_SHOWN = 100
PORT = click.IntRange(1, 65535)
LINES = {"ok": "ok  ", "look": "look", "bad": "BAD "}


class Plain(click.Group):
    """Errors of ours are one sentence for the person who can act, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except GatepostError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=Plain, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Outreach from Microsoft 365 mailboxes that reads nothing but its own conversations."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def serve(host: str) -> None:
    """Everything in one: database (unless DATABASE_URL is set), web, hooks and a worker."""
    from gatepost.config import installation, processes

    with installation.ready() as running:
        settings = running.settings
        installation.migrate()
        children = processes.Children()
        try:
            children.start("web", processes.web_command(settings.port, host=host))
            children.start("hooks", processes.hooks_command(settings.hooks_port, host=host))
            children.start("worker", processes.worker_command())
            if settings.metrics_port:
                children.start("metrics", processes.metrics_command(host=host))
            click.echo(f"Gatepost is at {settings.public_url} (port {settings.port}). Ctrl-C stops it.")
            from gatepost.web.frame import anybody

            if not anybody():
                click.echo(FIRST_OWNER)
            while True:
                time.sleep(1)
                for name in [*running.watch(), *children.watch()]:
                    click.echo(f"{name} ended and was started again.", err=True)
        except KeyboardInterrupt:
            click.echo("Stopping …")
        finally:
            children.stop()


@main.command()
def worker() -> None:
    """Runs the jobs: sending, reading, meetings. Start as many as you like."""
    from gatepost.config.installation import set_up_django

    set_up_django()
    from gatepost.jobs.worker import work

    asyncio.run(work())


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
def web(host: str) -> None:
    """The pages and the API."""
    from gatepost.config import environment, processes

    _become(processes.web_command(environment.read().port, host=host))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
def hooks(host: str) -> None:
    """The door for Microsoft's notifications."""
    from gatepost.config import environment, processes

    _become(processes.hooks_command(environment.read().hooks_port, host=host))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
def metrics(host: str) -> None:
    """Figures for Prometheus, without personal data."""
    from gatepost.config import environment
    from gatepost.config.installation import set_up_django

    port = environment.read().metrics_port
    if port is None:
        raise click.ClickException("Set GATEPOST_METRICS_PORT to the port on which figures are to be read.")
    set_up_django()
    from gatepost.config import metrics

    metrics.serve(port, host=host)


@main.command()
def migrate() -> None:
    """Bring the database's tables up to this version."""
    from gatepost.config import installation

    with installation.ready():
        installation.migrate()
    click.echo("The tables are up to date.")


@main.command(name="create-workspace")
@click.argument("name")
@click.option("--email", required=True, help="The owner's address, to sign in with.")
@click.option("--owner", "owner_name", required=True, help="The owner's name.")
@click.password_option()
def create_workspace(name: str, email: str, owner_name: str, password: str) -> None:
    """A new workspace with its owner."""
    from gatepost.config import installation

    with installation.ready():
        installation.migrate()
        from gatepost.accounts import actions

        workspace = actions.create_workspace(name)
        actions.add_member(
            workspace.id,
            email=email,
            name=owner_name,
            role="owner",
            password=password,
            actor=actions.INSTALLER,
        )
    click.echo(f"Workspace “{name}” is there; {email} can sign in.")


@main.command(name="create-token")
@click.argument("email")
@click.argument("name")
def create_token(email: str, name: str) -> None:
    """A token for the API that acts as the member with this address. It is printed once."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.accounts import actions
        from gatepost.accounts.membership import member_of
        from gatepost.accounts.models import User

        user = User.objects.filter(email=email.lower()).first()
        member = member_of(user.pk) if user else None
        if member is None:
            raise click.ClickException(f"Nobody with the address {email} is a member here.")
        click.echo(actions.create_token(member, name, actor=actions.INSTALLER))


DATABASES = click.Choice(["main", "keystore"])


@main.command()
@click.argument("database", type=DATABASES)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(database: str, folder: Path) -> None:
    """A backup of one of the two databases, as a new file in FOLDER. First main, then keystore; keep them apart."""
    from gatepost.config import backup, installation

    with installation.ready() as running:
        kept = backup.main_database if database == "main" else backup.keystore
        file = backup.back_up(kept(running.settings), folder, data_dir=running.settings.data_dir)
    click.echo(str(file))


@main.command()
@click.argument("database", type=DATABASES)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def restore(database: str, file: Path) -> None:
    """Put a backup back, into an empty database (docs/operate/backup.md)."""
    from gatepost.config import backup, installation

    with installation.ready() as running:
        kept = backup.main_database if database == "main" else backup.keystore
        backup.restore(kept(running.settings), file)
    click.echo(f"The database “{database}” is as it was when {file.name} was made.")


@main.command(name="rotate-key")
def rotate_key() -> None:
    """A new installation key, by which every other key is wrapped anew. Everything may go on running."""
    from gatepost.config import installation
    from gatepost.vault import keys

    with installation.ready() as running:
        settings = running.settings
        count = keys.change_installation_key(settings.key_file, settings.keystore_url or "")
    click.echo(
        f"{settings.key_file} holds a new key, and {count} keys are wrapped by it. Back it up now, apart from the "
        "databases. Backups of the keystore from before need the old file, for as long as you keep them."
    )


@main.group(name="keys", invoke_without_command=True)
@click.pass_context
def keys_group(ctx: click.Context) -> None:
    """How old the keys of workspaces and mailboxes are, and how far a change of them has come."""
    if ctx.invoked_subcommand is not None:
        return
    from gatepost.config import installation

    with installation.ready() as running:
        installation.set_up_django()
        from gatepost.rotation import commands

        made = datetime.fromtimestamp(running.settings.key_file.stat().st_mtime, UTC)
        click.echo(f"installation: its key is of {made:%Y-%m-%d} (gatepost rotate-key)")
        for level in commands.levels():
            if level.oldest is None:
                click.echo(f"{level.word}: no key yet")
                continue
            click.echo(
                f"{level.word}: keys: {level.keys}, the oldest of {level.oldest:%Y-%m-%d}, generation {level.generation}"
            )
            if level.changing:
                click.echo(f"  being changed: {level.changing}, with {level.rows_left} rows to seal anew")
            if level.former_until:
                click.echo(
                    f"  former ones kept, only to open: {level.keeping_former}, the last until "
                    f"{level.former_until:%Y-%m-%d %H:%M} UTC"
                )


@keys_group.command(name="rotate")
@click.option("--workspace", help="Only the keys of this workspace, by name or id.")
@click.option("--mailbox", help="Only the key of this mailbox, by address or id.")
@click.option(
    "--at-once",
    is_flag=True,
    help="Destroy former keys as soon as nothing uses them. Backups of the main database from before cannot be read then.",
)
def keys_rotate(workspace: str | None, mailbox: str | None, at_once: bool) -> None:
    """Newer keys for workspaces and mailboxes; everything is sealed anew with them. Everything may go on running."""
    from gatepost.config import installation

    with installation.ready() as running:
        installation.set_up_django()
        from gatepost.rotation import commands

        keep = timedelta(days=0 if at_once else running.settings.backup_days)
        owners = commands.chosen(workspace, mailbox)
        begun = commands.rotate(owners, keep_former=keep)
        click.echo(f"Keys that have a newer generation now: {begun} of {len(owners)}.")
        if workspace is None and mailbox is None and commands.rotate_factors(keep_former=keep):
            click.echo("So has the key of second factors.")
        _carry_on_with_keys()


@keys_group.command(name="carry-on")
def keys_carry_on() -> None:
    """Go on with keys that are being changed, where no worker runs that does it by itself."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        _carry_on_with_keys()


def _carry_on_with_keys() -> None:
    from gatepost.rotation import commands

    if commands.carry_on(click.echo):
        click.echo(
            "Nothing is left that a former key sealed. `gatepost keys` says how long former ones are kept."
        )
    else:
        click.echo(
            "A process that runs may seal with a former key for another minute. A worker looks again by itself; without "
            "one: `gatepost keys carry-on`, in some minutes."
        )


@main.command()
@click.argument("email")
def recover(email: str) -> None:
    """Let somebody in again who lost password or second factor: a link to set a new password is printed."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.accounts import actions, letters

        user = actions.recover(email)
        click.echo("Second factors are removed, sessions have ended. This link sets a new password, once:")
        click.echo(letters.password_link(user))


@main.command()
def classify() -> None:
    """Label replies: JSON lines in, JSON lines out. No network, no database."""
    from gatepost.intake.reader import NotRead, reader
    from gatepost.text.classify import Unreadable, classify_lines
    from gatepost.text.tone import ReplyInput, Tone

    def read(reply: ReplyInput) -> Tone:
        try:
            return reader.read(reply)
        except NotRead as error:
            raise Unreadable(
                f"This mail could not be read safely ({error.reason}). A person should look at it."
            ) from None

    for line in classify_lines(sys.stdin, read):
        click.echo(line)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def sandbox(options: tuple[str, ...]) -> None:
    """The stand-in Microsoft 365, as a server (`gatepost sandbox --help` lists its options)."""
    _become([sys.executable, "-m", "m365_sandbox", *options])


@main.group()
def erase() -> None:
    """Erase for good, with a signed receipt: a mailbox, a person, or a whole workspace."""


def _erases(kind: str, about: str) -> None:
    @erase.command(name=kind, help=about)
    @click.argument("which")
    @click.option("--confirm", help="What you would be asked to type: the address, or the workspace's name.")
    @click.option(
        "--receipt", type=click.Path(dir_okay=False, path_type=Path), help="Write the receipt there."
    )
    def command(which: str, confirm: str | None, receipt: Path | None) -> None:
        from gatepost.config import installation

        with installation.ready():
            installation.set_up_django()
            from gatepost.erasure import commands

            subject, typed = commands.find(kind, which)
            confirm = confirm or click.prompt(f"This cannot be undone. Type {typed!r} to confirm")
            done = commands.erase(kind, subject, confirm)
        if receipt is not None:
            receipt.write_text(done.receipt)
        click.echo(f"Erased. The receipt is {receipt}." if receipt else done.receipt)


_erases("mailbox", "A mailbox by its address or id: its key is destroyed, its rows are removed.")
_erases("contact", "A person by address or id. Nobody of that workspace writes to them again.")
_erases("workspace", "A whole workspace by its name or id. Nobody can sign in to it any more.")


@main.group()
def verify() -> None:
    """Prove what is promised; exit 1 with the evidence where it does not hold."""


@verify.command(name="receipt")
@click.argument("file", type=click.File())
@click.option(
    "--key",
    type=click.File(),
    help="The public key to compare with (PEM). Without it: this installation's own.",
)
def verify_receipt(file: TextIO, key: TextIO | None) -> None:
    """Whether a receipt was signed here, and was not changed since."""
    from gatepost.config import installation

    if key is not None:
        from gatepost.erasure.receipts import check

        checked = check(file.read(), public=key.read())
    else:
        with installation.ready():
            installation.set_up_django()
            from gatepost.erasure import commands

            checked = commands.check(file.read())
    said = checked.said
    if not checked.is_signed:
        raise click.ClickException("The receipt was changed: its signature does not belong to what it says.")
    if not checked.is_ours:
        raise click.ClickException("The receipt was signed with another key: it is not this installation's.")
    click.echo(
        f"Genuine: {said['erased']} {said['subject']}, erased {said['finished_at']} at {said['installation']}."
    )


@main.command()
@click.option(
    "--offline", is_flag=True, help="Ask neither Microsoft nor the mail server nor our own public address."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def doctor(offline: bool, as_json: bool) -> None:
    """Check this installation: one line each, with what to do."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.config import checks

        found = checks.run(offline=offline)
    if as_json:
        told = [{"name": each.name, "state": each.state, "message": each.message} for each in found]
        click.echo(json.dumps(told, indent=2))
    else:
        for check in found:
            click.echo(f"{LINES[check.state]} {check.name}: {check.message}")
    if not all(check.good for check in found):
        sys.exit(1)


@verify.command(name="sends")
def verify_sends() -> None:
    """Compares what was sent, by the records, with what each connected mailbox holds."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.outbox.verify import verify_all

        found = asyncio.run(verify_all())
    for difference in found.differences:
        click.echo(
            f"{difference.what}: mailbox {difference.mailbox_id}, message {difference.message_id or 'unknown'}, "
            f"key {difference.key} ({difference.evidence})"
        )
    for mailbox_id, problem in found.unanswered:
        click.echo(f"mailbox {mailbox_id} could not be compared: {problem}")
    for mailbox_id, count in found.not_connected:
        click.echo(f"mailbox {mailbox_id} is not connected; its {count} messages were not compared.")
    click.echo(
        f"{found.mailboxes} mailboxes and {found.messages} messages compared: {len(found.differences)} differences."
    )
    if not found.holds:
        sys.exit(1)


@verify.command(name="audit")
@click.option(
    "--anchors",
    type=click.File(),
    help="A copy of the anchor file that was kept elsewhere, to compare with as well.",
)
def verify_audit(anchors: TextIO | None) -> None:
    """Whether any record was changed, removed, added or reordered since it was chained; names each place."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.chains.verify import verify_all

        found = verify_all(anchors.read() if anchors else "")
    for each in found:
        for broken in each.breaks[:MOST_SHOWN]:
            click.echo(f"workspace {each.workspace_id}: {broken.what}: {broken.where}")
        if len(each.breaks) > MOST_SHOWN:
            click.echo(f"workspace {each.workspace_id}: and {len(each.breaks) - MOST_SHOWN} more")
        if each.restored:
            click.echo(
                f"workspace {each.workspace_id}: {len(each.restored)} anchors are from before the database was "
                "restored, and know more than it does."
            )
    click.echo(
        f"{len(found)} workspaces: {sum(each.records for each in found)} records in "
        f"{sum(each.links for each in found)} links as they were written, {sum(each.removed for each in found)} "
        f"removed in time, {sum(each.waiting for each in found)} not chained yet, "
        f"{sum(each.anchors for each in found)} anchors hold: {sum(len(each.breaks) for each in found)} breaks."
    )
    if not all(each.holds for each in found):
        sys.exit(1)


@verify.command(name="privacy")
@click.option(
    "--activity-log",
    type=click.File(encoding="utf-8"),
    help="An export of Microsoft's MicrosoftGraphActivityLogs (JSON, JSON lines or CSV) to compare with.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_privacy(activity_log: TextIO | None, as_json: bool) -> None:
    """Compares our ledger of requests with Microsoft's own record of them (with the sandbox's, where that is used)."""
    from gatepost.config import installation

    with installation.ready() as running:
        installation.set_up_django()
        from gatepost.demo.browser import sandbox_log
        from gatepost.reports import activity
        from gatepost.reports.verify import verify_all

        settings = running.settings
        theirs = None
        if activity_log is not None:
            theirs = activity.read(activity_log.read(), client_id=settings.client_id)
        elif settings.sandbox_url:
            theirs = activity.from_sandbox(sandbox_log(settings.sandbox_url), client_id=settings.client_id)
        found = verify_all(theirs)
    compared = found.compared
    differences = [*found.differences, *(compared.differences if compared else ())]
    if as_json:
        told = {
            "ok": found.holds, "requests": found.requests, "texts_read": found.texts,
            "compared": compared is not None, "theirs": compared.theirs if compared else 0,
            "by_shape": dict(sorted(compared.by_shape.items())) if compared else {},
            "differences": [{"what": each.what, "where": each.where} for each in differences],
        }  # fmt: skip
        click.echo(json.dumps(told, indent=2))
    else:
        for each in differences[:MOST_SHOWN]:
            click.echo(f"{each.what}: {each.where}")
        click.echo(
            f"{found.requests} requests in our ledger, {found.texts} texts of replies read: {len(differences)} differences."
        )
        if compared is None:
            click.echo(
                "Nobody else's record was compared. Export MicrosoftGraphActivityLogs, and name the file: --activity-log"
            )
        else:
            click.echo(f"Compared with {compared.theirs} requests by the other side's record.")
    if not found.holds:
        sys.exit(1)


@main.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--for", "address", required=True, help="The member whose contacts they become, by address.")
@click.option("--suppressions", is_flag=True, help="It is a list of whom never to write to.")
@click.option("--dry-run", is_flag=True, help="Judge every row, and store nobody.")
@click.option(
    "--rejected", type=click.File("w"), help="Where the rows left out are written, with what to change."
)
def import_list(file: Path, address: str, suppressions: bool, dry_run: bool, rejected: TextIO | None) -> None:
    """Bring in a CSV of contacts, or of whom never to write to."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.contacts import commands

        what = "suppressions" if suppressions else "contacts"
        done = commands.import_list(file, address, what=what, dry=dry_run)
        would = "would be " if dry_run else ""
        click.echo(
            f"{done.added} {would}added, {done.updated} {would}completed, {done.unchanged} known already, "
            f"{done.rejected} left out."
        )
        for problem in done.problems[:20]:
            click.echo(f"  line {problem['line']}: {problem['message']}", err=True)
        if rejected is not None:
            for text in commands.rejected(done):
                rejected.write(text)


@main.command(name="export-suppressions")
@click.argument("file", type=click.File("w"))
@click.option("--for", "address", required=True, help="A member of the workspace, by address.")
def export_suppressions(file: TextIO, address: str) -> None:
    """Write the do-not-contact list as a CSV."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.contacts import commands

        for text in commands.suppressions(address):
            file.write(text)


@main.group(invoke_without_command=True)
@click.pass_context
def recovery(ctx: click.Context) -> None:
    """What is known, and what to do, after the database was restored or copied."""
    if ctx.invoked_subcommand is not None:
        return
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.outbox import restored
        from gatepost.sequences.queries import would_send_now

        found = restored.open_recoveries()
        for each in found:
            click.echo(
                f"{each.workspace.name}: all sending is stopped since {each.began_at:%Y-%m-%d %H:%M} UTC."
            )
            click.echo(
                f"  {each.reason}. It knows what happened until {each.known_until:%Y-%m-%d %H:%M} UTC."
            )
            progress = restored.progress(each)
            click.echo(f"  Mailboxes compared: {progress.compared} of {progress.mailboxes}.")
            for mailbox in progress.waiting:
                click.echo(
                    f"  not compared yet: {mailbox.pk} (not before {progress.compares_from:%H:%M} UTC)"
                )
            for due in would_send_now(each.workspace_id):
                click.echo(f"  would send now: step {due.position} of “{due.sequence}” from {due.mailbox_id}")
    if not found:
        click.echo("Sending is not stopped.")


@recovery.command(name="go")
@click.option(
    "--replaces-original",
    is_flag=True,
    help="This copy takes the place of its original, which never runs again.",
)
def recovery_go(replaces_original: bool) -> None:
    """What waits may leave, in every workspace."""
    from gatepost.config import installation

    with installation.ready():
        installation.set_up_django()
        from gatepost.accounts.actions import INSTALLER
        from gatepost.outbox import restored

        found = restored.open_recoveries()
        for each in found:
            if each.copied and replaces_original:
                restored.replace_original(each.workspace_id, actor=INSTALLER)
                click.echo(
                    f"{each.workspace.name}: its mailboxes are compared in half an hour. Then: gatepost recovery go"
                )
            else:
                restored.go(each.workspace_id, actor=INSTALLER)
                click.echo(f"{each.workspace.name}: sending goes on.")
    if not found:
        click.echo("Sending is not stopped.")


@main.command()
@click.option(
    "--check", is_flag=True, help="Run the main job headless, with the clock accelerated, and judge it."
)
@click.option("--small", is_flag=True, help="With --check: fewer people and days, for a first look.")
@click.option("--json", "as_json", is_flag=True, help="With --check: print one JSON object.")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Where the demo keeps its data."
)
@click.option("--port", type=PORT, default=8000, show_default=True, help="The first port to try.")
@click.option("--seed", default=1, show_default=True)
@click.option("--fresh", is_flag=True, help="Forget the demo's data and begin anew.")
def demo(
    check: bool, small: bool, as_json: bool, data: Path | None, port: int, seed: int, fresh: bool
) -> None:
    """The whole product with a stand-in Microsoft 365 and people who answer. Nothing leaves this machine."""
    if check:
        from gatepost.demo.check import FULL, SMALL
        from gatepost.demo.check import check as run_check

        sys.exit(run_check(as_json=as_json, seed=seed, scale=SMALL if small else FULL))
    from gatepost.demo.show import show

    show(data=data, first_port=port, seed=seed, fresh=fresh)


@main.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(name: str, as_json: bool) -> None:
    """Measure something by name; figures beside their limits."""
    from gatepost import bench

    if name not in bench.NAMES:
        raise click.ClickException(f"There is no bench {name!r}. There are: {', '.join(bench.NAMES)}.")
    figures = bench.run(name)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        for key, value in figures.items():
            click.echo(f"{key.replace('_', ' ')}: {value}")


def _become(command: list[str]) -> None:
    import os

    os.execv(command[0], command)
