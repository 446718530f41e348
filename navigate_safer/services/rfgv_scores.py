"""RFGV: the table of an area, what the records hold of a person, and the score that is kept."""

from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import referrals as rows
from navigate_safer.db.base import Sessions
from navigate_safer.db.referrals import Offences
from navigate_safer.outcomes.months import MONTHS_A_YEAR, add_months
from navigate_safer.people import rfgv
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.assessments import RFGV, WEIGHTS
from navigate_safer.people.days import day_of, start_of
from navigate_safer.people.records import Record
from navigate_safer.people.rfgv import RfgvInputs, RfgvScore, RfgvWeights
from navigate_safer.services import records, referral_settings, slots
from navigate_safer.services.records import About
from navigate_safer.services.referral_settings import Area


class Scoring(msgspec.Struct, frozen=True):
    """What a score is made from: the area's table, what the records hold, and what was scored."""

    ref: str
    name: str
    weights: RfgvWeights
    known: Offences
    current: Record[RfgvScore] | None
    versions: list[Record[RfgvScore]]


class AreaWeights(msgspec.Struct, frozen=True):
    """The table of one area; ``version`` 0 while it is what came with the service."""

    area: Area
    areas: list[Area]
    weights: RfgvWeights
    version: int
    versions: list[Record[RfgvWeights]]


def in_force(session: Session, scope: Scope, area_id: int) -> RfgvWeights:
    """The table that holds in an area."""
    found = records.in_slot(session, scope, WEIGHTS, _slot(area_id))
    return rfgv.shipped_weights() if found is None else found.body


def see_weights(sessions: Sessions, scope: Scope, ref: str | None) -> AreaWeights:
    """The table of an area with its history; raises Forbidden and NotFound."""
    scope.require(WEIGHTS.see)
    with sessions.begin() as session:
        area = referral_settings.area_named(session, scope, ref)
        found = records.in_slot(session, scope, WEIGHTS, _slot(area.area_id))
        return AreaWeights(
            area,
            referral_settings.areas(session, scope),
            rfgv.shipped_weights() if found is None else found.body,
            0 if found is None else found.version,
            [] if found is None else records.versions(session, scope, WEIGHTS, found.ref),
        )


def save_weights(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    weights: RfgvWeights,
    *,
    replaces: int,
    reason: str,
    now: datetime,
) -> None:
    """A new table for an area; scores keep the one that they were made with.

    Raises BadWeights, Stale, Forbidden and NotFound.
    """
    rfgv.check(weights)
    with sessions.begin() as session:
        area = referral_settings.area_named(session, scope, ref)
        slots.keep(
            session, scope, WEIGHTS, About(area.area_id), _slot(area.area_id), weights,
            replaces=replaces, now=now, state="in force", reason=reason,
        )  # fmt: skip


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> Scoring:
    """What a score of one person is made from; raises Forbidden and NotFound."""
    scope.require(RFGV.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        assert of.wearer_id is not None, "a wearer has an id"
        weights = in_force(session, scope, of.area_id)
        known = _known(session, scope, of.wearer_id, weights, day_of(now))
        current = records.in_slot(session, scope, RFGV, f"rfgv:{of.wearer_id}")
        versions = [] if current is None else records.versions(session, scope, RFGV, current.ref)
        records.consulted(session, scope, "RFGV", now, wearer_id=of.wearer_id)
        return Scoring(wearer.ref, wearer.name, weights, known, current, versions)


def _known(
    session: Session, scope: Scope, wearer_id: int, weights: RfgvWeights, today: date
) -> Offences:
    since = today - timedelta(days=weights.window_days)
    victims_since = add_months(today, -MONTHS_A_YEAR * weights.victims_years)
    return rows.offences(session, scope, wearer_id, since, victims_since)


def save(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    inputs: RfgvInputs,
    *,
    agency: str,
    evidence: str,
    replaces: int,
    now: datetime,
) -> RfgvScore:
    """Score with the area's table and keep it; raises Stale, Forbidden and NotFound."""
    scope.require(Permission.ASSESS)
    with sessions.begin() as session:
        of, _ = records.about(session, scope, ref)
        weights = in_force(session, scope, of.area_id)
        made = rfgv.score(inputs, weights, agency=agency, evidence=evidence)
        slots.keep(
            session, scope, RFGV, of, f"rfgv:{of.wearer_id}", made,
            replaces=replaces, now=now, at=start_of(inputs.as_at), state="scored",
        )  # fmt: skip
        return made


def _slot(area_id: int) -> str:
    return f"rfgv_weights:{area_id}"
