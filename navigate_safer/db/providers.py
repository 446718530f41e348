"""Tables of the providers' weights, and what the attempts say of each provider."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, String, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.delivery import Fault
from alerts.providers import HealthLimits, Seen, Weight
from navigate_safer.db.alerting import TextAttemptRow, TextRow
from navigate_safer.db.base import Base, BigId, UTCDateTime

# What went wrong at the provider; a bad number or an officer's STOP is no fault of it.
ERRORS = tuple(
    fault.value for fault in (Fault.AMBIGUOUS, Fault.NOT_SENT, Fault.RATE_LIMITED, Fault.TRANSIENT)
)


class ProviderWeightRow(Base):
    """Points of a hundred that a provider of texts has now, and at rest."""

    __tablename__ = "provider_weights"

    provider: Mapped[str] = mapped_column(String(20), primary_key=True)
    points: Mapped[int] = mapped_column(Integer)
    resting: Mapped[int] = mapped_column(Integer)
    moved_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ProviderShiftRow(Base):
    """A change of weight and its reason; append-only."""

    __tablename__ = "provider_shifts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    before: Mapped[int] = mapped_column(Integer)
    points: Mapped[int] = mapped_column(Integer)
    shift: Mapped[str] = mapped_column(String(40))


def weights(session: Session, providers: Collection[str], *, lock: bool = False) -> list[Weight]:
    """The weights of these providers that have one, in the order of their names."""
    query = (
        select(ProviderWeightRow)
        .where(ProviderWeightRow.provider.in_(providers))
        .order_by(ProviderWeightRow.provider)
    )
    return [weight(row) for row in session.scalars(query.with_for_update() if lock else query)]


def weight(row: ProviderWeightRow) -> Weight:
    """A row as the rule sees it."""
    return Weight(
        provider=row.provider, points=row.points, resting=row.resting, moved_at=row.moved_at
    )


def seen(
    session: Session, providers: Iterable[str], now: datetime, limits: HealthLimits
) -> dict[str, Seen]:
    """What each provider did in the windows before ``now``."""
    errors = _outcomes(session, now - timedelta(seconds=limits.error_window_s))
    speeds = _speeds(session, now, limits)
    found = {}
    for name in providers:
        delivered, slow = speeds.get(name, (0, 0))
        found[name] = Seen(
            errors=sum(errors.get((name, outcome), 0) for outcome in ERRORS),
            refused_us=(name, Fault.PROVIDER_UNUSABLE.value) in errors,
            delivered=delivered,
            slow=slow,
        )
    return found


def failed_since(session: Session, since: datetime) -> dict[str, int]:
    """How many calls failed at each provider since an instant."""
    failed: dict[str, int] = {}
    for (name, outcome), count in _outcomes(session, since).items():
        if name is not None and outcome in ERRORS:
            failed[name] = failed.get(name, 0) + count
    return failed


def _outcomes(session: Session, since: datetime) -> dict[tuple[str | None, str | None], int]:
    query = (
        select(TextAttemptRow.provider, TextAttemptRow.outcome, func.count())
        .where(TextAttemptRow.finished_at > since, TextAttemptRow.provider.is_not(None))
        .group_by(TextAttemptRow.provider, TextAttemptRow.outcome)
    )
    return {(provider, outcome): count for provider, outcome, count in session.execute(query)}


def _speeds(session: Session, now: datetime, limits: HealthLimits) -> dict[str, tuple[int, int]]:
    """How many texts each provider has delivered or should have, and how many of them late."""
    slow_after = timedelta(seconds=limits.slow_after_s)
    query = select(TextRow.provider, TextRow.handed_at, TextRow.delivered_at).where(
        TextRow.provider.is_not(None),
        TextRow.bundle_id.is_(None),
        TextRow.handed_at > now - timedelta(seconds=limits.slow_window_s),
        or_(TextRow.delivered_at.is_not(None), _still_out(now - slow_after)),
    )
    counted: dict[str, tuple[int, int]] = {}
    for provider, handed_at, delivered_at in session.execute(query):
        assert provider is not None
        assert handed_at is not None
        late = delivered_at is None or delivered_at - handed_at > slow_after
        all_of, slow = counted.get(provider, (0, 0))
        counted[provider] = (all_of + 1, slow + int(late))
    return counted


def _still_out(handed_before: datetime) -> ColumnElement[bool]:
    return and_(
        TextRow.delivered_at.is_(None),
        TextRow.handed_at < handed_before,
        TextRow.delivery.in_(["accepted", "queued", "sending", "sent"]),
    )
