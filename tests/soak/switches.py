"""`./dev soak switches`: the main job under every setting of the sandbox's switches.

First all as documented, then every switch turned the other way at once. With `--each`, or where that fails, every
other setting of every switch for itself. Exit code 0 only if all of them hold.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any, Literal, get_args, get_origin, get_type_hints

from m365_sandbox.switches import Switches

# Switches that are no choice between two words: another value that Microsoft 365 could have as well.
OTHER: dict[str, Any] = {
    "code_lifetime_seconds": 60, "token_minutes": [1440, 1680], "send_seconds": 3.0, "search_lag_seconds": 2.0,
    "mail_advanced_after": "2030-01-01", "notification_seconds": 45.0, "notifications_lost": 0.3,
    "notifications_doubled": 0.3, "latency_ms": 5,
}  # fmt: skip
# What cannot be turned here, and why.
LEFT_OUT = {
    "notification_urls": "the demo listens on http, since nothing of it leaves the machine",
    "log_items": "the check compares what left the sandbox with the envelope; without the log it cannot",
    "loop_requests": "a limit, not a choice",
    "aadsts": "a table of exceptions; tests/sandbox has one for each code",
    "concurrency": "a limit, not a choice",
    "window_requests": "a limit, not a choice",
    "upload_bytes": "a limit, not a choice",
    "messages_a_minute": "a limit, not a choice",
    "recipients_a_day": "a limit, not a choice",
}


def others() -> dict[str, list[Any]]:
    """By switch, every setting but the default."""
    found: dict[str, list[Any]] = {}
    for name, hint in get_type_hints(Switches).items():
        default = getattr(Switches(), name)
        if name in LEFT_OUT:
            continue
        if get_origin(hint) is Literal:
            found[name] = [setting for setting in get_args(hint) if setting != default]
        elif hint is bool:
            found[name] = [not default]
        else:
            found[name] = [OTHER[name]]
    return found


def hold(switches: dict[str, Any]) -> dict[str, Any]:
    """The check's report under these settings; in a process of its own, as it takes a whole one."""
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


def told(name: str, report: dict[str, Any]) -> bool:
    bad = {stage: facts for stage, facts in report.items() if isinstance(facts, dict) and not facts.get("ok")}
    print(f"{'ok  ' if report['ok'] else 'BAD '} {name} ({report['seconds']:.0f} s)", flush=True)
    for stage, facts in bad.items():
        print(f"     {stage}: {json.dumps(facts, default=str)}", flush=True)
    return bool(report["ok"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak switches", description=__doc__)
    parser.add_argument("--each", action="store_true", help="every other setting for itself, too")
    parser.add_argument(
        "--only", action="append", default=[], metavar="SWITCH", help="only these, each for itself"
    )
    parser.add_argument("--flipped", action="store_true", help="only all turned the other way")
    given = parser.parse_args()
    turned = others()
    good = True
    for name, why in LEFT_OUT.items():
        print(f"     {name}: {why}")
    if not given.only:
        if not given.flipped:
            good = told("all as documented", hold({}))
        together = {name: settings[0] for name, settings in turned.items()}
        all_turned = told("all the other way", hold(together))
        good = good and all_turned
        if given.flipped or (good and not given.each):
            return 0 if good else 1
    for name, settings in turned.items():
        if not given.only or name in given.only:
            for setting in settings:
                good = told(f"{name} = {setting}", hold({name: setting})) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
