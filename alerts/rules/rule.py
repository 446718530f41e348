"""The form every rule has, so that the judge can run and replay them alike."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from alerts.finding import Finding, FindingKind, Severity
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import Fix, Reading

# Findings of one step. The same key found again replaces what was found before.
Findings = tuple[Finding, ...]
NONE: Findings = ()


def _everywhere(_state: object, _condition: Condition) -> Calm | None:
    return EVERYWHERE


def _unchanged(state: Any, _reading: Reading, _condition: Condition) -> Any:  # noqa: ANN401
    return state


class Rule(msgspec.Struct, frozen=True):
    """One rule in one version.

    - ``initial(condition, device_kind, armed_at)`` makes the state when the condition or the
      fitting begins.
    - ``step(state, reading, condition)`` judges one reading; readings come in the order of
      :func:`devices.readings.order_key`.
    - ``close(state, at, condition)`` ends what is open when the clause or the fitting ends at
      ``at``; with None it reports what is open as going on.
    - ``tick(state, now, condition)`` says what the absence of readings means; it changes no state.
    - ``check_after(state, condition)`` is when ``tick`` could first find something, None for never.
    - ``waits``: whether each reading puts that look off (a silence); a deadline it does not move.
    - ``calm(state, condition)`` is the envelope in which fixes need no step (see
      :class:`alerts.rules.calm.Calm` for what it promises); None: step the next fix.
    - ``rest(state, fix, condition)`` is the state after a fix that the envelope covers: exactly
      the one ``step`` would give.
    - ``asked_for(condition)`` is whether the order wants the rule at all, for the condition and for
      a piece of it.

    A rule that reads fixes must say when it is calm; one that does not is calm everywhere.
    """

    name: str
    version: str
    applies_to: frozenset[ConditionKind]
    reads: tuple[type[Any], ...]
    state_type: type[Any]
    initial: Callable[[Condition, DeviceKind, datetime], Any]
    step: Callable[[Any, Reading, Condition], tuple[Any, Findings]]
    close: Callable[[Any, datetime | None, Condition], Findings]
    tick: Callable[[Any, datetime, Condition], Findings] = lambda _state, _now, _condition: NONE
    check_after: Callable[[Any, Condition], datetime | None] = lambda _state, _condition: None
    waits: bool = True
    calm: Callable[[Any, Condition], Calm | None] = _everywhere
    rest: Callable[[Any, Reading, Condition], Any] = _unchanged
    asked_for: Callable[[Condition], bool] = lambda _condition: True

    def __post_init__(self) -> None:
        if Fix in self.reads and self.calm is _everywhere:
            raise ValueError(f"rule {self.name} reads fixes and does not say when it is calm")

    def finding(
        self,
        condition: Condition,
        kind: FindingKind,
        severity: Severity,
        started_at: datetime,
        ended_at: datetime | None,
        *,
        seen_at: datetime | None = None,
        **evidence: object,
    ) -> Finding:
        """Make a finding that names this rule's version and the condition's clause."""
        return Finding(
            condition_id=condition.condition_id,
            condition_version=condition.version,
            clause=condition.clause,
            kind=kind,
            severity=severity,
            rule=self.name,
            rule_version=self.version,
            started_at=started_at,
            ended_at=ended_at,
            evidence=dict(evidence),
            seen_at=seen_at,
        )
