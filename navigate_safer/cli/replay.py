"""Stored readings given out again, and the archive looked after."""

import sys
from datetime import datetime

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from navigate_safer.cli.fault import stop
from navigate_safer.cli.wired import service
from navigate_safer.csv_input import YEARS
from navigate_safer.db.parquet import ArchiveUnreadable
from navigate_safer.services import archiving
from navigate_safer.services import replay as replaying
from navigate_safer.wiring import Service


@click.command()
@click.option("--device", required=True, help="Its name, such as TAG-00017.")
@click.option("--from", "from_text", required=True, help="ISO 8601 with an offset, such as Z.")
@click.option("--to", "to_text", help="As --from; now when not given. What was measured before.")
@click.option("--judge", is_flag=True,
              help="Judge anew with the stored terms, and print the findings instead.")  # fmt: skip
def replay(device: str, from_text: str, to_text: str | None, judge: bool) -> None:
    """Print a device's stored readings of any age as messages, a line each; change nothing.

    With --judge, as if nothing had been known before --from.
    """
    made = service()
    from_at = instant("--from", from_text)
    to_at = made.clock() if to_text is None else instant("--to", to_text)
    if from_at >= to_at:
        stop("--from must be before --to")
    try:
        _replay(made, device, from_at, to_at, judge=judge)
    except replaying.UnknownDevice:
        stop(f"--device: no device {device} is registered")
    except ArchiveUnreadable as fault:
        stop(str(fault))


def _replay(made: Service, device: str, from_at: datetime, to_at: datetime, *, judge: bool) -> None:
    device_id = replaying.begin(made.sessions, device, from_at, to_at, made.clock())
    judgement = replaying.judgement(made.sessions, device_id) if judge else None
    whole = (to_at - from_at).total_seconds()
    with _progress() as shown:
        task = shown.add_task(f"readings of {device}", total=whole)
        for begins, ends in replaying.steps(from_at, to_at):
            ordered = replaying.stored(made.sessions, device_id, device, begins, ends)
            if judgement is not None:
                judgement.take(ordered)
            else:
                _print([replaying.message_of(each) for each in ordered])
            shown.update(task, completed=(ends - from_at).total_seconds())
    if judgement is not None:
        _print([msgspec.json.encode(each) for each in judgement.findings()])


def _progress() -> Progress:
    # Where nobody looks on, a bar would only be in the way of a fault's one line.
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _print(lines: list[bytes]) -> None:
    if lines:
        sys.stdout.write(b"\n".join(lines).decode() + "\n")
        sys.stdout.flush()


def instant(option: str, text: str) -> datetime:
    """A time of an option; ends the command where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        stop(f"{option}: must be an ISO 8601 time such as 2026-11-20T21:00:00Z")
    if at.tzinfo is None:
        stop(f"{option}: needs an offset, such as Z or +01:00")
    if at.year not in YEARS:
        stop(f"{option}: {text} is not of this age; use a year from {YEARS[0]} to {YEARS[-1]}")
    return at


@click.group()
def archive() -> None:
    """Look after the readings that are out of the database."""


@archive.command()
def verify() -> None:
    """Compare every file of the archive with what was written; exit code 1 where one is wrong."""
    made = service()
    with _progress() as shown:
        task = shown.add_task("files of the archive", total=None)

        def step(done: int, whole: int) -> None:
            shown.update(task, completed=done, total=whole)

        result = archiving.verify(made.sessions, step)
    for fault in result.faults:
        click.echo(f"{fault.path}: {fault.what}")
    click.echo(f"{result.files} days and kinds in the archive, {len(result.faults)} faults.")
    if result.faults:
        raise SystemExit(1)
