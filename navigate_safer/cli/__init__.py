"""The command line. Bad input is one line on standard error and exit code 2, never a traceback.

A command's module is loaded when the command is called: judging a file must not wait for the web
server, the database and the demonstration to load.
"""

from importlib import import_module
from keyword import iskeyword

import click

# Command -> the module of this package that holds it, under the same name.
COMMANDS = {
    "ingest": "workers",
    "monitor": "workers",
    "deliver": "workers",
    "schedule": "workers",
    "commands": "workers",
    "import": "import_",
    "web": "workers",
    "run": "workers",
    "migrate": "manage",
    "register": "manage",
    "set-password": "manage",
    "reply": "manage",
    "deployment": "deployment",
    "replay": "replay",
    "near": "near",
    "archive": "replay",
    "hold": "hold",
    "audit": "audit",
    "judge": "files",
    "zones": "zones",
    "schema": "files",
    "outcomes": "outcomes",
    "demo": "demonstration",
    "demo-reset": "demonstration",
    "bench": "bench",
}


class _Lazy(click.Group):
    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"navigate_safer.cli.{COMMANDS[name]}")
        # A command may be called as Python calls something else, such as import.
        attribute = f"{name}_" if iskeyword(name) else name.replace("-", "_")
        command: click.Command = getattr(module, attribute)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="navigate-safer")
def main() -> None:
    """Watch tags and alcohol monitors, and tell a duty officer when a condition is broken."""
