"""Intake starts while its database hangs."""

import gc
import threading

import pytest
from case_files import OUTSIDE, START, small_case_file, walk
from fed_worker import QueuedService
from proxy import Proxy
from servers import until
from watch import Clock

from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services import register
from navigate_safer.workers.ingest import IngestWorker
from navigate_safer.workers.loop import Stop

# Bounds on a machine that is very busy; where all works nothing waits for them.
PATIENCE_S = 30.0


@pytest.fixture
def forgetful(database):
    """A database behind a firewall, and a service that reaches it through that one."""
    register.register(database.sessions, small_case_file(), START)
    firewall = Proxy(database.engine.url.port)
    through = database.engine.url.set(port=firewall.port)
    own_url, database.url = database.url, through.render_as_string(hide_password=False)
    service = QueuedService(database, Clock(START))
    database.url = own_url
    thresholds = gc.get_threshold()
    yield database, firewall, service
    gc.set_threshold(*thresholds)
    firewall.restore()
    service.close()
    firewall.close()


@pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
def test_a_connection_that_is_forgotten_as_the_devices_are_read_does_not_keep_intake_out(forgetful):
    database, firewall, service = forgetful
    struck = firewall.when(b"from devices d", firewall.swallow)
    worker, stop = IngestWorker(service, hangs_after_s=1.0), Stop()
    # Where it waits for ever it must not keep the tests.
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    service.queue.put(*walk("TAG-1", OUTSIDE))
    assert struck.wait(PATIENCE_S)
    firewall.restore()
    assert until(lambda: database.count(FixRow) == 1, within_s=PATIENCE_S)
    stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
