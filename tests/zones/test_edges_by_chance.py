"""What is stated of a wearer's side of an edge holds as often as it says, whoever drew the edge.

Zones are drawn round places, so that a life or two cannot tell whether a probability is right: a
home just inside an edge is so all night and in every world. Straight edges laid by chance near
where the wearer may be are as many witnesses as there are fixes.
"""

import math
import random
from datetime import timedelta

import numpy as np
import pytest
import shapely

from navigate_safer.demo.place_bench import fixes
from navigate_safer.demo.place_lives import PLANE, TICK_S, live
from navigate_safer.demo.place_worlds import WORLDS, observe
from zones.fix_error import share_to_one_side
from zones.whereabouts import Whereabouts, spot, step
from zones.zone import Zone, ZoneKind

GAP = timedelta(seconds=600)
# So small that only its plane counts.
MARK = Zone("mark", ZoneKind.EXCLUSION, shapely.Point(PLANE.lon, PLANE.lat).buffer(1e-5))
LIVES, DAYS, EDGES = 20, 0.5, 4


def places(number):
    """Of each fix: the places where the wearer may be, each with its weight, and the truth."""
    life = live(np.random.default_rng([number, 12]), DAYS)
    track = observe(life, WORLDS[number % len(WORLDS)], np.random.default_rng([number, 13]))
    plane, where = MARK.chance.plane, Whereabouts()
    for second, fix in zip(track.second, fixes(track), strict=True):
        where, _ = step(where, spot(fix), MARK, GAP)
        held, mover = where.belief, where.mover
        ways = [(1.0 if mover is None else held.still, held.x_m, held.y_m, held.radius_m)]
        if mover is not None:
            ways.append((1 - held.still, mover.x_m, mover.y_m, mover.radius_m))
        x_m, y_m = life.path[min(int(second / TICK_S), len(life.path) - 1)]
        true = plane.metres(PLANE.lon + x_m / PLANE.east_m, PLANE.lat + y_m / PLANE.north_m)
        yield ways, true


def stated_and_true():
    """The probability of the likelier side of each edge, and whether the wearer was on it."""
    draws = random.Random(14)
    for number in range(LIVES):
        for ways, (true_x, true_y) in places(number):
            for _ in range(EDGES):
                turn = draws.uniform(0, 2 * math.pi)
                cosine, sine = math.cos(turn), math.sin(turn)
                _, x_m, y_m, radius_m = max(ways)
                edge_m = cosine * x_m + sine * y_m + draws.uniform(-1.2, 1.2) * radius_m
                stated = sum(
                    weight * share_to_one_side(edge_m - cosine * x - sine * y, radius)
                    for weight, x, y, radius in ways
                )
                true = cosine * true_x + sine * true_y < edge_m
                yield (stated, true) if stated >= 0.5 else (1 - stated, not true)


def test_what_is_stated_holds_in_the_ten_worlds_within_two_points():
    judged = np.array(list(stated_and_true()))
    for decile in (0.6, 0.7, 0.8, 0.9):
        stated, true = judged[(judged[:, 0] >= decile) & (judged[:, 0] < decile + 0.1)].T
        assert len(stated) > 2_000
        assert stated.mean() == pytest.approx(true.mean(), abs=0.02)
