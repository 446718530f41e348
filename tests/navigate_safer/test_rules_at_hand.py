"""How many devices' rules are kept at work in memory, and what of their terms they share."""

from datetime import timedelta
from types import SimpleNamespace

import msgspec
from case_files import INSIDE, OUTSIDE, START, Place, fix, message, one_more_wearer, walk
from sqlalchemy import update

from alerts.judge import Run, States
from alerts.terms import Limits
from navigate_safer.db import terms
from navigate_safer.db.people import ConditionRow, FittingRow, WearerRow
from navigate_safer.db.telemetry import JudgementRow
from navigate_safer.demo.intake_bench import stock
from navigate_safer.services.arrivals import Arrivals
from navigate_safer.services.standing import IDLE, MOST_AT_HAND, at_hand

SHORT = Limits(max_gap_s=300.0)
HALF_MINUTE = timedelta(seconds=30)


def test_of_a_large_fleet_everybody_near_a_zone_is_at_hand():
    # The benchmark's fleet has five in a hundred beside a zone or in it.
    assert at_hand(1_000_000) > 50_000


def test_of_a_small_fleet_there_is_no_need_to_count():
    assert at_hand(0) == at_hand(MOST_AT_HAND) == MOST_AT_HAND


def test_wearers_with_the_usual_limits_share_them_and_one_with_his_own_has_his_own(watch):
    for number in (7_001, 7_002, 7_003):
        watch.register(one_more_wearer(number))
    refs = {row.id: row.ref for row in watch.database.all(WearerRow)}
    clause = next(
        row for row in watch.database.all(ConditionRow) if row.ref.endswith("7003") and row.zone_id
    )
    with watch.sessions.begin() as session:
        own = {"max_gap_s": 300.0}
        session.execute(update(ConditionRow).where(ConditionRow.id == clause.id).values(limits=own))
    fittings = [row.id for row in watch.database.all(FittingRow)]
    with watch.sessions() as session:
        found = terms.fittings_by_id(session, fittings, {}).values()
        alone = terms.condition(session, clause.id)
    limits = {
        (refs[of.wearer_id], each.condition_id): each.limits
        for of in found
        for each in of.fitting.conditions
    }
    assert [each for each in limits.values() if each == SHORT] == [SHORT]
    assert alone.limits == SHORT
    others = [each for each in limits.values() if each == Limits()]
    assert len(others) > 2
    assert len({id(each) for each in others}) == 1


def test_the_rules_of_who_has_come_away_from_a_zone_are_let_go_after_a_while(watch):
    watch.register(one_more_wearer(7_004))
    watch.arrivals = Arrivals()
    watch.hear(*walk("TAG-1", OUTSIDE, OUTSIDE), *walk("TAG-X7004", OUTSIDE, OUTSIDE))

    def one_fix(tag: str, place: Place) -> None:
        at = watch.clock.forward(seconds=HALF_MINUTE.total_seconds())
        assert watch.receive(message(tag, fix(at, place), received_at=at)).on_arrival == 1

    for n in range(20):
        one_fix("TAG-1", Place(53.220 - n * 0.001, INSIDE.lon))
        one_fix("TAG-X7004", OUTSIDE)
    for _ in range(int(IDLE / HALF_MINUTE) - 1):
        assert watch.arrivals.rules_at_hand == 1
        one_fix("TAG-X7004", OUTSIDE)
    assert watch.arrivals.rules_at_hand == 1
    one_fix("TAG-X7004", OUTSIDE)
    assert watch.arrivals.rules_at_hand == 0


def test_the_fleet_of_the_benchmark_begins_in_calm_by_its_own_states(database):
    """Else each would be stepped once for its own sake, which nobody is in service."""
    stock(SimpleNamespace(sessions=database.sessions), START, 20)
    rows = {row.fitting_id: row for row in database.all(JudgementRow)}
    with database.sessions() as session:
        found = terms.fittings_by_id(session, list(rows), {})
    runs = [
        Run(of.fitting, msgspec.convert(rows[key].states, States, strict=False))
        for key, of in found.items()
    ]
    assert len(runs) == 20
    assert all(run.calm() is not None for run in runs)
