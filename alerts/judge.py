"""Run every rule over a fitting's readings, in the order of measured time.

Pure: states in, states and findings out. The same readings in the same order give the same
findings; the service sees to the order and keeps the states.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
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
    run.tick(now)
    return run.outcome(now)


# When to look again, the seconds that a reading puts it off by, and the last time for it.
Due = tuple[datetime | None, int | None, datetime | None]


class _Piece(msgspec.Struct, frozen=True):
    """A rule on one condition, what its state is kept by, and when it is over for this fitting.

    Worked out once: a step asks for each of them a dozen times.
    """

    condition: Condition
    rule: Rule
    key: str
    ends_at: datetime | None


class Run:
    """The rules of one fitting at work: readings in, states and findings kept."""

    __slots__ = ("_pieces", "_states", "fitting", "found", "needs_another_device", "through")

    def __init__(self, fitting: Fitting, states: States) -> None:
        self.fitting = fitting
        self.through = states.through
        self.found: dict[FindingKey, Finding] = {}
        self._states: dict[str, Any] = {}
        # No box tells how far from somebody who moves a wearer is.
        self.needs_another_device = any(
            each.kind is ConditionKind.DISTANCE for each in fitting.conditions
        )
        self._pieces = tuple(_piece(fitting, *pair) for pair in pairs(fitting))
        for piece in self._pieces:
            if piece.key in states.by_rule:
                stored = states.by_rule[piece.key]
                kind = piece.rule.state_type
                self._states[piece.key] = msgspec.convert(stored, kind, strict=False)

    def _state(self, piece: _Piece) -> Any:  # noqa: ANN401 - the rule's own type
        """The rule's state, begun where there is none yet."""
        key = piece.key
        if key not in self._states:
            armed_at = max(piece.condition.from_at, self.fitting.fitted_at)
            kind = self.fitting.device_kind
            self._states[key] = piece.rule.initial(piece.condition, kind, armed_at)
        return self._states[key]

    def _note(self, findings: Iterable[Finding]) -> None:
        """Keep findings; the same one found again replaces what was found before."""
        for finding in findings:
            self.found[finding.key] = finding

    def tick(self, now: datetime) -> None:
        """Take the time ``now``, at which no reading has come."""
        for piece in self._pieces:
            self._close_if_over(piece, now)
            if piece.condition.in_force(now) and self.fitting.worn_at(now):
                self._note(piece.rule.tick(self._state(piece), now, piece.condition))

    def take(self, reading: Reading) -> None:
        """Judge one reading; raises :class:`RuleFailed`."""
        at = reading.stamp.measured_at
        for piece in self._pieces:
            if piece.ends_at is not None and at >= piece.ends_at:
                self._close_if_over(piece, at)
                self._states.pop(piece.key, None)
            elif at >= piece.condition.from_at and isinstance(reading, piece.rule.reads):
                self._step(piece, reading)
        self.through = at

    def rest(self, fix: Fix) -> None:
        """Take a fix that :meth:`calm` covers, or the last of a run of such fixes."""
        at = fix.stamp.measured_at
        for piece in self._pieces:
            over = piece.ends_at is not None and at >= piece.ends_at
            if not over and at >= piece.condition.from_at and isinstance(fix, piece.rule.reads):
                after = piece.rule.rest(self._state(piece), fix, piece.condition)
                self._states[piece.key] = after
        self.through = at

    def calm(self) -> Calm | None:
        """Where the next fixes may lie with nothing to find by any rule; None: step the next."""
        if self.needs_another_device:
            return None
        found: Calm | None = EVERYWHERE
        for piece in self._pieces:
            condition, ends_at = piece.condition, piece.ends_at
            if self.through is None:
                return None
            if ends_at is not None and self.through >= ends_at:
                continue
            if self.through < condition.from_at:
                one: Calm | None = msgspec.structs.replace(EVERYWHERE, until=condition.from_at)
            else:
                one = piece.rule.calm(self._state(piece), condition)
            if one is None or found is None:
                return None
            found = found.meet(one)
            if ends_at is not None:
                found = found.meet(msgspec.structs.replace(EVERYWHERE, until=ends_at))
        return found

    def states(self) -> States:
        """Where it stands, the rules' states as their own types."""
        return States(self.through, dict(self._states))

    def _close_if_over(self, piece: _Piece, now: datetime) -> None:
        """Where clause or fitting has ended by ``now``, note what was open then as ended.

        The state stays, because after a tick a reading from before the end may still come.
        """
        ends_at = piece.ends_at
        if ends_at is None or now < ends_at:
            return
        if self.through is None or self.through < ends_at:
            self._note(piece.rule.close(self._state(piece), ends_at, piece.condition))

    def _step(self, piece: _Piece, reading: Reading) -> None:
        condition, rule = piece.condition, piece.rule
        state = self._states[piece.key] if piece.key in self._states else self._state(piece)
        try:
            after, findings = rule.step(state, reading, condition)
        except Exception as fault:
            at = reading.stamp.measured_at
            raise RuleFailed(rule.name, condition.condition_id, at) from fault
        self._states[piece.key] = after
        if findings:
            self._note(findings)

    def outcome(self, ticked_at: datetime | None = None) -> Outcome:
        """Everything found, what is still going on, and when to look again.

        After a tick only what is due later than the tick is still to be looked at.
        """
        for piece in self._pieces:
            if not self._is_over(piece, ticked_at):
                self._note(piece.rule.close(self._state(piece), None, piece.condition))
        states = States(self.through, msgspec.to_builtins(self._states))
        return Outcome(states, self.found, *self.due(ticked_at))

    def due(self, ticked_at: datetime | None = None) -> Due:
        """When to look again without a reading: see :class:`Outcome`."""
        ends: list[datetime] = []
        checks: list[datetime] = []
        for piece in self._pieces:
            if self._is_over(piece, ticked_at):
                continue
            check = piece.rule.check_after(self._state(piece), piece.condition)
            ends += [] if piece.ends_at is None else [piece.ends_at]
            if check is not None and piece.rule.waits:
                checks.append(check)
            elif check is not None and (ticked_at is None or check > ticked_at):
                # A deadline that no reading moves: the last time to look, like the clause's end.
                ends.append(check)
        after = [at for at in (*ends, *checks) if ticked_at is None or at > ticked_at]
        quiet_s = None
        if checks and self.through is not None:
            quiet_s = int((min(checks) - self.through).total_seconds())
        return min(after, default=None), quiet_s, min(ends, default=None)

    def _is_over(self, piece: _Piece, ticked_at: datetime | None) -> bool:
        ends_at = piece.ends_at
        known = (self.through, ticked_at)
        return ends_at is not None and any(at is not None and at >= ends_at for at in known)


def _piece(fitting: Fitting, condition: Condition, rule: Rule) -> _Piece:
    ends = [at for at in (condition.until_at, fitting.removed_at) if at is not None]
    return _Piece(condition, rule, state_key(condition, rule), min(ends, default=None))


def pairs(fitting: Fitting) -> Iterable[tuple[Condition, Rule]]:
    """Which rule judges which condition, or which piece of one, on this device."""
    for condition in fitting.conditions:
        for rule in _rules_for(condition.kind, fitting.device_kind):
            if rule.asked_for(condition):
                for piece in condition.pieces():
                    if rule.asked_for(piece):
                        yield piece, rule


@cache
def _rules_for(kind: ConditionKind, device_kind: DeviceKind) -> tuple[Rule, ...]:
    elsewhere: frozenset[str] = frozenset()
    if device_kind is DeviceKind.ALCOHOL_MONITOR:
        elsewhere = _NOT_ON_MONITOR
    if device_kind is DeviceKind.LOCATION_TAG:
        elsewhere = _ONLY_ON_MONITOR
    return tuple(rule for rule in RULES if kind in rule.applies_to and rule.name not in elsewhere)


def state_key(condition: Condition, rule: Rule) -> str:
    """The key of a rule's state within a fitting; a part of a zone has a state of its own."""
    name = condition.part_name
    part = f"/{name}" if name else ""
    return f"{condition.condition_id}/{rule.name}/{rule.version}{part}"
