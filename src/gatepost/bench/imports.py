"""`gatepost bench import`: a list of 200,000 people, imported as a worker does it, by a process of its own."""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS = 200_000
LIMITS = {"memory_mb": 300, "rows_per_second": 2_000}
AT_LEAST = ("rows_per_second",)


def measure(*, rows: int = ROWS) -> dict[str, Any]:
    """Rows a second and peak memory beside the limits, on an embedded database that ends with it."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if name not in ("DATABASE_URL", "GATEPOST_CLOCK_FILE")
            },
            "GATEPOST_DATA_DIR": folder,
            "GATEPOST_PUBLIC_URL": "http://localhost:8000",
        }
        done = subprocess.run(
            [sys.executable, "-c", f"from gatepost.bench import imports; imports.main({rows})"],
            env=environment, stdout=subprocess.PIPE, check=True, text=True,
        )  # fmt: skip
    figures = json.loads(done.stdout.splitlines()[-1])
    kept = {
        name: figures[name] >= limit if name in AT_LEAST else figures[name] <= limit
        for name, limit in LIMITS.items()
    }
    return {"ok": all(kept.values()), "figures": figures, "limits": LIMITS, "kept": kept}


def write_list(file: Any, rows: int) -> None:
    """People of some thousand companies; every hundredth row cannot be used."""
    file.write(b"email,first_name,last_name,company,title,phone,country,city\n")
    for number in range(rows):
        company = number % 5_000
        address = "nobody" if number % 100 == 99 else f"person{number}@company{company}.example"
        file.write(
            f"{address},First{number % 900},Last{number % 7_000},Company {company},Head of Care,"
            f"+49 171 {number:07d},DE,Town {number % 300}\n".encode()
        )


def _measured(rows: int) -> dict[str, Any]:
    from gatepost.config import installation

    with installation.ready():
        installation.migrate()
        from gatepost.accounts import actions
        from gatepost.contacts import imports

        workspace = actions.create_workspace("Bench")
        member = actions.add_member(
            workspace.id, email="bench@bench.example", name="Bench", role="owner", password=os.urandom(12).hex(),
            actor=actions.INSTALLER,
        )  # fmt: skip
        with tempfile.TemporaryFile() as file:
            write_list(file, rows)
            megabytes = file.tell() / 1e6
            file.seek(0, io.SEEK_SET)
            began = time.perf_counter()
            kept = imports.upload(workspace.id, "bench.csv", file, member=member)
            uploaded = time.perf_counter()
        imports.start(kept.pk, kept.mapping, workspace_id=workspace.id, dry=False, actor=actions.INSTALLER)
        imports.run(workspace.id, kept.pk)
        ended = time.perf_counter()
        from gatepost.isolation import inside

        with inside(workspace.id):
            kept.refresh_from_db()
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)[1])  # type: ignore[index]
    return {
        "rows": kept.rows,
        "added": kept.added,
        "left_out": kept.rejected,
        "file_mb": round(megabytes, 1),
        "seconds_to_upload": round(uploaded - began, 2),
        "seconds_to_import": round(ended - uploaded, 1),
        "rows_per_second": round(kept.rows / (ended - uploaded)),
        "memory_mb": round(peak / 1024),
    }


def main(rows: int) -> None:
    print(json.dumps(_measured(rows)))
