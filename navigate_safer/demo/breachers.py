"""Invented wearers each of whom breaks one condition by one fix: for benchmarks."""

from datetime import datetime, timedelta

from alerts.finding import Severity
from alerts.terms import ConditionKind
from devices.simulator import message
from navigate_safer.demo import example
from navigate_safer.people.casefile import (
    CaseFile,
    ConditionEntry,
    Device,
    Fitting,
    OrderEntry,
    Wearer,
)

PREFIX = "BENCH-"


def device(number: int) -> str:
    """The tag of one of them."""
    return f"{PREFIX}{number:05d}"


def breach(number: int, at: datetime) -> tuple[str, bytes]:
    """Topic and message of the fix inside the zone that is the breach of one of them."""
    lat, lon = example.INSIDE
    fix: dict[str, object] = {
        "kind": "fix",
        "at": at.isoformat(),
        "lat": lat,
        "lon": lon,
        "accuracy_m": 8,
    }
    topic = f"telemetry/v1/{example.GATEWAY}/{device(number)}"
    return topic, message(device(number), number, at, [fix])


def wearers(count: int, start: datetime, area: str) -> CaseFile:
    """So many of them, fitted a day before ``start``; the zone is :data:`example.ZONE`."""
    return CaseFile(
        v=1,
        devices=[Device(device(number), "bench") for number in range(count)],
        wearers=[_wearer(number, start, area) for number in range(count)],
    )


def _wearer(number: int, start: datetime, area: str) -> Wearer:
    condition = ConditionEntry(
        ref=f"bench-{number}",
        clause="Licence 15",
        kind=ConditionKind.EXCLUSION_ZONE,
        severity=Severity.CRITICAL,
        from_at=start - timedelta(days=1),
        zone=example.ZONE,
    )
    order = OrderEntry(
        ref=f"bench-order-{number}",
        kind="licence",
        starts_on=(start - timedelta(days=30)).date(),
        ends_on=None,
        conditions=[condition],
    )
    return Wearer(
        ref=f"bench-{number}",
        name=f"Bench {number}",
        born_on=start.date() - timedelta(days=12_000),
        area=area,
        locality="Chester City",
        band="high",
        offender_manager=None,
        orders=[order],
        fittings=[Fitting(device(number), start - timedelta(days=1))],
    )
