"""A protected person's device falls silent: who is told, who may look, what nobody sees."""

from datetime import timedelta

import msgspec
import pytest
from case_files import MINUTE, START, fix, message
from sqlalchemy import select
from watch import VOICE
from web.protected_pair import FAR, FITTED, HER, HER_WORDS, away_from_her, hers, his, pair_file
from web.world import World, plain, words_of

from alerts.bundling import may_wait
from alerts.finding import FindingKind, Severity
from alerts.policy import Bundling, Channel, Policy, Step, Target
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextRow
from navigate_safer.db.people import StaffRow
from navigate_safer.db.telling import PolicyRow
from navigate_safer.services import protected_silence, replies, sweep, telling
from navigate_safer.services.self_watch import SelfWatch

SILENT = "A protected person's device is silent"


@pytest.fixture
def paired(quiet_world: World) -> World:
    """Both devices are heard for eight minutes; the IDVA of the west has a telephone."""
    watch = quiet_world.watch
    watch.register(pair_file())
    with quiet_world.database.sessions.begin() as session:
        idva = session.scalar(select(StaffRow).where(StaffRow.ref == "idva"))
        idva.phone, idva.phone_verified_at = "07700900188", START
    watch.hear(*his(FAR), *hers(8))
    watch.clock.at = START + 8 * MINUTE
    return quiet_world


def look(world: World) -> int:
    return protected_silence.look(world.database.sessions, world.clock(), VOICE)


def alerts(world: World) -> list[AlertRow]:
    return world.database.all(AlertRow, AlertRow.part.startswith("protected:"))


@pytest.fixture
def silent(paired: World) -> str:
    """The reference of the alert, twenty minutes after her device was last heard."""
    paired.clock.forward(minutes=20)
    assert look(paired) == 1
    (alert,) = alerts(paired)
    return alert.reference


def test_nobody_is_told_while_her_device_keeps_its_deadline(paired: World) -> None:
    paired.clock.forward(minutes=14)
    assert look(paired) == 0
    assert alerts(paired) == []


def test_the_idva_is_told_first_and_the_text_says_nothing_of_her(
    paired: World, silent: str
) -> None:
    (alert,) = alerts(paired)
    assert (alert.wearer_id, alert.episode_id, alert.severity) == (None, None, "high")
    (text,) = paired.database.all(TextRow, TextRow.alert_id == alert.id)
    told = paired.database.one(StaffRow, StaffRow.id == text.staff_id)
    assert told.ref == "idva"
    assert not [word for word in [*HER_WORDS, "V-9", "W-DIS"] if word in text.body]
    # Seen again and again, it is one silence and one alert.
    paired.clock.forward(seconds=15)
    assert look(paired) == 0


def test_its_text_waits_for_no_other_whatever_class_a_policy_gathers(
    paired: World, silent: str
) -> None:
    (alert,) = alerts(paired)
    with paired.database.sessions() as session:
        kind = telling.kind_of(session, alert)
    rule = Bundling(at_once=Severity.CRITICAL)
    assert alert.reference == silent
    assert not may_wait(rule, Severity(alert.severity), kind, Channel.SMS)


def test_without_an_answer_the_next_person_of_her_area_is_told(paired: World, silent: str) -> None:
    paired.clock.forward(minutes=6)
    assert sweep.escalate_next(paired.database.sessions, paired.clock(), VOICE) is not None
    (alert,) = alerts(paired)
    texts = paired.database.all(TextRow, TextRow.alert_id == alert.id)
    refs = [paired.database.one(StaffRow, StaffRow.id == each.staff_id).ref for each in texts]
    assert refs == ["idva", "duty"]


def test_a_policy_that_names_the_kind_says_who_is_told(paired: World) -> None:
    everything, named = (
        Policy(number=number, version=1, name=name, severities=frozenset(Severity), kinds=kinds,
               steps=(Step(answer_within_s=60, target=Target.ROLE, role=role),))
        for number, name, role, kinds in (
            (1, "Nights", "duty_officer", None),
            (2, "Protection", "idva", frozenset({FindingKind.PROTECTED_SILENCE})),
        )
    )  # fmt: skip
    with paired.database.sessions.begin() as session:
        for each in (everything, named):
            session.add(
                PolicyRow(number=each.number, version=1, body=msgspec.to_builtins(each),
                          active=True, made_at=START, reason="test")
            )  # fmt: skip
    paired.clock.forward(minutes=20)
    look(paired)
    (alert,) = alerts(paired)
    assert alert.plan["policy"] == "Protection (2.1)"


def test_heard_again_it_resolves_by_itself_and_the_next_silence_is_told(
    paired: World, silent: str
) -> None:
    now = paired.clock()
    paired.watch.hear(message("PRO-9", fix(now, HER)))
    look(paired)
    assert paired.alert(silent).state == "resolved"
    paired.clock.forward(minutes=20)
    assert look(paired) == 1
    assert len(alerts(paired)) == 2


def test_resolved_by_hand_the_same_silence_is_not_told_again(paired: World, silent: str) -> None:
    idva = paired.visitor("idva")
    path = f"/protection/{silent}"
    assert idva.post(f"{path}/resolve", explanation=" ").status_code == 422
    idva.post(f"{path}/resolve", explanation="she handed the device back")
    assert paired.alert(silent).state == "resolved"
    paired.clock.forward(hours=3)
    assert look(paired) == 0


def test_closed_by_mistake_it_is_opened_again_with_a_reason(paired: World, silent: str) -> None:
    idva, path = paired.visitor("idva"), f"/protection/{silent}"
    idva.post(f"{path}/resolve", explanation="she handed the device back")
    assert "Open the alert again" in words_of(idva.get(path))
    assert idva.post(f"{path}/reopen", reopening=" ").status_code == 422
    answer = idva.post(f"{path}/reopen", reopening="it was another device")
    assert answer.status_code == 302
    assert paired.alert(silent).state == "open"
    look(paired)
    assert paired.alert(silent).state == "open", "she is silent still"


def test_an_old_one_is_not_opened_beside_a_newer_one(paired: World, silent: str) -> None:
    paired.watch.hear(message("PRO-9", fix(paired.clock(), HER)))
    look(paired)
    paired.clock.forward(minutes=20)
    look(paired)
    idva, path = paired.visitor("idva"), f"/protection/{silent}"
    answer = idva.post(f"{path}/reopen", reopening="too soon")
    assert "a newer one is open" in words_of(idva.get(answer.location))
    assert [each.state for each in alerts(paired)] == ["resolved", "open"]


def test_a_device_that_was_never_heard_is_silent_from_its_handing_over(quiet_world: World) -> None:
    quiet_world.watch.register(pair_file())
    quiet_world.clock.at = FITTED + timedelta(minutes=16)
    assert look(quiet_world) == 1


def test_without_an_order_in_force_nobody_watches_her_device(quiet_world: World) -> None:
    entry = msgspec.structs.replace(away_from_her(), until_at=START)
    quiet_world.watch.register(pair_file(entry))
    quiet_world.clock.at = START + timedelta(hours=5)
    assert look(quiet_world) == 0


@pytest.mark.parametrize(
    ("account", "status"),
    [
        ("idva", 200),
        ("supervisor", 200),
        ("duty", 200),
        ("manager", 403),
        ("facilitator", 403),
        ("access", 403),
        ("auditor", 403),
        ("admin", 403),
        ("duty-east", 404),
    ],
)
def test_who_may_see_it(paired: World, silent: str, account: str, status: int) -> None:
    visitor = paired.visitor(account)
    answer = visitor.get(f"/protection/{silent}")
    assert answer.status_code == status
    board = visitor.get("/board")
    assert (SILENT in words_of(board).replace("&#39;", "'")) is (status == 200)
    assert visitor.get(f"/service/alerts/{silent}").status_code in (403, 404)
    answered = visitor.post(f"/protection/{silent}/acknowledge").status_code
    assert answered == (302 if status == 200 else status)


def test_the_case_is_named_to_the_idva_alone_and_where_she_is_to_nobody(
    paired: World, silent: str
) -> None:
    pages = {
        account: plain(paired.visitor(account).get(f"/protection/{silent}"))
        for account in ("idva", "supervisor", "duty")
    }
    assert "case V-9" in pages["idva"]
    for account, page in pages.items():
        assert "W-DIS" in page
        assert not [word for word in HER_WORDS if word in page], account
        if account != "idva":
            assert "V-9" not in page
    for account in ("idva", "supervisor", "duty"):
        wearer = plain(paired.visitor(account).get("/people/W-DIS"))
        assert silent not in wearer
        assert SILENT not in wearer.replace("&#39;", "'")


def test_the_link_of_the_text_leads_to_it_and_a_reply_acknowledges(
    paired: World, silent: str
) -> None:
    answer = paired.visitor("idva").get(f"/a/{silent}")
    assert answer.headers["Location"].endswith(f"/protection/{silent}")
    (text,) = paired.database.all(TextRow, TextRow.alert_id == paired.alert(silent).id)
    replies.take_reply(
        paired.database.sessions, provider_id="R1", sender="07700900188", body=text.code,
        now=paired.clock(),
    )  # fmt: skip
    assert paired.alert(silent).state == "acknowledged"


def test_the_watch_over_the_service_leaves_it_alone(paired: World, silent: str) -> None:
    paired.all_workers_well()
    watch = SelfWatch(paired.database.sessions, VOICE)
    for _ in range(2):
        watch.look(paired.clock(), paired.clock())
        paired.clock.forward(minutes=2)
        paired.all_workers_well()
    assert paired.alert(silent).state == "open"


def test_the_idva_answers_with_the_link_of_her_text(paired: World) -> None:
    with paired.database.sessions.begin() as session:
        idva = session.scalar(select(StaffRow).where(StaffRow.ref == "idva"))
        idva.phone = "+447700900188"
    paired.clock.forward(minutes=20)
    assert look(paired) == 1
    paired.watch.deliver()
    _, token = paired.watch.sender.sent[-1].body.rsplit("/k/", 1)
    visitor = paired.visitor()
    assert visitor.get(f"/k/{token}").status_code == 200
    assert visitor.post(f"/k/{token}", token=False).status_code == 200
    (alert,) = alerts(paired)
    assert alert.state == "acknowledged"


def test_how_long_it_has_been_silent_is_said_in_the_largest_unit(paired: World) -> None:
    paired.clock.forward(days=3)
    assert look(paired) == 1
    history = paired.database.all(AlertHistoryRow, AlertHistoryRow.move == "opened")
    assert "has not been heard for 3 days: nobody can tell" in history[-1].reason
