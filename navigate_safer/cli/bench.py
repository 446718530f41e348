"""Measurements that anybody can repeat."""

import click
from rich.console import Console
from rich.table import Table

from navigate_safer import logs
from navigate_safer.demo.latency import measure


@click.group()
def bench() -> None:
    """Measure this machine."""


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
