"""An installation without processes: its databases and keys alone, for long proofs that pytest does not run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def bare_installation(folder: Path) -> Iterator[None]:
    """New tables in a database of their own, gone afterwards; Django is set up for them."""
    os.environ["GATEPOST_DATA_DIR"] = str(folder / "data")
    os.environ["DJANGO_SETTINGS_MODULE"] = "gatepost.config.settings"
    for variable in ("DATABASE_URL", "GATEPOST_OWNER_DATABASE_URL", "GATEPOST_KEYSTORE_URL"):
        os.environ.pop(variable, None)
    from gatepost.config import installation

    with installation.ready():
        installation.migrate()
        from django.db import connections

        try:
            yield
        finally:
            connections.close_all()
