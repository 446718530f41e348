"""What the alcohol chart draws beside the readings: gaps, and when the monitor was on charge."""

from builders import at

from navigate_safer.db.tracks import Charge, Sample
from navigate_safer.services.alcohol_picture import charging, gaps


def spans(found):
    return [(each.from_at, each.to_at, each.kind) for each in found]


def test_readings_ninety_minutes_apart_are_neighbours_and_further_apart_are_not():
    samples = [Sample(at(minute), 0.0, None, None) for minute in (0, 90, 181, 211)]
    assert spans(gaps(samples, 5_400)) == [(at(90), at(181), "gap")]
    assert gaps([], 5_400) == gaps(samples[:1], 5_400) == []


def test_a_charge_lasts_from_the_first_reading_on_the_charger_to_the_first_off_it():
    told = [(0, False), (30, True), (60, True), (90, False), (120, True), (150, True)]
    charges = [Charge(at(minute), 50, on) for minute, on in told]
    assert spans(charging(charges)) == [
        (at(30), at(90), "charging"),
        (at(120), at(150), "charging"),
    ]
    # One reading on the charger says nothing of how long.
    assert charging(charges[:2]) == charging([]) == []
