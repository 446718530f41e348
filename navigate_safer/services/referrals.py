"""The access team's queue: take a referral in, see it with who it may be about, list what waits."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.people import referral_report
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.person_names import person_name
from navigate_safer.people.records import Due, Record
from navigate_safer.people.referral_report import Line, Report
from navigate_safer.people.referrals import (
    CAME_IN,
    KNOWN_AS,
    REFERRAL,
    CameIn,
    IntakeSettings,
    KnownAs,
    Referral,
)
from navigate_safer.services import duplicates, records, referral_settings
from navigate_safer.services.duplicates import Alike
from navigate_safer.services.records import About
from navigate_safer.services.referral_settings import Area

OPEN = "open"
WAITING = frozenset({OPEN, "more_information"})
RECENT = timedelta(days=14)
MOST_RECENT = 50
DECIDE = "Decide on a referral"


class Queued(msgspec.Struct, frozen=True):
    """A referral of the queue; ``decide_by`` is the end of its clock."""

    record: Record[Referral]
    area: str
    decide_by: datetime
    overdue: bool


class Queue(msgspec.Struct, frozen=True):
    """What waits, the most pressing first, and what was decided of late, the newest first."""

    waiting: list[Queued]
    decided: list[Record[Referral]]


class Seen(msgspec.Struct, frozen=True):
    """One referral with what a decision needs; ``alike`` only while it is undecided."""

    record: Record[Referral]
    versions: list[Record[Referral]]
    area: Area
    settings: IntakeSettings
    decide_by: datetime
    alike: list[Alike]


class Arrivals(msgspec.Struct, frozen=True):
    """How one person came in, the newest first, and by what names and numbers he is known.

    ``decided_by``: who decided on each, by its reference; whoever read it later is another.
    """

    ref: str
    name: str
    came_in: list[Record[CameIn]]
    decided_by: dict[str, str]
    known_as: Record[KnownAs] | None


def take_in(
    sessions: Sessions,
    scope: Scope,
    area_ref: str,
    referral: Referral,
    received_at: datetime,
    now: datetime,
) -> str:
    """Keep a referral and start its clock; its reference. Raises Forbidden and NotFound."""
    with sessions.begin() as session:
        area = referral_settings.area_named(session, scope, area_ref)
        settings = referral_settings.in_force(session, scope, area.area_id)
        by = settings.decide_by(received_at, urgent=referral.urgent)
        made = records.add(
            session, scope, REFERRAL, About(area.area_id), referral,
            now=now, at=received_at, state=OPEN, due=Due(by, DECIDE),
        )  # fmt: skip
        return made.ref


def queue(sessions: Sessions, scope: Scope, now: datetime) -> Queue:
    """The queue of the scope's areas; raises Forbidden."""
    scope.require(Permission.TRIAGE)
    with sessions.begin() as session:
        names = {each.area_id: each for each in referral_settings.areas(session, scope)}
        settings = {each: referral_settings.in_force(session, scope, each) for each in names}
        found = records.listed(session, scope, REFERRAL)
        waiting = [
            _queued(each, names[each.area_id], settings[each.area_id], now)
            for each in found
            if each.state in WAITING
        ]
        waiting.sort(key=lambda each: (each.decide_by, each.record.ref))
        decided = [each for each in found if each.state not in WAITING and _recent(each, now)]
        decided.sort(key=lambda each: each.made_at, reverse=True)
        refs: list[object] = [each.record.ref for each in waiting]
        records.consulted(session, scope, "intake queue", now, detail={"referrals": refs})
        return Queue(waiting, decided[:MOST_RECENT])


def _queued(
    record: Record[Referral], area: Area, settings: IntakeSettings, now: datetime
) -> Queued:
    by = settings.decide_by(record.at, urgent=record.body.urgent)
    return Queued(record, area.name, by, by < now)


def _recent(record: Record[Referral], now: datetime) -> bool:
    return record.made_at >= now - RECENT


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> Seen:
    """One referral; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        versions = records.versions(session, scope, REFERRAL, ref)
        record = versions[0]
        area = next(
            each
            for each in referral_settings.areas(session, scope)
            if each.area_id == record.area_id
        )
        settings = referral_settings.in_force(session, scope, area.area_id)
        alike = []
        if record.state in WAITING:
            alike = duplicates.alike(session, scope, record.body.person, ref)
        records.consulted(
            session, scope, "referral", now, wearer_id=record.wearer_id,
            detail={"record": ref, "alike": [each.ref for each in alike]},
        )  # fmt: skip
        by = settings.decide_by(record.at, urgent=record.body.urgent)
        return Seen(record, versions, area, settings, by, alike)


def of_person(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> Arrivals:
    """How a person came in; raises Forbidden and NotFound."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        assert of.wearer_id is not None, "a wearer has an id"
        came_in = records.listed(session, scope, CAME_IN, wearer_id=of.wearer_id)
        known = records.in_slot(session, scope, KNOWN_AS, known_as_slot(of.wearer_id))
        records.consulted(session, scope, "referrals", now, wearer_id=of.wearer_id)
        decided_by = {
            each.ref: records.versions(session, scope, CAME_IN, each.ref)[-1].made_by
            for each in came_in
        }
        return Arrivals(wearer.ref, wearer.name, came_in, decided_by, known)


def known_as_slot(wearer_id: int) -> str:
    """A person's names and numbers are one record."""
    return f"known_as:{wearer_id}"


def report(sessions: Sessions, scope: Scope, now: datetime) -> Report:
    """The report of the scope's areas; raises Forbidden."""
    scope.require(Permission.TRIAGE)
    with sessions.begin() as session:
        settings = {
            each.area_id: referral_settings.in_force(session, scope, each.area_id)
            for each in referral_settings.areas(session, scope)
        }
        lines = [
            Line(
                _whose(each),
                each.at,
                settings[each.area_id].decide_by(each.at, urgent=each.body.urgent),
                each.body,
            )
            for each in records.listed(session, scope, REFERRAL)
        ]
        records.consulted(session, scope, "intake report", now, detail={"referrals": len(lines)})
        return referral_report.report(lines, now)


def _whose(record: Record[Referral]) -> str:
    """The same for referrals that are surely of one person; the likely ones are counted apart."""
    if record.wearer_ref is not None:
        return f"person:{record.wearer_ref}"
    who = record.body.person
    name = person_name(who.name)
    return f"{name.given} {name.family} {who.born_on or record.ref}"


def earlier(session: Session, scope: Scope, wearer_id: int) -> list[datetime]:
    """When earlier referrals of a person were received."""
    return [
        each.body.received_at
        for each in records.listed(session, scope, CAME_IN, wearer_id=wearer_id)
    ]
