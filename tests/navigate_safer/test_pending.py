"""Whose turn it is to be judged, however many marks there are."""

from datetime import timedelta

import pytest
from case_files import START, one_more_wearer
from faulty_days import device_id
from sqlalchemy import insert

from navigate_safer.db import pending
from navigate_safer.db.pending import MOST_MARKS_LOOKED_AT
from navigate_safer.db.telemetry import PendingRow

NOW = START + timedelta(hours=1)


@pytest.fixture
def tags(watch):
    """Two devices: the first with more marks than a claim looks at, the second with one."""
    watch.register(one_more_wearer(0))
    first, second = device_id(watch.database, "TAG-1"), device_id(watch.database, "TAG-X0")
    marks = [first] * (MOST_MARKS_LOOKED_AT + 5) + [second]
    with watch.sessions.begin() as session:
        rows = [{"device_id": each, "earliest_at": START} for each in marks]
        session.execute(insert(PendingRow), rows)
    return first, second


def claimed(watch, *at_work):
    with watch.sessions.begin() as session:
        return pending.claim(session, NOW, at_work)


def test_the_device_of_the_oldest_mark_comes_first(watch, tags):
    assert claimed(watch) == tags[0]


def test_who_is_at_work_elsewhere_does_not_hide_the_others_by_many_marks(watch, tags):
    first, second = tags
    assert claimed(watch, first) == second
    assert claimed(watch, first, second) is None


def test_marks_whose_time_has_not_come_hide_nobody(watch, tags):
    with watch.sessions.begin() as session:
        later = NOW + timedelta(minutes=5)
        rows = session.query(PendingRow).filter(PendingRow.device_id == tags[0])
        rows.update({"not_before": later})
    assert claimed(watch) == tags[1]


def test_that_a_whole_region_is_at_work_hides_nobody(watch, tags):
    """PostgreSQL takes 65,535 parameters in a statement."""
    others = range(1_000_000, 1_070_000)
    assert claimed(watch, *others) == tags[0]
    assert claimed(watch, tags[0], *others) == tags[1]
