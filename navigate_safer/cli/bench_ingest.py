"""How fast intake is on this machine, beside what its parts can do alone."""

from collections.abc import Callable

import click
import msgspec
from rich.console import Console
from rich.table import Table

from navigate_safer import logs
from navigate_safer.demo import intake_report
from navigate_safer.demo.intake_bench import Bench
from navigate_safer.demo.intake_run import Minute, Run

DATABASES = ("postgresql", "sqlite")
# The fleet of the main rows; the others show whether what is known costs anything.
FLEET = 30_000
PACE = 4_000.0
SOAK_PACE = 2_000.0


@click.command()
@click.option("--database", "databases", multiple=True, type=click.Choice(DATABASES),
              default=DATABASES, show_default=True)  # fmt: skip
@click.option("--messages", default=200_000, show_default=True, type=click.IntRange(1_000))
@click.option("--fleets", default="156,1000000", show_default=True,
              help="Other numbers of known devices, separated by commas.")  # fmt: skip
@click.option("--paced-s", default=30, show_default=True, type=click.IntRange(5),
              help="Seconds of the run at 4,000 messages a second.")  # fmt: skip
@click.option("--runs", default=1, show_default=True, type=click.IntRange(1),
              help="Measure so many times and print each figure's median.")  # fmt: skip
@click.option("--soak-s", default=0, show_default=True, type=click.IntRange(0),
              help="Only this: so long at 2,000/s, with the memory each minute.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON lines.")
def ingest(
    databases: tuple[str, ...],
    messages: int,
    fleets: str,
    paced_s: int,
    runs: int,
    soak_s: int,
    as_json: bool,
) -> None:
    """Raw subscriber, raw write, bare path and the whole service, in one run.

    Everything on this machine: broker, database, publisher and service. Needs mosquitto, and for
    postgresql a PostgreSQL; both are started for the run and thrown away. Takes some minutes.
    """
    logs.configure(level="error")
    others = [_number(each) for each in fleets.split(",") if each.strip()]
    for database in databases:
        if soak_s:
            _soak(database, soak_s)
            continue
        measured = [_measure(database, messages, others, paced_s) for _ in range(runs)]
        if as_json:
            for run in (run for each in measured for run in each):
                click.echo(msgspec.json.encode({"database": database, **_plain(run)}).decode())
        else:
            _print(database, measured)


def _number(text: str) -> int:
    try:
        return max(1, int(text.replace("_", "")))
    except ValueError:
        said = f"{text!r} is not a number of devices"
        raise click.BadParameter(said, param_hint="--fleets") from None


def _say(database: str) -> Callable[[str], None]:
    return lambda text: click.echo(f"{database}: {text}", err=True)


def _measure(database: str, messages: int, fleets: list[int], paced_s: int) -> list[Run]:
    with Bench(database, _say(database)) as bench:
        runs = [bench.raw(messages), bench.raw_copy(2 * messages), bench.bare(messages)]
        runs.append(bench.ours("service", messages, FLEET))
        runs += [bench.ours("service", messages, each) for each in fleets]
        uploads = max(1_000, messages // 20)
        runs.append(bench.ours("service, uploads of 60", uploads, FLEET, readings=60))
        runs.append(bench.flush())
        runs.append(bench.ours("service at 4,000/s", int(PACE * paced_s), FLEET, rate=PACE))
    return runs


def _soak(database: str, seconds: int) -> None:
    def tell(minute: Minute) -> None:
        click.echo(
            f"minute {minute.number}: {minute.messages:,} messages, intake "
            f"{minute.intake_mb:.1f} MB, monitor {minute.monitor_mb:.1f} MB"
        )

    click.echo(f"{intake_report.versions(database)}, {SOAK_PACE:,.0f} messages a second")
    with Bench(database, _say(database)) as bench:
        run = bench.soak(seconds, SOAK_PACE, FLEET, tell)
    click.echo(
        f"p50 {run.p50_ms:.0f} ms, p99 {run.p99_ms:.0f} ms, worst {run.worst_ms:.0f} ms, "
        f"service {run.service_us:.0f} µs a message, lost {run.missing:,}"
    )


def _plain(run: Run) -> dict[str, object]:
    return msgspec.structs.asdict(run)


_COLUMNS: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("Run", lambda run: run.name),
    ("known devices", lambda run: f"{run.devices:,}" if run.devices else ""),
    ("messages/s", lambda run: f"{run.messages_a_s:,.0f}" if run.messages else ""),
    ("readings/s", lambda run: f"{run.rate:,.0f}" if run.rate else ""),
    ("service µs", lambda run: f"{run.service_us:.1f}" if run.service_us else ""),
    ("of it monitor", lambda run: f"{run.monitor_us:.1f}" if run.monitor_us else ""),
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


def _print(database: str, measured: list[list[Run]]) -> None:
    runs = [intake_report.median(same) for same in zip(*measured, strict=True)]
    count = "one measurement" if len(measured) == 1 else f"medians of {len(measured)}"
    console = Console(width=170)
    table = Table(title=f"Intake on {intake_report.versions(database)}; {count}; "
                  "µs are CPU for each reading")  # fmt: skip
    for name, _ in _COLUMNS:
        table.add_column(name, justify="left" if name == "Run" else "right")
    for run in runs:
        table.add_row(*(show(run) for _, show in _COLUMNS))
    console.print(table)
    shares = intake_report.shares(measured)
    each = ", ".join(f"{share:.0%}" for share in shares)
    console.print(f"The service does {each} of the bare path's rate.")
    console.print(_profile(runs))


def _profile(runs: list[Run]) -> Table:
    """Where each microsecond goes, at full speed and at a pace."""
    shown = [run for run in runs if run.cpu_steps]
    table = Table(title="Steps of a batch, µs for each reading: CPU / on the clock")
    table.add_column("Step")
    for run in shown:
        table.add_column(f"{run.name}, {run.devices:,}", justify="right")
    for step, what in intake_report.STEPS.items():
        cells = []
        for run in shown:
            clock = f" / {run.seconds[step]:.1f}" if step in run.seconds else ""
            cells.append(f"{run.cpu_steps.get(step, 0.0):.1f}{clock}")
        table.add_row(what, *cells)
    return table
