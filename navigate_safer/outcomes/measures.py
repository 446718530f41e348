"""The measures by name: how each reads its input, and what it gives back as JSON values."""

import inspect
import json
import warnings
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from navigate_safer.outcomes.estimate import document
from navigate_safer.outcomes.reading import as_type, from_json
from navigate_safer.outcomes.refusal import BadOutcomeInput


class _Place(NamedTuple):
    """Where a measure is: module, function, and the type or the function that reads its input.

    Modules are loaded when a measure is asked for, since scipy takes long.
    """

    module: str
    function: str
    reader: str
    about: str


MEASURES = {
    "reoffending": _Place("reoffending", "reoffending", "Cohort", "proven re-offending"),
    "compare": _Place("before_after", "compare", "read_periods", "rates before and after"),
    "overdispersed": _Place(
        "overdispersion", "overdispersed", "People", "the same where people differ"
    ),
    "survival": _Place(
        "two_curves", "survival", "read_study", "time to the first event, two groups"
    ),
    "regression-to-mean": _Place(
        "regression_to_mean", "regression_to_mean", "Selected", "the fall that comes by itself"
    ),
    "comparison-group": _Place(
        "comparison_group", "comparison_group", "Groups", "change against a comparison group"
    ),
    "harm": _Place("harm", "harm", "Offences", "harm in days, counts beside it"),
    "compliance": _Place("compliance", "compliance", "Days", "compliant days and attendance"),
    "breach-rule": _Place("breach", "breach_rule", "Failures", "what follows each failure"),
    "hearing-deadline": _Place("hearing", "hearing_deadline", "Notice", "latest hearing"),
    "risk-band": _Place("dash", "risk_band", "Checklist", "band of the Dash checklist"),
    "marac-repeat": _Place("marac", "marac_repeat", "Referral", "whether a case is a repeat"),
    "serial": _Place("serial", "serial", "Incidents", "who is a serial perpetrator"),
    "cba": _Place("cost_benefit", "cba", "Appraisal", "cost and benefit over years"),
}


def run(measure: str, content: bytes) -> object:
    """The measure of a JSON input, as JSON values.

    Raises :class:`BadOutcomeInput` for a measure that is not known and for input that is not valid.
    """
    place = _place(measure)
    given = from_json(content)
    reader = getattr(_module(place), place.reader)
    read = reader(given) if inspect.isfunction(reader) else as_type(given, reader)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's word on an overflow; the check below stops it
            found = document(_function(place)(read))
        json.dumps(found, allow_nan=False)
    except BadOutcomeInput:
        raise
    except (ArithmeticError, ValueError):
        raise BadOutcomeInput(
            "the numbers are too large, too small or too far apart to compute with; check the units"
        ) from None
    return found


def explain(measure: str) -> str:
    """The measure's definition, formula and source."""
    return inspect.getdoc(_function(_place(measure))) or ""


def _place(measure: str) -> _Place:
    if measure not in MEASURES:
        raise BadOutcomeInput(f"measure {measure!r} is not known; use one of {', '.join(MEASURES)}")
    return MEASURES[measure]


def _module(place: _Place) -> ModuleType:
    return import_module(f"navigate_safer.outcomes.{place.module}")


def _function(place: _Place) -> Callable[[Any], object]:
    found: Callable[[Any], object] = getattr(_module(place), place.function)
    return found
