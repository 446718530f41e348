"""``judge alcohol`` against its definitions, worked out in exact fractions from the file's text.

Nothing of the project's series, runs or rates is used here.
"""

import itertools
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import median

from hypothesis import given, settings
from hypothesis import strategies as st

from navigate_safer.alcohol_files import judge_alcohol

START = datetime(2026, 3, 28, 20, tzinfo=UTC)
BASELINE, THRESHOLD = Fraction("0.005"), Fraction("0.02")
HOUR = 60
LONGEST_GAP, LEAST_SPAN = 90, 50

# Minutes since the start, and the level.
Reading = tuple[int, Fraction]


def near(readings: list[Reading], one: int, two: int) -> bool:
    return abs(readings[one][0] - readings[two][0]) <= LONGEST_GAP


def pieces(readings: list[Reading]) -> list[list[int]]:
    """Places between gaps."""
    cuts = [n for n in range(1, len(readings)) if not near(readings, n - 1, n)]
    bounds = [0, *cuts, len(readings)]
    return [list(range(a, b)) for a, b in itertools.pairwise(bounds)]


def stretches(readings: list[Reading]) -> list[list[int]]:
    """Maximal stretches of non-baseline readings, one lone baseline reading allowed inside."""
    found: list[list[int]] = []
    for piece in pieces(readings):
        drunk = [n for n in piece if readings[n][1] >= BASELINE]
        groups: list[list[int]] = []
        for n in drunk:
            if groups and n - groups[-1][-1] <= 2:
                groups[-1].append(n)
            else:
                groups.append([n])
        found += [list(range(group[0], group[-1] + 1)) for group in groups]
    return found


def rate(readings, peak, edge, step, below) -> Fraction | None:
    """From the peak to the nearest reading under ``below``, from ``edge`` on, g/dl/h."""
    place = edge
    while 0 <= place + step < len(readings) and near(readings, place, place + step):
        place += step
        if readings[place][1] < below:
            hours = Fraction(abs(readings[place][0] - readings[peak][0]), HOUR)
            return (readings[peak][1] - readings[place][1]) / hours
    return None


def word(true: bool | None) -> str:
    return "undecidable" if true is None else "yes" if true else "no"


def all_of(*parts: str) -> str:
    return next((word_ for word_ in ("no", "undecidable") if word_ in parts), "yes")


def assessed(readings, stretch, *, below=THRESHOLD, high=False, always=False) -> dict[str, object]:
    above = [n for n in stretch if readings[n][1] >= THRESHOLD]
    if not above:
        return {"confirmed": "no"}
    peak = next(n for n in above if readings[n][1] == max(readings[m][1] for m in above))
    level = readings[peak][1]
    tall = level > Fraction("0.15")
    rise = rate(readings, peak, above[0], -1, below)
    fall = rate(readings, peak, above[-1], 1, below)
    most_rise = Fraction("0.10") if always or (high and tall) else Fraction("0.05")
    most_fall = Fraction("0.035") if tall else Fraction("0.025")
    runs = consecutive(readings, above)
    spans = [readings[run[-1]][0] - readings[run[0]][0] for run in runs]
    r1 = any(len(run) >= 3 and span >= LEAST_SPAN for run, span in zip(runs, spans, strict=True))
    r2 = None if rise is None else rise < most_rise
    r3 = None if fall is None else fall < most_fall
    return {
        "r1": word(r1),
        "r2": word(r2),
        "r3": word(r3),
        "confirmed": all_of(word(r1), word(r2), word(r3)),
        "peak": peak,
        "above": above,
        "rise": rise,
        "fall": fall,
        "longest_run": max(len(run) for run in runs),
    }


def consecutive(readings, above) -> list[list[int]]:
    runs: list[list[int]] = []
    for n in above:
        if runs and runs[-1][-1] == n - 1 and near(readings, n - 1, n):
            runs[-1].append(n)
        else:
            runs.append([n])
    return runs


def smoothed(readings: list[Reading]) -> list[Reading]:
    out = list(readings)
    for n in range(1, len(readings) - 1):
        if near(readings, n - 1, n) and near(readings, n, n + 1):
            out[n] = (readings[n][0], median(each for _, each in readings[n - 1 : n + 2]))
    return out


def variants(readings, stretch) -> dict[str, str]:
    above = [n for n in stretch if readings[n][1] >= THRESHOLD]
    each = [assessed(readings, run)["confirmed"] for run in consecutive(readings, above)]
    return {
        "tiered": assessed(readings, stretch, high=True)["confirmed"],
        "loose": assessed(readings, stretch, always=True)["confirmed"],
        "zero": assessed(readings, stretch, below=BASELINE)["confirmed"],
        "median3": assessed(smoothed(readings), stretch)["confirmed"],
        "run": next((said for said in ("yes", "undecidable") if said in each), "no"),
    }


def written(rate_: Fraction | None) -> float | None:
    return None if rate_ is None else round(float(rate_), 9)


def stamp(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def defined(readings: list[Reading]) -> list[dict[str, object]]:
    found = []
    for stretch in stretches(readings):
        if all(readings[n][1] < THRESHOLD for n in stretch):
            continue
        one = assessed(readings, stretch)
        found.append(
            {
                "onset": stamp(readings[stretch[0]][0]),
                "end": stamp(readings[stretch[-1]][0]),
                "first_at_threshold": stamp(readings[one["above"][0]][0]),
                "last_at_threshold": stamp(readings[one["above"][-1]][0]),
                "peak_at": stamp(readings[one["peak"]][0]),
                "peak_tac_g_dl": float(readings[one["peak"]][1]),
                "rates": [written(one["rise"]), written(one["fall"])],
                "variants": variants(readings, stretch),
                **{name: one[name] for name in ("r1", "r2", "r3", "confirmed", "longest_run")},
            }
        )  # fmt: skip
    return found


LEVELS = (
    "-0.01 0 0.004 0.00499 0.005 0.012 0.019 0.0199 0.02 0.021 0.03 0.045 0.07 0.1 0.15 0.151 0.2"
)
levels = st.sampled_from(LEVELS.split())
steps = st.sampled_from([5, 25, 25, 30, 30, 30, 30, 60, 89, 90, 91, 300])
days = st.lists(st.tuples(steps, levels), min_size=1, max_size=30)


@settings(max_examples=40)
@given(devices=st.lists(days, min_size=5, max_size=12), data=st.data())
def test_an_episode_says_what_its_definition_says(devices, data):
    lines, wanted = [], []
    for number, day in enumerate(devices):
        minutes, readings = 0, []
        for step, level in day:
            minutes += step
            readings.append((minutes, Fraction(level)))
            lines.append(f"MON-{number},{stamp(minutes)},{level}")
        wanted.append(defined(readings))
    mixed = data.draw(st.permutations(lines + lines[:3]))
    found = judge_alcohol("\n".join(["device,at,tac_g_dl", *mixed]).encode(), rules="standard")
    for number, each in enumerate(wanted):
        own = [one for one in found["episodes"] if one["device"] == f"MON-{number}"]
        rates = [(one["absorption_g_dl_h"], one["elimination_g_dl_h"]) for one in own]
        told = [
            {**{name: one.get(name) for name in wish}, "rates": list(both)}
            for one, wish, both in zip(own, each, rates, strict=True)
        ]
        assert told == each
