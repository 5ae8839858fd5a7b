"""Running the sandbox as a server."""

import os
from pathlib import Path

import uvicorn

from m365_sandbox.app import create_app
from m365_sandbox.clock import Clock
from m365_sandbox.store import Store

CLOCK_VARIABLE = "GATEPOST_CLOCK_FILE"


def run(
    host: str = "127.0.0.1",
    port: int = 8790,
    *,
    seed: int = 1,
    store_path: str | Path | None = None,
    clock_file: str | Path | None = None,
    prospects: int = 20,
    unrelated: int = 200,
) -> None:
    """Serve until stopped. With `store_path` it goes on where it was stopped or killed.

    Without `clock_file` the file that GATEPOST_CLOCK_FILE names is shared, where there is one.
    """
    clock = Clock(clock_file or os.environ.get(CLOCK_VARIABLE))
    app = create_app(
        seed=seed, store=Store(store_path), clock=clock, prospects=prospects, unrelated=unrelated
    )
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, lifespan="on")
