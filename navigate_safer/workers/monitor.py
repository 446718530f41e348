"""Judge stored readings, device by device; one that brings much, beside the others."""

from concurrent.futures import ThreadPoolExecutor

from navigate_safer import logs, metrics
from navigate_safer.services import heartbeats, monitor
from navigate_safer.services.monitor import Judged
from navigate_safer.wiring import Service
from navigate_safer.workers import loop
from navigate_safer.workers.loop import Stop

IDLE_S = 0.05


class MonitorWorker:
    """One turn after the other, and a second thread for devices that take seconds."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._log = logs.logger("monitor")
        # One thread: devices that bring much take their turns among themselves.
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="long")
        self._at_work: set[int] = set()

    def run(self, stop: Stop) -> None:
        """Run until stopped; what is being judged then is finished."""
        try:
            loop.run("monitor", self.turn, self._beat, stop, idle_s=IDLE_S)
        finally:
            self.close()

    def close(self) -> None:
        """Finish what is being judged; what only waits for it keeps its mark."""
        self._beside.shutdown(cancel_futures=True)

    def turn(self) -> bool:
        """Judge one device, or hand it over; False when nothing is waiting."""
        service = self._service
        judged = monitor.judge_next(
            service.sessions,
            service.clock(),
            service.voice,
            at_work=frozenset(self._at_work),
            leave=self._leave,
        )
        if judged is None:
            return False
        if not judged.left:
            self._report(judged)
        return True

    def _leave(self, device_id: int) -> None:
        self._at_work.add(device_id)
        self._beside.submit(self._long, device_id)

    def _long(self, device_id: int) -> None:
        service = self._service
        try:
            clock, voice = service.clock(), service.voice
            self._report(monitor.judge_long(service.sessions, device_id, clock, voice))
        except Exception as fault:  # the database is away: the mark is there, and the loop finds it
            self._log.error("judgement failed", exception_type=type(fault).__name__)
        finally:
            self._at_work.discard(device_id)

    def _report(self, judged: Judged) -> None:
        failed = judged.failed is not None
        metrics.judged(by_monitor=int(not failed), failed=int(failed))
        if failed:
            # The message may quote a reading; the row in the database has it for those who may.
            self._log.error("judgement failed", device_id=judged.device_id)
        elif judged.opened:
            self._log.info("alerts opened", device_id=judged.device_id, opened=judged.opened)

    def _beat(self, fault: str | None) -> None:
        service = self._service
        heartbeats.beat(service.sessions, "monitor", service.wall_clock(), fault=fault)


def main(service: Service, stop: Stop) -> None:
    """The ``monitor`` command."""
    MonitorWorker(service).run(stop)
