"""Measurements that anybody can repeat."""

import json
from collections.abc import Callable
from time import perf_counter

import click
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from navigate_safer import logs
from navigate_safer.cli.bench_alcohol import alcohol
from navigate_safer.cli.bench_delivery import delivery
from navigate_safer.cli.bench_ingest import ingest
from navigate_safer.cli.bench_outcomes import outcomes
from navigate_safer.cli.fault import stop
from navigate_safer.demo import (
    import_bench,
    place_bench,
    place_cost,
    place_report,
    storage_bench,
)
from navigate_safer.demo.latency import measure
from navigate_safer.demo.place_sweep import SWEEP
from navigate_safer.demo.place_worlds import WORLDS, World
from navigate_safer.demo.place_worlds import drawn as drawn_world
from navigate_safer.demo.servers import Missing

# Columns of a table that is written to a file.
WIDE = 200


@click.group()
def bench() -> None:
    """Measure this machine."""


bench.add_command(ingest)
bench.add_command(outcomes)
bench.add_command(alcohol)
bench.add_command(delivery)


@bench.command()
@click.option("--breaches", default=1_000, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--rate", default=10.0, show_default=True, type=click.FloatRange(0.01, 100),
              help="Breaches a second.")  # fmt: skip
def latency(breaches: int, rate: float) -> None:
    """From a published fix to a text accepted by the provider, the demonstration running beside it.

    The provider is a stand-in over HTTP, which sends receipts, and officers answer. The defaults
    take three minutes.
    """
    logs.configure(level="error")
    result = measure(breaches, rate, click.echo)
    done = f"{result.published:,} breaches in {result.seconds:.0f} s"
    table = Table(title=f"{done}, {result.missing} without a text")
    table.add_column("Step")
    for name in ("p50 ms", "p99 ms", "worst ms"):
        table.add_column(name, justify="right")
    for each in result.spreads:
        figures = (each.p50_ms, each.p99_ms, each.worst_ms)
        table.add_row(each.step, *(f"{figure:.0f}" for figure in figures))
    Console().print(table)
    if result.missing:
        raise SystemExit(1)


@bench.command()
@click.option("--fixes", default=50_000_000, show_default=True,
              type=click.IntRange(30_000, 1_000_000_000), help="How many to store.")  # fmt: skip
@click.option("--sqlite-fixes", default=5_000_000, show_default=True,
              type=click.IntRange(0, 1_000_000_000), help="How many in SQLite.")  # fmt: skip
@click.option("--database-url", help="An empty PostgreSQL database, instead of one of its own.")
def storage(fixes: int, sqlite_fixes: int, database_url: str | None) -> None:
    """Bytes a fix and the times of queries: hot, closed, archived. Takes half an hour.

    Cold is with nothing in memory, as after a restart: told without a bar.
    """
    logs.configure(level="error")
    try:
        with Progress(console=Console(stderr=True)) as shown:
            steps = _steps(shown)
            results = [storage_bench.measure(fixes, database_url, steps)]
            if sqlite_fixes:
                results.append(storage_bench.measure_sqlite(sqlite_fixes, steps))
    except Missing as missing:
        stop(f"{missing} is not installed; install its package, or name a --database-url")
    Console().print(_storage_table(results))
    if not all(storage_bench.met(each) for each in results):
        raise SystemExit(1)


def _steps(shown: Progress) -> Callable[[str, float], None]:
    tasks: dict[str, TaskID] = {}

    def step(name: str, share: float) -> None:
        if name not in tasks:
            tasks[name] = shown.add_task(name, total=1.0)
        shown.update(tasks[name], completed=share)

    return step


@bench.command("import")
@click.option("--rows", default=10_000_000, show_default=True,
              type=click.IntRange(1_000, 1_000_000_000), help="How many to import.")  # fmt: skip
@click.option("--database", default="sqlite", show_default=True,
              type=click.Choice(["sqlite", "postgresql"]))  # fmt: skip
def import_(rows: int, database: str) -> None:
    """A month of a vendor's export into an empty database, cut off once half way."""
    logs.configure(level="error")
    try:
        with Progress(console=Console(stderr=True)) as shown:
            result = import_bench.measure(rows, database, _steps(shown))
    except Missing as missing:
        stop(f"{missing} is not installed; install its package, or name another --database")
    click.echo(
        f"{result.database}, Python {result.python}: {result.stored:,} of {result.rows:,} rows "
        f"stored in {result.seconds:,.0f} s ({result.rows / result.seconds:,.0f} rows/s), "
        f"{result.cpu_us_a_row:.0f} us of CPU a row; memory {result.memory_mb_at_tenth:.0f} MB "
        f"after a tenth, {result.memory_mb:.0f} MB at the end; "
        f"taken up again after line {result.resumed_at_row:,}"
    )
    if result.stored != result.rows:
        raise SystemExit(1)


def _storage_table(results: list[storage_bench.Result]) -> Table:
    table = Table(title="Storage", caption="; ".join(_spent(each) for each in results))
    for name in ("", "Days", "Best", "p50", "p95", "Bar"):
        table.add_column(name, justify="left" if name in ("", "Days") else "right")
    for result in results:
        of = f"{result.fixes:,} fixes of {result.devices:,} devices"
        table.add_section()
        table.add_row(f"{result.database}, Python {result.python}, {of}")
        for state, size in result.bytes_a_fix.items():
            bar = storage_bench.BARS[state]
            table.add_row("bytes a fix", state, "", f"{size:.1f}", "", f"{bar:.0f}")
        for each in result.timings:
            figures = (each.best_ms, each.p50_ms, each.p95_ms, each.bar_ms)
            table.add_row(each.query, each.state, *(_ms(figure) for figure in figures))
    return table


def _ms(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.0f} ms"


def _spent(result: storage_bench.Result) -> str:
    steps = ", ".join(f"{name} {spent:.0f} s" for name, spent in result.seconds.items())
    return f"{result.database}: {steps}, load up to {result.load:.1f}"


@bench.command()
@click.option("--devices", default=3, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--days", default=7.0, show_default=True, type=click.FloatRange(0.5, 60))
@click.option("--seed", default=1, show_default=True)
@click.option("--drawn", default=0, type=click.IntRange(0, 1000), help="Worlds at random besides.")
@click.option(
    "--sweep/--no-sweep", default=True, help="Other costs of a miss and early warnings too."
)
@click.option("--cost", is_flag=True, help="Only what a fix costs, in a minute.")
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON document.")
def place(
    devices: int,
    days: float,
    seed: int,
    drawn: int,
    sweep: bool,
    cost: bool,
    as_json: bool,
) -> None:
    """Place rules, ours and the peers', on the same labelled tracks in several worlds of noise.

    The defaults take about a quarter of an hour, without the sweep about four minutes.
    """
    if cost:
        place_report.show_costs(place_cost.steps(), place_cost.beside_others(), _wide())
        return
    began = perf_counter()
    worlds = tuple(drawn_world(seed, number) for number in range(drawn))
    approaches: place_bench.Approaches | None = {} if sweep else None
    scores = _place_scores(devices, days, seed, (*WORLDS, *worlds), approaches)
    seconds = round(perf_counter() - began, 1)
    about = {"devices": devices, "days": days, "seed": seed, "seconds": seconds}
    if as_json:
        early = {"approach": place_report.approach_document(approaches)} if approaches else {}
        click.echo(json.dumps(about | place_report.document(scores) | early, indent=2))
        return
    place_report.show(scores, _wide(), approaches)
    click.echo(f"{devices} devices, {days:g} days, seed {seed}: {seconds} s")


def _wide() -> Console:
    """A terminal as wide as it is; a file so wide that no label of the tables is cut."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def _place_scores(
    devices: int,
    days: float,
    seed: int,
    worlds: tuple[World, ...],
    approaches: place_bench.Approaches | None,
) -> place_bench.Scores:
    """Everything measured in the worlds, with the sweep where approaches are wanted."""
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Judging", total=devices * len(worlds))
        return place_bench.measure(
            devices,
            days,
            seed,
            worlds=worlds,
            sweep=() if approaches is None else SWEEP,
            approaches=approaches,
            advance=lambda: progress.advance(task),
        )
