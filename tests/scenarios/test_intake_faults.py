"""What devices and gateways do wrong: nothing lost, nothing doubled, others unharmed."""

import threading
from datetime import timedelta

from case_files import (
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    fix,
    message,
)
from faulty_days import HOUR, VISIT, breaches_of, fixes_of, heard, path

from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.services import ingest
from navigate_safer.services.arrivals import Arrivals
from navigate_safer.services.ingest import Message

# A device with two clocks


def test_a_device_with_two_clocks_keeps_both_and_is_judged_by_all_of_it(watch):
    """Every other message is measured three hours behind, under the same running number."""
    heard(watch, "TAG-X0", "TAG-X1")
    both = []
    for n in range(30):
        now = START + n * MINUTE
        right = fix(now, INSIDE if n in VISIT else OUTSIDE)
        behind = fix(now - 3 * HOUR, Place(OUTSIDE.lat + n * 1e-6, OUTSIDE.lon))
        for reading in (right, behind):
            one = message("TAG-X0", reading, seq=n, received_at=now + timedelta(seconds=2))
            other = message("TAG-X1", fix(now, OUTSIDE), received_at=now + timedelta(seconds=2))
            both.append(one)
            watch.receive(one, other)
            judged = watch.judge()
            assert len(judged) <= 1, "the device is judged once for what it sent, and rests"
            assert not [each for each in judged if each.failed]
    assert len(fixes_of(watch.database, "TAG-X0")) == 2 + len(both)
    assert {row.variant for row in fixes_of(watch.database, "TAG-X0")} == {0}
    [(began, ended)] = breaches_of(watch.database, "TAG-X0")
    assert START + 19 * MINUTE <= began < ended <= START + 27 * MINUTE
    assert breaches_of(watch.database, "TAG-X1") == []
    assert watch.database.count(AlertRow) == len(
        [each for each in watch.database.all(EpisodeRow) if each.kind == "exclusion_breach"]
    )


def test_two_clocks_give_the_episodes_that_the_same_readings_in_order_give(watch):
    heard(watch, "TAG-X0", "TAG-X1")
    readings = path(range(60)) + path(range(60), START - 4 * HOUR)
    mixed = [readings[n // 2 + n % 2 * 60] for n in range(120)]
    received_at = START + 2 * HOUR
    for n in range(0, 120, 10):
        watch.receive(message("TAG-X0", *mixed[n : n + 10], received_at=received_at))
        watch.judge()
    in_order = sorted(readings, key=lambda each: each["at"])
    watch.receive(message("TAG-X1", *in_order, received_at=received_at))
    watch.judge()
    assert breaches_of(watch.database, "TAG-X0") == breaches_of(watch.database, "TAG-X1") != []


# The same from two gateways


def uploads(gateway: str, tag: str = "TAG-X0") -> list[Message]:
    """An hour in messages of ten minutes."""
    return [
        message(tag, *path(range(n, n + 10)), gateway=gateway, received_at=START + HOUR)
        for n in range(0, 60, 10)
    ]


def test_an_hour_from_two_gateways_in_turns_is_stored_and_judged_once(watch):
    """Two workers of intake, each with what it has at hand of the device."""
    heard(watch, "TAG-X0")
    workers = [Arrivals(), Arrivals()]
    for pair in zip(uploads("gw-west"), uploads("gw-east"), strict=True):
        for worker, upload in zip(workers, pair, strict=True):
            watch.arrivals = worker
            watch.receive(upload)
        watch.judge()
    assert len(fixes_of(watch.database, "TAG-X0")) == 2 + 60
    assert {row.variant for row in fixes_of(watch.database, "TAG-X0")} == {0}
    assert len(breaches_of(watch.database, "TAG-X0")) == 1
    assert watch.database.count(EpisodeRow, EpisodeRow.withdrawn.is_(True)) == 0


def test_alternate_fixes_through_two_workers_are_judged_in_order(watch):
    heard(watch, "TAG-X0")
    workers = [Arrivals(), Arrivals()]
    for n, reading in enumerate(path(range(60))):
        watch.arrivals = workers[n % 2]
        watch.receive(message("TAG-X0", reading))
        watch.judge()
    [(began, ended)] = breaches_of(watch.database, "TAG-X0")
    assert START + 19 * MINUTE <= began < ended <= START + 27 * MINUTE


def test_an_hour_from_two_gateways_at_the_same_moment_is_stored_and_judged_once(watch):
    tags = [f"TAG-X{n}" for n in range(8)]
    heard(watch, *tags)
    ready, results, faults = threading.Barrier(2), [], []

    def work(gateway: str, order: list[str]) -> None:
        arrivals = Arrivals()
        try:
            for n in range(6):
                batch = [uploads(gateway, tag)[n] for tag in order]
                ready.wait(20)
                results.append(
                    ingest.store_batch(
                        watch.sessions, batch, START + HOUR, watch.limits, arrivals=arrivals
                    )
                )
        except Exception as fault:
            faults.append(fault)
            ready.abort()

    watch.clock.not_before(START + HOUR)
    threads = [
        threading.Thread(target=work, args=("gw-west", tags)),
        threading.Thread(target=work, args=("gw-east", tags[::-1])),
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert faults == []
    watch.judge()
    assert sum(each.stored for each in results) == len(tags) * 60
    assert sum(each.refused for each in results) == watch.database.count(QuarantineRow) == 0
    for tag in tags:
        assert {row.variant for row in fixes_of(watch.database, tag)} == {0}
        assert len(fixes_of(watch.database, tag)) == 2 + 60
        assert len(breaches_of(watch.database, tag)) == 1
