"""What ``judge place`` prints of one zone: stays, violations and minutes, as JSON values.

Times are ISO 8601 in UTC with ``Z``; stretches are sorted by start, then device, and the minutes
are sums over the devices.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from navigate_safer.place_probability import ProbableJudgement, Stretch
from zones.interval import Interval
from zones.track import TrackJudgement


def document(judged: Mapping[str, TrackJudgement]) -> dict[str, object]:
    """What the geometric rule found of each device."""
    total = {
        "compliant": sum((each.compliant for each in judged.values()), timedelta()),
        "breach": sum((each.breach for each in judged.values()), timedelta()),
        "unknown": sum((each.not_known for each in judged.values()), timedelta()),
    }
    return {
        "episodes": _listed((device, each.episodes) for device, each in judged.items()),
        "violations": _listed((device, each.violations) for device, each in judged.items()),
        "minutes": {name: time / timedelta(minutes=1) for name, time in total.items()},
    }


def probable_document(judged: Mapping[str, ProbableJudgement]) -> dict[str, object]:
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
