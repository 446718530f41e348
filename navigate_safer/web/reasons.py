"""Why an alert about a place was raised, in sentences that a magistrate could read."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from flask import Flask

from alerts.explanation import Judged
from devices.quality import Doubt
from devices.readings import FixSource
from navigate_safer.people.days import span
from navigate_safer.services.explaining import AlertExplained
from navigate_safer.web.words import SOURCES, clock_time

# A stretch of which less is covered says so among what speaks against the alert: the project's own.
WELL_COVERED = 0.9
# So sure that the number itself says nothing more.
SURE, NEARLY_IMPOSSIBLE = 0.999, 0.001
LIKELY = 0.5
# Errors so many times larger than reported are worth a sentence.
WORTH_SAYING = 1.25
DOUBTS = {
    Doubt.CLOCK_AHEAD: "the device's clock was ahead of ours",
    Doubt.LATE: "received more than 10 minutes after it was measured",
    Doubt.INACCURATE: "accurate to no better than 150 m",
    Doubt.OUTSIDE_SERVICE_AREA: "outside Great Britain",
}
IMPLAUSIBLE = "implausible jump from the fix before"


class Reasons(msgspec.Struct, frozen=True):
    """``lead`` says what was seen, ``threshold`` why that is told, ``against`` what to weigh."""

    lead: str
    threshold: str
    coverage: str
    against: list[str]


def chance(probability: float) -> str:
    """A probability as a person reads it; never 0 and never 100 %."""
    if probability > SURE:
        return "over 99.9 %"
    if probability < NEARLY_IMPOSSIBLE:
        return "under 0.1 %"
    digits = 1 if probability > 0.99 or probability < 0.1 else 0
    return f"{100 * probability:.{digits}f} %"


def accuracy(metres: float) -> str:
    """The radius that a fix reports; zero is how devices and vendors write that there is none."""
    return f"{metres:,.0f}" if metres > 0 else "not stated"


def beside(edge_m: float) -> str:
    """Where a fix lies against the edge of the zone."""
    return f"{abs(edge_m):,.0f} m {'inside' if edge_m < 0 else 'outside'} the zone"


def doubts_of(doubts: int, *, implausible: bool = False) -> list[str]:
    """Doubts about a reading in words."""
    found = [words for doubt, words in DOUBTS.items() if Doubt(doubts) & doubt]
    return [IMPLAUSIBLE, *found] if implausible else found


def install(app: Flask) -> None:
    """Make the filters of the tables."""
    app.jinja_env.filters.update(
        chance=chance,
        accuracy=accuracy,
        beside=beside,
        doubts_of=lambda each: doubts_of(each.doubts, implausible=each.implausible),
        point_doubts=doubts_of,
    )


def reasons(shown: AlertExplained) -> Reasons:
    """The whole explanation in words."""
    why = shown.explanation
    seen = [
        each
        for each in why.fixes
        if shown.breach.start <= each.at <= shown.breach.end and each.probability is not None
    ]
    percent = f"{100 * why.threshold:.0f} %"
    return Reasons(
        lead=_lead(shown, seen),
        threshold=(
            f"An officer is told from {percent} on. A missed breach of this condition is counted "
            f"as costly as {why.miss_cost:g} false alarms, and at 1 / (1 + {why.miss_cost:g}) = "
            f"{percent} both mistakes cost the same. The alert ends when the chance is down to "
            f"{100 * why.end_threshold:.0f} %."
        ),
        coverage=_coverage(shown),
        against=_against(shown, seen),
    )


def _lead(shown: AlertExplained, seen: Sequence[Judged]) -> str:
    side = "inside" if shown.explanation.forbids_inside else "outside"
    if shown.detail.line.withdrawn:
        return (
            "This alert is withdrawn. Before, it was judged to have happened with a chance of "
            f"{chance(_whole(shown))}; the chances below are those of all the readings that there "
            "are now."
        )
    if not seen or max(each.probability or 0.0 for each in seen) < shown.explanation.threshold:
        return (
            f"No single fix shows it. The way between two fixes led {side} the zone with a "
            f"chance of {chance(_whole(shown))}."
        )
    best = max(seen, key=lambda each: (each.probability or 0.0, -each.radius_m))
    assert best.probability is not None
    return (
        f"At {clock_time(best.at)} a {_source(best.fix.source)} fix {_accurate(best)} put the "
        f"wearer {beside(best.edge_m)}; the chance that the wearer was {side} was "
        f"{chance(best.probability)}. Over the whole time of the alert the chance that this "
        f"happened is {chance(_whole(shown))}."
    )


def _accurate(each: Judged) -> str:
    if each.fix.accuracy_m > 0:
        return f"with an accuracy of {accuracy(each.fix.accuracy_m)} m"
    return f"that states no accuracy, taken to be good to {each.radius_m:,.0f} m,"


def _source(source: FixSource) -> str:
    return SOURCES.get(int(source), "position")


def _whole(shown: AlertExplained) -> float:
    """The probability that the alert itself was raised with, or that of its fixes."""
    stated = shown.detail.evidence.get("probability")
    if isinstance(stated, float | int):
        return float(stated)
    return max((each.probability or 0.0 for each in shown.explanation.fixes), default=0.0)


def _coverage(shown: AlertExplained) -> str:
    why = shown.explanation
    longest = span(timedelta(seconds=why.longest_gap_s))
    return (
        f"Fixes cover {100 * why.coverage:.0f} % of the time shown; the longest wait for the next "
        f"one was {longest}. More than {span(timedelta(seconds=why.max_gap_s))} without a fix "
        "counts as unknown, never as a breach."
    )


def _against(shown: AlertExplained, seen: Sequence[Judged]) -> list[str]:
    why, found = shown.explanation, _otherwise(shown)
    likely = [each for each in seen if (each.probability or 0.0) >= LIKELY]
    if len(likely) == 1:
        found.append("It rests on a single fix.")
    other = len(seen) - len(likely)
    if other:
        found.append(
            f"{_fixes(other)} in the time of the alert {'says' if other == 1 else 'say'} that the "
            "condition was more likely kept than broken."
        )
    if likely and min(each.radius_m - abs(each.edge_m) for each in likely) > 0:
        found.append("No fix lies further beyond the edge of the zone than it may be off.")
    factor = shown.detail.evidence.get("error_factor")
    if isinstance(factor, float | int) and factor >= WORTH_SAYING:
        found.append(
            f"Lately its fixes have been off {factor:.1f} times as far as they report; the chances "
            "take that into account."
        )
    rough = sum(each.fix.source in (FixSource.LBS, FixSource.WIFI) for each in likely)
    if rough:
        found.append(f"{_fixes(rough)} came from WiFi or the mobile network, not from GPS.")
    doubted = [
        doubt for each in seen for doubt in doubts_of(each.doubts, implausible=each.implausible)
    ]
    for words in (IMPLAUSIBLE, *DOUBTS.values()):
        if doubted.count(words):
            found.append(f"{_fixes(doubted.count(words))} with a doubt: {words}.")
    if why.coverage < WELL_COVERED:
        found.append(f"{100 * (1 - why.coverage):.0f} % of the time shown is not known.")
    if _whole(shown) < WELL_COVERED and not shown.detail.line.withdrawn:
        found.append(f"The chance that it did not happen is {chance(1 - _whole(shown))}.")
    return found


def _otherwise(shown: AlertExplained) -> list[str]:
    """What makes the numbers of the explanation others than those of the zone or of the alert."""
    why, found = shown.explanation, list[str]()
    judged_by = shown.detail.rule, shown.detail.rule_version
    if judged_by != (why.rule, why.rule_version):
        found.append(
            f"The alert was raised by rule {judged_by[0]}, version {judged_by[1]}; the chances "
            f"here are those of rule {why.rule}, version {why.rule_version}."
        )
    authorised = shown.detail.evidence.get("authorised")
    if authorised is not None:
        found.append(
            f"A way was allowed at the time, by exception {authorised}: distances and chances are "
            "those of the zone with that way taken into account."
        )
    return found


def _fixes(number: int) -> str:
    return "1 fix" if number == 1 else f"{number} fixes"
