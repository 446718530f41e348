"""Whose turn it is to be judged, however many marks there are."""

from datetime import timedelta

import pytest
from case_files import START, one_more_wearer
from faulty_days import device_id
from sqlalchemy import insert
from watch import VOICE

from navigate_safer.db import pending
from navigate_safer.db.pending import FIRST_RETRY, MOST_MARKS_LOOKED_AT
from navigate_safer.db.telemetry import TERMS, PendingRow
from navigate_safer.services import monitor

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


def test_a_device_with_more_marks_than_a_statement_can_name_is_judged(watch, tags):
    """A device that floods while nobody judges leaves some dozens a second."""
    with watch.sessions.begin() as session:
        rows = [{"device_id": tags[0], "earliest_at": START}] * 66_000
        session.execute(insert(PendingRow), rows)
    judged = monitor.judge_next(watch.sessions, NOW, VOICE)
    assert (judged.device_id, judged.failed) == (tags[0], None)
    assert watch.database.count(PendingRow) == 1


def test_a_device_that_cannot_be_judged_has_one_mark_for_all_that_waits(watch, tags):
    """Or each try would cost the others more, for as long as it goes on."""
    earlier = START - timedelta(days=2)
    with watch.sessions.begin() as session:
        row = {"device_id": tags[0], "earliest_at": earlier, "cause": TERMS}
        session.execute(insert(PendingRow), [row])
    with watch.sessions.begin() as session:
        pending.put_off(session, tags[0], NOW, "RuleFailed: place")
    [mark, other] = watch.database.all(PendingRow)
    assert (mark.earliest_at, mark.failures, mark.cause) == (earlier, 1, TERMS)
    assert (mark.not_before, mark.fault) == (NOW + FIRST_RETRY, "RuleFailed: place")
    assert (other.device_id, other.failures) == (tags[1], 0)
    with watch.sessions.begin() as session:
        pending.put_off(session, tags[0], NOW, "RuleFailed: place")
    assert watch.database.all(PendingRow)[0].not_before == NOW + 2 * FIRST_RETRY
