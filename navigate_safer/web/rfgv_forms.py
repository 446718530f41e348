"""Read the form of an RFGV score, and of its table."""

import re
from datetime import date

import msgspec
from werkzeug.datastructures import MultiDict

from navigate_safer.people.rfgv import PARTS, Gravity, RfgvInputs, RfgvWeights
from navigate_safer.services.rfgv_scores import Scoring
from navigate_safer.web.form_fields import Fields, day_fields

STEPS = ("recency", "frequency", "victims")
FIRST_FIELD = {
    "share": "share_recency",
    "recency": "recency_limit_1",
    "frequency": "frequency_limit_1",
    "victims": "victims_limit_1",
    "gravity": "gravity_points_1",
}
_NUMBER = re.compile(r"\d{1,3}(\.\d{1,4})?")


def filled(scoring: Scoring) -> "MultiDict[str, str]":
    """The form as the records fill it; the gravest incident is for the assessor to say."""
    form: MultiDict[str, str] = MultiDict(day_fields("last_on", scoring.known.last_on))
    form["incidents"] = str(scoring.known.incidents)
    form["victims"] = str(scoring.known.victims)
    form["replaces"] = "0" if scoring.current is None else str(scoring.current.version)
    return form


def inputs(fields: Fields, weights: RfgvWeights, today: date) -> RfgvInputs | None:
    """What is to be scored; None when something has to be mended."""
    incidents = fields.whole("incidents", "the number of incidents", most=9_999)
    some = bool(incidents)
    last_on = fields.day("last_on", "the day of the last incident", required=some, not_after=today)
    kinds = [each.kind for each in weights.gravity]
    gravest = fields.among("gravest", kinds, "the gravest incident", required=some)
    victims = fields.whole("victims", "the number of victims", most=999)
    if incidents == 0 and last_on is not None:
        fields.errors["incidents"] = "Enter the incidents: there is a day of the last one"
    if fields.errors or incidents is None or victims is None:
        return None
    return RfgvInputs(today, last_on, incidents, gravest if some else "", victims)


def weights(fields: Fields, before: RfgvWeights) -> RfgvWeights | None:
    """A table; None when something has to be mended."""
    share = {part: _number(fields, f"share_{part}", "a share from 0 to 1") for part in PARTS}
    steps = {name: _steps(fields, name, len(getattr(before, name))) for name in STEPS}
    gravity = [
        Gravity(each.kind, each.label, _number(fields, f"gravity_points_{number}", "points"))
        for number, each in enumerate(before.gravity, start=1)
    ]
    version = fields.text("version", "a name for this version", longest=60)
    source = fields.long_text("source", "where the weights come from")
    if version and version == before.version:
        fields.errors["version"] = "Enter another name: scores say by it which table they are from"
    if fields.errors:
        return None
    return msgspec.structs.replace(
        before, version=version, source=source, share=share, gravity=gravity, **steps
    )


def _steps(fields: Fields, name: str, how_many: int) -> list[tuple[int, float]]:
    made = []
    for number in range(1, how_many + 1):
        limit = fields.whole(f"{name}_limit_{number}", "a whole number", least=1, most=36_500)
        points = _number(fields, f"{name}_points_{number}", "points from 0 to 100")
        made.append((limit or 0, points))
    return made


def _number(fields: Fields, name: str, what: str) -> float:
    typed = fields.form.get(name, "").strip()
    if _NUMBER.fullmatch(typed) is None:
        fields.errors[name] = f"Enter {what}"
        return 0.0
    return float(typed)


def filled_weights(known: RfgvWeights, version: int) -> "MultiDict[str, str]":
    """The table as its form shows it."""
    form: MultiDict[str, str] = MultiDict({"replaces": str(version), "source": known.source})
    form["version"] = known.version
    for part, share in known.share.items():
        form[f"share_{part}"] = f"{share:g}"
    for name in STEPS:
        for number, (limit, points) in enumerate(getattr(known, name), start=1):
            form[f"{name}_limit_{number}"] = str(limit)
            form[f"{name}_points_{number}"] = f"{points:g}"
    for number, each in enumerate(known.gravity, start=1):
        form[f"gravity_points_{number}"] = f"{each.points:g}"
    return form
