"""Measurements that anybody can repeat."""

import json
from collections.abc import Callable
from time import perf_counter

import click
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from navigate_safer import logs
from navigate_safer.cli.bench_ingest import ingest
from navigate_safer.cli.fault import stop
from navigate_safer.demo import place_bench, place_report, storage_bench
from navigate_safer.demo.latency import measure
from navigate_safer.demo.place_sweep import SWEEP
from navigate_safer.demo.place_worlds import WORLDS
from navigate_safer.demo.place_worlds import drawn as drawn_world
from navigate_safer.demo.servers import Missing


@click.group()
def bench() -> None:
    """Measure this machine."""


bench.add_command(ingest)


@bench.command()
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.1, 600))
@click.option("--every", "every_s", default=2.0, show_default=True, type=click.FloatRange(0.05),
              help="Seconds between breaches.")  # fmt: skip
def latency(minutes: float, every_s: float) -> None:
    """From a published fix to a text handed over, with the demonstration running beside it."""
    logs.configure(level="error")
    result = measure(minutes, every_s, click.echo)
    table = Table(title=f"{result.published} breaches, {result.missing} without a text")
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
@click.option("--database-url", help="An empty PostgreSQL database, instead of one of its own.")
def storage(fixes: int, database_url: str | None) -> None:
    """Bytes a fix and the times of queries: hot, closed, archived. Takes half an hour."""
    logs.configure(level="error")
    try:
        with Progress(console=Console(stderr=True)) as shown:
            result = storage_bench.measure(fixes, database_url, _steps(shown))
    except Missing as missing:
        stop(f"{missing} is not installed; install its package, or name a --database-url")
    Console().print(_storage_table(result))
    slow = [each for each in result.timings if each.p50_ms > each.bar_ms]
    large = [each for each, bar in storage_bench.BARS.items() if result.bytes_a_fix[each] > bar]
    if slow or large:
        raise SystemExit(1)


def _steps(shown: Progress) -> Callable[[str, float], None]:
    tasks: dict[str, TaskID] = {}

    def step(name: str, share: float) -> None:
        if name not in tasks:
            tasks[name] = shown.add_task(name, total=1.0)
        shown.update(tasks[name], completed=share)

    return step


def _storage_table(result: storage_bench.Result) -> Table:
    title = f"{result.fixes:,} fixes of {result.devices:,} devices"
    caption = ", ".join(f"{name} {spent:.0f} s" for name, spent in result.seconds.items())
    table = Table(title=title, caption=caption)
    for name in ("", "State", "p50", "p95", "Bar"):
        table.add_column(name, justify="left" if name in ("", "State") else "right")
    for state, size in result.bytes_a_fix.items():
        table.add_row("bytes a fix", state, f"{size:.1f}", "", f"{storage_bench.BARS[state]:.0f}")
    for each in result.timings:
        figures = (each.p50_ms, each.p95_ms, each.bar_ms)
        table.add_row(each.query, each.state, *(f"{figure:.0f} ms" for figure in figures))
    return table


@bench.command()
@click.option("--devices", default=3, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--days", default=7.0, show_default=True, type=click.FloatRange(0.5, 60))
@click.option("--seed", default=1, show_default=True)
@click.option("--drawn", default=0, type=click.IntRange(0, 1000), help="Worlds at random besides.")
@click.option("--sweep/--no-sweep", default=True, help="Other thresholds and early warnings too.")
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON document.")
def place(devices: int, days: float, seed: int, drawn: int, sweep: bool, as_json: bool) -> None:
    """Place rules, ours and the peers', on the same labelled tracks in several worlds of noise.

    The defaults take about ten minutes, without the sweep about four.
    """
    began = perf_counter()
    worlds = (*WORLDS, *(drawn_world(seed, number) for number in range(drawn)))
    approaches: place_bench.Approaches = {}
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Judging", total=devices * len(worlds))
        scores = place_bench.measure(
            devices,
            days,
            seed,
            worlds=worlds,
            sweep=SWEEP if sweep else (),
            approaches=approaches if sweep else None,
            advance=lambda: progress.advance(task),
        )
    seconds = round(perf_counter() - began, 1)
    about = {"devices": devices, "days": days, "seed": seed, "seconds": seconds}
    if as_json:
        early = {"approach": place_report.approach_document(approaches)} if sweep else {}
        click.echo(json.dumps(about | place_report.document(scores) | early, indent=2))
        return
    place_report.show(scores, Console(), approaches)
    click.echo(f"{devices} devices, {days:g} days, seed {seed}: {seconds} s")
