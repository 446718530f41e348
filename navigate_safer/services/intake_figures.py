"""What a committed batch of intake means in figures."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from devices.columns import NO_TIME_US, Arrived, FixColumns
from devices.quality import Doubt
from navigate_safer import metrics
from navigate_safer.db.packed import micros_of
from navigate_safer.metrics import GatewayBatch
from navigate_safer.services.fleet import Fleet
from navigate_safer.services.ingest import BatchResult

_SECOND_US = 1_000_000


def note(
    partition: str,
    messages: Sequence[Arrived],
    result: BatchResult,
    fleet: Fleet,
    committed_at: datetime,
) -> dict[str | None, GatewayBatch]:
    """Count a batch that has just been committed; what each gateway brought of it."""
    by_gateway = _by_gateway(messages, result, fleet)
    metrics.taken(by_gateway)
    metrics.stored(
        partition, len(messages), result.stored, result.repeated, committed_at.timestamp()
    )
    metrics.steps(result.seconds)
    metrics.refused(result.refused_by_reason)
    metrics.judged(on_arrival=result.devices_on_arrival)
    if result.fixes is not None and len(result.fixes):
        _note_fixes(result.fixes)
    if result.judged_us is not None and len(result.judged_us):
        judged_s = committed_at.timestamp() - result.judged_us / _SECOND_US
        metrics.receipt_to_judged_seconds.observe(judged_s)
    return by_gateway


def _by_gateway(
    messages: Sequence[Arrived], result: BatchResult, fleet: Fleet
) -> dict[str | None, GatewayBatch]:
    counts = np.zeros(len(messages), dtype=np.int64)
    sent_us = np.zeros(len(messages), dtype=np.int64)
    fixes = result.fixes
    if fixes is not None:
        counts += np.bincount(fixes.message, minlength=len(messages))
        sent_us[fixes.message] = np.where(fixes.sent_us == NO_TIME_US, 0, fixes.sent_us)
    gateways = fleet.gateways_of([message.topic for message in messages])
    for place, brought in result.others.items():
        # The fleet reads the gateways with the first fix of the plain kind, and some bring none.
        gateways[place], counts[place] = brought.gateway, brought.readings
        sent_us[place] = 0 if brought.sent_at is None else micros_of(brought.sent_at)
    places: dict[str | None, list[int]] = {}
    for place, gateway in enumerate(gateways):
        places.setdefault(gateway, []).append(place)
    found: dict[str | None, GatewayBatch] = {}
    for gateway, own in places.items():
        batch = found[gateway] = GatewayBatch()
        batch.messages, batch.readings = len(own), int(counts[own].sum())
        batch.last_received_at = messages[own[-1]].received_at.timestamp()
        batch.last_sent_at = int(sent_us[own[-1]]) / _SECOND_US
    return found


def _note_fixes(fixes: FixColumns) -> None:
    sent = fixes.sent_us != NO_TIME_US
    delay_us = (fixes.received_us - fixes.sent_us)[sent]
    metrics.publish_to_receipt_seconds.observe(delay_us / _SECOND_US)
    metrics.doubted(
        {
            str(doubt.name).lower(): int(np.count_nonzero(fixes.doubts & int(doubt)))
            for doubt in Doubt
        }
    )
