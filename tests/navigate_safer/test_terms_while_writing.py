"""An officer changes the terms of a tag at the moment in which intake writes a batch of it."""

import threading
from datetime import timedelta

from case_files import OUTSIDE, START, walk
from sqlalchemy import select, text, update

from navigate_safer.db.people import OrderRow, WearerRow
from navigate_safer.db.telemetry import DeviceLatestRow
from navigate_safer.services import zones

# Only so long as a machine that is very busy needs; nothing waits for it where it works.
PATIENCE_S = 30.0


def test_the_change_waits_for_the_batch_and_is_not_refused(watch):
    """On SQLite whoever writes waits for the other in any case."""
    watch.hear(*walk("TAG-1", OUTSIDE, OUTSIDE))
    with watch.sessions() as session:
        of_w1 = OrderRow.wearer_id == WearerRow.id
        orders = list(session.scalars(select(OrderRow.id).join(WearerRow, of_w1)))
    before = watch.database.one(DeviceLatestRow, DeviceLatestRow.position_at.is_not(None)).turn
    asked, done = threading.Event(), threading.Event()

    def change() -> None:
        with watch.sessions.begin() as session:
            asked.set()
            zones.judge_anew(session, orders, START + timedelta(hours=1))
        done.set()

    officer = threading.Thread(target=change)
    with watch.sessions.begin() as session:
        if watch.database.kind == "postgresql":
            session.execute(update(DeviceLatestRow).values(fix_quality=1))
            officer.start()
            assert asked.wait(PATIENCE_S)
            _until_it_waits(watch, officer)
            assert not done.is_set()
    if watch.database.kind != "postgresql":
        officer.start()
    officer.join(PATIENCE_S)
    assert done.is_set()
    after = watch.database.one(DeviceLatestRow, DeviceLatestRow.position_at.is_not(None)).turn
    assert after == before + 1


def _until_it_waits(watch, officer: threading.Thread) -> None:
    """Until the database says that somebody waits for a lock, or the officer's thread has ended."""
    waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
    while officer.is_alive():
        with watch.sessions() as session:
            if session.scalar(waiting):
                return
