"""The worker, but a killed one's jobs run again after three seconds instead of fourteen, so that many kills fit
into a test. A living worker is then sometimes taken for dead as well, and two do the same: sends must bear that."""

import asyncio

from gatepost.config.installation import set_up_django

if __name__ == "__main__":
    set_up_django()
    from gatepost.jobs import worker

    worker.HEARTBEAT_SECONDS, worker.STALLED_SECONDS, worker.RESCUE_EVERY_SECONDS = 0.5, 2, 0.5  # type: ignore[assignment]
    asyncio.run(worker.work())
