"""Late readings come at the moment in which their day of compliance is worked out."""

from datetime import date, timedelta

import pytest
from case_files import MINUTE, OUTSIDE, START, fix, message, one_more_wearer, walk
from watch import Watch

from alerts.compliance import day_span
from navigate_safer.db.compliance import ComplianceDayRow
from navigate_safer.db.people import WearerRow
from navigate_safer.services import compliance

TAG = "TAG-X0"
DAY = date(2026, 11, 20)


class JustBefore:
    """Sessions that let something happen just before the first transaction that writes."""

    def __init__(self, watch: Watch, happen) -> None:
        self._sessions, self._happen = watch.sessions, happen

    def __call__(self):
        return self._sessions()

    def begin(self):
        happen, self._happen = self._happen, lambda: None
        happen()
        return self._sessions.begin()


@pytest.fixture
def gone_by(watch):
    """The tag was heard for an hour of a day that is over, and then was out of coverage."""
    watch.register(one_more_wearer(0))
    watch.hear(*walk(TAG, *[OUTSIDE] * 60))
    watch.clock.not_before(day_span(DAY).end + timedelta(hours=9))
    return watch


def work_out(watch: Watch, sessions) -> None:
    """A round of the schedule over the wearer."""
    wearer_id = watch.database.one(WearerRow, WearerRow.ref == "W-X0").id
    compliance.work_out_next(sessions, watch.clock(), wearer_id - 1)


def kept_minutes(watch: Watch) -> list[int]:
    rows = watch.database.all(ComplianceDayRow, ComplianceDayRow.day == DAY)
    return [row.compliant_s // 60 for row in rows]


def an_hour_late(watch: Watch):
    late = [fix(START + n * MINUTE, OUTSIDE) for n in range(60, 120)]
    return message(TAG, *late, received_at=watch.clock())


@pytest.mark.parametrize("judged", [True, False], ids=["and are judged", "and wait"])
def test_a_day_does_not_stay_as_it_was_before_readings_that_came_meanwhile(gone_by, judged):
    def come() -> None:
        gone_by.receive(an_hour_late(gone_by))
        if judged:
            gone_by.judge()

    work_out(gone_by, JustBefore(gone_by, come))
    gone_by.judge()
    work_out(gone_by, gone_by.sessions)
    [minutes] = kept_minutes(gone_by)
    assert minutes >= 118


def test_a_day_is_not_kept_while_readings_of_it_wait_to_be_judged(gone_by):
    gone_by.arrivals = None
    gone_by.receive(an_hour_late(gone_by))
    work_out(gone_by, gone_by.sessions)
    assert kept_minutes(gone_by) == []
    gone_by.judge()
    work_out(gone_by, gone_by.sessions)
    [minutes] = kept_minutes(gone_by)
    assert minutes >= 118


def test_a_day_of_which_nothing_came_meanwhile_is_kept(gone_by):
    work_out(gone_by, JustBefore(gone_by, lambda: None))
    [minutes] = kept_minutes(gone_by)
    assert 58 <= minutes <= 62


def test_readings_of_a_day_that_is_over_take_back_that_day_of_their_wearer_and_no_other(gone_by):
    """Judged as they arrive: no turn of the monitor is needed for it."""
    gone_by.register(one_more_wearer(1))
    for ref in ("W-X0", "W-X1"):
        wearer_id = gone_by.database.one(WearerRow, WearerRow.ref == ref).id
        compliance.work_out_next(gone_by.sessions, gone_by.clock(), wearer_id - 1)
    assert len(kept_minutes(gone_by)) == 2
    assert gone_by.receive(an_hour_late(gone_by)).on_arrival == 60
    other = gone_by.database.one(WearerRow, WearerRow.ref == "W-X1").id
    kept = gone_by.database.all(ComplianceDayRow, ComplianceDayRow.day == DAY)
    assert {row.wearer_id for row in kept} == {other}
