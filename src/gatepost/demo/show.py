"""`gatepost demo`: start everything, seed it once, say where to look, and stop it all on Ctrl-C."""

import shutil
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from gatepost.config.environment import default_data_dir
from gatepost.demo.stand import Stand, free_port, standing

PROSPECTS, UNRELATED = 120, 2400
RATE = 300.0  # one second is five minutes; a working day passes in two minutes
LEFT_FOR_THE_VISITOR = 60  # contacts that nobody has enrolled yet
HOME = ZoneInfo("Europe/Berlin")


def show(*, data: Path | None, first_port: int, seed: int, fresh: bool) -> None:
    """The demo runs until Ctrl-C; a later start finds its data again."""
    folder = (data or _default_folder()).absolute()
    if fresh and folder.exists():
        _forget(folder)
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _stop)
    began = time.monotonic()
    if free_port(first_port) != first_port:
        _say(f"Port {first_port} is in use; taking the next free one.")
    try:
        with standing(
            folder, seed=seed, prospects=PROSPECTS, unrelated=UNRELATED, first_port=first_port,
            start_at=_next_working_morning().timestamp(), rate=RATE, say=_say,
        ) as stand:  # fmt: skip
            _fill(stand)
            _greet(stand, time.monotonic() - began)
            while True:
                time.sleep(0.5)
                for name in stand.watch():
                    _say(f"{name} had ended and was started again ({folder / 'logs' / name}.log).")
    except KeyboardInterrupt:
        _say("Everything is stopped. The same command finds its data again; --fresh begins anew.")


def _fill(stand: Stand) -> None:
    """A workspace with one colleague already at work, the first time."""
    from gatepost.accounts.models import User
    from gatepost.demo import seed as seeding
    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Mailbox

    if not User.objects.exists():
        _say("Writing a workspace with 120 contacts and a sequence …")
    seeded = seeding.seed(stand)
    with inside(seeded.workspace.id):
        if Mailbox.objects.exists():
            return
    _say("Connecting Ben's mailbox and enrolling half of the contacts …")
    address = seeding.REPS[1][0]
    seeding.connect(seeding.sign_in(stand, address), stand, address)
    with inside(seeded.workspace.id):
        Mailbox.objects.update(gap_seconds=20)
        mailboxes = list(Mailbox.objects.all())
    seeding.enrol_everybody(seeded, mailboxes, leave=LEFT_FOR_THE_VISITOR)


def _greet(stand: Stand, seconds: float) -> None:
    from gatepost.demo.seed import PASSWORD, REPS

    print(
        f"""
  Gatepost is running (after {seconds:.0f} s)

    Open       {stand.url}
    Sign in    {REPS[0][0]}   {PASSWORD}
    First      Mailboxes → Add mailbox → Microsoft account → Alice Berger → Accept
    Then       Sequences → Fewer empty appointments → enrol contacts from your mailbox,
               and watch Outbox and Inbox: the people of the sandbox answer

    The stand-in Microsoft 365, its people and its clock (1 s = {RATE / 60:.0f} min): {stand.sandbox("")}
    Data and logs: {stand.data}

  Ctrl-C stops all of it.
""",
        flush=True,
    )


def _next_working_morning() -> datetime:
    """Half past eight in Berlin, today or on the next working day, so that mail may leave at once."""
    moment = datetime.now(UTC).astimezone(HOME).replace(hour=8, minute=30, second=0, microsecond=0)
    while moment.weekday() >= 5:
        moment += timedelta(days=1)
    return moment


def _default_folder() -> Path:
    """In a checkout beside the code, so that two checkouts do not share a demo; else with the user's data."""
    checkout = Path(__file__).parents[3]
    return (
        checkout / "var" / "demo" if (checkout / "pyproject.toml").exists() else default_data_dir() / "demo"
    )


def _forget(folder: Path) -> None:
    if not (folder / "clock.json").exists():
        sys.exit(f"{folder} does not look like a demo's folder; delete it yourself if you mean it.")
    shutil.rmtree(folder)


def _stop(sign: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
