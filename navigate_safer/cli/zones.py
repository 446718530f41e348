"""Zones in and out of the service as files."""

import json
from contextlib import closing
from pathlib import Path

import click

from navigate_safer.cli.fault import stop
from navigate_safer.cli.wired import service
from navigate_safer.csv_input import BadInput as BadPlaceInput
from navigate_safer.services import zone_views
from navigate_safer.services import zones as drawing
from navigate_safer.services.zones import By, CannotSave
from navigate_safer.zone_files import zones_in_file
from zones.kml import kml_of

FORMATS = ("geojson", "kml")


@click.group()
def zones() -> None:
    """Zones as GeoJSON or KML."""


@zones.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why; kept with each version.")
@click.option("--area", help="Area whose staff see a zone before any wearer has it.")
@click.option("--dry-run", is_flag=True, help="Check the file and store nothing.")
def import_(file: Path, reason: str, area: str | None, dry_run: bool) -> None:
    """Take in the zones of FILE, all or none: a known id with other content is a new version."""
    try:
        content = file.read_bytes()
    except OSError as fault:
        stop(f"{file}: cannot be read: {fault.strerror}")
    try:
        drawn = zones_in_file(content, file.name)
        if dry_run:
            click.echo(f"{len(drawn)} zones can be taken in; nothing was stored.")
            return
        with closing(service()) as made:
            area_id = None if area is None else drawing.area_named(made.sessions, area)
            if area is not None and area_id is None:
                stop(f"--area: there is no area {area}")
            saved = drawing.save(made.sessions, drawn, By(reason, area_id=area_id), made.clock())
    except (BadPlaceInput, CannotSave) as fault:
        stop(f"{fault}; nothing was stored")
    counts = (len(saved.added), len(saved.changed), len(saved.unchanged))
    click.echo("Zones: {} added, {} changed, {} unchanged.".format(*counts))


@zones.command()
@click.option("--format", "form", default="geojson", show_default=True, type=click.Choice(FORMATS),
              help="GeoJSON (RFC 7946) or KML 2.2.")  # fmt: skip
def export(form: str) -> None:
    """Print the newest version of every zone; it holds places that must not be known."""
    with closing(service()) as made:
        features = zone_views.features(made.sessions, None, made.clock())
    if form == "kml":
        click.echo(kml_of(features).decode())
    else:
        click.echo(json.dumps({"type": "FeatureCollection", "features": features}, indent=2))
