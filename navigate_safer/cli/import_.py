"""Import what a vendor exported."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from devices.vendor_mapping import BadMapping, preset, presets
from navigate_safer.cli.fault import stop
from navigate_safer.cli.wired import service
from navigate_safer.csv_input import BadInput
from navigate_safer.people.offending import BadRecord
from navigate_safer.services import importing
from navigate_safer.services import offending as records
from navigate_safer.services.import_source import ImportFault, open_source
from navigate_safer.services.importing import Importer, Wish

_NOTHING_TAKEN = 1


@click.group("import")
def import_() -> None:
    """Take in data from files."""


@import_.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--columns", "columns_file", type=click.Path(path_type=Path),
              help="Mapping file (TOML): which column is what.")  # fmt: skip
@click.option("--preset", "preset_name", help=f"Shipped mapping: {', '.join(presets())}.")
@click.option("--gateway", help="Gateway that speaks for the devices; default: each one's own.")
@click.option("--oldest", metavar="YYYY-MM-DD",
              help="First day (UTC) that is taken; default: as for telemetry.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read everything, store nothing.")
@click.option("--again", is_flag=True, help="From the beginning, though it was imported before.")
def readings(
    file: Path,
    columns_file: Path | None,
    preset_name: str | None,
    gateway: str | None,
    oldest: str | None,
    dry_run: bool,
    again: bool,
) -> None:
    """Import the readings of a CSV FILE; killed and run again, it goes on."""
    mapping = _mapping(columns_file, preset_name)
    made = service()
    first_day = _first_day(oldest, made.clock(), made.limits.past_days)
    wish = Wish(first_day, gateway, dry_run, again)
    try:
        with _bar() as bar:
            reading = bar.add_task("Reading", total=None, lines="")
            source = open_source(file, mapping, gateway, lambda n: bar.advance(reading, n))
            bar.remove_task(reading)
            importer = Importer(made.sessions, source, wish, made.clock, made.limits)
            done = importer.progress
            if done.finished_before is not None:
                at = done.finished_before.strftime("%Y-%m-%d %H:%M UTC")
                click.echo(f"Imported before, at {at}: {_summary(done)} --again begins anew.")
                return
            if done.resumed:
                click.echo(f"Going on after line {done.lines:,}.")
            task = bar.add_task("Importing", total=source.size_bytes, lines="")
            done = _work(importer, bar, task)
    except ImportFault as fault:
        stop(str(fault))
    words = _summary(done, dry_run=dry_run)
    click.echo(f"Dry run: {words}" if dry_run else words)
    if done.refused_lines and done.refused_lines == done.lines - source.heading_lines:
        raise SystemExit(_NOTHING_TAKEN)


def _work(importer: Importer, bar: Progress, task: TaskID) -> importing.Progress:
    began, first = time.monotonic(), importer.progress.lines
    bar.update(task, completed=importer.progress.offset_bytes)
    for done in importer.run():
        rate = (done.lines - first) / max(time.monotonic() - began, 1e-6)
        words = f"{done.lines:,} lines, {rate:,.0f}/s, {done.refused_lines:,} refused"
        bar.update(task, completed=done.offset_bytes, lines=words)
    return importer.progress


@contextmanager
def _bar() -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[lines]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar


def _mapping(columns_file: Path | None, preset_name: str | None) -> bytes:
    if (columns_file is None) == (preset_name is None):
        stop("give exactly one of --columns FILE and --preset NAME")
    try:
        if columns_file is None:
            return preset(preset_name or "")
        return columns_file.read_bytes()
    except BadMapping as fault:
        stop(f"--preset: {fault}")
    except OSError as fault:
        stop(f"{columns_file}: cannot be read: {fault.strerror}")


def _first_day(oldest: str | None, now: datetime, past_days: int) -> date:
    if oldest is None:
        return date.fromordinal(now.astimezone(UTC).date().toordinal() - past_days)
    try:
        return date.fromisoformat(oldest)
    except ValueError:
        stop(f"--oldest {oldest!r}: expected a day such as 2026-10-08")


def _summary(done: importing.Progress, *, dry_run: bool = False) -> str:
    stored = f"{done.stored:,} readings " + ("would be taken" if dry_run else "stored")
    there = "" if dry_run else f"{done.repeated:,} were there already, "
    text = f"{done.lines:,} lines, {stored}, {there}{done.refused_lines:,} lines refused"
    if done.refused:
        counts = sorted(done.refused.items(), key=lambda each: -each[1])
        text += " (" + ", ".join(f"{times:,} {name.replace('_', ' ')}" for name, times in counts)
        text += ")" if dry_run else "; see quarantine, each with its line)"
    return text + "."


@import_.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, store nothing.")
def offending(file: Path, dry_run: bool) -> None:
    """Import records of offending, custody and moves of a CSV FILE, all or none."""
    try:
        entries = records.read_csv(file.read_bytes(), file.name)
    except OSError as fault:
        stop(f"{file}: cannot be read: {fault.strerror}")
    except BadInput as fault:
        stop(f"{fault}; nothing was stored")
    try:
        with closing(service()) as made:
            taken = records.import_entries(made.sessions, entries, made.clock(), dry_run=dry_run)
    except BadRecord as fault:
        stop(f"{file.name}: {fault}; nothing was stored")
    counts = f"{taken.added} added, {taken.changed} changed, {taken.unchanged} unchanged"
    older = f", {taken.older} older than what is known" if taken.older else ""
    click.echo(f"Offending records: {counts}{older}." + (" Nothing was stored." * dry_run))
