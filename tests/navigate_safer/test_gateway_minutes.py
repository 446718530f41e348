"""What each gateway brought in each minute, gathered by intake and shown on the Service page."""

from datetime import timedelta

import pytest
from case_files import START

from navigate_safer.db import gateway_minutes as stored
from navigate_safer.metrics import GatewayBatch
from navigate_safer.services import gateway_minutes
from navigate_safer.services.gateway_minutes import KEPT, Minutes

MINUTE = START.replace(second=0, microsecond=0)


def batch(messages, *, after_s=0.0, delay_s=1.0, readings=None):
    made = GatewayBatch()
    made.messages, made.readings = messages, readings or messages
    made.last_received_at = (MINUTE + timedelta(seconds=after_s)).timestamp()
    made.last_sent_at = made.last_received_at - delay_s if delay_s is not None else 0.0
    return made


def minutes_of(database, from_at=MINUTE - timedelta(hours=1)):
    with database.sessions() as session:
        return stored.since(session, from_at)


def test_batches_of_one_minute_are_one_row_with_the_middle_and_the_worst_delay(database):
    own = Minutes("a")
    for delay_s in (1.0, 2.0, 9.0):
        own.take({"gw-west": batch(5, delay_s=delay_s, readings=7)})
    own.write(database.sessions)
    (minute,) = minutes_of(database)
    assert (minute.gateway, minute.minute_at) == ("gw-west", MINUTE)
    assert (minute.messages, minute.readings) == (15, 21)
    assert (minute.delay_median_s, minute.delay_worst_s) == pytest.approx((2.0, 9.0))


def test_a_minute_that_goes_on_is_written_again_and_not_added_twice(database):
    own = Minutes("a")
    own.take({"gw-west": batch(5)})
    own.write(database.sessions)
    own.take({"gw-west": batch(5, after_s=30)})
    own.write(database.sessions)
    own.write(database.sessions)
    assert [each.messages for each in minutes_of(database)] == [10]


def test_two_processes_of_intake_are_added_up(database):
    for instance in ("a", "b"):
        own = Minutes(instance)
        own.take({"gw-west": batch(5)})
        own.write(database.sessions)
    assert [each.messages for each in minutes_of(database)] == [10]


def test_minutes_follow_each_other_and_those_that_are_over_are_forgotten(database):
    own = Minutes("a")
    for after_s in (0, 60, 120):
        own.take({"gw-west": batch(1, after_s=after_s), "gw-east": batch(2, after_s=after_s)})
        own.write(database.sessions)
    found = minutes_of(database)
    assert [(each.gateway, each.messages) for each in found] == [("gw-east", 2)] * 3 + [
        ("gw-west", 1)
    ] * 3


def test_a_message_without_a_time_of_sending_or_a_known_gateway_has_no_delay_or_no_row(database):
    own = Minutes("a")
    own.take({None: batch(5), "gw-west": batch(1, delay_s=None)})
    own.write(database.sessions)
    (minute,) = minutes_of(database)
    assert (minute.gateway, minute.delay_median_s) == ("gw-west", None)


def test_old_minutes_are_dropped(database):
    own = Minutes("a")
    own.take({"gw-west": batch(1)})
    own.write(database.sessions)
    gateway_minutes.prune(database.sessions, MINUTE + KEPT)
    assert len(minutes_of(database)) == 1
    gateway_minutes.prune(database.sessions, MINUTE + KEPT + timedelta(seconds=1))
    assert minutes_of(database) == []
