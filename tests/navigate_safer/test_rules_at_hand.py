"""How many devices' rules are kept at work in memory, and what of their terms they share."""

from case_files import one_more_wearer
from sqlalchemy import update

from alerts.terms import Limits
from navigate_safer.db import terms
from navigate_safer.db.people import ConditionRow, FittingRow, WearerRow
from navigate_safer.services.standing import MOST_AT_HAND, at_hand

SHORT = Limits(max_gap_s=300.0)


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
