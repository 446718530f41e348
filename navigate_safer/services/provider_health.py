"""Move weight between the providers of texts, and choose one for a text.

Any number of processes may tick: the rows of the weights are the lock.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from alerts import providers as rule
from alerts.providers import HealthLimits, Moved, Weight
from navigate_safer.db import providers
from navigate_safer.db.base import Sessions
from navigate_safer.db.providers import ProviderShiftRow, ProviderWeightRow

LIMITS = HealthLimits()
ALL_POINTS = 100


def tick(sessions: Sessions, names: Sequence[str], now: datetime) -> list[Moved]:
    """Move what is due to move, each with a line of history; one provider keeps everything."""
    if len(names) < 2:
        return []
    with sessions.begin() as session:
        weights = _weights(session, names, now)
        moved = rule.step(weights, providers.seen(session, names, now, LIMITS), now, LIMITS)
        for each in moved:
            row = session.get_one(ProviderWeightRow, each.weight.provider)
            row.points, row.moved_at = each.weight.points, now
            session.add(
                ProviderShiftRow(
                    provider=each.weight.provider,
                    at=now,
                    before=each.before,
                    points=each.weight.points,
                    shift=each.shift.value,
                )
            )
        return moved


def forget_others(sessions: Sessions, names: Sequence[str]) -> None:
    """Drop the weights of providers that are set up no more; their history stays."""
    kept = names if len(names) > 1 else ()
    with sessions.begin() as session:
        session.execute(delete(ProviderWeightRow).where(ProviderWeightRow.provider.not_in(kept)))


def choose(session: Session, names: Sequence[str], draw: float) -> str:
    """The provider for one text by the weights; ``draw`` is random in [0, 1).

    Without weights, as before the first tick, the first name.
    """
    if len(names) == 1:
        return names[0]
    return rule.pick(providers.weights(session, names), draw) or names[0]


def _weights(session: Session, names: Sequence[str], now: datetime) -> list[Weight]:
    """The weights, locked; a provider that is new rests at an equal share of all points.

    When the providers change, everybody begins at rest again.
    """
    found = providers.weights(session, names, lock=True)
    at_rest = _shares(names)
    if {each.provider: each.resting for each in found} == at_rest:
        return found
    for name, share in at_rest.items():
        row = session.get(ProviderWeightRow, name) or ProviderWeightRow(provider=name)
        row.points = row.resting = share
        row.moved_at = now
        session.add(row)
    session.flush()
    return providers.weights(session, names)


def _shares(names: Sequence[str]) -> dict[str, int]:
    each, over = divmod(ALL_POINTS, len(names))
    return {name: each + int(number < over) for number, name in enumerate(names)}
