"""How a command says that it cannot go on."""

from typing import NoReturn

import click

BAD_INPUT = 2


def stop(message: str) -> NoReturn:
    """One line that says what, where and what to do; exit code 2."""
    click.echo(f"navigate-safer: {message}", err=True)
    raise SystemExit(BAD_INPUT)
