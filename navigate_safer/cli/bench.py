"""Measurements that anybody can repeat."""

import click


@click.group()
def bench() -> None:
    """Measure this machine."""


COMMANDS = (bench,)
