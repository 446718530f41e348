"""An alert that the plan brings to nobody: told to whoever can be reached, or said to be untold."""

from datetime import timedelta

import msgspec
import pytest
from case_files import INSIDE, OUTSIDE, walk
from sqlalchemy import update
from watch import VOICE, Watch

from alerts.finding import Severity
from alerts.lifecycle import Outcome
from alerts.policy import Policy, Step, Target
from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextRow
from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.db.telling import PolicyRow, SilenceRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import casework, health, heartbeats, self_watch
from navigate_safer.services.health import State
from navigate_safer.services.self_watch import STEADY, SelfWatch

UNTOLD = "an open alert was never told and nothing holds it"
WEST = ("off-1", "off-2", "sup-1")


def staff(watch: Watch, ref: str) -> int:
    return watch.database.one(StaffRow, StaffRow.ref == ref).id


def leave(watch: Watch, *refs: str, back: bool = False) -> None:
    with watch.sessions.begin() as session:
        session.execute(update(StaffRow).where(StaffRow.ref.in_(refs)).values(active=back))


def policy(watch: Watch, *steps: Step) -> None:
    body = Policy(number=1, version=1, name="nights", severities=frozenset(Severity), steps=steps)
    with watch.sessions.begin() as session:
        session.add(
            PolicyRow(
                number=1, version=1, body=msgspec.to_builtins(body), active=True,
                made_at=watch.clock(), reason="tried out",
            )
        )  # fmt: skip


def breach(watch: Watch) -> AlertRow:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch.database.one(AlertRow)


def told(watch: Watch) -> list[str]:
    refs = {row.id: row.ref for row in watch.database.all(StaffRow)}
    about = AlertRow.part.is_(None)
    rows = watch.database.all(TextRow, TextRow.alert_id == watch.database.one(AlertRow, about).id)
    return [refs[row.staff_id] for row in sorted(rows, key=lambda each: each.step)]


def moves(watch: Watch, move: str) -> int:
    return watch.database.count(AlertHistoryRow, AlertHistoryRow.move == move)


def let_pass(watch: Watch, seconds: int) -> None:
    """Each second has its tick."""
    for _ in range(seconds):
        watch.clock.forward(seconds=1)
        watch.escalate()


def broken(watch: Watch) -> dict[str, int]:
    with watch.sessions() as session:
        return invariants.broken(session, watch.clock())


def beat(watch: Watch) -> None:
    up = watch.clock() - timedelta(hours=1)
    for worker in ("ingest", "monitor", "deliver", "schedule"):
        heartbeats.beat(watch.sessions, worker, watch.clock(), connected_since=up)


def check(watch: Watch) -> State:
    found = health.look(watch.sessions, watch.clock(), watch.clock())
    return next(each.state for each in found if each.name == "telling")


@pytest.fixture
def nobody(watch):
    """A breach in an area where everybody has left."""
    leave(watch, *WEST)
    breach(watch)
    return watch


# Somebody else is told


def test_where_whom_the_policy_names_has_left_whoever_can_be_reached_is_told(watch):
    policy(watch, Step(staff_id=staff(watch, "off-1"), answer_within_s=120))
    leave(watch, "off-1")
    breach(watch)
    assert told(watch) == ["off-2"]
    assert [row.move for row in watch.database.all(AlertHistoryRow)] == [
        "opened", "not_told", "told",
    ]  # fmt: skip


def test_while_the_policy_reaches_nobody_the_others_are_told_in_turn(watch):
    policy(watch, Step(target=Target.ROLE, role="idva", answer_within_s=120))
    breach(watch)
    let_pass(watch, 370)
    assert told(watch) == ["off-1", "off-2", "sup-1", "off-1"]


def test_who_was_told_first_is_told_again_when_the_last_of_the_plan_has_left(watch):
    first, last = (Step(staff_id=staff(watch, ref), answer_within_s=120) for ref in WEST[:2])
    policy(watch, first, last)
    breach(watch)
    leave(watch, "off-2", "sup-1")
    let_pass(watch, 250)
    assert told(watch) == ["off-1", "off-1", "off-1"]


def test_an_alert_that_opened_when_nobody_could_be_told_is_told_once_somebody_can(nobody):
    let_pass(nobody, 300)
    assert told(nobody) == []
    assert moves(nobody, "nobody_to_tell") == 1, "said once, not at each try"
    leave(nobody, "off-2", back=True)
    let_pass(nobody, 30)
    assert told(nobody) == ["off-2"]


def test_an_alert_whose_steps_reach_nobody_is_tried_each_half_minute_and_noted_once(watch):
    policy(watch, Step(target=Target.ROLE, role="duty_officer", answer_within_s=3600))
    leave(watch, *WEST)
    breach(watch)
    let_pass(watch, 300)
    assert (moves(watch, "not_told"), moves(watch, "nobody_to_tell")) == (1, 1)
    leave(watch, "sup-1", back=True)
    let_pass(watch, 30)
    assert told(watch) == ["sup-1"]


# Nobody can be told: the service says so


def test_within_its_time_nothing_is_said(nobody):
    let_pass(nobody, 44)
    beat(nobody)
    assert (broken(nobody), check(nobody)) == ({}, State.OK)


def test_an_alert_that_nobody_can_be_told_of_stops_the_switch_and_is_on_the_board(nobody):
    let_pass(nobody, 46)
    beat(nobody)
    assert broken(nobody) == {UNTOLD: 1}
    assert check(nobody) is State.FAULT
    now = nobody.clock()
    (sentence,) = health.degraded(nobody.sessions, now, now)
    assert sentence.startswith("1 open alert(s) can be told to nobody")
    assert sentence in self_watch.not_holding(nobody.sessions, now, now)


def test_it_is_an_alert_about_the_service_that_ends_when_somebody_was_told(nobody):
    number = {"phone": "+447700900177", "phone_verified_at": nobody.clock()}
    with nobody.sessions.begin() as session:
        session.execute(update(StaffRow).where(StaffRow.ref == "adm-1").values(**number))
    own = SelfWatch(nobody.sessions, VOICE)
    let_pass(nobody, 46)
    beat(nobody)
    assert own.look(nobody.clock(), nobody.clock()).opened == ("telling",)
    alert = nobody.database.one(AlertRow, AlertRow.part == "telling")
    assert alert.severity == "critical"
    (text,) = nobody.database.all(TextRow)
    assert (text.alert_id, text.staff_id) == (alert.id, staff(nobody, "adm-1"))
    leave(nobody, "off-1", back=True)
    let_pass(nobody, 30)
    for _ in range(2):
        beat(nobody)
        ended = own.look(nobody.clock(), nobody.clock()).ended
        nobody.clock.forward(seconds=STEADY.total_seconds())
    assert ended == ("telling",)


def test_the_alert_about_it_that_nobody_mends_either_does_not_keep_itself_going(nobody):
    own = SelfWatch(nobody.sessions, VOICE)
    let_pass(nobody, 46)
    beat(nobody)
    own.look(nobody.clock(), nobody.clock())
    breach_ = nobody.database.one(AlertRow, AlertRow.part.is_(None))
    west = frozenset({nobody.database.one(AreaRow, AreaRow.ref == "west").id})
    scope = Scope(staff(nobody, "off-1"), Role.DUTY_OFFICER, west)
    outcome = Outcome.FALSE_ALARM
    assert casework.resolve(nobody.sessions, scope, breach_.reference, outcome, "", nobody.clock())
    let_pass(nobody, 46)
    beat(nobody)
    assert check(nobody) is State.OK
    assert broken(nobody) == {UNTOLD: 1}, "but nobody was told of the service, and that holds"


def test_a_step_that_fails_at_every_try_is_said_too(watch):
    alert = breach(watch)
    watch.deliver()
    with watch.sessions.begin() as session:
        session.get_one(AlertRow, alert.id).plan = {"steps": [{"answer_within_s": "soon"}]}
    let_pass(watch, 125)
    assert moves(watch, "tell_failed") == 1
    assert broken(watch) == {}
    let_pass(watch, 300)
    assert (told(watch), moves(watch, "tell_failed")) == (["off-1"], 1)
    assert broken(watch) == {UNTOLD: 1}


def test_who_was_told_and_then_nobody_more_is_said_too(watch):
    breach(watch)
    watch.deliver()
    leave(watch, *WEST)
    let_pass(watch, 120)
    assert broken(watch) == {}
    let_pass(watch, 46)
    assert (told(watch), broken(watch)) == (["off-1"], {UNTOLD: 1})


def test_what_a_silence_holds_back_is_not_untold(nobody):
    now = nobody.clock()
    with nobody.sessions.begin() as session:
        session.add(
            SilenceRow(
                kind="silence", from_at=now, until_at=now + timedelta(minutes=10),
                author_id=staff(nobody, "off-1"), approved_by=staff(nobody, "sup-1"), made_at=now,
                reason="being_dealt_with", words="a unit is with him",
                area_id=nobody.database.one(AreaRow, AreaRow.ref == "west").id,
                wearer_id=nobody.database.one(WearerRow, WearerRow.ref == "W-1").id,
            )
        )  # fmt: skip
    let_pass(nobody, 590)
    assert broken(nobody) == {}
    let_pass(nobody, 60)
    assert broken(nobody) == {UNTOLD: 1}, "the silence is over, and nobody was told"


def test_who_answers_on_the_board_ends_it(nobody):
    let_pass(nobody, 60)
    west = frozenset({nobody.database.one(AreaRow, AreaRow.ref == "west").id})
    scope = Scope(staff(nobody, "off-1"), Role.DUTY_OFFICER, west)
    reference = nobody.database.one(AlertRow).reference
    assert casework.acknowledge(nobody.sessions, scope, reference, nobody.clock())
    assert broken(nobody) == {}
