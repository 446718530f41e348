"""Send commands to devices, and take their acknowledgements: stored, then acknowledged."""

from devices.mqtt import Arrival
from navigate_safer import logs
from navigate_safer.services import command_post, heartbeats
from navigate_safer.wiring import Service
from navigate_safer.workers import loop
from navigate_safer.workers.loop import Stop

IDLE_S = 0.5
MOST_ACKS = 200
WAIT_S = 0.05


class CommandsWorker:
    """One listener for acknowledgements and one publisher, worked in turns."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._log = logs.logger("commands")
        self._publisher = service.command_publisher()
        self._listener = service.ack_listener(self._connection_changed)
        self._held: list[Arrival] = []

    def run(self, stop: Stop) -> None:
        """Run until stopped."""
        self._listener.start()
        try:
            loop.run("commands", self.turn, self.beat, stop, idle_s=IDLE_S)
        finally:
            self._listener.stop()
            self._publisher.close()

    def turn(self) -> bool:
        """Take what has been acknowledged, look for answers, send one command that is due."""
        service = self._service
        heard = self._hear()
        sent = command_post.send_next(service.sessions, self._publisher, service.clock)
        if sent is not None and sent.fault is not None:
            self._log.warning("command not sent", command_id=sent.command_id, fault=sent.fault)
        return heard or sent is not None

    def beat(self, fault: str | None) -> None:
        """A sign of life, with how long acknowledgements have been heard."""
        heartbeats.beat(
            self._service.sessions,
            "commands",
            self._service.wall_clock(),
            connected_since=self._listener.connected_since,
            fault=fault,
        )

    def _hear(self) -> bool:
        if not self._held:
            self._held = self._listener.take(MOST_ACKS, WAIT_S)
        if not self._held:
            return False
        command_post.take_acks(self._service.sessions, self._held, self._service.clock())
        self._listener.acknowledge(self._held)
        self._held = []
        return True

    def _connection_changed(self, connected: bool, fault: str | None) -> None:
        if connected:
            self._log.info("subscribed")
        else:
            self._log.warning("not connected", reason=fault or "")


def main(service: Service, stop: Stop) -> None:
    """The ``commands`` command."""
    CommandsWorker(service).run(stop)
