"""What each gateway brought is counted for it, whatever the format of its messages."""

from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, START, alcohol, battery, fix, message, walk
from msgspec import json
from watch import Watch

from navigate_safer import metrics
from navigate_safer.db.telemetry import PendingRow
from navigate_safer.services import ingest, intake_figures
from navigate_safer.services.arrivals import Arrivals
from navigate_safer.services.ingest import Message

SUPPLIER = {"position_gps_date": "2026-11-20 20:59:00", "position_latitude": OUTSIDE.lat,
            "position_longitude": OUTSIDE.lon, "position_uploaded_date": "2026-11-20 20:59:58",
            "device_id": "TAG-1"}  # fmt: skip
PHONE = {"_type": "location", "lat": OUTSIDE.lat, "lon": OUTSIDE.lon, "acc": 5, "batt": 80,
         "tst": int(START.timestamp())}  # fmt: skip


def brought(watch: Watch, *messages: Message):
    """As intake counts a batch."""
    arrivals = Arrivals()
    result = ingest.store_batch(
        watch.sessions, messages, watch.clock(), watch.limits, arrivals=arrivals
    )
    return intake_figures.note("0", messages, result, arrivals.fleet, watch.clock())


@pytest.mark.parametrize(
    ("sent", "readings"),
    [
        pytest.param(Message("mdss/v1/gw-west/TAG-1", json.encode({"positions": [SUPPLIER] * 3}),
                             START), 3, id="a list of the supplier's"),
        pytest.param(Message("owntracks/gw-west/TAG-1", json.encode(PHONE), START), 2,
                     id="a telephone's"),
        pytest.param(message("MON-1", alcohol(START, 0.0), alcohol(START, 0.01)), 2,
                     id="an alcohol monitor's"),
        pytest.param(message("TAG-1", fix(START, OUTSIDE), battery(START, 50)), 2,
                     id="a position with a charge"),
        pytest.param(Message("status/v1/gw-west", b"online", START), 0, id="its own word"),
        pytest.param(Message("telemetry/v1/gw-west/TAG-1", b"{", START), 0, id="what is cut off"),
    ],
)  # fmt: skip
def test_a_gateway_that_brings_no_plain_fix_is_counted_by_its_name(watch, sent, readings):
    found = brought(watch, sent)
    assert {name: (each.messages, each.readings) for name, each in found.items()} == {
        "gw-west": (1, readings)
    }


def judged_on_arrival() -> float:
    return sum(
        sample.value
        for family in metrics.receipt_to_judged_seconds.collect()
        for sample in family.samples
        if sample.name.endswith("_count")
    )


def test_what_still_waits_to_be_judged_is_in_no_figure_of_the_time_to_judgement(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, OUTSIDE, OUTSIDE))
    before, at = judged_on_arrival(), watch.clock.forward(minutes=1)
    brought(watch, message("TAG-1", fix(at, OUTSIDE)))
    assert watch.database.count(PendingRow) == 0
    assert judged_on_arrival() == before + 1
    brought(watch, message("TAG-1", fix(watch.clock.forward(minutes=1), INSIDE)))
    assert watch.database.count(PendingRow) == 1, "a breach is for the monitor to judge"
    assert judged_on_arrival() == before + 1


def test_plain_fixes_and_other_messages_of_one_batch_are_added_up(watch):
    late = fix(START - timedelta(hours=2), INSIDE)
    found = brought(
        watch,
        message("TAG-1", fix(START, OUTSIDE), sent_at=START.isoformat()),
        message("TAG-2", late, fix(START, OUTSIDE), gateway="gw-east"),
        Message("mdss/v1/gw-west/TAG-1", json.encode(SUPPLIER), START),
        message("TAG-1", fix(START, OUTSIDE), gateway="gw-moon"),
    )
    counted = {name: (each.messages, each.readings) for name, each in found.items()}
    assert counted == {"gw-west": (2, 2), "gw-east": (1, 2), None: (1, 1)}
    assert found["gw-west"].last_sent_at == (START - timedelta(seconds=2)).timestamp()
