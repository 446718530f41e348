"""A backlog, newest first, and messages with very much in them: others do not wait for it."""

import threading
from datetime import timedelta

import pytest
from case_files import (
    FITTED_AT,
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    battery,
    fix,
    message,
    one_more_wearer,
    walk,
)
from faulty_days import HOUR, breaches_of, device_id, fixes_of, heard, path
from sqlalchemy import update
from watch import VOICE, Watch

from navigate_safer.db.people import ConditionRow, FittingRow
from navigate_safer.db.telemetry import PendingRow, QuarantineRow
from navigate_safer.services import monitor
from navigate_safer.services.arrivals import MOST_STEPPED
from navigate_safer.services.ingest import Message
from navigate_safer.services.stretch import LONGEST_AT_ONCE

# A backlog, newest first

DAYS = 3


def backlog(tag: str) -> list[Message]:
    """So many days in messages of an hour, the newest first."""
    begin = START - DAYS * 24 * HOUR
    return [
        message(tag, *path(range(hour * 60, hour * 60 + 60), begin), received_at=START)
        for hour in reversed(range(DAYS * 24))
    ]


# A month at a fix each nine minutes is as many fixes as three days at one a minute.
MONTH_DAYS = 31
EVERY = 9 * MINUTE
FIXES_IN_MESSAGE = 40
MESSAGES = MONTH_DAYS * 24 * HOUR // (EVERY * FIXES_IN_MESSAGE)


def month(tag: str) -> list[Message]:
    """A month in messages of six hours with one visit each, the newest first."""
    begin = START - MONTH_DAYS * 24 * HOUR
    places = [INSIDE if n % FIXES_IN_MESSAGE in range(10, 18) else OUTSIDE
              for n in range(MESSAGES * FIXES_IN_MESSAGE)]  # fmt: skip
    readings = [
        fix(begin + n * EVERY, Place(near.lat + n * 1e-7, near.lon))
        for n, near in enumerate(places)
    ]
    return [
        message(tag, *readings[n : n + FIXES_IN_MESSAGE], received_at=START)
        for n in reversed(range(0, len(readings), FIXES_IN_MESSAGE))
    ]


@pytest.fixture
def with_backlog(watch):
    """Two tags fitted before the backlog begins, TAG-1 that reports all the time."""
    watch.register(one_more_wearer(0))
    watch.register(one_more_wearer(1))
    with watch.sessions.begin() as session:
        session.execute(update(FittingRow).values(fitted_at=FITTED_AT - 40 * 24 * HOUR))
        session.execute(update(ConditionRow).values(from_at=FITTED_AT - 40 * 24 * HOUR))
        session.execute(
            update(FittingRow)
            .where(FittingRow.removed_at.is_not(None))
            .values(removed_at=FITTED_AT - 39 * 24 * HOUR)
        )
    watch.clock.at = START - MINUTE
    return watch


def test_a_month_newest_first_is_stored_whole_and_judged_as_if_oldest_first(with_backlog):
    watch = with_backlog
    newest_first = month("TAG-X0")
    for n in range(0, len(newest_first), 42):
        watch.receive(*newest_first[n : n + 42])
        watch.judge()
    for each in reversed(month("TAG-X1")):
        watch.receive(each)
    watch.judge()
    fixes = MESSAGES * FIXES_IN_MESSAGE
    stored = fixes_of(watch.database, "TAG-X0")
    assert len(stored) == fixes
    assert (
        max(row.taken_at for row in stored) - min(row.taken_at for row in stored) > 30 * 24 * HOUR
    )
    assert {row.variant for row in stored} == {0}
    assert len(breaches_of(watch.database, "TAG-X0")) == MESSAGES
    assert breaches_of(watch.database, "TAG-X0") == breaches_of(watch.database, "TAG-X1")
    assert watch.database.count(PendingRow) == 0
    # Sent again from the other end it is known.
    again = [watch.receive(each) for each in reversed(newest_first)]
    assert sum(each.stored for each in again) == 0
    assert sum(each.repeated for each in again) == fixes


def test_a_long_backlog_is_handed_over_and_the_others_are_judged_meanwhile(with_backlog):
    watch = with_backlog
    assert DAYS * 24 * 60 > LONGEST_AT_ONCE
    watch.receive(*backlog("TAG-X0"))
    watch.receive(*walk("TAG-1", OUTSIDE, INSIDE))
    left: list[int] = []

    def next_one():
        return monitor.judge_next(
            watch.sessions, watch.clock(), VOICE, at_work=left, leave=left.append
        )

    assert next_one().left
    judged = next_one()
    assert (judged.device_id, judged.left) == (device_id(watch.database, "TAG-1"), False)
    assert len(breaches_of(watch.database, "TAG-1")) == 1
    assert next_one() is None
    assert left == [device_id(watch.database, "TAG-X0")]
    done = monitor.judge_long(watch.sessions, left.pop(), watch.clock(), VOICE)
    assert (done.readings, done.failed) == (DAYS * 24 * 60, None)
    assert next_one() is None
    assert len(breaches_of(watch.database, "TAG-X0")) == DAYS * 24


def test_readings_that_come_while_a_backlog_is_worked_out_are_judged_after_it(with_backlog):
    """They come from the side: between the long look at what is stored and the short write."""
    watch = with_backlog
    messages = backlog("TAG-X0")
    watch.receive(*messages[:60])
    tag = device_id(watch.database, "TAG-X0")
    done = threading.Event()

    def voice_of_the_side():
        """Called when the judge reads the time: the older part comes just then."""
        watch.receive(*messages[60:])
        done.set()

    _judge_with(watch, tag, voice_of_the_side)
    assert done.is_set()
    assert watch.database.count(PendingRow) > 0
    watch.judge()
    watch.receive(*reversed(backlog("TAG-X1")))
    watch.judge()
    assert breaches_of(watch.database, "TAG-X0") == breaches_of(watch.database, "TAG-X1")


def _judge_with(watch: Watch, tag: int, meanwhile) -> None:
    """Judge a device in the two steps of :func:`monitor.judge_long`, something in between."""

    class Between:
        """Sessions that let something happen before the first transaction that writes."""

        def __call__(self):
            return watch.sessions()

        def begin(self):
            meanwhile_once = self.__dict__.pop("todo", None)
            if meanwhile_once is not None:
                meanwhile_once()
            return watch.sessions.begin()

    sessions = Between()
    sessions.todo = meanwhile
    assert monitor.judge_long(sessions, tag, watch.clock(), VOICE).failed is None


# One message with very much in it


def test_fifty_thousand_readings_in_one_message_are_stored_and_judged(with_backlog):
    watch = with_backlog
    begin = START - timedelta(seconds=5 * 50_000)
    readings = [
        fix(begin + timedelta(seconds=5 * n), INSIDE if n % 10_000 in range(5_000, 5_200)
            else OUTSIDE)
        for n in range(50_000)
    ]  # fmt: skip
    one = message("TAG-X0", *readings, received_at=START)
    neighbour = walk("TAG-1", OUTSIDE)
    result = watch.receive(*neighbour, one)
    assert (result.stored, result.refused) == (50_001, 0)
    watch.judge()
    assert len(breaches_of(watch.database, "TAG-X0")) == 5
    assert watch.receive(one).repeated == 50_000


def test_a_device_that_brings_much_while_it_is_heard_does_not_hold_intake_up(watch):
    heard(watch, "TAG-X0", "TAG-X1")
    much = message("TAG-X0", *path(range(MOST_STEPPED + 1)))
    little = message("TAG-X1", *path(range(3)), received_at=much.received_at)
    result = watch.receive(much, little)
    assert (result.stored, result.on_arrival) == (MOST_STEPPED + 4, 3)
    watch.judge()
    assert len(breaches_of(watch.database, "TAG-X0")) == 9


def test_a_message_of_bad_readings_only_is_kept_and_costs_its_neighbours_nothing(watch):
    heard(watch, "TAG-X0")
    bad = message("TAG-X0", *[{**fix(START, OUTSIDE), "lat": 91}] * 5_000)
    result = watch.receive(bad, *walk("TAG-1", OUTSIDE))
    assert (result.stored, result.refused) == (1, 5_000)
    assert watch.database.one(
        QuarantineRow, QuarantineRow.payload_bytes == len(bad.payload),
        QuarantineRow.reading_index == 0,
    ).payload == bad.payload  # fmt: skip
    assert watch.receive(message("TAG-X0", battery(START, 90))).stored == 1
