"""What is drawn of a wearer's alcohol: the readings, and what was made of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.alcohol.verdict import Verdict
from alerts.finding import FindingKind
from alerts.terms import Limits
from navigate_safer.db import terms, tracks
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.tracks import Charge, Sample
from navigate_safer.people.access import Permission, Scope
from navigate_safer.services.abstinence_days import ALCOHOL

WEAR = {
    FindingKind.CONTACT_SUSPECT: "suspect",
    FindingKind.CONTACT_LOST: "lost",
    FindingKind.SENSOR_FAULT: "fault",
}
GAP, CHARGING = "gap", "charging"


class Band(msgspec.Struct, frozen=True):
    """An episode of alcohol, with its verdict; ``to_at`` is the newest reading if it goes on.

    Alcohol that was found before there were verdicts has "review".
    """

    from_at: datetime
    to_at: datetime
    verdict: str


class Stretch(msgspec.Struct, frozen=True):
    """A time that says something of the readings: suspect, lost, fault, gap or charging."""

    from_at: datetime
    to_at: datetime
    kind: str


class Picture(msgspec.Struct, frozen=True):
    """Readings in order of time, with the threshold that they are judged by, g/dl."""

    samples: list[Sample]
    charges: list[Charge]
    threshold_g_dl: float
    gap_s: int
    bands: list[Band]
    stretches: list[Stretch]


def picture(
    session: Session, scope: Scope, wearer_id: int, from_at: datetime, to_at: datetime
) -> Picture:
    """The picture of a stretch of time; the caller logs the look."""
    scope.require(Permission.SEE_ALCOHOL)
    samples = tracks.samples(session, scope, wearer_id, from_at, to_at)
    charges = tracks.charges(session, scope, wearer_id, from_at, to_at)
    limits = _limits(session, wearer_id, to_at)
    rows = _episodes(session, wearer_id, from_at, to_at)
    newest = max((each.at for each in samples), default=to_at)
    stretches = [*_worn(rows, newest), *gaps(samples, limits.alcohol_gap_s), *charging(charges)]
    return Picture(
        samples,
        charges,
        limits.tac_g_dl,
        limits.alcohol_gap_s,
        _bands(rows, newest),
        sorted(stretches, key=lambda each: (each.from_at, each.kind)),
    )


def gaps(samples: Sequence[Sample], longest_s: int) -> list[Stretch]:
    """The times between two readings that are too far apart to be neighbours."""
    most = timedelta(seconds=longest_s)
    return [
        Stretch(one.at, two.at, GAP) for one, two in pairwise(samples) if two.at - one.at > most
    ]


def charging(charges: Sequence[Charge]) -> list[Stretch]:
    """From the first reading on the charger to the first off it, or to the newest."""
    found: list[Stretch] = []
    since: datetime | None = None
    for each in charges:
        if each.charging and since is None:
            since = each.at
        elif not each.charging and since is not None:
            found.append(Stretch(since, each.at, CHARGING))
            since = None
    if since is not None and charges[-1].at > since:
        found.append(Stretch(since, charges[-1].at, CHARGING))
    return found


def _limits(session: Session, wearer_id: int, at: datetime) -> Limits:
    """Those of the strictest condition about alcohol that is in force; the usual without one."""
    found = [
        each.limits
        for each in terms.conditions_of_wearer(session, wearer_id)
        if each.kind in ALCOHOL and each.in_force(at)
    ]
    return min(found, key=lambda each: each.tac_g_dl, default=Limits())


def _episodes(
    session: Session, wearer_id: int, from_at: datetime, to_at: datetime
) -> list[EpisodeRow]:
    row = EpisodeRow
    kinds = [*WEAR, FindingKind.ALCOHOL_THRESHOLD, FindingKind.ALCOHOL_CONFIRMED]
    query = select(row).where(
        row.wearer_id == wearer_id,
        row.kind.in_([each.value for each in kinds]),
        row.withdrawn.is_(False),
        row.started_at <= to_at,
        or_(row.ended_at.is_(None), row.ended_at >= from_at),
    )
    return list(session.scalars(query.order_by(row.started_at, row.id)))


def _bands(rows: Sequence[EpisodeRow], newest: datetime) -> list[Band]:
    confirmed = {
        (row.condition_id, row.started_at)
        for row in rows
        if row.kind == FindingKind.ALCOHOL_CONFIRMED.value
    }
    found = []
    for row in rows:
        if row.kind == FindingKind.ALCOHOL_THRESHOLD.value:
            said = str(row.evidence.get("verdict", Verdict.REVIEW.value))
            if (row.condition_id, row.started_at) in confirmed:
                said = Verdict.CONFIRMED.value
            found.append(Band(row.started_at, _end(row, newest), said))
    return found


def _worn(rows: Sequence[EpisodeRow], newest: datetime) -> list[Stretch]:
    lost = FindingKind.CONTACT_LOST
    sure = {row.started_at for row in rows if row.kind == lost.value}
    found = []
    for row in rows:
        kind = FindingKind(row.kind)
        # What was suspect first and is sure by now is drawn once.
        if kind in WEAR and (kind is lost or row.started_at not in sure):
            found.append(Stretch(row.started_at, _end(row, newest), WEAR[kind]))
    return found


def _end(row: EpisodeRow, newest: datetime) -> datetime:
    return max(row.started_at, row.ended_at or newest)
