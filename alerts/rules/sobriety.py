"""Drinking episodes under a condition: told early at the threshold, confirmed by the rule set.

The early finding says that alcohol was measured and is for a person to review; a second finding
says that run, absorption and elimination are those of a body, from the reading on that completes
them. What was confirmed stays so: later readings of the same episode change its evidence only.
Neither says that anybody was sober.
"""

from datetime import datetime, timedelta

import msgspec

from alerts.alcohol import wear
from alerts.alcohol.episode import DRINKING_UNCERTAIN, Episode, episodes
from alerts.alcohol.model import likely
from alerts.alcohol.rule_set import RuleSet, versioned
from alerts.alcohol.series import Sample
from alerts.alcohol.verdict import Verdict, verdict
from alerts.finding import Finding, FindingKind, Severity
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, Reading

# Readings kept before an episode begins: its foot, and one more for the running median.
_BEFORE = 2
# A stretch above baseline of more readings than this, eight days of half hours, is no drinking
# episode: it is judged as it stands, and what follows as one that was cut.
MOST_READINGS = 400


class SobrietyState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The readings of the open episode with those just before, and how the monitor sits.

    ``first_at`` is the first reading at the threshold, ``confirmed_at`` the one that completed the
    rule; ``above`` says that the newest is at the threshold, ``baselines`` how many of the newest
    are baseline. ``worn`` are the changes of contact that may touch the episode.
    """

    samples: tuple[Sample, ...] = ()
    begun: bool = False
    first_at: datetime | None = None
    confirmed_at: datetime | None = None
    above: bool = False
    baselines: int = 0
    conflicts: tuple[datetime, ...] = ()
    contact: wear.Contact = wear.Contact()
    worn: tuple[wear.WearSpan, ...] = ()


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> SobrietyState:
    return SobrietyState()


def rules_of(condition: Condition) -> RuleSet:
    """The rule set in the version that the condition names, with the thresholds that it sets."""
    limits = condition.limits
    rules = versioned(limits.alcohol_rules)
    return msgspec.structs.replace(
        rules,
        threshold_g_dl=limits.tac_g_dl,
        baseline_g_dl=min(rules.baseline_g_dl, limits.tac_g_dl),
        max_gap_s=limits.alcohol_gap_s,
    )


def early_severity(condition: Condition) -> Severity:
    """Of alcohol that is measured and not confirmed: medium at most, since it may be a spill."""
    return max(condition.severity, Severity.MEDIUM, key=lambda each: each.rank)


def _step(
    state: SobrietyState, reading: Reading, condition: Condition
) -> tuple[SobrietyState, Findings]:
    assert isinstance(reading, AlcoholSample)
    rules = rules_of(condition)
    at = reading.stamp.measured_at
    sample = Sample(at, reading.tac_g_dl, reading.ir_v, reading.skin_temp_c)
    found: Findings = ()
    last = state.samples[-1] if state.samples else None
    if last is not None and last.at == at:
        state = _again(state, sample)
    elif last is not None and at - last.at > rules.max_gap:
        # Nothing is known of the time between: the episode is over when it was last seen.
        found, state = _ended(state, condition, rules), _after(state, keep=0)
    elif len(state.samples) >= MOST_READINGS:
        found, state = _ended(state, condition, rules), _after(state, keep=0)
    state = _taken(state, sample, rules)
    if not state.above and state.first_at is not None and state.confirmed_at is None:
        state = _confirmed(state, rules)
    if state.baselines >= _BEFORE and state.begun:
        found, state = (*found, *_ended(state, condition, rules)), _after(state, keep=_BEFORE)
    if not state.begun:
        state = _after(state, keep=_BEFORE)
    return state, found


def _again(state: SobrietyState, sample: Sample) -> SobrietyState:
    """Take back the last reading, which claims another level for the same time."""
    conflicts = state.conflicts
    if state.samples[-1].tac_g_dl != sample.tac_g_dl and sample.at not in conflicts:
        conflicts = (*conflicts, sample.at)
    return msgspec.structs.replace(
        state,
        samples=state.samples[:-1],
        conflicts=conflicts,
        baselines=max(0, state.baselines - 1),
    )


def _taken(state: SobrietyState, sample: Sample, rules: RuleSet) -> SobrietyState:
    above = sample.tac_g_dl >= rules.threshold_g_dl
    baseline = sample.tac_g_dl < rules.baseline_g_dl
    contact, over = state.contact, tuple[wear.WearSpan, ...]()
    if contact.previous is None or contact.previous.at < sample.at:
        contact, over = wear.step(contact, sample)
    return msgspec.structs.replace(
        state,
        samples=(*state.samples, sample),
        begun=state.begun or not baseline,
        first_at=state.first_at or (sample.at if above else None),
        above=above,
        baselines=state.baselines + 1 if baseline else 0,
        contact=contact,
        worn=(*state.worn, *over),
    )


def _after(state: SobrietyState, *, keep: int) -> SobrietyState:
    """What is kept when no episode is open: ``keep`` readings, and what is known of the wearing."""
    samples = state.samples[-keep:] if keep else ()
    since = samples[0].at if samples else None
    recent = (each for each in state.worn if since is not None and (each.end or each.last) >= since)
    return SobrietyState(
        samples=samples,
        baselines=min(state.baselines, keep),
        conflicts=tuple(at for at in state.conflicts if since is not None and at >= since),
        contact=state.contact,
        worn=tuple(recent),
    )


def _confirmed(state: SobrietyState, rules: RuleSet) -> SobrietyState:
    episode = _episode(state, rules)
    if _verdict(state, episode)[0] is not Verdict.CONFIRMED:
        return state
    return msgspec.structs.replace(state, confirmed_at=state.samples[-1].at)


def _episode(state: SobrietyState, rules: RuleSet) -> Episode:
    return episodes(state.samples, rules, state.conflicts)[-1]


def _verdict(state: SobrietyState, episode: Episode) -> tuple[Verdict, str]:
    said, reason = verdict(episode, (*state.worn, *wear.standing(state.contact)))
    if said is Verdict.NOT_CONFIRMED and state.contact.away is not None:
        # Nobody knows yet whether contact is lost for an hour or for the night.
        return Verdict.UNDETERMINED, "contact with the skin has changed during it"
    return said, reason


def _ended(state: SobrietyState, condition: Condition, rules: RuleSet) -> Findings:
    """The episode's findings once it is over: at its toe, or when last seen at the threshold."""
    if state.first_at is None:
        return NONE
    episode = _episode(state, rules)
    toe = episode.primary.toe
    ended_at = episode.last_at_threshold if toe is None else state.samples[toe].at
    return _findings(state, condition, rules, ended_at)


def _findings(
    state: SobrietyState, condition: Condition, rules: RuleSet, ended_at: datetime | None
) -> Findings:
    assert state.first_at is not None
    episode = _episode(state, rules)
    evidence = _evidence(state, episode, rules)
    found = [_finding(condition, state, FindingKind.ALCOHOL_THRESHOLD, ended_at, evidence)]
    if state.confirmed_at is not None:
        found.append(_finding(condition, state, FindingKind.ALCOHOL_CONFIRMED, ended_at, evidence))
    return tuple(found)


def _finding(
    condition: Condition,
    state: SobrietyState,
    kind: FindingKind,
    ended_at: datetime | None,
    evidence: dict[str, object],
) -> Finding:
    assert state.first_at is not None
    early = kind is FindingKind.ALCOHOL_THRESHOLD
    severity = early_severity(condition) if early else condition.severity
    seen_at = state.samples[-1].at
    return RULE.finding(
        condition, kind, severity, state.first_at, ended_at, seen_at=seen_at, **evidence
    )


def _evidence(state: SobrietyState, episode: Episode, rules: RuleSet) -> dict[str, object]:
    said, reason = _verdict(state, episode)
    primary, probable = episode.primary, likely(episode)
    threshold = rules.threshold_g_dl
    begins = (episode.present_from or episode.onset) - DRINKING_UNCERTAIN
    return {
        "threshold_g_dl": threshold,
        "peak_tac_g_dl": episode.peak_tac_g_dl,
        "samples_at_threshold": sum(each.tac_g_dl >= threshold for each in state.samples),
        "verdict": said.value,
        "reason": reason,
        "confirmed_at": None if state.confirmed_at is None else state.confirmed_at.isoformat(),
        "r1": primary.r1.value,
        "r2": primary.r2.value,
        "r3": primary.r3.value,
        "absorption_g_dl_h": primary.absorption_g_dl_h,
        "elimination_g_dl_h": primary.elimination_g_dl_h,
        "area_g_dl_h": round(episode.area_g_dl_h, 6),
        "variants": {name: answer.value for name, answer in episode.variants.items()},
        "rules": f"{rules.name} {rules.version}",
        "probability": probable.drinking,
        "dose_range_uk_units": list(probable.dose_units),
        "alcohol_present_from": begins.isoformat(),
        "alcohol_present_until": (episode.present_until or episode.end).isoformat(),
    }


def _close(state: SobrietyState, at: datetime | None, condition: Condition) -> Findings:
    if state.first_at is None:
        return NONE
    gap = timedelta(seconds=condition.limits.alcohol_gap_s)
    if at is not None and at - state.samples[-1].at > gap:
        at = state.samples[-1].at
    return _findings(state, condition, rules_of(condition), at)


RULE = Rule(
    name="sobriety.episode",
    version="2",
    applies_to=frozenset({ConditionKind.ALCOHOL_ABSTINENCE, ConditionKind.ALCOHOL_LEVEL}),
    reads=(AlcoholSample,),
    state_type=SobrietyState,
    initial=_initial,
    step=_step,
    close=_close,
)
