"""The benchmark of alcohol as tables, and which of its goals it misses."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

# The project's own goals, percent.
AT_FIVE, AT_FOUR, MOST_FALSE, LEAST_SURFACED = 92.0, 80.0, 0.2, 95.0


def misses(result: Mapping[str, Any]) -> list[str]:
    """The goals that are missed, in words."""
    found = []
    for sex, rows in result["doses"].items():
        for row in rows:
            goal = {4: AT_FOUR, 5: AT_FIVE}.get(row["beers"], 0.0)
            if row["confirmed"] < goal:
                found.append(f"{sex}, {row['beers']} beers: {row['confirmed']} % < {goal} %")
            if row["confirmed"] > row["above_0.02"]:
                found.append(f"{sex}, {row['beers']} beers: more confirmed than above 0.02 g/dl")
    for name, world in result["worlds"].items():
        if world["sober"]["false_confirmed_percent"] > MOST_FALSE:
            found.append(f"{name}: {world['sober']['false_confirmed_percent']} % falsely confirmed")
        surfaced = world["contaminated"]["confirmed_or_review_percent"]
        if surfaced < LEAST_SURFACED:
            found.append(f"{name}: {surfaced} % of drinking with contamination surfaced")
    return found


def show(result: Mapping[str, Any], console: Console) -> None:
    """Print everything."""
    console.print(_doses(result["doses"]))
    console.print(_worlds(result["worlds"]))
    console.print(_covers(result["worlds"]))
    console.print(_calibration(result["calibration"]))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def _doses(doses: Mapping[str, Any]) -> Table:
    table = _table(
        "Clean laboratory doses, % (published: Roache 2015, table 2)",
        "Beers",
        "confirmed",
        "published",
        "above 0.02",
        "published",
        "above 0.03",
        "robust",
    )
    for sex, rows in doses.items():
        for row in rows:
            names = (
                "confirmed",
                "published_confirmed",
                "above_0.02",
                "published_above_0.02",
                "above_0.03",
                "robust",
            )
            table.add_row(f"{sex} {row['beers']}", *(f"{row[name]:.1f}" for name in names))
    return table


def _worlds(worlds: Mapping[str, Any]) -> Table:
    table = _table(
        "Sober days, and drinking with interferents (visible alone)",
        "World",
        "sober days",
        "false confirmed %",
        "review %",
        "drinking days",
        "confirmed %",
        "or review %",
        "dose in range %",
        "Brier",
    )
    for name, world in worlds.items():
        sober, drunk = world["sober"], world["contaminated"]
        table.add_row(
            name,
            str(sober["days"]),
            f"{sober['false_confirmed_percent']:.2f}",
            f"{sober['review_percent']:.1f}",
            str(drunk["visible_days"]),
            f"{drunk['confirmed_percent']:.1f}",
            f"{drunk['confirmed_or_review_percent']:.1f}",
            f"{world['dose_range_holds']:.1f}",
            f"{world['calibration']['brier']:.3f}",
        )
    return table


def _covers(worlds: Mapping[str, Any]) -> Table:
    table = _table(
        "Drinking under a cover of two hours or more, and honest wear",
        "World",
        "covered: found %",
        "after h",
        "confirmed if 8 h %",
        "alcohol undetermined or seen %",
        "taken off: found %",
        "after h",
        "honest: suspected % of days",
        "confirmed %",
    )
    for name, world in worlds.items():
        covered, removed, honest = world["obstruction"], world["removal"], world["honest_wear"]
        table.add_row(
            name,
            f"{covered['found_percent']:.1f}",
            _hours(covered["median_hours_to_find"]),
            f"{covered['confirmed_of_8_hours_percent']:.1f}",
            f"{covered['alcohol_undetermined_or_seen_percent']:.1f}",
            f"{removed['found_percent']:.1f}",
            _hours(removed["median_hours_to_find"]),
            f"{honest['suspected_percent_of_days']:.1f}",
            f"{honest['confirmed_percent_of_days']:.2f}",
        )
    return table


def _hours(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f}"


def _calibration(calibration: Mapping[str, Any]) -> Table:
    title = f"Probability of drinking, all worlds (Brier score {calibration['brier']:.3f})"
    table = _table(title, "From", "episodes", "said", "true")
    for row in calibration["deciles"]:
        shown = (f"{row['said']:.3f}", f"{row['true']:.3f}")
        table.add_row(f"{row['from']:.1f}", str(row["episodes"]), *shown)
    return table
