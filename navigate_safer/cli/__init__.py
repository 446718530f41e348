"""The command line. Bad input is one line on standard error and exit code 2, never a traceback."""

import click

from navigate_safer.cli import bench, demonstration, files, manage, workers


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="navigate-safer")
def main() -> None:
    """Watch tags and alcohol monitors, and tell a duty officer when a condition is broken."""


for command in (
    *workers.COMMANDS,
    *manage.COMMANDS,
    *files.COMMANDS,
    *demonstration.COMMANDS,
    *bench.COMMANDS,
):
    main.add_command(command)
