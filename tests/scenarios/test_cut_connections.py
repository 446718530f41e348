"""The network between intake and its servers is cut, paused or swallows what is sent: all arrives.

The worker of intake against a real PostgreSQL and a real broker, each reached through a proxy. The
fault comes at a named moment; afterwards every fix is stored once and intake goes on, within a
bounded time and without anybody's help.
"""

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import pytest
from case_files import small_case_file
from databases import Database
from proxy import Proxy
from publisher import Publisher
from servers import Mosquitto, until
from watch import VOICE

from devices.codec import SUBSCRIPTIONS
from devices.mqtt import Listener
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import DeviceLatestRow, HeartbeatRow
from navigate_safer.services import monitor, register
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers.ingest import IngestWorker
from navigate_safer.workers.loop import Stop

# A minute to get over it: three tries of the database, two of the broker, on a busy machine.
PATIENCE_S = 60.0
# In the place of 30 s each, so that the tests need not wait so long for what hangs.
HANGS_AFTER_S, KEEPALIVE_S = 1.5, 2
BEFORE, DURING, AFTER = 40, 200, 40


class Moment(NamedTuple):
    """When the fault comes: as these bytes pass to the server, or as they are answered."""

    fragment: bytes
    answered: bool = False


DATABASE_MOMENTS = {
    "while nothing happens": None,
    "inside a transaction": Moment(b"update device_latest"),
    "during COPY": Moment(b"PGCOPY"),
    "as the commit is sent": Moment(b"COMMIT"),
    "as the commit is answered": Moment(b"COMMIT", answered=True),
}
BROKER_MOMENTS = {
    "while nothing happens": None,
    "as messages come": Moment(b"\x40\x02", answered=True),
    "as messages are acknowledged": Moment(b"\x40\x02"),
}
FAULTS: dict[str, Callable[[Proxy], None]] = {
    "cut": Proxy.cut,
    "paused": Proxy.pause,
    "swallowed": Proxy.swallow,
}
on_postgresql = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
with_each_fault = pytest.mark.parametrize("fault", FAULTS)


class Impatient(Service):
    """A service whose client of the broker notices sooner that nothing comes."""

    def listener(self, on_change: Callable[[bool, str | None], None]) -> Listener:
        broker = msgspec.structs.replace(self._broker(), keepalive_s=KEEPALIVE_S)
        return Listener(broker, SUBSCRIPTIONS, self.clock, on_change)


class Intake:
    """A worker behind two proxies, a gateway, and a device that is judged on arrival."""

    def __init__(self, database: Database, broker: Mosquitto, session: str) -> None:
        self.database = database
        now = datetime.now(UTC)
        register.register(database.sessions, small_case_file(), now)
        self.start = now.replace(microsecond=0) - timedelta(hours=2)
        assert database.engine.url.port is not None
        self.to_database = Proxy(database.engine.url.port)
        self.to_broker = Proxy(broker.port)
        url = database.engine.url.set(port=self.to_database.port)
        environ = {
            "NAVIGATE_SAFER_DATABASE_URL": url.render_as_string(hide_password=False),
            "NAVIGATE_SAFER_MQTT_PORT": str(self.to_broker.port),
            "NAVIGATE_SAFER_MQTT_CLIENT_ID": session,
        }
        self.service = Impatient(Settings.from_env(environ))
        self.stop = Stop()
        worker = IngestWorker(self.service, hangs_after_s=HANGS_AFTER_S)
        self.thread = threading.Thread(target=worker.run, args=(self.stop,))
        self.thread.start()
        assert until(self.subscribed, within_s=PATIENCE_S)
        self.gateway = Publisher(broker.port, self.start)

    def subscribed(self) -> bool:
        beats = self.database.all(HeartbeatRow, HeartbeatRow.worker == "ingest")
        return bool(beats) and beats[0].connected_since is not None

    def all_stored(self) -> bool:
        """Whether every fix that was published is stored, waited for."""
        return until(lambda: self.database.count(FixRow) >= self.gateway.sent, within_s=PATIENCE_S)

    def warm_up(self) -> None:
        """The device is heard and judged once, so that what follows goes by COPY."""
        self.gateway.publish(BEFORE)
        assert self.all_stored()
        while monitor.judge_next(self.database.sessions, datetime.now(UTC), VOICE):
            pass
        assert self.database.one(DeviceLatestRow).calm is not None

    def close(self) -> None:
        self.to_database.restore()
        self.to_broker.restore()
        self.stop.set()
        self.thread.join(PATIENCE_S)
        alive = self.thread.is_alive()
        self.gateway.end()
        self.service.close()
        self.to_database.close()
        self.to_broker.close()
        assert not alive, "the worker did not end"


@contextlib.contextmanager
def intake(database: Database, broker: Mosquitto, session: str) -> Iterator[Intake]:
    thresholds = gc.get_threshold()
    made = Intake(database, broker, session)
    try:
        yield made
    finally:
        made.close()
        gc.set_threshold(*thresholds)


def suffer(made: Intake, proxy: Proxy, fault: str, moment: Moment | None) -> None:
    """The fault at its moment with messages coming, then the end of the fault, then more."""
    made.warm_up()
    if moment is None:
        FAULTS[fault](proxy)
    else:
        struck = proxy.when(moment.fragment, lambda: FAULTS[fault](proxy), answered=moment.answered)
    made.gateway.publish(DURING)
    if moment is not None:
        assert struck.wait(PATIENCE_S), "the moment never came"
    proxy.restore()
    made.gateway.publish(AFTER)


def assert_once_each(made: Intake) -> None:
    assert made.all_stored(), f"{made.database.count(FixRow)} of {made.gateway.sent}"
    times = [row.measured_at for row in made.database.all(FixRow)]
    wanted = {made.start + timedelta(seconds=number) for number in range(made.gateway.sent)}
    assert len(times) == len(wanted), "nothing is doubled"
    assert set(times) == wanted


@on_postgresql
@with_each_fault
@pytest.mark.parametrize("moment", DATABASE_MOMENTS)
def test_the_way_to_the_database_fails(
    database: Database, mosquitto: Mosquitto, moment: str, fault: str
) -> None:
    session = f"cut-database-{fault}-{moment}".replace(" ", "-")
    with intake(database, mosquitto, session) as made:
        suffer(made, made.to_database, fault, DATABASE_MOMENTS[moment])
        assert_once_each(made)


@on_postgresql
@with_each_fault
@pytest.mark.parametrize("moment", BROKER_MOMENTS)
def test_the_way_to_the_broker_fails(
    database: Database, mosquitto: Mosquitto, moment: str, fault: str
) -> None:
    session = f"cut-broker-{fault}-{moment}".replace(" ", "-")
    with intake(database, mosquitto, session) as made:
        suffer(made, made.to_broker, fault, BROKER_MOMENTS[moment])
        assert_once_each(made)
