"""Steps of a playbook on the alert's page: who ticks which, who reads what, and the record."""

import pytest
from sqlalchemy import select
from web.world import World, words_of

from alerts.finding import FindingKind
from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import AlertHistoryRow, EpisodeRow
from navigate_safer.db.answering import TickRow
from navigate_safer.db.audit import AuditRow

SAID = "spoke to her sister, all well"


@pytest.fixture
def alert(world: World) -> str:
    return f"/alerts/{world.reference(FindingKind.EXCLUSION_BREACH)}"


def history(world: World) -> list[tuple[str, str]]:
    return [(row.move, row.reason) for row in world.database.all(AlertHistoryRow)]


def test_the_steps_are_listed_in_order_and_counted(world: World, alert: str):
    shown = words_of(world.visitor("duty").get(alert))
    assert "Left to do: 7 of 7" in shown
    look, idva, unit = (
        shown.index(words)
        for words in ("1. Look at the explanation", "2. Ask the IDVA", "7. Send a unit")
    )
    assert look < idva < unit


def test_of_a_breach_that_is_over_nobody_need_tell_the_wearer_to_leave(world: World, alert: str):
    with world.service.sessions.begin() as session:
        kind = FindingKind.EXCLUSION_BREACH.value
        for episode in session.scalars(select(EpisodeRow).where(EpisodeRow.kind == kind)):
            episode.ended_at = world.clock()
    shown = words_of(world.visitor("duty").get(alert))
    assert "Left to do: 6 of 6" in shown
    assert "Tell the wearer to leave at once, and by which way (if it helps)" in shown


def test_a_tick_keeps_time_author_and_words_and_is_in_the_history(world: World, alert: str):
    officer = world.visitor("duty")
    assert officer.post(f"{alert}/step", key="call_wearer", said="he says he is leaving")
    row = world.database.one(TickRow)
    assert (row.key, row.at, row.words) == ("call_wearer", world.clock(), "he says he is leaving")
    assert (
        "note",
        "Done: Call the wearer and write down what was said. he says he is leaving",
    ) in (history(world))
    shown = words_of(officer.get(alert))
    assert "Left to do: 6 of 7" in shown
    assert "Duty Ashworthy: he says he is leaving" in shown


def test_a_step_is_done_once(world: World, alert: str):
    world.visitor("duty").post(f"{alert}/step", key="look", said="")
    world.visitor("supervisor").post(f"{alert}/step", key="look", said="again")
    assert world.database.one(TickRow).words == ""


def test_a_step_of_an_officer_is_work_and_the_acknowledgement_no_longer_expires(
    world: World, alert: str
):
    officer = world.visitor("duty")
    officer.post(f"{alert}/acknowledge")
    officer.post(f"{alert}/step", key="look", said="")
    world.clock.forward(minutes=20)
    world.watch.escalate()
    assert world.alert(alert.rsplit("/", 1)[-1]).state == AlertState.ACKNOWLEDGED.value


def test_only_the_idva_ticks_her_step_and_only_she_reads_what_was_said(world: World, alert: str):
    for who in ("duty", "manager", "supervisor"):
        assert world.visitor(who).post(f"{alert}/step", key="idva_checked").status_code == 403
    assert world.visitor("idva").post(f"{alert}/step", key="look").status_code == 403
    world.visitor("idva").post(f"{alert}/step", key="idva_checked", said=SAID)
    assert SAID in world.visitor("idva").get(alert).text
    for who in ("duty", "manager", "supervisor"):
        shown = world.visitor(who).get(alert).text
        assert SAID not in shown
        assert "Idva Ashworthy" in shown, "that it is done is everybody's to know"
    assert SAID not in str(history(world))
    assert SAID not in str([row.detail for row in world.database.all(AuditRow)])
    assert ("step", "Protected person reached, or the try recorded") in history(world)


def test_what_the_idva_does_stops_no_escalation(world: World, alert: str):
    reference = alert.rsplit("/", 1)[-1]
    world.visitor("duty").post(f"{alert}/acknowledge")
    world.visitor("idva").post(f"{alert}/step", key="idva_checked", said=SAID)
    world.clock.forward(minutes=16)
    world.watch.escalate()
    assert world.alert(reference).state == AlertState.OPEN.value


def test_a_step_of_another_playbook_or_area_is_not_there(world: World, alert: str):
    assert world.visitor("duty").post(f"{alert}/step", key="charge").status_code == 404
    assert world.visitor("duty-east").post(f"{alert}/step", key="look").status_code == 404
    assert world.database.count(TickRow) == 0


def test_a_step_that_was_ticked_in_error_is_taken_back_and_stays_in_the_record(
    world: World, alert: str
):
    world.visitor("duty").post(f"{alert}/step", key="send_unit", said="car 4")
    ticked_at = world.clock()
    world.clock.forward(minutes=2)
    supervisor = world.visitor("supervisor")
    supervisor.post(f"{alert}/step/undo", key="send_unit", why="that car was for another alert")
    row = world.database.one(TickRow)
    assert (row.at, row.words, row.undone_at, row.undone_why) == (
        ticked_at, "car 4", world.clock(), "that car was for another alert",
    )  # fmt: skip
    shown = words_of(supervisor.get(alert))
    assert "Left to do: 7 of 7" in shown
    assert "Supervisor Ashworthy: that car was for another alert" in shown
    assert "Duty Ashworthy: car 4" in shown
    taken_back = "Send a unit, or write why not: that car was for another alert"
    assert ("step_undone", taken_back) in history(world)
    assert "alert step undone" in [row.what for row in world.database.all(AuditRow)]


def test_a_step_that_was_taken_back_can_be_done_again_and_taken_back_once(world: World, alert: str):
    officer = world.visitor("duty")
    for words in ("first", "second"):
        officer.post(f"{alert}/step", key="look", said=words)
        officer.post(f"{alert}/step/undo", key="look", why="not so")
        officer.post(f"{alert}/step/undo", key="look", why="once more")
    assert [(row.words, row.undone_why) for row in world.database.all(TickRow)] == [
        ("first", "not so"), ("second", "not so"),
    ]  # fmt: skip
    officer.post(f"{alert}/step", key="look", said="third")
    assert "Left to do: 6 of 7" in words_of(officer.get(alert))


def test_without_a_reason_nothing_is_taken_back(world: World, alert: str):
    officer = world.visitor("duty")
    officer.post(f"{alert}/step", key="look", said="")
    answer = officer.post(f"{alert}/step/undo", key="look", why="  ")
    assert answer.status_code == 422
    assert "Enter why the step is taken back" in words_of(answer)
    assert world.database.one(TickRow).undone_at is None


def test_taking_a_step_back_is_no_work_and_the_acknowledgement_expires_as_before(
    world: World, alert: str
):
    world.visitor("idva").post(f"{alert}/step", key="idva_checked", said=SAID)
    world.visitor("duty").post(f"{alert}/acknowledge")
    world.visitor("idva").post(f"{alert}/step/undo", key="idva_checked", why="not reached yet")
    world.clock.forward(minutes=16)
    world.watch.escalate()
    assert world.alert(alert.rsplit("/", 1)[-1]).state == AlertState.OPEN.value


def test_the_idva_s_step_is_taken_back_by_the_idva_and_why_is_hers_to_read(
    world: World, alert: str
):
    world.visitor("idva").post(f"{alert}/step", key="idva_checked", said=SAID)
    for who in ("duty", "manager", "supervisor"):
        answer = world.visitor(who).post(f"{alert}/step/undo", key="idva_checked", why="so")
        assert answer.status_code == 403
    world.visitor("idva").post(f"{alert}/step/undo", key="idva_checked", why="her sister lied")
    assert "her sister lied" in words_of(world.visitor("idva").get(alert))
    shown = words_of(world.visitor("duty").get(alert))
    assert "Taken back" in shown
    assert "her sister lied" not in shown
    assert SAID not in shown
    assert "her sister lied" not in str(history(world))
