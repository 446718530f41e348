"""Set up and look after an installation."""

import secrets
from pathlib import Path

import click

from navigate_safer.cli.fault import stop
from navigate_safer.cli.wired import service, settings
from navigate_safer.db import schema
from navigate_safer.services import accounts, replies, storage
from navigate_safer.services import register as registration
from navigate_safer.services.case_entries import CaseFileFault, read_case_file
from navigate_safer.wiring import Service


@click.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    made = Service(settings())
    try:
        schema.upgrade(made.engine)
    except Exception as fault:
        stop(f"the database could not be migrated ({type(fault).__name__}: see its own log)")
    storage.make_days(made.sessions, made.clock(), made.storage_plan)
    click.echo("The database is at the newest schema.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def register(file: Path) -> None:
    """Take in a case FILE: staff, gateways, devices, zones, wearers, orders."""
    made = service()
    try:
        case_file = read_case_file(_content(file))
        added = registration.register(made.sessions, case_file, made.clock())
    except CaseFileFault as fault:
        stop(f"{file}: {fault}; nothing was registered")
    counts = (f"{getattr(added, name)} {name}" for name in added.__struct_fields__)
    click.echo("Registered " + ", ".join(counts) + ".")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        stop(f"{file}: cannot be read: {fault.strerror}")


@click.command("set-password")
@click.argument("account")
@click.option("--generate", is_flag=True, help="Make a password and print it once.")
def set_password(account: str, generate: bool) -> None:
    """Give ACCOUNT a password; ends its sessions."""
    made = service()
    if generate:
        password = secrets.token_urlsafe(12)
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < registration.SHORTEST_PASSWORD:
        stop(f"the password needs at least {registration.SHORTEST_PASSWORD} characters")
    if not accounts.set_password(made.sessions, account, password, made.clock()):
        stop(f"there is no account {account}")
    click.echo(f"Password of {account}: {password}" if generate else "The password is set.")


@click.command()
@click.option("--as", "account", required=True, help="Account whose telephone replies.")
@click.argument("text")
def reply(account: str, text: str) -> None:
    """Reply to a text as if from an officer's telephone (console sender only).

    Goes the same way as a real reply, from the number on; for the demonstration and for drills.
    """
    made = service()
    if made.settings.sms_sender != "console":
        stop("replies come from real telephones here; this works with the console sender only")
    number = accounts.phone_of(made.sessions, account)
    if number is None:
        stop(f"there is no account {account} with a telephone")
    provider_id = f"console-{secrets.token_hex(8)}"
    result = replies.take_reply(
        made.sessions, provider_id=provider_id, sender=number, body=text, now=made.clock()
    )
    click.echo(result.value.replace("_", " "))
