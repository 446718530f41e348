"""A sender, a receipt and an acknowledgement meet on one alert: none waits for who waits for it.

All take the alert's row first and its texts afterwards. On PostgreSQL, where rows are locked one
by one.
"""

import threading

import psycopg.errors
import pytest
from case_files import INSIDE, OUTSIDE, walk
from sqlalchemy import event, select
from watch import Watch

from alerts.delivery import DeliveryStatus, Fault, SendError
from alerts.lifecycle import Move
from alerts.senders.recording import RecordingSender
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextRow
from navigate_safer.services import alerting
from navigate_safer.services.receipts import take_receipt

pytestmark = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
PATIENCE_S = 20.0


@pytest.fixture
def alerted(watch: Watch) -> Watch:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch


def meets_an_acknowledgement(watch: Watch, work) -> None:
    """``work`` runs while somebody has locked the alert and has not yet come to its texts."""
    deadlocks: list[object] = []

    def note(context) -> None:
        if isinstance(context.original_exception, psycopg.errors.DeadlockDetected):
            deadlocks.append(context.original_exception)

    event.listen(watch.database.engine, "handle_error", note)
    thread = threading.Thread(target=work, daemon=True)
    try:
        with watch.sessions.begin() as session:
            alert = session.scalars(select(AlertRow).with_for_update()).one()
            thread.start()
            # Either done, or waiting for the alert with no text in its hands.
            thread.join(1.0)
            alerting.move(
                session, alert, Move.ACKNOWLEDGE, watch.clock(),
                staff_id=None, channel="page", reason="test",
            )  # fmt: skip
            for text in session.scalars(select(TextRow).with_for_update()):
                text.fault = text.fault
        thread.join(PATIENCE_S)
    finally:
        event.remove(watch.database.engine, "handle_error", note)
    assert not thread.is_alive()
    assert deadlocks == []
    assert watch.database.one(AlertRow).state == "acknowledged"


def test_a_sender_leaves_the_text_of_an_alert_that_is_being_changed(alerted: Watch) -> None:
    meets_an_acknowledgement(alerted, alerted.deliver)
    assert alerted.sender.tried == []
    alerted.deliver()
    assert alerted.database.one(TextRow).state == "cancelled"


def test_a_failure_is_written_down_after_the_acknowledgement(alerted: Watch) -> None:
    called, go = threading.Event(), threading.Event()

    class Held(RecordingSender):
        def send(self, outgoing):
            called.set()
            go.wait(PATIENCE_S)
            raise SendError(Fault.NUMBER_PERMANENT, "planted")

    alerted.sender = Held(alerted.clock)
    sending = threading.Thread(target=alerted.deliver_one, daemon=True)
    sending.start()
    assert called.wait(PATIENCE_S)

    def fails() -> None:
        go.set()
        sending.join(PATIENCE_S)

    meets_an_acknowledgement(alerted, fails)
    assert alerted.database.one(TextRow).state == "failed"


def test_a_receipt_waits_for_the_acknowledgement(alerted: Watch) -> None:
    alerted.deliver()
    attempt = alerted.database.one(TextAttemptRow)

    def receive() -> None:
        take_receipt(
            alerted.sessions, attempt_id=attempt.id, provider_id="recording-1",
            status=DeliveryStatus.UNDELIVERED, word="undelivered", error_code=None,
            fault=Fault.TRANSIENT, now=alerted.clock(),
        )  # fmt: skip

    meets_an_acknowledgement(alerted, receive)
    assert alerted.database.one(TextRow).delivery == "undelivered"
