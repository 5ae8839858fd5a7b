"""The command line. Verbs are gathered here; what they do is in the concepts."""

import asyncio
import json
import sys
import time
from pathlib import Path

import click

from gatepost import __version__
from gatepost.errors import GatepostError

PORT = click.IntRange(1, 65535)


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
            click.echo(f"Gatepost is at {settings.public_url} (port {settings.port}). Ctrl-C stops it.")
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


@main.command()
def classify() -> None:
    """Label replies: JSON lines in, JSON lines out. No network, no database."""
    from gatepost.text.classify import classify_lines

    for line in classify_lines(sys.stdin):
        click.echo(line)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def sandbox(options: tuple[str, ...]) -> None:
    """The stand-in Microsoft 365, as a server (`gatepost sandbox --help` lists its options)."""
    _become([sys.executable, "-m", "m365_sandbox", *options])


@main.command()
def doctor() -> None:
    """Check this installation: one line each, with what to do."""
    from gatepost.config import checks, installation

    with installation.ready():
        installation.set_up_django()
        found = checks.run()
    for check in found:
        click.echo(f"{'ok  ' if check.good else 'BAD '} {check.name}: {check.message}")
    if not all(check.good for check in found):
        sys.exit(1)


@main.group()
def verify() -> None:
    """Proves a promise on this installation; exit 1 with the evidence where it does not hold."""


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
            restored.go(each.workspace_id, actor=INSTALLER, replaces_original=replaces_original)
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
