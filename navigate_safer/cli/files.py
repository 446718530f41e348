"""Commands that read files and print one JSON document: useful without a server."""

import json
from pathlib import Path

import click

from alerts.alcohol.rule_set import RULE_SETS
from devices import command
from devices.native import json_schema
from navigate_safer import alcohol_files, place_files
from navigate_safer.cli.fault import stop
from navigate_safer.csv_input import BadInput


@click.group()
def judge() -> None:
    """Judge telemetry in files, with the service's own rules."""


@judge.command()
@click.option("--zones", "zones_file", required=True, type=click.Path(path_type=Path),
              help="GeoJSON FeatureCollection, or KML.")  # fmt: skip
@click.option("--track", "track_file", required=True, type=click.Path(path_type=Path),
              help="CSV: device,at,lat,lon,accuracy_m[,source].")  # fmt: skip
@click.option("--rule", default=place_files.DEFAULT_RULE, show_default=True,
              help=f"One of {', '.join(place_files.RULES)}.")  # fmt: skip
@click.option("--max-gap", default=place_files.DEFAULT_MAX_GAP_S, show_default=True,
              help="Seconds between fixes beyond which it is unknown.")  # fmt: skip
def place(zones_file: Path, track_file: Path, rule: str, max_gap: float) -> None:
    """Stays and violations of each zone in a track."""
    try:
        document = place_files.judge_place_files(
            zones_file, track_file, rule=rule, max_gap_s=max_gap
        )
    except BadInput as fault:
        stop(str(fault))
    click.echo(json.dumps(document, indent=2))


@judge.command()
@click.option("--readings", "readings_file", required=True, type=click.Path(path_type=Path),
              help="CSV: device,at,tac_g_dl[,ir_v,skin_temp_c].")  # fmt: skip
@click.option("--rules", default=alcohol_files.DEFAULT_RULES, show_default=True,
              help=f"One of {', '.join(RULE_SETS)}.")  # fmt: skip
@click.option("--weight-kg", type=click.FloatRange(40, 160),
              help="The wearer's, for what could be missed.")  # fmt: skip
def alcohol(readings_file: Path, rules: str, weight_kg: float | None) -> None:
    """Drinking episodes, wearing and coverage of each alcohol monitor in a file."""
    try:
        document = alcohol_files.judge_alcohol_file(readings_file, rules=rules, weight_kg=weight_kg)
    except BadInput as fault:
        stop(str(fault))
    click.echo(json.dumps(document, indent=2))


@click.group()
def schema() -> None:
    """Schemas of what the service reads."""


@schema.command()
def telemetry() -> None:
    """JSON Schema of a telemetry message."""
    click.echo(json.dumps(json_schema(), indent=2))


@schema.command()
def commands() -> None:
    """JSON Schema of a command to a device and of its acknowledgement."""
    click.echo(json.dumps(command.json_schemas(), indent=2))
