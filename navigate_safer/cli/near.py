"""Who was near a place, on the stored trail; asked in the name of somebody, and logged."""

import json
from datetime import UTC, datetime

import click

from navigate_safer.cli.fault import stop
from navigate_safer.cli.replay import instant
from navigate_safer.cli.wired import service
from navigate_safer.db.parquet import ArchiveUnreadable
from navigate_safer.people.access import Forbidden
from navigate_safer.people.place_question import BadQuestion, PlaceQuestion, Purpose
from navigate_safer.services import near as asking

_PURPOSES = [each.value for each in Purpose]
_OPTIONS = {"lat": "--lat", "lon": "--lon", "radius_m": "--radius-m", "from_at": "--from",
            "to_at": "--to", "reference": "--reference"}  # fmt: skip


@click.command()
@click.option("--lat", required=True, type=float, help="Degrees, such as 53.1905.")
@click.option("--lon", required=True, type=float, help="Degrees, such as -2.8918.")
@click.option("--radius-m", required=True, type=float, help="Metres, at most 5,000.")
@click.option("--from", "from_text", required=True, help="ISO 8601 with an offset, such as Z.")
@click.option("--to", "to_text", required=True, help="As --from; at most 12 hours later.")
@click.option("--as", "account", required=True, help="Account in whose name it is asked.")
@click.option("--purpose", required=True, type=click.Choice(_PURPOSES), help="Why.")
@click.option("--reference", required=True, help="Of the crime, case or complaint; no name.")
def near(
    lat: float,
    lon: float,
    radius_m: float,
    from_text: str,
    to_text: str,
    account: str,
    purpose: str,
    reference: str,
) -> None:
    """Rule the wearers of an account's areas in or out of a place in a window of time.

    Prints one JSON document, with references and no name. Question and answer are in the audit log.
    """
    made = service()
    scope = asking.scope_of_account(made.sessions, account)
    if scope is None:
        stop(f"--as: there is no account {account}")
    span = instant("--from", from_text).astimezone(UTC), instant("--to", to_text).astimezone(UTC)
    question = PlaceQuestion(lat, lon, radius_m, *span, Purpose(purpose), reference)
    try:
        name = asking.ask(made.sessions, scope, question, made.clock(), actor="command line")
        answer = asking.answer(made.sessions, scope, name, made.clock(), actor="command line")
    except BadQuestion as fault:
        stop("; ".join(f"{_OPTIONS[field]}: {what}" for field, what in fault.faults.items()))
    except Forbidden as fault:
        stop(f"--as: {fault}")
    except ArchiveUnreadable as fault:
        stop(str(fault))
    click.echo(json.dumps(document(answer), indent=2))


def document(answer: asking.NearAnswer) -> dict[str, object]:
    """The answer as JSON values; times ISO 8601 in UTC."""
    return {
        "people": [
            {
                "wearer": line.ref,
                "device": line.device,
                "verdict": line.found.verdict.value,
                "probability": round(line.found.probability, 4),
                "known_share": round(line.found.known, 4),
                "unknown_and_possible_s": line.found.open.total_seconds(),
                "nearest_m": None if line.found.nearest_m is None else round(line.found.nearest_m),
                "nearest_at": _stamp(line.found.nearest_at),
                "nearest_accuracy_m": line.found.nearest_accuracy_m,
                "stays": [
                    {"start": _stamp(stay.start), "end": _stamp(stay.end)}
                    for stay in line.found.stays
                ],
            }
            for line in answer.lines
        ],
        "without_a_tag": answer.untagged,
    }


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
