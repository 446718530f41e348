"""Run every rule over a fitting's readings, in the order of measured time.

Pure: states in, states and findings out. The same readings in the same order give the same
findings; the service sees to the order and keeps the states.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerts.finding import Finding
from alerts.rules import battery, place, silence, sobriety, wear
from alerts.rules.rule import Rule
from alerts.terms import Condition, DeviceKind, Fitting
from devices.readings import Reading, order_key

# The pipeline, in order. A tag checks places; both kinds of device are worn and can fall silent.
RULES: tuple[Rule, ...] = (place.RULE, sobriety.RULE, wear.RULE, battery.RULE, silence.RULE)
_NOT_ON_MONITOR = frozenset({place.RULE.name})

FindingKey = tuple[int, str, datetime]


class RuleFailed(Exception):
    """A rule raised on a reading: the fitting stays unjudged from here and somebody is told."""

    def __init__(self, rule: str, condition_id: int, at: datetime) -> None:
        super().__init__(f"rule {rule} failed on condition {condition_id} at {at.isoformat()}")


class States(msgspec.Struct, frozen=True):
    """Every rule's state of one fitting, and how far it has come.

    ``by_rule`` maps "condition/rule/version" to that rule's state as JSON values, so that a new
    version of a rule begins anew and never reads another's state.
    """

    through: datetime | None = None
    by_rule: dict[str, Any] = {}


class Outcome(msgspec.Struct, frozen=True):
    """The result of a run: later findings of one key have replaced earlier ones."""

    states: States
    findings: dict[FindingKey, Finding]
    check_after: datetime | None


def judge(fitting: Fitting, states: States, readings: Sequence[Reading]) -> Outcome:
    """Judge readings that all come after ``states.through``; raises :class:`RuleFailed`."""
    run = _Run(fitting, states)
    for reading in sorted(readings, key=order_key):
        run.take(reading)
    return run.outcome()


def tick(fitting: Fitting, states: States, now: datetime) -> Outcome:
    """What the time ``now`` means with no new reading: silence, and clauses that have ended."""
    run = _Run(fitting, states)
    for condition, rule in run.pairs:
        run.close_if_over(condition, rule, now)
        if condition.in_force(now) and fitting.worn_at(now):
            run.note(rule.tick(run.state(condition, rule), now, condition))
    return run.outcome(now)


class _Run:
    def __init__(self, fitting: Fitting, states: States) -> None:
        self.fitting = fitting
        self.through = states.through
        self.pairs = tuple(pairs(fitting))
        self.found: dict[FindingKey, Finding] = {}
        self._states: dict[str, Any] = {}
        for condition, rule in self.pairs:
            key = state_key(condition, rule)
            if key in states.by_rule:
                stored = states.by_rule[key]
                self._states[key] = msgspec.convert(stored, rule.state_type, strict=False)

    def state(self, condition: Condition, rule: Rule) -> Any:  # noqa: ANN401 - the rule's own type
        key = state_key(condition, rule)
        if key not in self._states:
            armed_at = max(condition.from_at, self.fitting.fitted_at)
            kind = self.fitting.device_kind
            self._states[key] = rule.initial(condition, kind, armed_at)
        return self._states[key]

    def note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.found[finding.key] = finding

    def take(self, reading: Reading) -> None:
        at = reading.stamp.measured_at
        for condition, rule in self.pairs:
            if self.close_if_over(condition, rule, at):
                self._states.pop(state_key(condition, rule), None)
            elif at >= condition.from_at and isinstance(reading, rule.reads):
                self._step(condition, rule, reading)
        self.through = at

    def close_if_over(self, condition: Condition, rule: Rule, now: datetime) -> bool:
        """Whether clause or fitting has ended by ``now``; what was open then is noted as ended.

        The state stays, because after a tick a reading from before the end may still come.
        """
        ends = [at for at in (condition.until_at, self.fitting.removed_at) if at is not None]
        if not ends or now < min(ends):
            return False
        if self.through is None or self.through < min(ends):
            self.note(rule.close(self.state(condition, rule), min(ends), condition))
        return True

    def _step(self, condition: Condition, rule: Rule, reading: Reading) -> None:
        state = self.state(condition, rule)
        try:
            after, findings = rule.step(state, reading, condition)
        except Exception as fault:
            at = reading.stamp.measured_at
            raise RuleFailed(rule.name, condition.condition_id, at) from fault
        self._states[state_key(condition, rule)] = after
        self.note(findings)

    def outcome(self, ticked_at: datetime | None = None) -> Outcome:
        """Everything found, what is still going on, and when to look again.

        After a tick only what is due later than the tick is still to be looked at.
        """
        due: list[datetime] = []
        for condition, rule in self.pairs:
            ends = [at for at in (condition.until_at, self.fitting.removed_at) if at is not None]
            if ends and self.through is not None and self.through >= min(ends):
                continue
            if ends and ticked_at is not None and ticked_at >= min(ends):
                continue
            state = self.state(condition, rule)
            self.note(rule.close(state, None, condition))
            check = rule.check_after(state, condition)
            due += [*ends, *([] if check is None else [check])]
        if ticked_at is not None:
            due = [at for at in due if at > ticked_at]
        states = States(self.through, msgspec.to_builtins(self._states))
        return Outcome(states, self.found, min(due, default=None))


def pairs(fitting: Fitting) -> Iterable[tuple[Condition, Rule]]:
    """Which rule judges which condition on this device."""
    for condition in fitting.conditions:
        for rule in RULES:
            if condition.kind not in rule.applies_to:
                continue
            if fitting.device_kind is DeviceKind.ALCOHOL_MONITOR and rule.name in _NOT_ON_MONITOR:
                continue
            yield condition, rule


def state_key(condition: Condition, rule: Rule) -> str:
    """The key of a rule's state within a fitting."""
    return f"{condition.condition_id}/{rule.name}/{rule.version}"
