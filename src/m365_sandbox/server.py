"""Running the sandbox as a server."""

import gc
import os
import tempfile
from pathlib import Path
from typing import Any

import uvicorn

from m365_sandbox import crowd, world_file
from m365_sandbox.app import create_app
from m365_sandbox.clock import Clock
from m365_sandbox.contract import Watch, watch_of_the_environment
from m365_sandbox.store import Store
from m365_sandbox.tls import certificate

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
    world: str | Path | None = None,
    tls: bool = False,
    mailboxes: int = 0,
    messages: int = 0,
    contract_file: str | Path | None = None,
) -> None:
    """Serve until stopped. With `store_path` it goes on where it was stopped or killed.

    Without `clock_file` the file that GATEPOST_CLOCK_FILE names is shared, where there is one. With `tls` the
    path of the authority's certificate is printed. `mailboxes` and `messages`: that many more, for measuring.
    With `contract_file`, or what M365_SANDBOX_CONTRACT names, all that is said to Graph and by it is checked.
    """
    clock = Clock(clock_file or os.environ.get(CLOCK_VARIABLE))
    store = Store(store_path)
    fresh = not store.users
    app = create_app(
        seed=seed, store=store, clock=clock, prospects=prospects, unrelated=unrelated,
        world=world_file.read(Path(world)) if world else None,
        watch=Watch(Path(contract_file)) if contract_file else watch_of_the_environment(),
    )  # fmt: skip
    if mailboxes and fresh:
        crowd.fill(app.state.sandbox, mailboxes=mailboxes, messages=messages)
    # What is there from the start stays: looking through it for garbage again and again would hold up requests.
    gc.collect()
    gc.freeze()
    # The Date header comes from the sandbox's clock.
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, lifespan="on", date_header=False,
        **(_tls(store_path) if tls else {}),
    )  # fmt: skip


def _tls(store_path: str | Path | None) -> dict[str, Any]:
    """Where the state is in a file, the certificate lies beside it."""
    folder = Path(f"{store_path}.tls") if store_path else Path(tempfile.mkdtemp(prefix="m365-sandbox-"))
    authority, server, key = certificate(folder)
    print(f"Certificate to trust: {authority}", flush=True)
    return {"ssl_certfile": str(server), "ssl_keyfile": str(key)}
