"""An installation as an operator has one: a data folder and the command line, nothing else."""

import os
import subprocess
import sys
from pathlib import Path


def run(data: Path, *command: str, check: bool = True, **settings: str) -> subprocess.CompletedProcess[str]:
    """`gatepost COMMAND` with this data folder and these settings."""
    ran = subprocess.run(
        [sys.executable, "-m", "gatepost", *command], capture_output=True, text=True, check=False,
        env=environment(data, **settings), timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0 or not check, ran.stdout + ran.stderr
    return ran


def environment(data: Path, **settings: str) -> dict[str, str]:
    """What the shell says, without settings of ours that stand in it."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
    for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE"):
        bare.pop(name, None)
    return {**bare, "GATEPOST_DATA_DIR": str(data), **settings}
