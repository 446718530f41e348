"""The geometric rule of ``judge place`` against its definition, worked out in exact fractions.

Nothing of the project's geometry, intervals or schedules is used here: crossings are fractions of
the leg, times are microseconds, and the schedule is asked minute by minute through ``zoneinfo``.
"""

import itertools
import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from navigate_safer.place_files import judge_place

LONDON = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MILLISECOND, MINUTE = 1_000, 60_000_000
Point = tuple[Fraction, Fraction]
Spans = list[tuple[Fraction, Fraction]]

# The nights of both clock changes, a leap day, and an ordinary one; UTC.
NIGHTS = [
    datetime(2026, 3, 28, 22, tzinfo=UTC),
    datetime(2026, 10, 24, 22, tzinfo=UTC),
    datetime(2028, 2, 28, 22, tzinfo=UTC),
    datetime(2026, 1, 14, 18, tzinfo=UTC),
]
# Thousandths of a degree east and north of a corner of the map: a square with a square hole, a
# triangle beside it, and a square that shares a corner with the hole.
SHAPES = {
    "square": [[[(2, 2), (8, 2), (8, 8), (2, 8)]]],
    "hole": [[[(1, 1), (9, 1), (9, 9), (1, 9)], [(4, 4), (4, 6), (6, 6), (6, 4)]]],
    "two parts": [[[(0, 0), (3, 0), (0, 5)]], [[(6, 3), (9, 3), (9, 9), (6, 9)]]],
    "notch": [[[(1, 1), (9, 1), (9, 9), (5, 3), (1, 9)]]],
}
WEST, SOUTH = Fraction("-2.9"), Fraction("53.19")


def position(east: Fraction, north: Fraction) -> Point:
    return WEST + Fraction(east, 1000), SOUTH + Fraction(north, 1000)


def rings_of(shape: str) -> list[list[Point]]:
    return [[position(*at) for at in ring] for part in SHAPES[shape] for ring in part]


def geometry(shape: str) -> dict[str, object]:
    def closed(ring):
        listed = [[float(x), float(y)] for x, y in (position(*at) for at in ring)]
        return [*listed, listed[0]]

    parts = [[closed(ring) for ring in part] for part in SHAPES[shape]]
    return {"type": "MultiPolygon", "coordinates": parts}


def edges(rings: list[list[Point]]) -> list[tuple[Point, Point]]:
    return [(ring[n - 1], ring[n]) for ring in rings for n in range(len(ring))]


def on_edge(at: Point, edge: tuple[Point, Point]) -> bool:
    (x, y), ((x0, y0), (x1, y1)) = at, edge
    along = (x1 - x0) * (y - y0) == (y1 - y0) * (x - x0)
    return along and min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1)


def inside(at: Point, rings: list[list[Point]]) -> bool:
    """On the boundary, or an odd number of edges to the east of it."""
    if any(on_edge(at, edge) for edge in edges(rings)):
        return True
    x, y = at
    odd = False
    for (x0, y0), (x1, y1) in edges(rings):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            odd = not odd
    return odd


def meetings(a: Point, b: Point, rings: list[list[Point]]) -> list[Fraction]:
    """Every fraction of the leg at which it may go in or out."""
    found = {Fraction(0), Fraction(1)}
    (ax, ay), dx, dy = a, b[0] - a[0], b[1] - a[1]
    for (x0, y0), (x1, y1) in edges(rings):
        ex, ey = x1 - x0, y1 - y0
        cross = dx * ey - dy * ex
        if cross:
            found.add(((x0 - ax) * ey - (y0 - ay) * ex) / cross)
        elif dx or dy:
            for x, y in ((x0, y0), (x1, y1)):
                found.add((x - ax) / dx if dx else (y - ay) / dy)
    return sorted(t for t in found if 0 <= t <= 1)


def merged(spans: Spans) -> Spans:
    out: Spans = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def both(first: Spans, second: Spans) -> Spans:
    pairs = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return merged([(a, b) for a, b in pairs if a < b])


def without(whole: Spans, cut: Spans) -> Spans:
    for c, d in cut:
        whole = [
            piece
            for a, b in whole
            for piece in ((a, min(b, c)), (max(a, d), b))
            if piece[0] < piece[1]
        ]
    return merged(whole)


def scheduled(windows: list[dict[str, object]] | None, start: int, end: int) -> Spans:
    """The minutes between two instants, microseconds, in which the wall says that it counts."""
    if windows is None:
        return [(Fraction(start), Fraction(end))]
    spans: Spans = []
    day = (EPOCH + timedelta(microseconds=start)).date() - timedelta(days=2)
    while day <= (EPOCH + timedelta(microseconds=end)).date() + timedelta(days=1):
        for each in windows:
            if DAYS[day.weekday()] in each["days"]:
                until = day if each["end"] > each["start"] else day + timedelta(days=1)
                ends = [
                    datetime.fromisoformat(f"{on}T{clock}").replace(tzinfo=LONDON)
                    for on, clock in ((day, each["start"]), (until, each["end"]))
                ]
                a, b = ((at - EPOCH) // timedelta(microseconds=1) for at in ends)
                spans.append((Fraction(a), Fraction(b)))
        day += timedelta(days=1)
    return both(merged([(a, b) for a, b in spans if a < b]), [(Fraction(start), Fraction(end))])


def defined(shape, kind, windows, rows, max_gap_us) -> dict[str, list]:
    """Episodes, violations and minutes of one device; times are microseconds."""
    rings = rings_of(shape)
    last = {at: position(*where) for at, where in rows}
    times = sorted(last)
    stays, unknown = [], []
    for t0, t1 in itertools.pairwise(times):
        if t1 - t0 > max_gap_us:
            unknown.append((Fraction(t0), Fraction(t1)))
            continue
        a, b = last[t0], last[t1]
        cuts = meetings(a, b, rings)
        for c, d in itertools.pairwise(cuts):
            middle = tuple(p + (q - p) * (c + d) / 2 for p, q in zip(a, b, strict=True))
            if inside(middle, rings):
                stays.append((t0 + c * (t1 - t0), t0 + d * (t1 - t0)))
    episodes = merged(stays)
    on = scheduled(windows, times[0], times[-1])
    forbidden = both(episodes, on) if kind == "exclusion" else without(on, episodes)
    violations = without(forbidden, merged(unknown))
    breach = sum((b - a for a, b in violations), Fraction())
    dark = sum((b - a for a, b in unknown), Fraction())
    return {
        "episodes": episodes,
        "violations": violations,
        "breach": breach,
        "unknown": dark,
        "compliant": times[-1] - times[0] - breach - dark,
    }


windows = st.builds(
    lambda days, start, end: {"days": sorted(days), "start": start, "end": end},
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.sampled_from(["00:00", "00:30", "01:15", "02:00", "19:00", "22:07"]),
    st.sampled_from(["00:00", "00:30", "01:30", "02:15", "07:00", "22:07"]),
)
spots = st.tuples(
    *[st.one_of(st.integers(0, 10), st.integers(0, 40).map(lambda n: Fraction(n, 4)))] * 2
)
# Seconds from one row to the next: repeats, the largest gap itself, a millisecond more.
steps = st.sampled_from([0, 1, 30, 60, 300, 600, 600.001, 599.999, 900, 3600])


@st.composite
def tracks(draw):
    start = (draw(st.sampled_from(NIGHTS)) - EPOCH) // timedelta(microseconds=1)
    at, rows = start + draw(st.integers(0, 8 * 60)) * MINUTE, []
    for step in draw(st.lists(steps, min_size=1, max_size=14)):
        at += round(step * 1_000_000)
        rows.append((at, draw(spots)))
    return draw(st.permutations(rows))


def stamp(at: int) -> str:
    return (EPOCH + timedelta(microseconds=at)).isoformat()


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def same(found: list[dict[str, str]], wanted: Spans) -> bool:
    """To a few microseconds; of a stay of a millisecond but for rounding both are right."""
    spans = [(micros(each["start"]), micros(each["end"])) for each in found]
    sure = [(a, b) for a, b in wanted if b - a >= MILLISECOND + 5]
    allowed = [(a, b) for a, b in wanted if b - a >= MILLISECOND - 5]
    near = lambda one, two: abs(one[0] - two[0]) <= 3 and abs(one[1] - two[1]) <= 3  # noqa: E731
    return all(any(near(s, w) for s in spans) for w in sure) and all(
        any(near(s, w) for w in allowed) for s in spans
    )


@settings(max_examples=100)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    kind=st.sampled_from(["exclusion", "inclusion", "restriction"]),
    hours=st.none() | st.lists(windows, min_size=1, max_size=3),
    devices=st.lists(tracks(), min_size=1, max_size=2),
)
def test_the_geometric_rule_says_what_its_definition_says(shape, kind, hours, devices):
    properties = {"id": "Z", "kind": kind} | ({} if hours is None else {"schedule": hours})
    feature = {"type": "Feature", "properties": properties, "geometry": geometry(shape)}
    zones = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    lines = ["device,at,lat,lon,accuracy_m"]
    for number, rows in enumerate(devices):
        for at, where in rows:
            lon, lat = position(*where)
            lines.append(f"TAG-{number},{stamp(at)},{float(lat)!r},{float(lon)!r},0")
    found = judge_place(zones, "\n".join(lines).encode(), rule="geometric")["zones"]["Z"]
    wanted = [defined(shape, kind, hours, rows, 600_000_000) for rows in devices]
    for number, each in enumerate(wanted):
        for name in ("episodes", "violations"):
            own = [one for one in found[name] if one["device"] == f"TAG-{number}"]
            assert same(own, each[name]), (name, own, each[name])
    for name, minutes in found["minutes"].items():
        assert abs(minutes - float(sum(each[name] for each in wanted)) / MINUTE) < 1e-4, name
