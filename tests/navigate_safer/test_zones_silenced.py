"""Zones that overlap, where the one whose alert told of both is silenced or resolved."""

from datetime import timedelta

import pytest
from case_files import INSIDE, MINUTE, START, Place, box, condition, one_more_wearer, walk
from sqlalchemy import select
from watch import Watch

from alerts.finding import Severity
from alerts.lifecycle import Outcome
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow
from navigate_safer.db.people import AreaRow, ConditionRow, StaffRow
from navigate_safer.db.telling import SilenceRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, ZoneEntry
from navigate_safer.services import casework

WITHIN_WIDE = Place(INSIDE.lat, INSIDE.lon + 0.015)
# Of these the first tells, and what is in both zones is recorded of the second.
TIGHT, WIDE = "C-TIGHT", "C-WIDE"


@pytest.fixture
def both(watch: Watch) -> Watch:
    """W-X1 must keep out of Chester, and of the Cross within it: that of the Cross is told."""
    return overlapping(watch)


def overlapping(watch: Watch, rings: list[dict[str, object]] | None = None, **wide) -> Watch:
    zones = [
        ZoneEntry("Z-WIDE", "Chester", "exclusion", box(INSIDE, half_deg=0.02), properties=wide)
    ]
    if rings:
        properties = {"rings": rings}
        zones.append(
            ZoneEntry("Z-RING", "The Cross", "exclusion", box(INSIDE), properties=properties)
        )
    watch.register(CaseFile(v=1, zones=zones))
    kind = ConditionKind.EXCLUSION_ZONE
    conditions = [condition(TIGHT, kind, Severity.HIGH, zone="Z-RING" if rings else "Z-1")]
    if not rings:
        conditions.append(condition(WIDE, kind, Severity.HIGH, zone="Z-WIDE"))
    watch.register(one_more_wearer(1, conditions=conditions))
    return watch


def silence(watch: Watch, ref: str) -> None:
    now = watch.clock()
    who = {row.ref: row.id for row in watch.database.all(StaffRow)}
    with watch.sessions.begin() as session:
        session.add(
            SilenceRow(
                kind="silence", from_at=now - MINUTE, until_at=now + timedelta(hours=1),
                author_id=who["off-1"], approved_by=who["sup-1"], made_at=now,
                reason="being_dealt_with", words="a unit is with him",
                area_id=watch.database.one(AreaRow, AreaRow.ref == "west").id,
                condition_id=watch.database.one(ConditionRow, ConditionRow.ref == ref).id,
            )
        )  # fmt: skip


def alerts(watch: Watch) -> dict[str, AlertRow]:
    query = (
        select(ConditionRow.ref, AlertRow)
        .join(EpisodeRow, EpisodeRow.condition_id == ConditionRow.id)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
    )
    with watch.sessions() as session:
        return dict(session.execute(query).all())


def told(watch: Watch) -> set[str]:
    """The conditions of whose breach somebody was told."""
    texts = {row.alert_id for row in watch.database.all(TextRow)}
    return {ref for ref, row in alerts(watch).items() if row.id in texts}


def resolve(watch: Watch, ref: str) -> None:
    west = frozenset({watch.database.one(AreaRow, AreaRow.ref == "west").id})
    officer = watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    scope = Scope(officer, Role.DUTY_OFFICER, west)
    reference, outcome = alerts(watch)[ref].reference, Outcome.FALSE_ALARM
    assert casework.resolve(watch.sessions, scope, reference, outcome, "", watch.clock())


def test_a_silence_on_one_zone_does_not_hide_the_other_that_is_entered_with_it(both):
    silence(both, TIGHT)
    both.receive(*walk("TAG-X1", INSIDE, INSIDE, INSIDE))
    both.judge()
    assert set(alerts(both)) == {TIGHT, WIDE}
    assert told(both) == {WIDE}


def test_a_zone_that_is_entered_within_a_silenced_one_is_told(watch):
    overlapping(watch, priority=5)
    silence(watch, WIDE)
    watch.hear(*walk("TAG-X1", WITHIN_WIDE, WITHIN_WIDE, INSIDE, INSIDE))
    assert told(watch) == {TIGHT}
    assert alerts(watch)[WIDE].silence_id is not None


def test_an_alert_that_a_silence_holds_back_later_speaks_for_the_other_zone_no_more(both):
    both.receive(*walk("TAG-X1", INSIDE, INSIDE, INSIDE))
    both.judge()
    assert told(both) == set(alerts(both)) == {TIGHT}
    silence(both, TIGHT)
    both.clock.forward(minutes=5)
    both.escalate()
    assert told(both) == {TIGHT, WIDE}
    assert alerts(both)[TIGHT].silence_id is not None


def test_who_resolves_the_alert_of_one_zone_is_told_of_the_other_that_goes_on(both):
    both.receive(*walk("TAG-X1", INSIDE, INSIDE, INSIDE))
    both.judge()
    resolve(both, TIGHT)
    both.escalate()
    assert told(both) == {TIGHT, WIDE}
    assert (alerts(both)[TIGHT].state, alerts(both)[WIDE].state) == ("resolved", "open")


def test_of_a_zone_that_was_left_meanwhile_nobody_is_told(both):
    both.receive(*walk("TAG-X1", INSIDE, INSIDE, INSIDE))
    both.judge()
    far = Place(INSIDE.lat + 0.06, INSIDE.lon)
    both.hear(*walk("TAG-X1", far, far, far, start=START + 3 * MINUTE))
    resolve(both, TIGHT)
    both.escalate()
    assert set(alerts(both)) == {TIGHT}


def test_the_answer_to_a_breach_is_that_of_the_rings_about_its_zone_too(watch):
    overlapping(watch, rings=[{"m": 600, "severity": "medium"}])
    watch.receive(*walk("TAG-X1", INSIDE, INSIDE, INSIDE))
    watch.judge()
    assert watch.database.count(EpisodeRow, EpisodeRow.kind == "early_warning_1") == 1
    resolve(watch, TIGHT)
    assert watch.database.count(AlertRow) == 1
