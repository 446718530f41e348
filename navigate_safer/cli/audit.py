"""Whether the logs that only grow are what was sealed: the audit log and the history of alerts."""

import re
from contextlib import closing

import click

from navigate_safer.cli.fault import stop
from navigate_safer.cli.wired import service
from navigate_safer.db.seals import LOGS
from navigate_safer.services import sealing
from navigate_safer.services.sealing import Proof

_KEPT = re.compile(r"(\w+):(\d+):([0-9a-f-]{64,71})")


@click.group()
def audit() -> None:
    """Look after the logs that only grow."""


@audit.command()
@click.option(
    "--kept",
    multiple=True,
    metavar="LOG:ENTRIES:HASH",
    help="A checkpoint that was kept elsewhere, as the service's own log says it; may be repeated.",
)
def verify(kept: tuple[str, ...]) -> None:
    """Work every chain out again and compare it with its signed checkpoints.

    Says for each log how far it holds, and the hash to keep elsewhere. Exit code 2, with the first
    entry that does not hold, where one does not. Writes nothing.
    """
    heads = _heads(kept)
    with closing(service()) as made:
        keys = made.settings.audit_keys
        proofs = [sealing.prove(made.sessions, log, keys, heads.get(log.name, {})) for log in LOGS]
    for proof in proofs:
        click.echo(_line(proof))
    if not keys:
        click.echo("Signatures were not looked at: NAVIGATE_SAFER_AUDIT_KEY is not set.")
    broken = [f"{each.log}: {each.fault}" for each in proofs if each.fault is not None]
    if broken:
        stop(f"the chain does not hold: {'; '.join(broken)}")


def _line(proof: Proof) -> str:
    until = f"up to entry {proof.end.entry_id}" if proof.end.number else "none"
    return (
        f"{proof.log}: {proof.end.number} sealed entries hold ({until}), {proof.waiting} not sealed"
        f" yet, {proof.signed} checkpoints signed, {proof.unsigned} not;"
        f" {proof.log}:{proof.end.number}:{sealing.grouped(proof.end.hash)}"
    )


def _heads(kept: tuple[str, ...]) -> dict[str, dict[int, str]]:
    names = [log.name for log in LOGS]
    found = dict[str, dict[int, str]]()
    for each in kept:
        parts = _KEPT.fullmatch(each)
        if parts is None or parts[1] not in names:
            stop(f"--kept: give {' or '.join(names)}, the number of entries and the hash, as "
                 f"{names[0]}:12:0a1b...")  # fmt: skip
        found.setdefault(parts[1], {})[int(parts[2])] = parts[3].replace("-", "")
    return found
