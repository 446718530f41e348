"""What charts draw, as JSON for the signed in."""

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.services import consult, explaining
from navigate_safer.services.alcohol_picture import Band, Picture, Stretch
from navigate_safer.services.casework import NotFound
from navigate_safer.web import reasons
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.words import STRETCHES, VERDICTS

pages = Blueprint("charts", __name__)


@pages.get("/people/<ref>/alcohol.json")
@rule(Permission.SEE_ALCOHOL)
def person_alcohol(ref: str) -> ResponseReturnValue:
    """A week of alcohol readings."""
    _, picture = consult.see_person_alcohol(service().sessions, scope(), ref, now())
    return _alcohol(picture, picture.threshold_g_dl)


@pages.get("/alerts/<reference>/alcohol.json")
@rule(Permission.SEE_ALCOHOL)
def alert_alcohol(reference: str) -> ResponseReturnValue:
    """The alcohol readings about one alert, with the threshold that it was judged by."""
    detail, picture, _ = consult.see_alert(service().sessions, scope(), reference, now())
    if picture is None:
        raise NotFound
    return _alcohol(picture, detail.evidence.get("threshold_g_dl", picture.threshold_g_dl))


@pages.get("/alerts/<reference>/probability.json")
@rule(Permission.SEE_PLACES)
def alert_probability(reference: str) -> ResponseReturnValue:
    """The probability of breach at each fix about one alert, with the threshold."""
    shown = explaining.see_explanation(service().sessions, scope(), reference, now())
    if shown is None:
        raise NotFound
    why = shown.explanation
    readings = [
        {
            "at": each.at.isoformat(),
            "probability": each.probability,
            "doubts": reasons.doubts_of(each.doubts, implausible=each.implausible),
        }
        for each in why.fixes
    ]
    return jsonify(
        {
            "readings": readings,
            "threshold": why.threshold,
            "gap_s": why.max_gap_s,
            "highlight": {
                "from": shown.breach.start.isoformat(),
                "to": shown.breach.end.isoformat(),
            },
            "from": why.span.start.isoformat(),
            "to": why.span.end.isoformat(),
        }
    )


def _alcohol(picture: Picture, threshold_g_dl: object) -> Response:
    readings = [
        {
            "at": each.at.isoformat(),
            "tac_g_dl": each.tac_g_dl,
            "skin_temp_c": each.skin_temp_c,
            "ir_v": each.ir_v,
        }
        for each in picture.samples
    ]
    ends = [each["at"] for each in readings]
    return jsonify(
        {
            "readings": readings,
            "threshold_g_dl": threshold_g_dl,
            "gap_s": picture.gap_s,
            "bands": [
                _span(number, each, VERDICTS[each.verdict]) | {"verdict": each.verdict}
                for number, each in enumerate(picture.bands, 1)
            ],
            "stretches": [
                _span(number, each, STRETCHES[each.kind]) | {"kind": each.kind}
                for number, each in enumerate(picture.stretches, 1 + len(picture.bands))
            ],
            "charges": [
                {"at": each.at.isoformat(), "percent": each.percent} for each in picture.charges
            ],
            "from": ends[0] if ends else None,
            "to": ends[-1] if ends else None,
        }
    )


def _span(number: int, span: Band | Stretch, words: str) -> dict[str, object]:
    """A stretch of time with its number in the table beside the chart."""
    return {
        "from": span.from_at.isoformat(),
        "to": span.to_at.isoformat(),
        "words": words,
        "number": number,
    }
