"""What intake knows of every device before the first one reports."""

from case_files import OUTSIDE, START, one_more_wearer, walk
from watch import Watch

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
