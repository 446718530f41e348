"""How vague a fix may be and still show that its wearer is in a shape."""

import math

import pytest
import shapely

from zones.chance import Chance
from zones.plane import plane_at
from zones.worth import Worth

PLANE = plane_at(-2.89, 53.19)


def worth(shape_m):
    def degrees(xy):
        return xy / (PLANE.east_m, PLANE.north_m) + (PLANE.lon, PLANE.lat)

    return Worth(Chance(shapely.transform(shape_m, degrees)))


@pytest.mark.parametrize(
    ("share", "radius_m"),
    [
        pytest.param(0.95, 100.0, id="all of the radius"),
        pytest.param(0.7857, 173.0, id="what ends an absence"),
        pytest.param(0.2857, 435.0, id="what is told of as an entry"),
    ],
)
def test_a_circle_of_a_hundred_metres(share, radius_m):
    """The model in closed form: 1 - (1 + r^2 / (4 s^2)) ** -2 within r, s 0.268 of the radius."""
    found = worth(shapely.Point(0, 0).buffer(100.0, quad_segs=90))
    assert found.radius_m(share) == pytest.approx(radius_m, rel=0.01)


def test_it_is_what_a_fix_at_the_innermost_point_puts_inside():
    land = shapely.box(-200, -80, 200, 80) - shapely.box(-30, -80, 30, 60)
    found = worth(land)
    chance = found._chance
    x_m, y_m = chance.innermost()
    # In the middle of one of the wings.
    assert -chance.edge_m(x_m, y_m) == pytest.approx(80.0, abs=1.0)
    for share in (0.3, 0.6, 0.9):
        (inside,) = chance.inside([(x_m, y_m, found.radius_m(share))])
        assert inside == pytest.approx(share, abs=1e-6)


def test_the_wider_the_shape_the_vaguer_a_fix_may_be():
    radii = [worth(shapely.Point(0, 0).buffer(r)).radius_m(0.5) for r in (25, 50, 100, 1000)]
    assert radii == sorted(radii)
    assert radii[0] == pytest.approx(radii[3] / 40, rel=0.001)


def test_of_several_premises_the_widest_counts():
    near, far = shapely.Point(0, 0).buffer(40.0), shapely.Point(30_000, 0).buffer(90.0)
    both = worth(shapely.union_all([near, far]))
    assert both.radius_m(0.8) == pytest.approx(worth(far).radius_m(0.8), rel=0.01)


def test_no_fix_shows_that_somebody_is_in_a_sliver_and_each_that_he_is_in_a_country():
    assert worth(shapely.box(-900, 0, 900, 0.1)).radius_m(0.5) == 0.0
    assert math.isinf(worth(shapely.box(-3e6, -3e6, 3e6, 3e6)).radius_m(0.5))
