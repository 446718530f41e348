"""The book of costs in the database, and what packs ask of alerts as of a moment."""

from datetime import datetime, timedelta

import msgspec
import pytest
from case_files import INSIDE, OUTSIDE, START, small_case_file, walk
from sqlalchemy import select

from alerts.lifecycle import Move, Outcome
from navigate_safer.db import costs as stored
from navigate_safer.db import outcomes, workload
from navigate_safer.db.alerting import AlertRow, EpisodeHistoryRow
from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.demo.costs import cost_entries
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.cost_book import Kind
from navigate_safer.people.cost_case import case_of
from navigate_safer.people.cost_seeds import SHIPPED
from navigate_safer.people.outcome_packs import Waiting
from navigate_safer.services import alerting, casework, register
from navigate_safer.services.case_entries import CaseFileFault

ON_SQLITE = pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
DAY = timedelta(days=1)


def test_a_case_file_brings_its_book_and_the_book_before_it_can_still_be_read(database) -> None:
    entries = cost_entries(START.date())
    case_file = msgspec.structs.replace(small_case_file(), costs=entries)
    register.register(database.sessions, case_file, START)
    with database.sessions() as session:
        assert stored.book_at(session, START - DAY) == SHIPPED
        book = stored.book_at(session, START)
        (version,) = stored.versions(session, Kind.BENEFIT, "incidents")
    assert set(book.benefits) == {"arrests", "custody", "incidents"}
    assert case_of(book).deducted.found.benefit_cost_ratio is not None
    assert (version.number, version.made_by, version.removed) == (1, None, False)


@ON_SQLITE
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"net": False}, "costs benefit incidents: .* would count twice", id="twice"),
        pytest.param({"effect": 7}, "costs benefit incidents: effect: must be", id="more than all"),
        pytest.param({"colour": 1}, "colour is not a name of this input", id="unknown field"),
    ],
)
def test_a_bad_entry_of_a_case_file_is_named(database, changed: dict, said: str) -> None:
    entries = [
        msgspec.structs.replace(each, body=each.body | changed) if each.ref == "incidents" else each
        for each in cost_entries(START.date())
    ]
    case_file = msgspec.structs.replace(small_case_file(), costs=entries)
    with pytest.raises(CaseFileFault, match=said):
        register.register(database.sessions, case_file, START)


def test_what_was_withdrawn_or_answered_later_was_not_yet_then(watch) -> None:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    known = watch.clock()
    later = known + 2 * DAY
    with watch.database.sessions.begin() as session:
        wearers = [each.id for each in session.scalars(select(WearerRow))]
        areas = frozenset(session.scalars(select(AreaRow.id)))
        scope = Scope(1, Role.BOARD_MEMBER, areas)
        alerts = list(session.scalars(select(AlertRow)))
        assert workload.waiting(session, scope, known) == Waiting(late=0, open=len(alerts))
        assert workload.waiting(session, scope, later) == Waiting(len(alerts), len(alerts))
        for alert in alerts:
            then = {"at": known + DAY, "action": "withdraw", "why": "late data"}
            session.add(EpisodeHistoryRow(episode_id=alert.episode_id, **then))
        session.flush()
        for at, withdrawn in ((known, False), (later, True)):
            facts = outcomes.alerts(session, wearers, START - DAY, later, at)
            assert [fact.withdrawn for fact in facts] == [withdrawn] * len(alerts)


def test_an_alert_that_was_opened_again_had_its_outcome_before(watch) -> None:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    opened = watch.clock()
    officer = watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    with watch.database.sessions.begin() as session:
        alert = session.scalars(select(AlertRow).order_by(AlertRow.id)).first()
        areas = frozenset(session.scalars(select(AreaRow.id)))
        wearers = [each.id for each in session.scalars(select(WearerRow))]
        reference = alert.reference
    scope = Scope(officer, Role.DUTY_OFFICER, areas)
    text = "his brother: it was he"
    casework.resolve(
        watch.database.sessions, scope, reference, Outcome.FALSE_ALARM, text, opened + DAY
    )
    with watch.database.sessions.begin() as session:
        alert = session.scalars(select(AlertRow).where(AlertRow.reference == reference)).one()
        again = {"staff_id": None, "channel": "judge", "reason": "worse"}
        alerting.move(session, alert, Move.REOPEN, opened + 2 * DAY, **again)

    def outcome(at: datetime) -> str | None:
        with watch.database.sessions() as session:
            facts = outcomes.alerts(session, wearers, START - DAY, opened + DAY, at)
            return facts[0].outcome

    assert [outcome(opened + n * DAY) for n in (0, 1, 2)] == [None, "false_alarm", None]
