"""The demonstration."""

import sys
from pathlib import Path

import click

from navigate_safer import logs
from navigate_safer.cli.fault import stop
from navigate_safer.demo import run as demonstration
from navigate_safer.demo.run import DemoFault
from navigate_safer.workers.loop import Stop

_DATA = click.option(
    "--data",
    "directory",
    default="demo-data",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the demonstration's data.",
)


@click.command()
@_DATA
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(0.1, 60),
              help="How many times faster than real time.")  # fmt: skip
@click.option("--port", default=8765, show_default=True, help="Port of the pages.")
@click.option("--mqtt-port", default=18883, show_default=True, help="Port of the broker.")
def demo(directory: Path, speed: float, port: int, mqtt_port: int) -> None:
    """Run everything over an invented cohort; a second start keeps its data."""
    logs.configure(level="warning")
    try:
        ready = demonstration.prepare(
            directory,
            speed=speed,
            port=port,
            mqtt_port=mqtt_port,
            base=demonstration.environment(),
        )
    except DemoFault as fault:
        stop(str(fault))
    demonstration.run(ready, Stop().listen(), click.echo)
    sys.stdout.flush()


@click.command("demo-reset")
@_DATA
def demo_reset(directory: Path) -> None:
    """Clear the demonstration's data."""
    cleared = demonstration.reset(directory)
    click.echo("The demonstration's data is cleared." if cleared else "There was no data.")
