"""Holds on readings: what retention may not erase."""

from contextlib import closing
from datetime import UTC, datetime

import click

from navigate_safer.cli.fault import stop
from navigate_safer.cli.wired import service
from navigate_safer.services import holding
from navigate_safer.services.holding import CannotHold

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def hold() -> None:
    """Keep readings that a court or an inquiry needs, whatever the retention says."""


@hold.command()
@click.option("--wearer", help="Reference of the wearer; without it everybody.")
@click.option("--from", "from_day", type=DAY, help="First day, UTC.")
@click.option("--to", "to_day", type=DAY, help="Last day, UTC.")
@click.option("--why", required=True, help="Who asked for it, and the reference of the case.")
def place(wearer: str | None, from_day: datetime | None, to_day: datetime | None, why: str) -> None:
    """Place a hold and print its number."""
    days = (from_day.date() if from_day else None, to_day.date() if to_day else None)
    try:
        with closing(service()) as made:
            number = holding.place(made.sessions, wearer, days, why, datetime.now(UTC))
    except CannotHold as fault:
        stop(str(fault))
    click.echo(number)


@hold.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="Who decided it.")
def lift(number: int, why: str) -> None:
    """End the hold of a number."""
    try:
        with closing(service()) as made:
            holding.lift(made.sessions, number, why, datetime.now(UTC))
    except CannotHold as fault:
        stop(str(fault))


@hold.command(name="list")
def list_() -> None:
    """Print every hold there is and was."""
    with closing(service()) as made:
        found = holding.every(made.sessions)
    for row, wearer in found:
        state = "in force" if row.lifted_at is None else f"lifted {row.lifted_at:%Y-%m-%d}"
        days = f"{row.from_day or '...'} to {row.to_day or '...'}"
        click.echo(f"{row.id}\t{wearer or 'everybody'}\t{days}\t{state}\t{row.why}")
