"""``bench alcohol``: what the alcohol rule finds of synthetic people with known truth."""

import json
from pathlib import Path
from time import perf_counter

import click
from rich.console import Console
from rich.progress import Progress

from navigate_safer.cli.fault import stop
from navigate_safer.demo import alcohol_fit, alcohol_report
from navigate_safer.demo.alcohol_bench import Sizes, measure
from navigate_safer.demo.alcohol_days import WORLDS

_DEFAULTS = Sizes()


@click.command()
@click.option("--people", default=_DEFAULTS.people, show_default=True,
              type=click.IntRange(10, 100_000), help="For each dose and sex.")  # fmt: skip
@click.option("--days", default=_DEFAULTS.sober_days, show_default=True,
              type=click.IntRange(10, 100_000), help="Sober days in each world.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON document.")
@click.option("--fit", "fit_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Fit the model anew and write it here; measures nothing.")  # fmt: skip
def alcohol(people: int, days: int, seed: int, as_json: bool, fit_file: Path | None) -> None:
    """Doses beside the published rows, false confirmations, contamination, covers, calibration.

    The same seed gives the same figures. Exit code 1 when a goal is missed. Some minutes.
    """
    if fit_file is not None:
        _fit(seed, fit_file)
        return
    began = perf_counter()
    sizes = Sizes(people, days, max(10, days // 5), max(10, days // 5))
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Judging", total=2 + len(WORLDS))
        result = measure(seed, sizes, advance=lambda: progress.advance(task))
    missed = alcohol_report.misses(result)
    if as_json:
        click.echo(json.dumps(result | {"goals_missed": missed}, indent=2))
    else:
        alcohol_report.show(result, Console())
        seconds = perf_counter() - began
        sized = f"{people} people a dose, {days} sober days a world, seed {seed}"
        click.echo(f"{sized}: {seconds:.0f} s")
        click.echo("; ".join(["goals missed", *missed]) if missed else "every goal is met")
    if missed:
        raise SystemExit(1)


def _fit(seed: int, path: Path) -> None:
    with Console(stderr=True).status("Fitting"):
        model = alcohol_fit.fit(seed)
    try:
        alcohol_fit.write(model, path)
    except OSError as fault:
        stop(f"{path}: cannot be written: {fault.strerror}")
