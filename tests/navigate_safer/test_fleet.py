"""What intake knows of every device before the first one reports."""

from itertools import islice

from case_files import OUTSIDE, START, one_more_wearer, walk
from sqlalchemy import insert
from watch import Watch

from navigate_safer.db.people import DeviceRow
from navigate_safer.services import ingest
from navigate_safer.services.arrivals import Arrivals


def started_anew(watch: Watch) -> Arrivals:
    """Intake as it is after a start, with the whole fleet read."""
    watch.arrivals = Arrivals()
    assert list(watch.arrivals.fleet.read_all(watch.sessions, watch.clock()))
    return watch.arrivals


def test_every_registered_device_is_known_after_a_start(watch):
    fleet = started_anew(watch).fleet
    assert {"TAG-1", "TAG-LENT"} <= set(fleet.names)
    assert len(fleet) == len(set(fleet.names))


def test_a_device_in_calm_is_judged_on_arrival_by_its_first_message_after_a_start(watch):
    first, second, third = walk("TAG-1", OUTSIDE, OUTSIDE, OUTSIDE)
    watch.hear(first, second)
    started_anew(watch)
    assert watch.receive(third).on_arrival == 1


def test_what_was_judged_between_reading_and_the_first_message_is_not_overwritten(watch):
    """Another intake, or the monitor, was at work: the database has the last word."""
    first, second, third, fourth = walk("TAG-1", OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE)
    watch.hear(first, second)
    fleet_of_before = started_anew(watch)
    watch.arrivals = Arrivals()
    watch.receive(third)
    result = ingest.store_batch(
        watch.sessions, [fourth], fourth.received_at, watch.limits, arrivals=fleet_of_before
    )
    assert (result.stored, result.on_arrival) == (1, 0)
    assert len(watch.judge()) == 1


def test_a_device_that_is_registered_later_is_read_when_it_reports(watch):
    arrivals = started_anew(watch)
    watch.register(one_more_wearer(77))
    assert "TAG-X77" not in arrivals.fleet.names
    assert watch.receive(*walk("TAG-X77", OUTSIDE, start=START)).stored == 1
    assert "TAG-X77" in arrivals.fleet.names


def test_a_fleet_of_nobody_is_read(database):
    assert list(Arrivals().fleet.read_all(database.sessions, START)) == []


def test_ids_far_apart_do_not_make_a_start_long(watch):
    """As in a database that was put together from two."""
    far = 2**40
    with watch.sessions.begin() as session:
        row = {"id": far, "ref": "TAG-FAR", "kind": "location_tag", "model": "tag"}
        session.execute(insert(DeviceRow), [row])
    fleet = Arrivals().fleet
    assert list(islice(fleet.read_all(watch.sessions, START), 3)) == [6]
    assert "TAG-FAR" in fleet.names
