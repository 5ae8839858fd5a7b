"""`./dev soak switches`: the main job under every setting of the sandbox's switches.

Run k gives each switch its k-th setting, so that as many runs as the longest list of settings cover all of them. Where
a run fails, halves of it are run until the switches that fail by themselves stand alone. With `--each`, every other
setting of every switch for itself. Exit code 0 only if all of them hold.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

from m365_sandbox.switches import Switches

Settings = dict[str, Any]

# Switches that are no choice between two words: another value that Microsoft 365 could have as well.
OTHER: Settings = {
    "code_lifetime_seconds": 60, "token_minutes": [1440, 1680], "send_seconds": 3.0, "search_lag_seconds": 2.0,
    "mail_advanced_after": "2030-01-01", "notification_seconds": 45.0, "notifications_lost": 0.3,
    "notifications_doubled": 0.3, "latency_ms": 5, "loop_requests": 5,
    # Limits of Microsoft's, so tight that this small job meets them.
    "concurrency": 2, "window_requests": 1000, "upload_bytes": 1_000_000, "messages_a_minute": 10,
    "recipients_a_day": 60,
}  # fmt: skip
# What cannot be turned here, and why.
LEFT_OUT = {
    "log_items": "the check compares what left the sandbox with the envelope; without the log it cannot",
    "aadsts": "a table of exceptions; tests/sandbox has one for each code",
}


def settings() -> dict[str, list[Any]]:
    """By switch, every setting, the default first."""
    found: dict[str, list[Any]] = {}
    for name, hint in get_type_hints(Switches).items():
        if name in LEFT_OUT:
            continue
        default = getattr(Switches(), name)
        if get_origin(hint) is Literal:
            others = [setting for setting in get_args(hint) if setting != default]
        elif hint is bool:
            others = [not default]
        else:
            others = [OTHER[name]]
        found[name] = [default, *others]
    return found


def runs(settings: dict[str, list[Any]]) -> list[Settings]:
    """As few as cover every setting of every switch; what stands at its default is not named."""
    count = max(len(values) for values in settings.values())
    return [
        {name: values[k % len(values)] for name, values in settings.items() if k % len(values)}
        for k in range(count)
    ]


def culprits(failing: Settings, holds: Callable[[Settings], bool]) -> list[Settings]:
    """The smallest parts of what fails that fail by themselves; what fails only together stays together."""
    if len(failing) <= 1:
        return [failing]
    names = list(failing)
    half = len(names) // 2
    found: list[Settings] = []
    for part in (names[:half], names[half:]):
        chosen = {name: failing[name] for name in part}
        if not holds(chosen):
            found += culprits(chosen, holds)
    return found or [failing]


def report_under(switches: Settings) -> dict[str, Any]:
    """The check's report; in a process of its own, as it takes a whole one."""
    code = (
        "import json, sys; from gatepost.demo.check import check; "
        "sys.exit(check(as_json=True, switches=json.loads(sys.argv[1])))"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(switches)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": "src"},
    )  # fmt: skip
    start = done.stdout.find("{")
    try:
        report: dict[str, Any] = json.loads(done.stdout[start:])
    except json.JSONDecodeError:
        report = {"ok": False, "error": {"ok": False, "says": done.stderr.strip().splitlines()[-3:]}}
    return {**report, "seconds": round(time.monotonic() - began, 1)}


def holds(switches: Settings, name: str = "") -> bool:
    """Whether the main job holds under these settings; says so, with the stages that do not."""
    report = report_under(switches)
    told = name or ", ".join(f"{switch} = {setting}" for switch, setting in switches.items())
    print(f"{'ok  ' if report['ok'] else 'BAD '} {told} ({report['seconds']:.0f} s)", flush=True)
    for stage, facts in report.items():
        if isinstance(facts, dict) and not facts.get("ok"):
            print(f"     {stage}: {json.dumps(facts, default=str)}", flush=True)
    return bool(report["ok"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak switches", description=__doc__)
    parser.add_argument("--each", action="store_true", help="every other setting for itself")
    parser.add_argument(
        "--only", action="append", default=[], metavar="SWITCH", help="only these, each for itself"
    )
    given = parser.parse_args()
    for name, why in LEFT_OUT.items():
        print(f"     {name} stays: {why}", flush=True)
    every = settings()
    if given.each or given.only:
        alone = [
            {name: value}
            for name, values in every.items()
            for value in values[1:]
            if name in (given.only or every)
        ]
        return 0 if all([holds(one) for one in alone]) else 1
    good = True
    planned = runs(every)
    for k, run in enumerate(planned):
        name = f"run {k + 1} of {len(planned)}: {len(run)} of {len(every)} switches not at their default"
        if holds(run, name):
            continue
        good = False
        if not run:
            print("     Nothing can be told of switches while the main job fails without them.", flush=True)
            return 1
        for culprit in culprits(run, holds):
            print(f"     to blame: {json.dumps(culprit)}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
