"""Judge the distance between a wearer and a protected person when either's readings arrive.

The stretch that a new reading can bear on is judged anew from the stored fixes of both, so that
the episodes depend on the readings and not on their order of arrival. Her fixes are read here and
go nowhere else.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from alerts.decide import Known, decide
from alerts.finding import FindingKind
from alerts.judge import FindingKey
from alerts.rules import distance
from devices.readings import Fix
from navigate_safer.db import packed, protected, readings, terms
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.people import ConditionRow
from navigate_safer.db.protected import Carried, Pair
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.reading_values import reading_of
from navigate_safer.db.terms import FittingOf
from navigate_safer.services import consequences
from navigate_safer.services.stretch import AHEAD
from navigate_safer.services.telling import Voice
from zones.interval import Interval

KIND = FindingKind.DISTANCE_BREACH
_FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)


def judge(
    session: Session, device_id: int, earliest_at: datetime, now: datetime, voice: Voice
) -> int:
    """Judge every condition of distance that the device's readings bear on; alerts opened.

    The caller holds the device and commits. Two workers at the two devices of one pair wait for
    each other at the condition, which each locks in order of id.
    """
    opened = 0
    for pair in protected.pairs_of(session, device_id):
        session.get_one(ConditionRow, pair.condition_id, with_for_update={"key_share": True})
        opened += _judge_pair(session, pair, earliest_at, now, voice)
    return opened


def of_rules(of: FittingOf) -> Select[EpisodeRow]:
    """A fitting's episodes that its own rules find: not those of distance, and no cases."""
    row = EpisodeRow
    others = (KIND.value, FindingKind.COMPOUND.value)
    return select(row).where(row.fitting_id == of.fitting.fitting_id, row.kind.not_in(others))


def _judge_pair(
    session: Session, pair: Pair, earliest_at: datetime, now: datetime, voice: Voice
) -> int:
    condition = terms.condition(session, pair.condition_id)
    gap = timedelta(seconds=condition.limits.max_gap_s)
    hers = protected.carried_by_victim(session, pair.victim_id)
    opened = 0
    for fitting_id, worn in protected.worn_by(session, pair.wearer_id):
        # A reading changes what is thought of the time since the last one before it, if that
        # was not longer ago than the gap; and what follows, as far as an episode goes on.
        since = _since(session, fitting_id, pair.condition_id, earliest_at - gap)
        span = Interval(max(since, worn.from_at), min(now + AHEAD, worn.to_at or _FAR_OFF))
        wide = Interval(span.start - gap, span.end) if span.start < span.end else None
        if wide is None:
            continue
        found = distance.judge(
            condition,
            pair.within_m,
            _fixes(session, [worn], wide),
            _fixes(session, hers, wide),
            span,
        )
        known = _known(session, fitting_id, pair.condition_id, span.start)
        decisions = decide(found, known, now, rerun=True)
        of = terms.fitting(session, fitting_id)
        opened += consequences.apply(session, of, decisions, now, voice)
    return opened


def _since(session: Session, fitting_id: int, condition_id: int, at: datetime) -> datetime:
    """The instant, or the start of the episode that was going on then: before it there was none."""
    row = EpisodeRow
    started_at = session.scalar(
        select(row.started_at)
        .where(
            row.fitting_id == fitting_id,
            row.condition_id == condition_id,
            row.kind == KIND.value,
            row.withdrawn.is_(False),
            row.started_at <= at,
            or_(row.ended_at.is_(None), row.ended_at >= at),
        )
        .order_by(row.started_at)
        .limit(1)
    )
    return at if started_at is None else started_at


def _known(
    session: Session, fitting_id: int, condition_id: int, since: datetime
) -> dict[FindingKey, Known]:
    row = EpisodeRow
    query = select(row).where(
        row.fitting_id == fitting_id,
        row.condition_id == condition_id,
        row.kind == KIND.value,
        or_(row.ended_at.is_(None), row.ended_at > since, row.started_at >= since),
    )
    found = (
        Known(each.id, condition_id, KIND, each.started_at, each.ended_at, each.withdrawn)
        for each in session.scalars(query)
    )
    return {each.key: each for each in found}


def _fixes(session: Session, carried: Sequence[Carried], span: Interval) -> list[Fix]:
    found: list[Fix] = []
    for each in carried:
        begins, ends = max(span.start, each.from_at), min(span.end, each.to_at or _FAR_OFF)
        if begins >= ends:
            continue
        bounds = packed.from_bound(begins), packed.after_bound(ends)
        for row in readings.rows_between(session, (FixRow,), each.device_id, *bounds)[FixRow]:
            fix = reading_of(FixRow, each.device, row)
            assert isinstance(fix, Fix)
            found.append(fix)
    return found
