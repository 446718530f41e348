"""An alcohol monitor that is covered, taken off or broken, from its infrared and temperature.

Suspect early, for the board; confirmed late, as a tamper that is told. Whatever it is, alcohol
cannot be told while it lasts. A sensor that has failed is a fault, and nobody is blamed.
"""

from datetime import datetime

import msgspec

from alerts.alcohol import wear
from alerts.alcohol.series import Sample
from alerts.alcohol.wear import Contact, WearSpan
from alerts.alcohol.wear_rules import Stage, WearKind
from alerts.finding import Finding, FindingKind, Severity
from alerts.rules.rule import Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, Reading


class ContactState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the monitor sits; ``told`` are the kinds found of the excursion that is going on.

    What was found of an excursion stays found, whatever it turns out to be: the findings must not
    depend on when somebody looked.
    """

    contact: Contact = Contact()
    told: tuple[FindingKind, ...] = ()


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> ContactState:
    return ContactState()


def _step(
    state: ContactState, reading: Reading, condition: Condition
) -> tuple[ContactState, Findings]:
    assert isinstance(reading, AlcoholSample)
    at = reading.stamp.measured_at
    before = state.contact
    if before.previous is not None and at <= before.previous.at:
        return state, ()
    sample = Sample(at, reading.tac_g_dl, reading.ir_v, reading.skin_temp_c)
    after, over = wear.step(before, sample)
    found = [_stuck(condition, span) for span in over if span.largest_change is None]
    told = state.told
    if before.away is not None and (after.away is None or after.away.start != before.away.start):
        ended = [span for span in over if span.largest_change is not None]
        ended_at = ended[0].end if ended else before.away.last
        told = _kinds(told, ended)
        found += [_finding(condition, before.away, kind, ended_at) for kind in told]
        told = ()
    standing = [span for span in wear.standing(after) if span.largest_change is not None]
    return ContactState(after, _kinds(told, standing)), tuple(found)


def _kinds(told: tuple[FindingKind, ...], spans: list[WearSpan]) -> tuple[FindingKind, ...]:
    for span in spans:
        for kind in _kinds_of(span):
            told = told if kind in told else (*told, kind)
    return told


def _kinds_of(span: WearSpan) -> tuple[FindingKind, ...]:
    if span.stage is Stage.POSSIBLE:
        return ()
    if span.kind is WearKind.SENSOR_FAULT:
        return (FindingKind.SENSOR_FAULT,)
    if span.stage is Stage.CONFIRMED:
        return (FindingKind.CONTACT_SUSPECT, FindingKind.CONTACT_LOST)
    return (FindingKind.CONTACT_SUSPECT,)


def _finding(
    condition: Condition, away: wear.Excursion, kind: FindingKind, ended_at: datetime | None
) -> Finding:
    lost = kind is FindingKind.CONTACT_LOST
    taken_for, stage = wear.taken_for(away)
    return RULE.finding(
        condition,
        kind,
        condition.severity if lost else Severity.LOW,
        away.start,
        ended_at,
        seen_at=away.last,
        taken_for=taken_for.value,
        stage=None if stage is None else stage.value,
        hours=round(away.span.total_seconds() / 3600, 2),
        largest_ir_change=round(away.largest_change, 4),
        cold_readings=away.longest_cold_run,
        readings=away.readings,
        alcohol="undetermined",
    )


def _stuck(condition: Condition, span: WearSpan) -> Finding:
    return RULE.finding(
        condition,
        FindingKind.SENSOR_FAULT,
        Severity.LOW,
        span.start,
        span.end,
        seen_at=span.last,
        taken_for=span.kind.value,
        stage=span.stage.value,
        readings=span.readings,
        alcohol="undetermined",
    )


def _close(state: ContactState, at: datetime | None, condition: Condition) -> Findings:
    found = [
        _stuck(condition, msgspec.structs.replace(span, end=at))
        for span in wear.standing(state.contact)
        if span.largest_change is None
    ]
    if state.contact.away is not None:
        found += [_finding(condition, state.contact.away, kind, at) for kind in state.told]
    return tuple(found)


RULE = Rule(
    name="wear.contact",
    version="1",
    applies_to=frozenset({ConditionKind.TAG_CARE}),
    reads=(AlcoholSample,),
    state_type=ContactState,
    initial=_initial,
    step=_step,
    close=_close,
)
