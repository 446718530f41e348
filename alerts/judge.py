"""Run every rule over a fitting's readings, in the order of measured time.

Pure: states in, states and findings out. The same readings in the same order give the same
findings; the service sees to the order and keeps the states.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerts.finding import Finding
from alerts.rules import (
    battery,
    contact,
    event_pairs,
    place_approach,
    place_probability,
    position_unknown,
    silence,
    sobriety,
    upload,
    wear,
)
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.rule import Rule
from alerts.terms import Condition, ConditionKind, DeviceKind, Fitting
from devices.readings import Fix, Reading, order_key

# The pipeline, in order. A tag checks places; both kinds of device are worn and can fall silent.
RULES: tuple[Rule, ...] = (
    place_probability.RULE,
    place_approach.RULE,
    position_unknown.RULE,
    sobriety.RULE,
    wear.RULE,
    contact.RULE,
    event_pairs.RULE,
    battery.RULE,
    silence.RULE,
    upload.RULE,
)
_NOT_ON_MONITOR = frozenset(
    {place_probability.RULE.name, place_approach.RULE.name, position_unknown.RULE.name}
)
_ONLY_ON_MONITOR = frozenset({contact.RULE.name, upload.RULE.name})

FindingKey = tuple[int, str, datetime]


class RuleFailed(Exception):
    """A rule raised on a reading: the fitting stays unjudged from here and somebody is told."""

    def __init__(self, rule: str, condition_id: int, at: datetime) -> None:
        super().__init__(f"rule {rule} failed on condition {condition_id} at {at.isoformat()}")


class States(msgspec.Struct, frozen=True):
    """Every rule's state of one fitting, and how far it has come.

    ``by_rule`` maps "condition/rule/version" (and "/part") to that rule's state as JSON values, so
    that a new version of a rule begins anew and never reads another's state.
    """

    through: datetime | None = None
    by_rule: dict[str, Any] = {}


class Outcome(msgspec.Struct, frozen=True):
    """The result of a run: later findings of one key have replaced earlier ones.

    ``check_after`` is when to look again without a reading; each later reading puts that off to
    ``quiet_s`` seconds after it (None: nothing waits for readings), but not past ``ends_at``.
    """

    states: States
    findings: dict[FindingKey, Finding]
    check_after: datetime | None
    quiet_s: int | None = None
    ends_at: datetime | None = None


def judge(fitting: Fitting, states: States, readings: Sequence[Reading]) -> Outcome:
    """Judge readings that all come after ``states.through``; raises :class:`RuleFailed`."""
    run = Run(fitting, states)
    for reading in sorted(readings, key=order_key):
        run.take(reading)
    return run.outcome()


def tick(fitting: Fitting, states: States, now: datetime) -> Outcome:
    """What the time ``now`` means with no new reading: silence, and clauses that have ended."""
    run = Run(fitting, states)
    for condition, rule in run.pairs:
        run.close_if_over(condition, rule, now)
        if condition.in_force(now) and fitting.worn_at(now):
            run.note(rule.tick(run.state(condition, rule), now, condition))
    return run.outcome(now)


# When to look again, the seconds that a reading puts it off by, and the last time for it.
Due = tuple[datetime | None, int | None, datetime | None]


class Run:
    """The rules of one fitting at work: readings in, states and findings kept."""

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

    @property
    def needs_another_device(self) -> bool:
        """Whether a condition is about somebody who moves: no box tells how far she is."""
        return any(each.kind is ConditionKind.DISTANCE for each in self.fitting.conditions)

    def state(self, condition: Condition, rule: Rule) -> Any:  # noqa: ANN401 - the rule's own type
        """The rule's state, begun where there is none yet."""
        key = state_key(condition, rule)
        if key not in self._states:
            armed_at = max(condition.from_at, self.fitting.fitted_at)
            kind = self.fitting.device_kind
            self._states[key] = rule.initial(condition, kind, armed_at)
        return self._states[key]

    def note(self, findings: Iterable[Finding]) -> None:
        """Keep findings; the same one found again replaces what was found before."""
        for finding in findings:
            self.found[finding.key] = finding

    def take(self, reading: Reading) -> None:
        """Judge one reading; raises :class:`RuleFailed`."""
        at = reading.stamp.measured_at
        for condition, rule in self.pairs:
            if self.close_if_over(condition, rule, at):
                self._states.pop(state_key(condition, rule), None)
            elif at >= condition.from_at and isinstance(reading, rule.reads):
                self._step(condition, rule, reading)
        self.through = at

    def rest(self, fix: Fix) -> None:
        """Take a fix that :meth:`calm` covers, or the last of a run of such fixes."""
        at = fix.stamp.measured_at
        for condition, rule in self.pairs:
            ends_at = self._end(condition)
            over = ends_at is not None and at >= ends_at
            if not over and at >= condition.from_at and isinstance(fix, rule.reads):
                key = state_key(condition, rule)
                self._states[key] = rule.rest(self.state(condition, rule), fix, condition)
        self.through = at

    def calm(self) -> Calm | None:
        """Where the next fixes may lie with nothing to find by any rule; None: step the next."""
        if self.needs_another_device:
            return None
        found: Calm | None = EVERYWHERE
        for condition, rule in self.pairs:
            ends_at = self._end(condition)
            if self.through is None:
                return None
            if ends_at is not None and self.through >= ends_at:
                continue
            if self.through < condition.from_at:
                one: Calm | None = msgspec.structs.replace(EVERYWHERE, until=condition.from_at)
            else:
                one = rule.calm(self.state(condition, rule), condition)
            if one is None or found is None:
                return None
            found = found.meet(one)
            if ends_at is not None:
                found = found.meet(msgspec.structs.replace(EVERYWHERE, until=ends_at))
        return found

    def states(self) -> States:
        """Where it stands, the rules' states as their own types."""
        return States(self.through, dict(self._states))

    def _end(self, condition: Condition) -> datetime | None:
        ends = [at for at in (condition.until_at, self.fitting.removed_at) if at is not None]
        return min(ends, default=None)

    def close_if_over(self, condition: Condition, rule: Rule, now: datetime) -> bool:
        """Whether clause or fitting has ended by ``now``; what was open then is noted as ended.

        The state stays, because after a tick a reading from before the end may still come.
        """
        ends_at = self._end(condition)
        if ends_at is None or now < ends_at:
            return False
        if self.through is None or self.through < ends_at:
            self.note(rule.close(self.state(condition, rule), ends_at, condition))
        return True

    def _step(self, condition: Condition, rule: Rule, reading: Reading) -> None:
        key = state_key(condition, rule)
        state = self._states[key] if key in self._states else self.state(condition, rule)
        try:
            after, findings = rule.step(state, reading, condition)
        except Exception as fault:
            at = reading.stamp.measured_at
            raise RuleFailed(rule.name, condition.condition_id, at) from fault
        self._states[key] = after
        if findings:
            self.note(findings)

    def outcome(self, ticked_at: datetime | None = None) -> Outcome:
        """Everything found, what is still going on, and when to look again.

        After a tick only what is due later than the tick is still to be looked at.
        """
        for condition, rule in self.pairs:
            if not self._is_over(condition, ticked_at):
                self.note(rule.close(self.state(condition, rule), None, condition))
        states = States(self.through, msgspec.to_builtins(self._states))
        return Outcome(states, self.found, *self.due(ticked_at))

    def due(self, ticked_at: datetime | None = None) -> Due:
        """When to look again without a reading: see :class:`Outcome`."""
        ends: list[datetime] = []
        checks: list[datetime] = []
        for condition, rule in self.pairs:
            if self._is_over(condition, ticked_at):
                continue
            ends_at = self._end(condition)
            check = rule.check_after(self.state(condition, rule), condition)
            ends += [] if ends_at is None else [ends_at]
            if check is not None and rule.waits:
                checks.append(check)
            elif check is not None and (ticked_at is None or check > ticked_at):
                # A deadline that no reading moves: the last time to look, like the clause's end.
                ends.append(check)
        after = [at for at in (*ends, *checks) if ticked_at is None or at > ticked_at]
        quiet_s = None
        if checks and self.through is not None:
            quiet_s = int((min(checks) - self.through).total_seconds())
        return min(after, default=None), quiet_s, min(ends, default=None)

    def _is_over(self, condition: Condition, ticked_at: datetime | None) -> bool:
        ends_at = self._end(condition)
        known = [at for at in (self.through, ticked_at) if at is not None]
        return ends_at is not None and any(at >= ends_at for at in known)


def pairs(fitting: Fitting) -> Iterable[tuple[Condition, Rule]]:
    """Which rule judges which condition, or which piece of one, on this device."""
    for condition in fitting.conditions:
        for rule in RULES:
            if condition.kind not in rule.applies_to or not rule.asked_for(condition):
                continue
            if fitting.device_kind is DeviceKind.ALCOHOL_MONITOR and rule.name in _NOT_ON_MONITOR:
                continue
            if fitting.device_kind is DeviceKind.LOCATION_TAG and rule.name in _ONLY_ON_MONITOR:
                continue
            for piece in condition.pieces():
                if rule.asked_for(piece):
                    yield piece, rule


def state_key(condition: Condition, rule: Rule) -> str:
    """The key of a rule's state within a fitting; a part of a zone has a state of its own."""
    name = condition.part_name
    part = f"/{name}" if name else ""
    return f"{condition.condition_id}/{rule.name}/{rule.version}{part}"
