"""One device's track against a zone by straight lines, with its rings and what is allowed."""

from datetime import timedelta

import msgspec

from zones.feature import ZoneFeature
from zones.interval import Intervals, measure, subtraction, union
from zones.parts import Role, parts_of
from zones.track import Track


class StraightJudgement(msgspec.Struct, frozen=True):
    """What a track shows about one zone; ``warnings`` one entry a ring, the nearest first."""

    episodes: Intervals
    violations: Intervals
    excused: Intervals
    warnings: tuple[Intervals, ...]
    breach: timedelta
    not_known: timedelta
    compliant: timedelta


def judge_straight(track: Track, feature: ZoneFeature) -> StraightJudgement:
    """Episodes, violations, what is excused, and warnings."""
    broken: Intervals = ()
    excused: Intervals = ()
    warnings: list[Intervals] = []
    for part in parts_of(feature.zone, feature.permissions):
        found = track.judge(part.zone).violations
        if part.role is Role.BREACH:
            broken = union(broken, found)
        elif part.role is Role.EXCUSED:
            excused = union(excused, found)
        else:
            warnings.append(found)
    episodes = track.judge(feature.zone).episodes
    unknown = subtraction(track.unknown, broken)
    breach, not_known = measure(broken), measure(unknown)
    compliant = track.span.length - breach - not_known
    return StraightJudgement(
        episodes, broken, excused, tuple(warnings), breach, not_known, compliant
    )
