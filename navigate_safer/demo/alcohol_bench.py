"""The benchmark of alcohol: seeded synthetic people with known truth, judged by the service's rule.

Doses in the laboratory beside the published rows, sober days with interferents, drinking under
contamination, obstruction and removal, and the calibration of the probability.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from alerts.alcohol.episode import Episode, episodes
from alerts.alcohol.forward import DRINK_G, MEN, PUBLISHED_DRINK_G, WOMEN, Sex
from alerts.alcohol.model import likely
from alerts.alcohol.rule_set import STANDARD, Answer, RuleSet
from alerts.alcohol.series import Sample, in_order
from alerts.alcohol.verdict import Verdict, verdict
from alerts.alcohol.wear import WearSpan, wear_spans
from alerts.alcohol.wear_rules import Stage, WearKind
from navigate_safer.demo.alcohol_days import WORLDS, Day, Plan, World, any_plan, beers, live

BEERS = (1, 2, 3, 4, 5)
# Roache 2015, table 2, percent: confirmed by the vendor's analysts, and above 0.02 g/dl.
PUBLISHED: dict[str, dict[str, tuple[float, ...]]] = {
    "men": {"confirmed": (0, 25.0, 50.0, 84.4, 96.9), "above_0.02": (0, 25, 75, 96.9, 100)},
    "women": {"confirmed": (0, 37.9, 62.1, 96.6, 100), "above_0.02": (0, 58.6, 79.3, 100, 100)},
}
REFERENCE = WORLDS[0]


class Judged(msgspec.Struct, frozen=True):
    """A day with what the rule said of it."""

    day: Day
    episodes: tuple[Episode, ...]
    verdicts: tuple[Verdict, ...]
    wear: tuple[WearSpan, ...]

    @property
    def confirmed(self) -> bool:
        """Whether anything was confirmed."""
        return Verdict.CONFIRMED in self.verdicts

    @property
    def surfaced(self) -> bool:
        """Whether anything was confirmed or given to a person to review."""
        return self.confirmed or Verdict.REVIEW in self.verdicts


class Sizes(msgspec.Struct, frozen=True):
    """How many of each: people for each dose and sex, days for each world."""

    people: int = 500
    sober_days: int = 1_000
    drinking_days: int = 200
    covered_days: int = 200


def judged(day: Day, rules: RuleSet = STANDARD) -> Judged:
    """Judge a day as the command and the service do."""
    series = in_order(day.samples)
    found = episodes(series.samples, rules, series.conflicts)
    worn = wear_spans(series.samples)
    return Judged(day, tuple(found), tuple(verdict(each, worn)[0] for each in found), tuple(worn))


def measure(
    seed: int, sizes: Sizes, *, advance: Callable[[], object] = lambda: None
) -> dict[str, object]:
    """Everything, as JSON values; the same seed gives the same figures."""
    doses = {}
    for sex in (MEN, WOMEN):
        doses[sex.name] = laboratory(np.random.default_rng([seed, 1, sex is MEN]), sex, sizes)
        advance()
    worlds: dict[str, object] = {}
    pooled: list[tuple[float, bool]] = []
    for number, world in enumerate(WORLDS):
        rng = np.random.default_rng([seed, 2, number])
        sober = [judged(day) for day in live(rng, _sober(rng, sizes.sober_days), world)]
        drunk = [judged(day) for day in live(rng, _contaminated(rng, sizes.drinking_days), world)]
        clean = [judged(day) for day in live(rng, _alone(rng, sizes.drinking_days), world)]
        mixed = [any_plan(rng) for _ in range(sizes.sober_days)]
        said = list(probabilities(judged(day) for day in live(rng, mixed, world)))
        pooled += said
        worlds[world.name] = {
            "sober": _false(sober),
            "contaminated": _found(drunk),
            "obstruction": _covered(rng, sizes.covered_days, world, "obstruction"),
            "removal": _covered(rng, sizes.covered_days, world, "removal"),
            "honest_wear": _honest(sober),
            "calibration": calibration(said),
            "dose_range_holds": _dose_holds([*clean, *drunk]),
        }
        advance()
    return {"seed": seed, "doses": doses, "worlds": worlds, "calibration": calibration(pooled)}


def laboratory(rng: np.random.Generator, sex: Sex, sizes: Sizes) -> list[dict[str, float]]:
    """Clean doses: percent confirmed and above thresholds, beside what was published."""
    rows = []
    for place, count in enumerate(BEERS):
        plans = [beers(sex, count, PUBLISHED_DRINK_G)] * sizes.people
        found = [judged(day) for day in live(rng, plans, REFERENCE)]
        published = PUBLISHED[sex.name]
        rows.append(
            {
                "beers": count,
                "confirmed": _percent(each.confirmed for each in found),
                "above_0.02": _percent(_reaches(each.day.samples, 0.02) for each in found),
                "above_0.03": _percent(_reaches(each.day.samples, 0.03) for each in found),
                "robust": _percent(any(one.robust for one in each.episodes) for each in found),
                "published_confirmed": published["confirmed"][place],
                "published_above_0.02": published["above_0.02"][place],
            }
        )
    return rows


def _sober(rng: np.random.Generator, count: int) -> list[Plan]:
    """Half of the days without anything, half with one to three interferents."""
    return [Plan(pulses=int(rng.integers(1, 4)) if n % 2 else 0) for n in range(count)]


def _contaminated(rng: np.random.Generator, count: int) -> list[Plan]:
    return [
        beers(MEN if n % 2 else WOMEN, int(rng.integers(3, 9)), DRINK_G, int(rng.integers(1, 4)))
        for n in range(count)
    ]


def _alone(rng: np.random.Generator, count: int) -> list[Plan]:
    return [beers(MEN if n % 2 else WOMEN, int(rng.integers(1, 9)), DRINK_G) for n in range(count)]


def _false(found: Sequence[Judged]) -> dict[str, float]:
    return {
        "days": len(found),
        "confirmed_days": sum(each.confirmed for each in found),
        "false_confirmed_percent": _percent(each.confirmed for each in found),
        "review_percent": _percent(Verdict.REVIEW in each.verdicts for each in found),
    }


def _found(drunk: Sequence[Judged]) -> dict[str, float]:
    """Days on which the drinking alone, as measured, makes a run at the threshold."""
    visible = [each for each in drunk if _makes_a_run(each.day.clean)]
    return {
        "days": len(drunk),
        "visible_days": len(visible),
        "confirmed_percent": _percent(each.confirmed for each in visible),
        "confirmed_or_review_percent": _percent(each.surfaced for each in visible),
        "not_confirmed_percent": _percent(
            bool(each.verdicts) and set(each.verdicts) == {Verdict.NOT_CONFIRMED}
            for each in visible
        ),
    }


def _makes_a_run(clean: Sequence[Sample]) -> bool:
    return any(each.primary.r1 is Answer.YES for each in episodes(clean, STANDARD))


def _covered(
    rng: np.random.Generator, count: int, world: World, cover: str
) -> dict[str, float | None]:
    """Drinking under a cover: what of it was found and when, and what was said of alcohol."""
    plans = [beers(MEN if n % 2 else WOMEN, 5, DRINK_G, cover=cover) for n in range(count)]
    found = [judged(day) for day in live(rng, plans, world)]
    suspected = [_first(each, Stage.SUSPECTED) for each in found]
    confirmed = [_first(each, Stage.CONFIRMED) for each in found]
    long = [n for n, each in enumerate(found) if _covered_h(each.day) >= 8.5]
    blind = [each for each in found if _blind(each)]
    return {
        "days": count,
        "found_percent": _percent(each is not None for each in suspected),
        "confirmed_percent": _percent(each is not None for each in confirmed),
        "confirmed_of_8_hours_percent": _percent(confirmed[n] is not None for n in long),
        "median_hours_to_find": _median(each for each in suspected if each is not None),
        "alcohol_undetermined_or_seen_percent": _percent(
            bool(_blind(each)) or each.surfaced for each in found
        ),
        "not_confirmed_under_it": sum(Verdict.NOT_CONFIRMED in each.verdicts for each in blind),
    }


def _blind(each: Judged) -> list[WearSpan]:
    assert each.day.covered is not None
    return [span for span in each.wear if span.blinds and span.overlaps(*each.day.covered)]


def _covered_h(day: Day) -> float:
    assert day.covered is not None
    return (day.covered[1] - day.covered[0]) / timedelta(hours=1)


def _first(each: Judged, stage: Stage) -> float | None:
    """Hours from the beginning of the cover until the rule says this of it; None for never."""
    assert each.day.covered is not None
    begins = each.day.covered[0]
    samples = in_order(each.day.samples).samples
    if not any(_says(span, each.day.covered, stage) for span in each.wear):
        return None
    for place in range(len(samples)):
        if samples[place].at < begins + timedelta(minutes=30):
            continue
        so_far = wear_spans(samples[: place + 1])
        if any(_says(span, each.day.covered, stage) for span in so_far):
            return (samples[place].at - begins) / timedelta(hours=1)
    return None


def _says(span: WearSpan, covered: tuple[datetime, datetime], stage: Stage) -> bool:
    tamper = span.kind in (WearKind.OBSTRUCTION, WearKind.REMOVAL)
    sure = span.stage is Stage.CONFIRMED or stage is Stage.SUSPECTED
    return tamper and sure and span.stage is not Stage.POSSIBLE and span.overlaps(*covered)


def _honest(found: Sequence[Judged]) -> dict[str, float]:
    tampers = [[span for span in each.wear if span.kind.is_tamper] for each in found]
    return {
        "suspected_percent_of_days": _percent(bool(spans) for spans in tampers),
        "confirmed_percent_of_days": _percent(
            any(span.stage is Stage.CONFIRMED for span in spans) for spans in tampers
        ),
    }


def probabilities(found: Iterable[Judged]) -> Iterable[tuple[float, bool]]:
    """What was said of each episode, and whether there was drinking in it."""
    for each in found:
        for episode in each.episodes:
            drank = any(
                sample.tac_g_dl > 0 and episode.onset <= sample.at <= episode.end
                for sample in each.day.clean
            )
            yield likely(episode).drinking, drank


def calibration(said: Sequence[tuple[float, bool]]) -> dict[str, object]:
    """By tenth of the probability: how many, what was said, how often it was so; Brier score."""
    rows = []
    for tenth in range(10):
        these = [pair for pair in said if min(9, int(pair[0] * 10)) == tenth]
        if these:
            rows.append(
                {
                    "from": tenth / 10,
                    "episodes": len(these),
                    "said": round(sum(p for p, _ in these) / len(these), 3),
                    "true": round(sum(true for _, true in these) / len(these), 3),
                }
            )
    brier = sum((p - true) ** 2 for p, true in said) / max(1, len(said))
    return {"brier": round(brier, 4), "deciles": rows}


def _dose_holds(found: Sequence[Judged]) -> float:
    """Percent of episodes of drinking whose dose lies in the range given (90 % meant)."""
    inside = []
    for each in found:
        for episode in each.episodes:
            if any(
                sample.tac_g_dl > 0 and episode.onset <= sample.at <= episode.end
                for sample in each.day.clean
            ):
                low, high = likely(episode).dose_g
                inside.append(low <= each.day.plan.drinks_g <= high)
    return _percent(inside)


def _reaches(samples: Sequence[Sample], level: float) -> bool:
    return any(each.tac_g_dl >= level for each in samples)


def _percent(true: Iterable[bool]) -> float:
    each = list(true)
    return round(100 * sum(each) / len(each), 2) if each else 0.0


def _median(values: Iterable[float]) -> float | None:
    each = sorted(values)
    return round(each[len(each) // 2], 2) if each else None
