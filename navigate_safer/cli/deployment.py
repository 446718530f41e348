"""Write the files that an installation needs beside the service."""

from pathlib import Path

import click

from navigate_safer.cli.fault import stop
from navigate_safer.deployment import writing


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over files that are there.")
def deployment(folder: Path, *, force: bool) -> None:
    """Write configuration of Mosquitto, Prometheus and Grafana into FOLDER."""
    try:
        written = writing.write(folder, force=force)
    except writing.InTheWay as fault:
        stop(f"{folder}: there already: {fault}; choose another folder, or --force to replace them")
    except OSError as fault:
        stop(f"{folder}: cannot be written: {fault.strerror}")
    for path in written:
        click.echo(f"{path}: {writing.FILES[path.name]}")
