"""Fit the probabilistic model of alcohol to episodes that the forward model made in many worlds."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from alerts.alcohol.episode import Episode, episodes
from alerts.alcohol.features import NAMES, features
from alerts.alcohol.forward import Floats, Skin
from alerts.alcohol.model import EXPLANATIONS, VERSION, Model, standardised, terms
from alerts.alcohol.rule_set import STANDARD
from alerts.alcohol.series import in_order
from navigate_safer.demo.alcohol_days import Day, World, any_plan, live

_RIDGE = 3.0


def any_world(rng: np.random.Generator, number: int) -> World:
    """A world drawn at random: wider on every side than those of the benchmark."""
    return World(
        f"drawn {number}",
        skin=Skin(
            tau_h=rng.uniform(0.6, 1.15),
            gain=rng.uniform(0.75, 1.25),
            gain_log_sd=rng.uniform(0.3, 0.55),
        ),
        noise=rng.uniform(0.03, 0.14),
        slow_share=rng.uniform(0.05, 0.7),
        slow_fall_h=(1.0, rng.uniform(1.5, 3.2)),
        lost=rng.choice([0.0, rng.uniform(0.0, 0.08)]),
        late_min=rng.uniform(0.5, 5.0),
        wander_g_dl=rng.choice([0.0, rng.uniform(0.0, 0.008)]),
    )


def labelled(
    rng: np.random.Generator, days: int, worlds: int
) -> Iterator[tuple[Episode, str, Day]]:
    """Episodes, each with what it really was."""
    for number in range(worlds):
        world = any_world(rng, number)
        for day in live(rng, [any_plan(rng) for _ in range(days // worlds)], world):
            for episode in episodes(in_order(day.samples).samples, STANDARD):
                yield episode, explanation(day, episode), day


def explanation(day: Day, episode: Episode) -> str:
    """What was at the skin in an episode: what was drunk, what was not, both, or nothing."""
    begins, ends = episode.onset, episode.end
    drunk = any(begins <= each.at <= ends and each.tac_g_dl > 0 for each in day.clean)
    spilt = any(begins <= at <= ends for at in day.spilt)
    return EXPLANATIONS[2 if drunk and spilt else 0 if drunk else 1 if spilt else 3]


def fit(seed: int, days: int = 24_000, worlds: int = 120) -> Model:
    """Fit on most of the worlds and calibrate on the rest."""
    rng = np.random.default_rng([seed, 77])
    known = list(labelled(rng, days, worlds))
    raw = np.array([features(episode) for episode, _, _ in known])
    centre, scale = raw.mean(axis=0), raw.std(axis=0)
    rows = np.array([terms(standardised(row, centre, scale)) for row in raw.tolist()])
    truth = np.array([EXPLANATIONS.index(name) for _, name, _ in known])
    held = int(0.7 * len(rows))
    weights = _softmax_fit(rows[:held], truth[:held])
    scores = rows[held:] @ weights.T
    parts = np.exp(scores - scores.max(axis=1, keepdims=True))
    parts /= parts.sum(axis=1, keepdims=True)
    drank = np.isin(truth, (0, 2))
    grams = np.array([max(1.0, day.plan.drinks_g) for _, _, day in known])
    dose, spread = _dose_fit(rows[drank], np.log(grams[drank]))
    return Model(
        VERSION,
        NAMES,
        tuple(centre.tolist()),
        tuple(scale.tolist()),
        tuple(tuple(np.round(row, 5).tolist()) for row in weights),
        _isotonic(parts[:, 0] + parts[:, 2], drank[held:]),
        tuple(np.round(dose, 5).tolist()),
        spread,
    )


def _softmax_fit(rows: Floats, truth: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Floats:
    """Ridge-penalised multinomial logistic regression by Newton's method on its bound.

    The bound of Böhning (1992) has one fixed curvature, so that each step is one solve.
    """
    kinds = len(EXPLANATIONS)
    target = np.eye(kinds)[truth]
    curvature = np.linalg.inv(0.5 * rows.T @ rows + _RIDGE * np.eye(rows.shape[1]))
    weights: Floats = np.zeros((kinds, rows.shape[1]))
    for _ in range(1500):
        scores = rows @ weights.T
        parts = np.exp(scores - scores.max(axis=1, keepdims=True))
        parts /= parts.sum(axis=1, keepdims=True)
        weights += ((target - parts).T @ rows - _RIDGE * weights) @ curvature
    return weights


def _isotonic(
    said: Floats, true: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> tuple[tuple[float, float], ...]:
    """How often it was so, by what was said: pooled until it rises (pool adjacent violators)."""
    order = np.argsort(said, kind="stable")
    chunks = np.array_split(order, 40)
    # One case more of each kind in every pool: never quite certain.
    pools = [[float(said[c].mean()), float(true[c].sum()), float(len(c))] for c in chunks if len(c)]
    merged: list[list[float]] = []
    for pool in pools:
        merged.append(pool)
        while len(merged) > 1 and merged[-2][1] / merged[-2][2] >= merged[-1][1] / merged[-1][2]:
            x, hits, count = merged.pop()
            before = merged[-1]
            before[0] = (before[0] * before[2] + x * count) / (before[2] + count)
            before[1] += hits
            before[2] += count
    # What keeps a pool from certainty must not turn two of them round.
    true_shares = np.maximum.accumulate([(hits + 0.5) / (n + 1) for _, hits, n in merged])
    return tuple(
        (round(x, 5), round(float(share), 5))
        for (x, _, _), share in zip(merged, true_shares, strict=True)
    )


def _dose_fit(rows: Floats, log_grams: Floats) -> tuple[Floats, tuple[float, float]]:
    penalty = _RIDGE * np.eye(rows.shape[1])
    solved = np.linalg.solve(rows.T @ rows + penalty, rows.T @ log_grams)
    weights: Floats = solved.astype(np.float64)
    off = log_grams - rows @ weights
    low, high = np.quantile(off, (0.05, 0.95))
    return weights, (round(float(low), 4), round(float(high), 4))


def write(model: Model, path: Path) -> None:
    """Write the fitted numbers."""
    path.write_text(json.dumps(msgspec.to_builtins(model), indent=1) + "\n", encoding="utf-8")
