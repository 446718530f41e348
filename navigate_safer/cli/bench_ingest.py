"""How fast intake is on this machine, beside what its parts can do alone."""

from collections.abc import Callable

import click
import msgspec
from rich.console import Console
from rich.table import Table

from navigate_safer import logs
from navigate_safer.demo.intake_bench import Bench, Run

DATABASES = ("postgresql", "sqlite")
# The fleet of the main rows; the others show whether what is known costs anything.
FLEET = 30_000
PACE = 4_000.0


@click.command()
@click.option("--database", "databases", multiple=True, type=click.Choice(DATABASES),
              default=DATABASES, show_default=True)  # fmt: skip
@click.option("--messages", default=200_000, show_default=True, type=click.IntRange(1_000))
@click.option("--fleets", default="156,1000000", show_default=True,
              help="Other numbers of known devices, separated by commas.")  # fmt: skip
@click.option("--paced-s", default=30, show_default=True, type=click.IntRange(5),
              help="Seconds of the run at 4,000 messages a second.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON lines.")
def ingest(
    databases: tuple[str, ...], messages: int, fleets: str, paced_s: int, as_json: bool
) -> None:
    """Raw subscriber, raw write, bare path and the whole service, in one run.

    Everything on this machine: broker, database, publisher and service. Needs mosquitto, and for
    postgresql a PostgreSQL; both are started for the run and thrown away. Takes some minutes.
    """
    logs.configure(level="error")
    others = [_number(each) for each in fleets.split(",") if each.strip()]
    for database in databases:
        runs = _measure(database, messages, others, paced_s)
        if as_json:
            for run in runs:
                click.echo(msgspec.json.encode({"database": database, **_plain(run)}).decode())
        else:
            _print(database, runs)


def _number(text: str) -> int:
    try:
        return max(1, int(text.replace("_", "")))
    except ValueError:
        said = f"{text!r} is not a number of devices"
        raise click.BadParameter(said, param_hint="--fleets") from None


def _measure(database: str, messages: int, fleets: list[int], paced_s: int) -> list[Run]:
    def say(text: str) -> None:
        click.echo(f"{database}: {text}", err=True)

    with Bench(database, say) as bench:
        runs = [bench.raw(messages), bench.raw_copy(2 * messages), bench.bare(messages)]
        runs.append(bench.ours("service", messages, FLEET))
        runs += [bench.ours("service", messages, each) for each in fleets]
        uploads = max(1_000, messages // 20)
        runs.append(bench.ours("service, uploads of 60", uploads, FLEET, readings=60))
        runs.append(bench.ours("service at 4,000/s", int(PACE * paced_s), FLEET, rate=PACE))
    return runs


def _plain(run: Run) -> dict[str, object]:
    return msgspec.structs.asdict(run)


_COLUMNS: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("Run", lambda run: run.name),
    ("known devices", lambda run: f"{run.devices:,}" if run.devices else ""),
    ("messages/s", lambda run: f"{run.messages_a_s:,.0f}" if run.messages else ""),
    ("readings/s", lambda run: f"{run.rate:,.0f}"),
    ("service µs", lambda run: f"{run.service_us:.1f}"),
    ("database µs", lambda run: f"{run.database_us:.1f}"),
    ("broker µs", lambda run: f"{run.broker_us:.1f}"),
    ("p50 ms", lambda run: "" if run.p50_ms is None else f"{run.p50_ms:.0f}"),
    ("p99 ms", lambda run: "" if run.p99_ms is None else f"{run.p99_ms:.0f}"),
    ("worst ms", lambda run: "" if run.worst_ms is None else f"{run.worst_ms:.0f}"),
    ("on arrival", lambda run: "" if run.on_arrival is None else f"{run.on_arrival:.2%}"),
    ("by monitor", lambda run: f"{run.marked:,}" if run.on_arrival is not None else ""),
    ("memory MB", lambda run: "" if run.rss_mb is None else f"{run.rss_mb:.0f}"),
    ("lost", lambda run: f"{run.missing:,}"),
)  # fmt: skip


def _print(database: str, runs: list[Run]) -> None:
    table = Table(title=f"Intake on {database}; µs are CPU for each reading")
    for name, _ in _COLUMNS:
        table.add_column(name, justify="left" if name == "Run" else "right")
    for run in runs:
        table.add_row(*(show(run) for _, show in _COLUMNS))
    console = Console(width=160)
    console.print(table)
    bare = next(run for run in runs if run.name == "bare path")
    ours = next(run for run in runs if run.name == "service")
    console.print(f"The service does {ours.rate / bare.rate:.0%} of the bare path's rate.")
    spent = ", ".join(f"{step} {us:.1f}" for step, us in sorted(ours.seconds.items()))
    console.print(f"Steps of a batch, µs of time for each reading: {spent}")
