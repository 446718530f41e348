from datetime import UTC, datetime, timedelta

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from devices.readings import Fix, Stamp
from zones.interval import Interval, Intervals, intersection, measure, union
from zones.presence import Presence, TrackPoint, step
from zones.schedule_entries import schedule_from_entries
from zones.track import SHORTEST_STAY, Track
from zones.zone import Zone, ZoneKind

# Wednesday 14 January 2026, 18:00, wall time and UTC.
EVENING = datetime(2026, 1, 14, 18, 0, tzinfo=UTC)
GAP = timedelta(seconds=600)
BOX = shapely.box(-2.90, 53.18, -2.88, 53.20)
WITH_YARD = shapely.box(-2.92, 53.16, -2.86, 53.22) - BOX
FROM_SEVEN = schedule_from_entries([{"days": ["wed"], "start": "19:00", "end": "07:00"}])

OUT, IN = (-2.92, 53.19), (-2.89, 53.19)


def at(minute: float) -> datetime:
    return EVENING + timedelta(minutes=minute)


def point(minute: float, place: tuple[float, float]) -> TrackPoint:
    return TrackPoint(at(minute), place[1], place[0], 10.0)


def stretches(*pairs: tuple[float, float]) -> Intervals:
    return tuple(Interval(at(start), at(end)) for start, end in pairs)


def zone(kind: ZoneKind, schedule=None, shape=BOX) -> Zone:
    return Zone("Z", kind, shape, schedule)


def each_minute(first: int, last: int, place: tuple[float, float]) -> list[TrackPoint]:
    return [point(minute, place) for minute in range(first, last + 1)]


# Outside until 18:30, inside by 18:33, there until 19:30.
VISIT = [*each_minute(0, 30, OUT), *each_minute(33, 90, IN)]


def test_an_exclusion_zone_counts_the_stay_from_the_crossing():
    judged = Track(VISIT, GAP).judge(zone(ZoneKind.EXCLUSION))
    assert judged.episodes == judged.violations == stretches((32, 90))
    assert (judged.breach, judged.not_known) == (timedelta(minutes=58), timedelta())
    assert judged.compliant == timedelta(minutes=32)


def test_somebody_already_inside_is_in_breach_from_the_start_of_the_hours():
    judged = Track(VISIT, GAP).judge(zone(ZoneKind.EXCLUSION, FROM_SEVEN))
    assert judged.episodes == stretches((32, 90))
    assert judged.violations == stretches((60, 90))


def test_a_curfew_is_broken_by_being_away_in_its_hours():
    late = [*each_minute(0, 70, OUT), *each_minute(73, 90, IN)]
    judged = Track(late, GAP).judge(zone(ZoneKind.INCLUSION, FROM_SEVEN))
    assert judged.violations == stretches((60, 72))
    assert judged.compliant == timedelta(minutes=78)


def test_a_gap_in_coverage_is_unknown_and_ends_the_stay():
    track = Track([*each_minute(0, 10, IN), *each_minute(40, 50, IN)], GAP)
    inside = track.judge(zone(ZoneKind.EXCLUSION))
    assert inside.episodes == inside.violations == stretches((0, 10), (40, 50))
    assert inside.unknown == stretches((10, 40))
    away = track.judge(zone(ZoneKind.RESTRICTION))
    assert away.violations == ()
    assert away.compliant == timedelta(minutes=20)


def test_a_gap_is_taken_out_of_a_curfew_violation():
    track = Track([*each_minute(60, 70, OUT), *each_minute(100, 110, OUT)], GAP)
    judged = track.judge(zone(ZoneKind.INCLUSION, FROM_SEVEN))
    assert judged.violations == stretches((60, 70), (100, 110))
    assert judged.not_known == timedelta(minutes=30)


def test_a_leg_as_long_as_the_largest_gap_is_known():
    track = Track([point(0, IN), point(10, IN)], GAP)
    assert track.judge(zone(ZoneKind.EXCLUSION)).episodes == stretches((0, 10))


def test_the_last_of_two_fixes_at_one_time_counts():
    track = Track([point(0, OUT), point(1, IN), point(2, OUT), point(1, OUT)], GAP)
    assert track.judge(zone(ZoneKind.EXCLUSION)).episodes == ()


def test_touching_the_boundary_is_too_short_to_report():
    corner = [point(0, (-2.91, 53.19)), point(1, (-2.89, 53.21))]
    assert Track(corner, GAP).judge(zone(ZoneKind.EXCLUSION)).episodes == ()


def test_one_fix_is_a_track_without_length():
    judged = Track([point(0, IN)], GAP).judge(zone(ZoneKind.EXCLUSION))
    assert judged.episodes == judged.violations == judged.unknown == ()
    assert judged.compliant == timedelta()


def test_no_fix_is_no_track():
    with pytest.raises(ValueError, match="at least one fix"):
        Track([], GAP)


def test_the_night_the_clocks_go_forward_has_eleven_hours_of_curfew():
    saturday = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    away = [
        TrackPoint(saturday + timedelta(minutes=5 * n), 53.0, -2.0, 10.0) for n in range(12 * 24)
    ]
    nights = schedule_from_entries([{"days": ["sat"], "start": "19:00", "end": "07:00"}])
    assert Track(away, GAP).judge(zone(ZoneKind.INCLUSION, nights)).breach == timedelta(hours=11)


# Coarse places, so that fixes lie on edges and corners and repeat themselves.
places = st.tuples(
    st.integers(0, 8).map(lambda n: round(-2.93 + n * 0.01, 2)),
    st.integers(0, 8).map(lambda n: round(53.15 + n * 0.01, 2)),
)
tracks = st.lists(
    st.tuples(st.integers(0, 90 * 60), places), min_size=1, max_size=25, unique_by=lambda it: it[0]
).map(lambda rows: [point(second / 60, place) for second, place in rows])
zones = st.builds(
    zone,
    kind=st.sampled_from(ZoneKind),
    schedule=st.sampled_from([None, FROM_SEVEN]),
    shape=st.sampled_from([BOX, WITH_YARD]),
)


@given(rows=tracks, zone=zones, data=st.data())
def test_order_and_repetition_of_rows_change_nothing(rows, zone, data):
    expected = Track(rows, GAP).judge(zone)
    again = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows)))))
    assert Track(again, GAP).judge(zone) == expected


@given(rows=tracks, zone=zones)
def test_fix_by_fix_gives_the_same_stretches(rows, zone):
    presence, inside, unknown = Presence(), [], []
    for row in sorted(rows, key=lambda row: row.at):
        fix = Fix(Stamp("TAG-1", row.at, None, row.at), row.lat, row.lon, row.accuracy_m)
        presence, leg = step(presence, fix, zone, GAP)
        inside.extend(leg.inside)
        if not leg.known and leg.start < leg.end:
            unknown.append(Interval(leg.start, leg.end))
    judged = Track(rows, GAP).judge(zone)
    stays = tuple(stay for stay in union(inside) if stay.length >= SHORTEST_STAY)
    assert judged.episodes == stays
    assert judged.unknown == union(unknown)


@given(rows=tracks, zone=zones)
def test_the_parts_of_a_judgement_fit_together(rows, zone):
    judged = Track(rows, GAP).judge(zone)
    assert judged.breach + judged.compliant + judged.not_known == judged.span.length
    assert judged.compliant >= timedelta()
    assert measure(intersection(judged.violations, judged.unknown)) == timedelta()
    assert measure(intersection(judged.violations, zone.windows(judged.span))) == judged.breach
    overlap = measure(intersection(judged.violations, judged.episodes))
    assert overlap == (judged.breach if zone.kind.forbids_inside else timedelta())
