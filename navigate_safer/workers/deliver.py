"""Send texts that are due."""

import random

from navigate_safer import logs, metrics
from navigate_safer.db.limits import GIGABYTE
from navigate_safer.services import deliver, heartbeats
from navigate_safer.services.self_watch import SelfWatch
from navigate_safer.wiring import Service
from navigate_safer.workers import loop
from navigate_safer.workers.loop import Stop

IDLE_S = 0.1


def main(service: Service, stop: Stop) -> None:
    """The ``deliver`` command."""
    log = logs.logger("deliver")
    sender = service.sender()
    public_url = service.settings.public_url
    # The scheduler watches too; whoever notices that the other is gone says so.
    own = SelfWatch(service.sessions, service.voice, service.settings.database_disk_gb * GIGABYTE)

    def turn() -> bool:
        done = deliver.deliver_next(
            service.sessions, sender, service.clock, public_url, jitter=random.random()
        )
        if done is not None:
            metrics.text_tried(done.state)
        if done is not None and done.fault is not None:
            log.warning("text not sent", text_id=done.text_id, fault=done.fault, state=done.state)
        return done is not None

    def beat(fault: str | None) -> None:
        heartbeats.beat(service.sessions, "deliver", service.wall_clock(), fault=fault)
        own.look(service.clock(), service.wall_clock())

    loop.run("deliver", turn, beat, stop, idle_s=IDLE_S)
