"""Whether a text is lost or doubled, whatever goes wrong: fault runs with everything real."""

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from navigate_safer import logs
from navigate_safer.cli.fault import stop
from navigate_safer.demo import delivery_bench
from navigate_safer.demo.delivery_faults import FAULTS, SPEED, Fault
from navigate_safer.demo.delivery_run import Outcome
from navigate_safer.demo.servers import Missing

NAMES = [each.name for each in FAULTS]
HELD = "all"


@click.command()
@click.option("--breaches", default=60, show_default=True, type=click.IntRange(4, 5_000),
              help="In each run.")  # fmt: skip
@click.option("--database", default="postgresql", show_default=True,
              type=click.Choice(["postgresql", "sqlite"]))  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="Which requests go wrong.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), metavar="NAME",
              help="This fault alone; may be given several times.")  # fmt: skip
@click.option("--side-by-side", default=3, show_default=True, type=click.IntRange(1, 8),
              help="Runs at once.")  # fmt: skip
def delivery(
    breaches: int, database: str, seed: int, only: tuple[str, ...], side_by_side: int
) -> None:
    """Faults of provider, receipts, workers, database and clock: is a text lost or doubled?

    Real workers as processes that are killed, a real database, a provider and telephones over HTTP.
    The service's clock runs ten times as fast. Exit code 1 when an invariant is broken.
    """
    logs.configure(level="error")
    faults = [each for each in FAULTS if not only or each.name in only]
    try:
        with delivery_bench.Ground(database) as ground:
            outcomes = _run(ground, faults, breaches, seed, side_by_side)
    except Missing as missing:
        stop(f"{missing} is not installed; install its package, or give --database sqlite")
    left_out = [each.name for each in faults if not ground.can(each)]
    if left_out:
        click.echo(f"Not with {database}: {', '.join(left_out)}", err=True)
    Console(width=150).print(_table(outcomes, f"{database}, seed {seed}"))
    for outcome in outcomes:
        for each in outcome.verdict.broken:
            click.echo(f"{outcome.fault}: {each}", err=True)
    if not outcomes or any(outcome.verdict.broken for outcome in outcomes):
        raise SystemExit(1)


def _run(
    ground: delivery_bench.Ground,
    faults: list[Fault],
    breaches: int,
    seed: int,
    side_by_side: int,
) -> list[Outcome]:
    with Progress(console=Console(stderr=True)) as shown:
        task = shown.add_task("fault runs", total=sum(map(ground.can, faults)))
        return delivery_bench.prove(
            ground,
            faults,
            breaches=breaches,
            seed=seed,
            side_by_side=side_by_side,
            say=lambda _outcome: shown.advance(task),
        )


def _table(outcomes: list[Outcome], about: str) -> Table:
    table = Table(
        title=f"Fault runs of delivery; {about}",
        caption=f"The service's clock runs {SPEED:g} times as fast; seconds are on the wall.",
    )
    table.add_column("Fault")
    for name in ("breaches", "texts accepted", "twice", "of these marked", "past deadline",
                 "step late by s", "killed", "seconds"):  # fmt: skip
        table.add_column(name, justify="right")
    table.add_column("invariants held")
    for each in outcomes:
        found = each.verdict
        table.add_row(
            each.fault,
            *(f"{count:,}" for count in (found.breaches, found.accepted, found.twice,
                                         found.marked, found.overdue)),
            f"{found.late_s:.1f}",
            f"{each.killed}",
            f"{each.seconds:.0f}",
            "; ".join(found.broken) or HELD,
        )  # fmt: skip
    return table
