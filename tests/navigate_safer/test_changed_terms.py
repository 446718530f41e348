"""Terms that are changed afterwards: what is stored is judged again, as if they had been there.

TAG-X0 and TAG-X1 go the same way at the same times. TAG-X1 has the terms from the start; those of
TAG-X0 are changed after the fact, and what is known of the two must be the same then.
"""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from case_files import (
    FITTED_AT,
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    box,
    condition,
    fix,
    message,
)
from case_files import one_more_wearer as wearer
from faulty_days import breaches_of, device_id, heard
from sqlalchemy import insert, select, update
from watch import Watch

from alerts.finding import Severity
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeRow, TextRow
from navigate_safer.db.people import ConditionRow, FittingRow, OrderRow, ZoneRow
from navigate_safer.db.telemetry import PendingRow

LATER, TWIN = "TAG-X0", "TAG-X1"
HOUR = timedelta(hours=1)
NIGHTLY = [{"days": ["fri"], "start": "22:00", "end": "23:00"}]


def path(visits: list[tuple[int, int]], minutes: int = 150) -> list[tuple[datetime, Place]]:
    """A fix a minute from START, inside in the visits' minutes."""
    return [
        (START + n * MINUTE, Place(near.lat + n * 1e-7, near.lon))
        for n in range(minutes)
        for near in [INSIDE if any(a <= n < b for a, b in visits) else OUTSIDE]
    ]


def go(watch: Watch, way: list[tuple[datetime, Place]], tags=(LATER, TWIN)) -> None:
    """Both are heard as they go, and judged after each ten minutes."""
    for begin in range(0, len(way), 10):
        for tag in tags:
            part = way[begin : begin + 10]
            watch.receive(*[message(tag, fix(at, place)) for at, place in part])
        watch.judge()


def no_zone_yet() -> tuple:
    """Terms that say nothing of places."""
    return (condition("CY-0", ConditionKind.TAG_CARE, Severity.HIGH),)


def both(watch: Watch) -> Watch:
    watch.register(wearer(0, conditions=no_zone_yet()))
    watch.register(wearer(1))
    for tag in (LATER, TWIN):
        watch.hear(message(tag, fix(START - 5 * MINUTE, OUTSIDE)))
    return watch


def order_of(watch: Watch, number: int = 0) -> int:
    return watch.database.one(OrderRow, OrderRow.ref == f"O-X{number}").id


def change(watch: Watch, *statements) -> None:
    """What a service does that changes terms; then judgement."""
    with watch.sessions.begin() as session:
        for each in statements:
            session.execute(each)
    watch.judge()


def clause(watch: Watch, *, from_at: datetime = FITTED_AT, zone: str = "Z-1") -> object:
    """The exclusion zone for TAG-X0."""
    return insert(ConditionRow).values(
        ref="C-LATE", version=1, order_id=order_of(watch), clause="Licence 12",
        kind="exclusion_zone", severity="high", limits={}, from_at=from_at,
        zone_id=select(ZoneRow.id).where(ZoneRow.ref == zone).scalar_subquery(),
    )  # fmt: skip


def alerts_of(watch: Watch, tag: str) -> list[AlertRow]:
    """Alerts about whoever wears a tag, in the order of what they are about."""
    worn = watch.database.one(FittingRow, FittingRow.device_id == device_id(watch.database, tag))
    episodes = watch.database.all(EpisodeRow, EpisodeRow.fitting_id == worn.id)
    order = [each.id for each in sorted(episodes, key=lambda each: each.started_at)]
    found = watch.database.all(AlertRow, AlertRow.episode_id.in_(order))
    return sorted(found, key=lambda each: order.index(each.episode_id))


def told(watch: Watch, alert: AlertRow) -> list[tuple[str, str | None]]:
    rows = watch.database.all(AlertHistoryRow, AlertHistoryRow.alert_id == alert.id)
    return [(row.move, row.reason) for row in rows]


def test_a_clause_that_is_entered_afterwards_covers_what_is_stored(watch):
    both(watch)
    go(watch, path([(20, 26), (80, 95)]))
    assert breaches_of(watch.database, LATER) == []
    watch.clock.forward(hours=5)
    change(watch, clause(watch))
    found = breaches_of(watch.database, LATER)
    assert len(found) == 2
    assert found == breaches_of(watch.database, TWIN)
    alerts = alerts_of(watch, LATER)
    assert [each.late_data for each in alerts] == [True, True], "hours old, and not told as live"
    for each in alerts:
        assert ("opened", "new breach, found under changed terms") in told(watch, each)
    assert len(alerts_of(watch, TWIN)) == 2, "who was not concerned hears nothing again"


def test_who_is_inside_when_the_clause_is_entered_is_told_as_live(watch):
    both(watch)
    go(watch, path([(140, 150)]))
    change(watch, clause(watch))
    [alert] = alerts_of(watch, LATER)
    assert not alert.late_data
    assert ("opened", "new breach") in told(watch, alert)
    assert watch.database.count(TextRow, TextRow.alert_id == alert.id) == 1
    assert breaches_of(watch.database, LATER) == breaches_of(watch.database, TWIN)


def test_a_clause_covers_nothing_from_before_it_begins(watch):
    both(watch)
    go(watch, path([(20, 26), (80, 95)]))
    change(watch, clause(watch, from_at=START + HOUR))
    assert breaches_of(watch.database, LATER) == breaches_of(watch.database, TWIN)[1:]


def larger_zone(**fields: object) -> object:
    return insert(ZoneRow).values(
        ref="Z-1", version=2, name="Chester Cross", kind="exclusion", timezone="Europe/London",
        **{"geometry": box(INSIDE), "buffer_m": 0.0, **fields},
    )  # fmt: skip


def second_version(watch: Watch) -> object:
    newest = select(ZoneRow.id).where(ZoneRow.ref == "Z-1", ZoneRow.version == 2)
    return (
        update(ConditionRow)
        .where(ConditionRow.ref == "CX-1")
        .values(zone_id=newest.scalar_subquery())
    )


def end_of_the_clause(_watch: Watch):
    return [update(ConditionRow).where(ConditionRow.ref == "CX-1").values(until_at=START)]


def end_of_the_order(watch: Watch):
    yesterday = (START - timedelta(days=2)).date()
    return [update(OrderRow).where(OrderRow.id == order_of(watch, 1)).values(ends_on=yesterday)]


def beginning_of_the_order(watch: Watch):
    tomorrow = update(OrderRow).where(OrderRow.id == order_of(watch, 1))
    return [tomorrow.values(starts_on=date(2026, 11, 22))]


def end_of_the_fitting(watch: Watch):
    tag = device_id(watch.database, TWIN)
    return [update(FittingRow).where(FittingRow.device_id == tag).values(removed_at=START)]


def another_zone(watch: Watch):
    return [larger_zone(geometry=box(OUTSIDE, half_deg=1e-5)), second_version(watch)]


WITHDRAWN: dict[str, Callable] = {
    "the clause ended before": end_of_the_clause,
    "the order ended before": end_of_the_order,
    "the order begins later": beginning_of_the_order,
    "the tag was taken off before": end_of_the_fitting,
    "the zone is elsewhere": another_zone,
}


@pytest.mark.parametrize("how", WITHDRAWN)
def test_what_the_changed_terms_do_not_cover_is_withdrawn_and_its_alert_is_kept(watch, how):
    both(watch)
    go(watch, path([(20, 26)]))
    [before] = alerts_of(watch, TWIN)
    change(watch, *WITHDRAWN[how](watch))
    [after] = alerts_of(watch, TWIN)
    assert after.id == before.id
    assert watch.database.one(EpisodeRow, EpisodeRow.id == after.episode_id).withdrawn
    assert ("withdraw", "no breach under the changed terms") in told(watch, after)
    assert after.next_step_at is None, "nobody further is told"


def test_a_schedule_that_is_changed_moves_what_was_found(watch):
    """Inside from 21:40 to 22:20; the zone turns out to hold from 22 to 23 o'clock only."""
    both(watch)
    go(watch, path([(40, 80)]))
    [(began_at, ended_at)] = breaches_of(watch.database, TWIN)
    assert began_at < START + HOUR
    change(watch, larger_zone(schedule=NIGHTLY), second_version(watch))
    [(later_at, same_end_at)] = breaches_of(watch.database, TWIN)
    assert later_at >= START + HOUR
    assert same_end_at == ended_at
    [alert] = alerts_of(watch, TWIN)
    assert ("amend", "changed terms changed its times") in told(watch, alert)


def test_a_change_back_opens_again_what_was_withdrawn(watch):
    both(watch)
    go(watch, path([(20, 26)]))
    was = breaches_of(watch.database, TWIN)
    change(watch, *end_of_the_clause(watch))
    assert breaches_of(watch.database, TWIN) == []
    again = update(ConditionRow).where(ConditionRow.ref == "CX-1").values(until_at=None)
    change(watch, again)
    assert breaches_of(watch.database, TWIN) == was
    assert len(alerts_of(watch, TWIN)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_whenever_the_clause_is_entered_the_episodes_are_those_of_the_twin(watch, seed):
    chance = random.Random(seed)
    visits = sorted(chance.sample(range(0, 140, 7), k=6))
    way = path([(at, at + chance.randint(2, 12)) for at in visits])
    both(watch)
    entered = chance.choice(range(20, 140, 10))
    go(watch, way[:entered])
    from_at = START + chance.choice([-60, 10, 33, 75]) * MINUTE
    both_from = update(ConditionRow).where(ConditionRow.ref == "CX-1").values(from_at=from_at)
    change(watch, both_from, clause(watch, from_at=from_at))
    go(watch, way[entered:])
    assert breaches_of(watch.database, LATER) == breaches_of(watch.database, TWIN)


def test_a_fitting_that_is_entered_afterwards_gives_the_stored_readings_to_its_wearer(watch):
    watch.register(wearer(0))
    spare = device_id(watch.database, "TAG-SPARE")
    go(watch, path([(20, 26)]), tags=["TAG-SPARE"])
    w0 = watch.database.one(FittingRow, FittingRow.device_id == device_id(watch.database, LATER))
    worn = insert(FittingRow).values(device_id=spare, wearer_id=w0.wearer_id, fitted_at=START)
    with watch.sessions.begin() as session:
        session.execute(worn)
    watch.judge()
    assert len(breaches_of(watch.database, "TAG-SPARE")) == 1


def test_terms_of_times_without_a_reading_leave_nothing_to_judge(watch):
    both(watch)
    heard(watch)
    with watch.sessions.begin() as session:
        session.execute(clause(watch, from_at=START + 30 * MINUTE))
        session.execute(update(OrderRow).values(kind="court order"))
    assert watch.database.count(PendingRow) == 0


def test_a_zone_is_never_changed_but_has_a_next_version(watch):
    with (
        pytest.raises(Exception, match="a changed zone is a new row"),
        watch.sessions.begin() as session,
    ):
        session.execute(update(ZoneRow).values(buffer_m=50.0))
    with watch.sessions.begin() as session:
        session.execute(update(ZoneRow).where(ZoneRow.ref == "Z-1").values(name="The Cross"))
