"""From what the rule says of an episode, and what is known of the wearing, to a verdict."""

from collections.abc import Iterable
from enum import Enum

from alerts.alcohol.episode import Episode
from alerts.alcohol.rule_set import Answer
from alerts.alcohol.wear import WearSpan
from alerts.alcohol.wear_rules import Stage


class Verdict(Enum):
    """What may be said of an episode; none of them says that somebody was sober."""

    CONFIRMED = "confirmed"
    REVIEW = "review"
    NOT_CONFIRMED = "not_confirmed"
    UNDETERMINED = "undetermined"


def verdict(episode: Episode, wear: Iterable[WearSpan] = ()) -> tuple[Verdict, str]:
    """The verdict and its reason in plain words.

    Failing the rates is for a person to review and never clears anybody. A level that was claimed
    twice over for one time is no ground to confirm on, nor is an average that hides a spike.
    Alcohol that all parts confirm stays confirmed under an obstruction: it was seen through it.
    """
    primary = episode.primary
    begins = episode.present_from or episode.onset
    ends = episode.present_until or episode.end
    blind = [span for span in wear if span.blinds and span.overlaps(begins, ends)]
    if primary.confirmed is Answer.YES:
        return _passed(episode)
    if primary.confirmed is Answer.UNDECIDABLE:
        return Verdict.UNDETERMINED, "readings before or after are missing"
    if primary.r1 is Answer.YES:
        return _rates_failed(blind)
    return _no_run(episode, blind)


def _passed(episode: Episode) -> tuple[Verdict, str]:
    if episode.conflicts:
        return Verdict.REVIEW, "the device claims two levels for one time"
    if episode.has_spike:
        return Verdict.REVIEW, "its average rates are those of a body, one step is faster"
    return Verdict.CONFIRMED, "run, absorption and elimination are those of a body"


def _no_run(episode: Episode, blind: list[WearSpan]) -> tuple[Verdict, str]:
    if blind:
        return Verdict.UNDETERMINED, "the monitor may not have measured during it"
    if episode.cut:
        return Verdict.UNDETERMINED, "too few readings, and those before or after are missing"
    return Verdict.NOT_CONFIRMED, "too few readings in a row at the threshold"


def _rates_failed(blind: list[WearSpan]) -> tuple[Verdict, str]:
    if any(span.stage is Stage.CONFIRMED for span in blind):
        return Verdict.UNDETERMINED, "the monitor could not measure during it"
    return Verdict.REVIEW, "it rose or fell faster than the rule allows a body"
