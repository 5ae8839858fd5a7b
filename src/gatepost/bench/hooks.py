"""`gatepost bench hooks`: notifications that one process accepts in a second, each committed before it is answered.

The process that is measured is `gatepost hooks` as it runs in production, with a database of its own; many senders post
at once, one notification in each request, which is the dearest form. Afterwards the process is killed, and every mailbox that
was announced must be due in the database.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

NOTIFICATIONS, MAILBOXES, SENDERS = 20_000, 500, 64
LIMITS = {"accepted_per_second_and_core": 4000.0, "answered_ms_p99": 250.0}
SECRET = "bench-" + "s" * 37


def measure(
    *, notifications: int = NOTIFICATIONS, mailboxes: int = MAILBOXES, senders: int = SENDERS
) -> dict[str, Any]:
    """A new installation with so many subscriptions is told of new mail, again and again."""
    from gatepost.config import installation, processes

    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        os.environ["GATEPOST_DATA_DIR"] = str(Path(folder) / "data")
        for variable in ("DATABASE_URL", "GATEPOST_OWNER_DATABASE_URL", "GATEPOST_KEYSTORE_URL"):
            os.environ.pop(variable, None)
        with installation.ready():
            installation.migrate()
            from django.db import connections

            from gatepost.demo.stand import free_port

            _subscribe(mailboxes)
            port = free_port(8600)
            process = subprocess.Popen(processes.hooks_command(port))
            try:
                figures = asyncio.run(_post(process.pid, port, notifications, mailboxes, senders))
                process.send_signal(signal.SIGKILL)
                process.wait()
                figures["woken"] = _woken()
            finally:
                process.kill()
                process.wait()
                connections.close_all()
    kept = {
        "accepted_per_second_and_core": figures["accepted_per_second_and_core"] >= LIMITS["accepted_per_second_and_core"],
        "answered_ms_p99": figures["answered_ms_p99"] < LIMITS["answered_ms_p99"],
    }  # fmt: skip
    durable = figures["woken"] == mailboxes and figures["accepted"] == notifications
    return {"ok": all(kept.values()) and durable, "figures": figures, "limits": LIMITS, "kept": kept}


def _subscribe(mailboxes: int) -> None:
    from gatepost import clock
    from gatepost.accounts import actions as accounts
    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Mailbox, Subscription
    from gatepost.vault.sealing import installation_index

    workspace = accounts.create_workspace("Bench")
    member = accounts.add_member(
        workspace.id, email="bench@bench.example", name="Bench", role="owner", password="only-for-the-bench-1",
        actor=accounts.INSTALLER,
    )  # fmt: skip
    secret, now = installation_index("hook-secret", SECRET), clock.now()
    later = now + timedelta(days=3)
    boxes = [
        Mailbox(
            workspace_id=workspace.id, member=member, microsoft_tenant=workspace.id, microsoft_object=workspace.id,
            identity_index=str(number), address_index=str(number), connected_at=now, sync_due_at=None,
        )
        for number in range(mailboxes)
    ]  # fmt: skip
    with inside(workspace.id):
        Mailbox.objects.bulk_create(boxes)
        Subscription.objects.bulk_create(
            Subscription(
                workspace_id=workspace.id, mailbox=box, microsoft_id=f"subscription-{number}", resource="mail",
                wakes="mail", secret_index=secret, expires_at=later, renew_at=later,
            )
            for number, box in enumerate(boxes)
        )  # fmt: skip


async def _post(pid: int, port: int, notifications: int, mailboxes: int, senders: int) -> dict[str, Any]:
    await _answers(port)
    requests = iter([_request(number % mailboxes) for number in range(notifications)])
    spent: list[float] = []

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in requests:
            began = time.perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if answer.startswith(b"HTTP/1.1 202"):
                spent.append((time.perf_counter() - began) * 1000)
        writer.close()

    before, began = _seconds(pid), time.perf_counter()
    await asyncio.gather(*(send() for _ in range(senders)))
    took, processor = time.perf_counter() - began, _seconds(pid) - before
    return {
        "notifications": notifications,
        "accepted": len(spent),
        "mailboxes": mailboxes,
        "accepted_per_second": round(len(spent) / took),
        "accepted_per_second_and_core": round(len(spent) / processor),
        "processor_ms_each": round(processor / max(len(spent), 1) * 1000, 3),
        "answered_ms_p50": round(statistics.median(spent), 1),
        "answered_ms_p99": round(statistics.quantiles(spent, n=100)[98], 1),
    }


def _request(number: int) -> bytes:
    """As Microsoft writes it: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks"""
    body = (
        f'{{"value":[{{"subscriptionId":"subscription-{number}","clientState":"{SECRET}","changeType":"created",'
        '"resource":"Users/8f1d/Messages/AAMkAGI2","tenantId":"84bd8158-6d4d-4958-8b9f-9d6445542f95",'
        '"resourceData":{"@odata.type":"#Microsoft.Graph.Message","id":"AAMkAGI2","@odata.etag":"W/\\"CQ\\""}}]}'
    ).encode()
    head = f"POST /hooks/ HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _answers(port: int) -> None:
    for _ in range(600):
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.1)
    raise RuntimeError("The process of the hooks did not start.")


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def _woken() -> int:
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gatepost_mailbox WHERE sync_due_at IS NOT NULL")
        return int(cursor.fetchone()[0])
