"""What there is to tell wearers of: alerts that have just opened, and curfews that start soon.

These only look; ``wearer_telling`` decides and writes.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from alerts import wearer_messages as rule
from alerts.finding import FindingKind
from alerts.silences import Matter
from alerts.terms import Condition, ConditionKind, DeviceKind
from alerts.wearer_messages import WearerPolicy
from alerts.wearer_words import Occasion
from navigate_safer.db import telling, terms
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.people import ConditionRow, DeviceRow, FittingRow, OrderRow, WearerRow
from navigate_safer.db.wearer_messages import WearerMessageRow, WearerPolicyRow
from zones.authorised import times_without_corridor
from zones.interval import Interval


class About(msgspec.Struct, frozen=True, kw_only=True):
    """One occasion of one wearer; ``key`` makes it the same one whoever looks."""

    wearer_id: int
    occasion: Occasion
    key: str
    since: datetime
    matter: Matter
    alert_id: int | None = None
    silenced: bool = False
    excused: bool = False
    starts_at: datetime | None = None


def of_alerts(session: Session, row: WearerPolicyRow, now: datetime) -> list[About]:
    """Alerts of the area that a wearer is told of, and that nobody has looked at yet."""
    kinds = [each.value for each in row.policy.kinds]
    if not kinds:
        return []
    known = exists().where(WearerMessageRow.alert_id == AlertRow.id)
    query = (
        select(AlertRow, EpisodeRow)
        .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
        .where(
            AlertRow.area_id == row.area_id,
            AlertRow.opened_at > now - rule.LATEST,
            # Found in late data it is no news; withdrawn, it was none.
            AlertRow.late_data.is_(False),
            EpisodeRow.withdrawn.is_(False),
            EpisodeRow.kind.in_(kinds),
            ~known,
        )
        .order_by(AlertRow.id)
    )
    from_alerts = []
    for alert, episode in session.execute(query):
        kind = FindingKind(episode.kind)
        occasion = next(each for each in Occasion if kind in each.kinds)
        from_alerts.append(
            About(
                wearer_id=episode.wearer_id,
                occasion=occasion,
                key=f"alert {alert.id}",
                since=alert.opened_at,
                matter=telling.matter(session, episode),
                alert_id=alert.id,
                silenced=alert.silence_id is not None,
                excused=_allowed(terms.condition(session, episode.condition_id), now),
            )
        )
    return from_alerts


def of_curfews(session: Session, row: WearerPolicyRow, now: datetime) -> list[About]:
    """Curfews of wearers of the area that start within the notice, and are not announced yet."""
    query = (
        select(OrderRow.wearer_id)
        .join(ConditionRow, ConditionRow.order_id == OrderRow.id)
        .join(WearerRow, WearerRow.id == OrderRow.wearer_id)
        .where(WearerRow.area_id == row.area_id, ConditionRow.kind == ConditionKind.CURFEW.value)
        .distinct()
    )
    found = []
    for wearer_id in session.scalars(query):
        for condition in terms.conditions_of_wearer(session, wearer_id):
            about = _announced(session, row.policy, wearer_id, condition, now)
            if about is not None and not is_known(session, about):
                found.append(about)
    return found


def _announced(
    session: Session, policy: WearerPolicy, wearer_id: int, condition: Condition, now: datetime
) -> About | None:
    if condition.kind is not ConditionKind.CURFEW or condition.zone is None:
        return None
    horizon = now + timedelta(minutes=policy.curfew_notice_min)
    # A window that has begun is clipped to this instant, and is no start.
    windows = condition.zone.windows(Interval(now, horizon + timedelta(seconds=1)))
    starts = (each.start for each in windows if condition.in_force(each.start))
    starts_at = rule.curfew_to_announce(policy, starts, now)
    tag = None if starts_at is None else tag_of(session, wearer_id, now)
    if starts_at is None or tag is None:
        return None
    matter = Matter(
        wearer_id=wearer_id,
        device_id=tag.id,
        gateway_id=tag.gateway_id,
        condition_id=condition.condition_id,
        kind=FindingKind.CURFEW_BREACH,
    )
    return About(
        wearer_id=wearer_id,
        occasion=Occasion.CURFEW_SOON,
        key=f"condition {condition.condition_id} {starts_at.astimezone(UTC):%Y-%m-%dT%H:%M}",
        since=now,
        matter=matter,
        excused=_allowed(condition, starts_at),
        starts_at=starts_at,
    )


def _allowed(condition: Condition, at: datetime) -> bool:
    """Whether an officer has excused the wearer from a condition at an instant."""
    return any(each.covers(at) for each in times_without_corridor(condition.permissions))


def is_known(session: Session, about: About) -> bool:
    """Whether somebody has looked at this occasion before."""
    query = select(WearerMessageRow.id).where(
        WearerMessageRow.wearer_id == about.wearer_id,
        WearerMessageRow.occasion == about.occasion.value,
        WearerMessageRow.about == about.key,
    )
    return session.scalar(query) is not None


def tag_of(session: Session, wearer_id: int, now: datetime) -> DeviceRow | None:
    """The location tag that is on a wearer now: it is what can vibrate."""
    query = (
        select(DeviceRow)
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .where(
            FittingRow.wearer_id == wearer_id,
            FittingRow.fitted_at <= now,
            FittingRow.removed_at.is_(None) | (FittingRow.removed_at > now),
            DeviceRow.kind == DeviceKind.LOCATION_TAG.value,
        )
        .order_by(FittingRow.fitted_at.desc())
    )
    return session.scalars(query.limit(1)).first()
