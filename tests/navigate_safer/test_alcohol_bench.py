"""The benchmark of alcohol: the forward model, what is counted, and that a seed is enough."""

import io
import json
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from alerts.alcohol.forward import MEN, PUBLISHED_DRINK_G, WOMEN, curves, draw, sensitivity
from alerts.alcohol.model import EXPLANATIONS, fitted
from alerts.alcohol.verdict import Verdict
from navigate_safer.cli.bench import bench
from navigate_safer.demo import alcohol_fit, alcohol_report
from navigate_safer.demo.alcohol_bench import (
    PUBLISHED,
    Sizes,
    calibration,
    judged,
    measure,
    probabilities,
)
from navigate_safer.demo.alcohol_days import WORLDS, Plan, any_plan, beers, live

SMALL = Sizes(people=12, sober_days=12, drinking_days=10, covered_days=10)


def rng(seed=5):
    return np.random.default_rng(seed)


def people(sex, count=400):
    drawn = draw(rng(), count, sex)
    grams = np.full(count, 4 * PUBLISHED_DRINK_G)
    return drawn, curves(drawn, grams, np.full(count, 1.6), 18 * 60)


def test_the_forward_model_peaks_about_two_hours_after_the_blood_and_comes_back():
    _, levels = people(MEN)
    peak_h = np.median(levels.argmax(axis=1)) / 60
    # Four drinks over 1.6 h: blood peaks about then, the skin some two hours later.
    assert 2.5 < peak_h < 4.5
    assert np.median(levels[:, -1]) < 0.01
    assert (levels >= 0).all()


@pytest.mark.parametrize("sex", [MEN, WOMEN], ids=lambda sex: sex.name)
def test_the_forward_model_shows_the_threshold_as_often_as_the_laboratory(sex):
    found = [100 * each.seen for each in sensitivity(sex)]
    published = PUBLISHED[sex.name]["above_0.02"]
    assert [abs(ours - theirs) < 15 for ours, theirs in zip(found, published, strict=True)] == (
        [True] * 5
    )


def test_the_heavier_the_less_is_seen():
    light, heavy = (sensitivity(MEN, weight_kg=each)[1].seen for each in (60.0, 110.0))
    assert light > heavy + 0.1


def test_a_day_has_its_truth_beside_it():
    plan = beers(MEN, 5, 14.0, pulses=1, cover="obstruction")
    (day,) = live(rng(), [plan], WORLDS[0])
    assert day.covered is not None
    assert day.spilt
    inside = [s.ir_v for s in day.samples if day.covered[0] <= s.at <= day.covered[1]]
    outside = [s.ir_v for s in day.samples if not day.covered[0] <= s.at <= day.covered[1]]
    assert abs(np.median(inside) / np.median(outside) - 1) > 0.12
    assert all(two.at > one.at for one, two in pairwise(day.clean))


def test_sober_days_without_a_spill_show_nothing():
    for day in live(rng(), [Plan()] * 20, WORLDS[0]):
        assert judged(day).episodes == ()


def test_heavy_drinking_is_confirmed_and_named():
    found = [judged(day) for day in live(rng(), [beers(WOMEN, 6, 14.0)] * 30, WORLDS[0])]
    assert sum(each.confirmed for each in found) > 24
    said = list(probabilities(found))
    assert all(true for _, true in said)
    assert np.mean([probability for probability, _ in said]) > 0.9


def test_a_spill_is_never_confirmed_and_rarely_called_drinking():
    found = [judged(day) for day in live(rng(), [Plan(pulses=2)] * 60, WORLDS[0])]
    verdicts = [verdict for each in found for verdict in each.verdicts]
    assert len(verdicts) > 40
    assert Verdict.CONFIRMED not in verdicts
    assert np.mean([probability for probability, _ in probabilities(found)]) < 0.2


def test_calibration_counts_by_tenths():
    counted = calibration([(0.05, False), (0.05, True), (0.95, True), (1.0, True)])
    assert counted["deciles"] == [
        {"from": 0.0, "episodes": 2, "said": 0.05, "true": 0.5},
        {"from": 0.9, "episodes": 2, "said": 0.975, "true": 1.0},
    ]
    assert counted["brier"] == pytest.approx((0.0025 + 0.9025 + 0.0025) / 4, abs=1e-4)


@pytest.fixture(scope="module")
def result():
    return measure(3, SMALL)


def test_the_same_seed_gives_the_same_figures_and_another_others(result):
    assert measure(3, SMALL) == result
    assert measure(4, SMALL) != result


def test_nobody_is_confirmed_who_was_never_at_the_threshold(result):
    for rows in result["doses"].values():
        assert all(row["confirmed"] <= row["above_0.02"] for row in rows)


def test_the_report_shows_every_world_and_names_what_is_missed(result):
    shown = io.StringIO()
    alcohol_report.show(result, Console(file=shown, width=220))
    for world in WORLDS:
        assert world.name in shown.getvalue()
    bad = json.loads(json.dumps(result))
    bad["doses"]["men"][4]["confirmed"] = 12.0
    bad["worlds"]["field"]["sober"]["false_confirmed_percent"] = 0.3
    bad["worlds"]["field"]["contaminated"]["confirmed_or_review_percent"] = 94.0
    missed = " ".join(alcohol_report.misses(bad))
    for words in ("men, 5 beers: 12.0 % < 92.0 %", "0.3 % falsely", "94.0 % of drinking"):
        assert words in missed


def test_the_command_prints_one_document():
    ran = CliRunner().invoke(bench, ["alcohol", "--people", "10", "--days", "10", "--json"])
    assert ran.exit_code in (0, 1), ran.output
    document = json.loads(ran.stdout)
    assert (ran.exit_code == 1) is bool(document["goals_missed"])
    assert {"doses", "worlds", "calibration", "seed"} <= set(document)


def test_the_model_can_be_fitted_anew(tmp_path):
    model = alcohol_fit.fit(2, days=240, worlds=6)
    alcohol_fit.write(model, tmp_path / "model.json")
    written = json.loads((tmp_path / "model.json").read_text())
    ours = fitted()
    assert set(written) == set(ours.__struct_fields__)
    assert len(model.weights) == len(ours.weights) == len(EXPLANATIONS)
    true = [each for _, each in ours.calibration]
    assert true == sorted(true)


def test_plans_are_of_every_kind():
    drawn = rng()
    plans = [any_plan(drawn) for _ in range(100)]
    kinds = {(plan.drinks_g > 0, plan.pulses > 0) for plan in plans}
    assert kinds == {(True, False), (False, True), (True, True)}
