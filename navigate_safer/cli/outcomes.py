"""``navigate-safer outcomes``: a measure of a JSON input, as one JSON document."""

import json
import sys
from pathlib import Path

import click

from navigate_safer.cli.fault import stop
from navigate_safer.outcomes.measures import MEASURES, explain, run
from navigate_safer.outcomes.refusal import BadOutcomeInput

_LIST = "\b\n" + "\n".join(f"{name:20}{place.about}" for name, place in MEASURES.items())


@click.command(epilog=f"Measures:\n\n{_LIST}")
@click.argument("measure", required=False)
@click.option("--input", "input_file", metavar="FILE",
              help="JSON; - reads standard input.")  # fmt: skip
@click.option("--explain", "explained", is_flag=True,
              help="Print the measure's definition, formula and source instead.")  # fmt: skip
def outcomes(measure: str | None, input_file: str | None, explained: bool) -> None:
    """Measure outcomes: re-offending, change, harm, compliance, rules, cost and benefit.

    A figure that cannot be estimated is null with a reason. Intervals are at 95 %.
    """
    if measure is None:
        stop(f"no measure is named; use one of {', '.join(MEASURES)}")
    try:
        if explained:
            click.echo(explain(measure))
            return
        found = run(measure, _read(measure, input_file))
    except BadOutcomeInput as fault:
        where = f"{_name(input_file)}: " if input_file is not None and measure in MEASURES else ""
        stop(f"{where}{fault}")
    click.echo(json.dumps(found, indent=2, allow_nan=False))


def _name(input_file: str) -> str:
    return "standard input" if input_file == "-" else Path(input_file).name


def _read(measure: str, input_file: str | None) -> bytes:
    if measure not in MEASURES:
        return b""  # run says which there are
    if input_file is None:
        stop(f"no input; name a file: outcomes {measure} --input FILE, or - for standard input")
    try:
        if input_file == "-":
            return sys.stdin.buffer.read()
        return Path(input_file).read_bytes()
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else str(fault)
        stop(f"{input_file}: cannot be read: {why}")
