"""``bench outcomes``: how often the 95 % intervals hold the truth."""

import json
from time import perf_counter

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from navigate_safer.demo import outcomes_bench
from navigate_safer.demo.outcomes_worlds import MEAN, PEOPLE, TRUE_RATIO, WORLDS


@click.command()
@click.option("--cohorts", default=2_000, show_default=True, type=click.IntRange(1, 1_000_000),
              help="Simulated cohorts of each situation.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON document.")
def outcomes(cohorts: int, seed: int, as_json: bool) -> None:
    """How often the 95 % intervals hold the truth, by situation; some minutes.

    Exits with 1 where an interval that is right for its situation holds it in less than 93 or more
    than 97 % of the cohorts.
    """
    began = perf_counter()
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Cohorts", total=cohorts * len(WORLDS))
        found = outcomes_bench.measure(cohorts, seed, advance=lambda: progress.advance(task))
    seconds = round(perf_counter() - began, 1)
    if as_json:
        about = {"cohorts": cohorts, "seed": seed, "seconds": seconds}
        click.echo(json.dumps(about | {"rows": [_row(each) for each in found]}, indent=2))
    else:
        Console().print(_table(found))
        cohort = f"{PEOPLE} people, {MEAN:g} events a year, true ratio {TRUE_RATIO:g}"
        click.echo(f"{cohorts} cohorts of {cohort}, seed {seed}: {seconds} s")
    if any(each.right and not each.inside_bar for each in found):
        raise SystemExit(1)


def _row(each: outcomes_bench.Coverage) -> dict[str, object]:
    return {
        "situation": each.world,
        "interval": each.interval,
        "right": each.right,
        "held_percent": each.percent,
        "below_truth": each.below,
        "missing": each.missing,
        "verdict": each.verdict,
    }


def _table(found: list[outcomes_bench.Coverage]) -> Table:
    table = Table(title="95 % intervals that hold the truth")
    table.add_column("Situation")
    table.add_column("Interval")
    table.add_column("Holds %", justify="right")
    table.add_column("Too low %", justify="right")
    table.add_column("Verdict")
    last = ""
    for each in found:
        if each.world != last:
            table.add_section()
        name, last = each.world if each.world != last else "", each.world
        low = 100 * each.below / each.cohorts
        table.add_row(name, each.interval, f"{each.percent:.1f}", f"{low:.1f}", each.verdict)
    return table
