"""Judge stored readings, device by device."""

from navigate_safer import logs
from navigate_safer.services import monitor, sweep
from navigate_safer.wiring import Service
from navigate_safer.workers import loop
from navigate_safer.workers.loop import Stop

IDLE_S = 0.05


def main(service: Service, stop: Stop) -> None:
    """The ``monitor`` command."""
    log = logs.logger("monitor")

    def turn() -> bool:
        judged = monitor.judge_next(service.sessions, service.clock(), service.voice)
        if judged is None:
            return False
        if judged.failed is not None:
            # The message may quote a reading; the row in the database has it for those who may.
            log.error("judgement failed", device_id=judged.device_id)
        elif judged.opened:
            log.info("alerts opened", device_id=judged.device_id, opened=judged.opened)
        return True

    def beat(fault: str | None) -> None:
        sweep.beat(service.sessions, "monitor", service.wall_clock(), fault=fault)

    loop.run("monitor", turn, beat, stop, idle_s=IDLE_S)
