"""What ``judge place`` prints of one zone: stays, violations and minutes, as JSON values.

Times are ISO 8601 in UTC with ``Z``; stretches are sorted by start, then device, and the minutes
are sums over the devices.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from navigate_safer.place_probability import ProbableJudgement, Stretch
from navigate_safer.place_straight import StraightJudgement
from zones.feature import ZoneFeature
from zones.interval import Interval


def document(judged: Mapping[str, StraightJudgement], feature: ZoneFeature) -> dict[str, object]:
    """What the geometric rule found of each device.

    ``excused`` is there for a zone with exceptions, ``warnings`` for one with rings.
    """
    total = {
        "compliant": sum((each.compliant for each in judged.values()), timedelta()),
        "breach": sum((each.breach for each in judged.values()), timedelta()),
        "unknown": sum((each.not_known for each in judged.values()), timedelta()),
    }
    return {
        "episodes": _listed((device, each.episodes) for device, each in judged.items()),
        "violations": _listed((device, each.violations) for device, each in judged.items()),
        "minutes": {name: time / timedelta(minutes=1) for name, time in total.items()},
        **_only_with(
            feature,
            _listed((device, each.excused) for device, each in judged.items()),
            [
                [
                    {"ring_m": ring.metres, "severity": ring.severity, **stretch}
                    for stretch in _listed(
                        (device, each.warnings[number]) for device, each in judged.items()
                    )
                ]
                for number, ring in enumerate(feature.zone.rings)
            ],
        ),
    }


def _only_with(
    feature: ZoneFeature,
    excused: Sequence[Mapping[str, object]],
    warnings: Sequence[Sequence[Mapping[str, object]]],
) -> dict[str, object]:
    """What only zones with exceptions and with rings have."""
    said: dict[str, object] = {}
    if feature.permissions:
        said["excused"] = excused
    if feature.zone.rings:
        said["warnings"] = [each for ring in warnings for each in ring]
    return said


def probable_document(
    judged: Mapping[str, ProbableJudgement], feature: ZoneFeature
) -> dict[str, object]:
    """What the rule of probability found, with the probability and the evidence of each."""
    each_of = judged.items()
    times = {
        "compliant": sum((each.compliant for each in judged.values()), timedelta()),
        "breach": sum((each.breach for each in judged.values()), timedelta()),
        "unknown": sum((each.unknown for each in judged.values()), timedelta()),
    }
    return {
        "episodes": _explained((device, each.episodes) for device, each in each_of),
        "violations": _explained((device, each.violations) for device, each in each_of),
        "minutes": {name: time / timedelta(minutes=1) for name, time in times.items()},
        **_only_with(
            feature,
            _explained((device, each.around.excused) for device, each in each_of),
            [
                [
                    {"ring_m": ring.metres, "severity": ring.severity, **stretch}
                    for stretch in _explained(
                        (device, each.around.warnings[number][1]) for device, each in each_of
                    )
                ]
                for number, ring in enumerate(feature.zone.rings)
            ],
        ),
    }


def _explained(found: Iterator[tuple[str, tuple[Stretch, ...]]]) -> list[dict[str, object]]:
    pieces = [(each.time, device, each) for device, stretches in found for each in stretches]
    return [
        {
            "device": device,
            "start": _stamp(time.start),
            "end": _stamp(time.end),
            "probability": each.probability,
            "evidence": each.evidence,
        }
        for time, device, each in sorted(pieces, key=lambda piece: piece[:2])
    ]


def _listed(found: Iterator[tuple[str, tuple[Interval, ...]]]) -> list[dict[str, str]]:
    pieces = sorted((piece, device) for device, pieces in found for piece in pieces)
    return [
        {"device": device, "start": _stamp(piece.start), "end": _stamp(piece.end)}
        for piece, device in pieces
    ]


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
