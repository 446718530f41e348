"""What ``judge alcohol`` prints: episodes, wearing and coverage of each device, as JSON values.

Times are ISO 8601 in UTC with ``Z``; a fraction of a second is written only where it is not zero.
Levels in g/dl, rates in g/dl/h, spans in hours. Episodes and wearing are sorted by time, then
device.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from alerts.alcohol.episode import DRINKING_UNCERTAIN, Episode, episodes
from alerts.alcohol.forward import MEN, PUBLISHED_DRINK_G, WOMEN, Sensitivity, Sex, sensitivity
from alerts.alcohol.model import Likely, likely
from alerts.alcohol.outage import Outage, outages
from alerts.alcohol.rule_set import RuleSet
from alerts.alcohol.series import Sample, Series, in_order
from alerts.alcohol.verdict import verdict
from alerts.alcohol.wear import WearSpan, wear_spans


class Recorded(Protocol):
    """The readings of one device, and what had to be doubted about its file."""

    samples: list[Sample]
    doubts: list[str]


def document(
    recordings: Mapping[str, Recorded], rules: RuleSet, weight_kg: float | None = None
) -> dict[str, object]:
    """Judge every device by itself; together they tell an outage from one silent device."""
    found: list[tuple[datetime, str, dict[str, object]]] = []
    worn: list[tuple[datetime, str, dict[str, object]]] = []
    coverage: dict[str, object] = {}
    series = {device: in_order(each.samples) for device, each in recordings.items()}
    silent = outages({device: each.samples for device, each in series.items()}, rules.max_gap)
    for device, each in series.items():
        spans = wear_spans(each.samples)
        judged = episodes(each.samples, rules, each.conflicts)
        found += [(one.onset, device, _episode(device, one, spans)) for one in judged]
        worn += [(span.start, device, _wear(device, span)) for span in spans]
        worn += [(one.start, device, _outage(one)) for one in silent if one.device == device]
        coverage[device] = _coverage(each, spans, rules, recordings[device].doubts)
    return {
        "rules": {"name": rules.name, "version": rules.version},
        "episodes": [entry for _, _, entry in sorted(found, key=lambda one: one[:2])],
        "wear": [entry for _, _, entry in sorted(worn, key=lambda one: one[:2])],
        "coverage": coverage,
        "could_be_missed": could_be_missed(rules, weight_kg),
    }


def _episode(device: str, episode: Episode, spans: Sequence[WearSpan]) -> dict[str, object]:
    primary, probable = episode.primary, likely(episode)
    said, reason = verdict(episode, spans)
    return {
        "device": device,
        "onset": stamp(episode.onset),
        "first_at_threshold": stamp(episode.first_at_threshold),
        "peak_at": stamp(episode.peak_at),
        "peak_tac_g_dl": episode.peak_tac_g_dl,
        "last_at_threshold": stamp(episode.last_at_threshold),
        "end": stamp(episode.end),
        "absorption_g_dl_h": primary.absorption_g_dl_h,
        "elimination_g_dl_h": primary.elimination_g_dl_h,
        "longest_run": primary.longest_run,
        "run_span_h": primary.run_span_h,
        "r1": primary.r1.value,
        "r2": primary.r2.value,
        "r3": primary.r3.value,
        "confirmed": primary.confirmed.value,
        "variants": {name: answer.value for name, answer in episode.variants.items()},
        "verdict": said.value,
        "reason": reason,
        "agree": episode.agree,
        "robust": episode.robust,
        "area_g_dl_h": round(episode.area_g_dl_h, 6),
        "readings": episode.readings,
        "alcohol_present_between": _present(episode),
        **_probable(probable),
    }


def _present(episode: Episode) -> list[str]:
    """No time of drinking: the skin is late, so the start is given two hours earlier."""
    begins = (episode.present_from or episode.onset) - DRINKING_UNCERTAIN
    return [stamp(begins), stamp(episode.present_until or episode.end)]


def _probable(probable: Likely) -> dict[str, object]:
    return {
        "probability": probable.drinking,
        "explanations": probable.explanations,
        "dose_range": list(probable.dose_drinks),
        "dose_range_unit": "drinks of 14 g, if it was drinking (90 %)",
        "dose_range_uk_units": list(probable.dose_units),
        "model_version": probable.model_version,
    }


def _wear(device: str, span: WearSpan) -> dict[str, object]:
    return {
        "device": device,
        "kind": span.kind.value,
        "stage": span.stage.value,
        "tamper": span.kind.is_tamper,
        "start": stamp(span.start),
        "end": None if span.end is None else stamp(span.end),
        "last_seen": stamp(span.last),
        "readings": span.readings,
        "largest_ir_change": span.largest_change,
        "alcohol": "undetermined" if span.blinds else "measured",
    }


def _outage(outage: Outage) -> dict[str, object]:
    return {
        "device": outage.device,
        "kind": "no_readings",
        "stage": outage.stage,
        "tamper": False,
        "start": stamp(outage.start),
        "end": stamp(outage.end),
        "others_silent": outage.others_silent,
        "others": outage.others,
        "likely_cause": outage.likely_cause,
        "alcohol": "undetermined",
    }


def _coverage(
    series: Series, spans: Sequence[WearSpan], rules: RuleSet, doubts: list[str]
) -> dict[str, object]:
    samples = series.samples
    begins, ends = samples[0].at, samples[-1].at
    gaps = series.gaps(rules.max_gap)
    blind = [(span.start, span.end or span.last) for span in spans if span.blinds]
    lost = _length([*gaps, *blind])
    negative = sum(each.tac_g_dl < 0 for each in samples)
    return {
        "from": stamp(begins),
        "until": stamp(ends),
        "readings": len(samples),
        "repeated": series.repeats,
        "conflicting": [stamp(at) for at in series.conflicts],
        "gaps": [{"start": stamp(start), "end": stamp(end)} for start, end in gaps],
        "hours": {
            "measured": round((ends - begins - lost) / timedelta(hours=1), 4),
            "unknown": round(lost / timedelta(hours=1), 4),
        },
        "without_ir": sum(each.ir_v is None for each in samples),
        "without_temperature": sum(each.skin_temp_c is None for each in samples),
        "below_zero": negative,
        "doubts": doubts,
    }


def _length(stretches: Sequence[tuple[datetime, datetime]]) -> timedelta:
    """How long the stretches last together, what they share counted once."""
    total, until = timedelta(), datetime.min.replace(tzinfo=UTC)
    for start, end in sorted(stretches):
        total += max(timedelta(), end - max(start, until))
        until = max(until, end)
    return total


def could_be_missed(rules: RuleSet, weight_kg: float | None = None) -> dict[str, object]:
    """How often so many drinks reach the threshold at all, by the forward model.

    For men and for women; of this weight where it is known, else of their ordinary weights.
    """
    found = {
        sex.name: {
            str(each.drinks): each.seen for each in _seen(sex, rules.threshold_g_dl, weight_kg)
        }
        for sex in (MEN, WOMEN)
    }
    men, women = found["men"]["2"], found["women"]["2"]
    of_weight = "of ordinary weight" if weight_kg is None else f"of {weight_kg:g} kg"
    return {
        "seen_at_threshold": found,
        "drink_g": round(PUBLISHED_DRINK_G, 1),
        "in_words": f"two drinks or fewer would be seen {men:.0%} of the time at most in a man "
        f"{of_weight}, {women:.0%} in a woman",
    }


@lru_cache(maxsize=64)
def _seen(sex: Sex, threshold_g_dl: float, weight_kg: float | None) -> tuple[Sensitivity, ...]:
    # The same figures each time, of five thousand simulated days; kept, as they take a second.
    return tuple(sensitivity(sex, threshold_g_dl=threshold_g_dl, weight_kg=weight_kg))


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC with ``Z``."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
