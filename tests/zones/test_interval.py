from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.interval import Interval, Intervals, clipped, intersection, measure, subtraction, union

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    return MIDNIGHT + timedelta(minutes=minute)


def stretches(*pairs: tuple[float, float]) -> Intervals:
    return tuple(Interval(at(start), at(end)) for start, end in pairs)


@pytest.mark.parametrize(
    ("pieces", "merged"),
    [
        pytest.param([(0, 5), (5, 9)], [(0, 9)], id="stretches that touch become one"),
        pytest.param([(7, 9), (0, 5)], [(0, 5), (7, 9)], id="order does not matter"),
        pytest.param([(0, 9), (2, 3)], [(0, 9)], id="one inside another is swallowed"),
        pytest.param([(3, 3), (3, 3)], [(3, 3)], id="a sighting seen twice is one sighting"),
        pytest.param([(0, 3), (3, 3)], [(0, 3)], id="a sighting at the end of a stay"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_union(pieces, merged):
    assert union(stretches(*pieces)) == stretches(*merged)


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        pytest.param([(0, 5)], [(5, 9)], [], id="stretches that only touch share nothing"),
        pytest.param([(5, 5)], [(5, 9)], [(5, 5)], id="a sighting as the window opens counts"),
        pytest.param([(9, 9)], [(5, 9)], [], id="a sighting as the window closes does not"),
        pytest.param([(0, 10)], [(1, 2), (4, 6)], [(1, 2), (4, 6)], id="two windows in one stay"),
        pytest.param([(0, 3), (4, 8)], [(2, 5)], [(2, 3), (4, 5)], id="one window over two stays"),
    ],
)
def test_intersection(first, second, common):
    assert intersection(stretches(*first), stretches(*second)) == stretches(*common)
    assert intersection(stretches(*second), stretches(*first)) == stretches(*common)


@pytest.mark.parametrize(
    ("whole", "removed", "left"),
    [
        pytest.param([(0, 10)], [(3, 4), (6, 12)], [(0, 3), (4, 6)], id="two cuts"),
        pytest.param([(0, 10)], [(5, 5)], [(0, 10)], id="a sighting does not cut a stretch"),
        pytest.param([(5, 5)], [(0, 9)], [], id="a sighting is taken away"),
        pytest.param([(5, 5)], [(5, 5)], [], id="a sighting by an equal sighting"),
        pytest.param([(5, 5)], [(0, 5)], [(5, 5)], id="a sighting just after stays"),
        pytest.param([(0, 2), (4, 6)], [(0, 6)], [], id="all of it"),
    ],
)
def test_subtraction(whole, removed, left):
    assert subtraction(stretches(*whole), stretches(*removed)) == stretches(*left)


def test_clipping_keeps_a_sighting_at_either_end_of_the_span():
    span = Interval(at(2), at(8))
    pieces = stretches((0, 1), (2, 2), (3, 9))
    assert clipped(pieces, span) == stretches((2, 2), (3, 8))


def test_an_interval_cannot_end_before_it_starts():
    with pytest.raises(ValueError, match="before it starts"):
        Interval(at(2), at(1))


pieces_of_an_hour = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(
        lambda pair: Interval(at(pair[0]), at(pair[0] + pair[1]))
    ),
    max_size=8,
).map(union)


@given(first=pieces_of_an_hour, second=pieces_of_an_hour)
def test_every_moment_is_where_set_algebra_puts_it(first, second):
    for half_minute in range(1, 160, 2):
        # Between whole minutes, where no sighting can be.
        moment = at(half_minute / 2)
        in_first = any(piece.holds(moment) for piece in first)
        in_second = any(piece.holds(moment) for piece in second)

        def told_by(pieces, moment=moment):
            return any(piece.holds(moment) for piece in pieces)

        assert told_by(union(first, second)) == (in_first or in_second)
        assert told_by(intersection(first, second)) == (in_first and in_second)
        assert told_by(subtraction(first, second)) == (in_first and not in_second)


@given(first=pieces_of_an_hour, second=pieces_of_an_hour)
def test_what_is_kept_and_what_is_removed_add_up(first, second):
    assert measure(first) == measure(intersection(first, second)) + measure(
        subtraction(first, second)
    )
    for result in (
        union(first, second),
        intersection(first, second),
        subtraction(first, second),
    ):
        assert list(result) == sorted(result)
