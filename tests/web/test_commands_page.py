"""Asking a device on the person's page: what is said at each turn, also when nothing comes back."""

from datetime import timedelta
from html import unescape

import pytest
from case_files import fix, message
from msgspec import json
from posts import Post
from web.world import AWAY, World, words_of

from devices.mqtt_publish import Published
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.commands import CommandRow
from navigate_safer.services import command_post, heartbeats
from navigate_safer.services.ingest import Message

PATH = "/people/W-EXC/commands"


@pytest.fixture
def running(world: World) -> World:
    """The office with a worker that sends."""
    heartbeats.beat(world.database.sessions, "commands", world.clock())
    return world


def press(world: World, who: str = "duty", **form: str):
    wanted = {"device": "TAG-W-EXC", "kind": "locate", **form}
    return world.visitor(who).post(f"{PATH}/ask", **wanted)


def send(world: World, *answers: Published) -> None:
    command_post.send_next(world.database.sessions, Post(*answers), world.clock)


def hear(world: World, status: str, **fields: object) -> None:
    name = world.database.one(CommandRow).name
    document = {"v": 1, "id": name, "status": status, **fields}
    heard = Message("ack/v1/gw-west/TAG-W-EXC", json.encode(document), world.clock())
    command_post.take_acks(world.database.sessions, [heard], world.clock())


def locate(world: World, accuracy_m: float = 8) -> None:
    at = world.clock()
    world.watch.receive(message("TAG-W-EXC", fix(at, AWAY, accuracy_m=accuracy_m), received_at=at))


def settle(world: World) -> None:
    command_post.settle(world.database.sessions, world.clock())


def said(world: World, who: str = "duty") -> str:
    """The newest command, as the script asks for it; the page has the same words."""
    answer = world.visitor(who).get(PATH + ".json")
    assert answer.status_code == 200
    newest = answer.json["commands"][0]
    for path in ("/people/W-EXC", PATH):
        assert newest["text"] in unescape(words_of(world.visitor(who).get(path)))
    return newest["text"]


def test_locate_now_from_the_button_to_the_age_and_the_error(running: World) -> None:
    page = running.visitor("duty").get("/people/W-EXC")
    assert "Locate now" in page.text
    answer = press(running)
    assert (answer.status_code, answer.location) == (302, "/people/W-EXC#commands")
    assert said(running) == "Being sent."

    running.clock.forward(seconds=1)
    send(running)
    assert said(running) == (
        "Sent to gw-west at 21:16:01. The device has not confirmed it yet."
    )  # fmt: skip
    running.clock.forward(seconds=2)
    hear(running, "received")
    assert said(running) == "The device has it since 21:16:03. Waiting for its position."
    running.clock.forward(seconds=3)
    locate(running)
    running.clock.forward(seconds=12)
    settle(running)
    assert said(running) == "Position measured 12 seconds ago, within 8 m, at 21:16:06."
    running.clock.forward(seconds=108)
    assert "2 minutes ago" in said(running)


def test_the_open_alert_is_written_down_as_the_reason(running: World) -> None:
    press(running)
    row = running.database.one(CommandRow)
    assert row.reason.startswith("open alert ")
    assert row.reason in words_of(running.visitor("duty").get(PATH))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(Published.NOT_CONNECTED, "no connection to the broker", id="no broker"),
        pytest.param(Published.NOBODY_LISTENS, "no gateway is listening", id="no gateway"),
        pytest.param(Published.REFUSED, "the broker refuses it", id="no permission"),
        pytest.param(Published.NO_ANSWER, "the broker does not answer", id="a broker that hangs"),
    ],
)
def test_what_cannot_be_sent_is_said_at_once_and_at_the_end(
    running: World, fault: Published, words: str
) -> None:
    press(running)
    send(running, fault)
    assert said(running).startswith("Not sent yet: ")
    assert words in said(running)
    running.clock.forward(seconds=190)
    settle(running)
    assert said(running).startswith("Not sent by 21:19:00: ")
    assert words in said(running)


def test_a_device_that_never_answers_is_said_plainly(running: World) -> None:
    press(running)
    send(running)
    running.clock.forward(seconds=190)
    settle(running)
    assert said(running) == (
        "No answer by 21:19:00. Sent to gw-west at 21:16:00. The device never confirmed it."
    )  # fmt: skip
    hear(running, "received")
    assert said(running).endswith("It did so after the end.")


def test_a_device_that_has_it_and_finds_no_position_is_said_plainly(running: World) -> None:
    press(running)
    send(running)
    hear(running, "received")
    running.clock.forward(seconds=190)
    settle(running)
    assert said(running) == "The device had it and measured no position by 21:19:00."


def test_a_device_that_declines_says_why(running: World) -> None:
    press(running, kind="vibrate", reason="he asked for a test")
    send(running)
    hear(running, "refused", reason="battery_low")
    assert said(running) == "The device refused at 21:16:00: battery low."


def test_a_text_is_shown_with_its_words_and_when_it_was_done(running: World) -> None:
    press(running, kind="message", text="charge", reason="4 % left")
    send(running)
    hear(running, "done")
    assert said(running) == "The device did it, as it said at 21:16:00."
    assert "Charge this device now." in words_of(running.visitor("duty").get(PATH))


def test_an_offline_gateway_is_named(running: World) -> None:
    from navigate_safer.db.people import DeviceRow, GatewayRow

    with running.database.sessions.begin() as session:
        gateway = running.database.one(GatewayRow)
        device = running.database.one(DeviceRow, DeviceRow.ref == "TAG-W-EXC")
        session.get_one(DeviceRow, device.id).gateway_id = gateway.id
    running.watch.receive(Message("status/v1/gw-west", b"offline", running.clock()))
    page = words_of(running.visitor("duty").get("/people/W-EXC"))
    assert "Gateway gw-west has been offline since 21:16:00" in page
    press(running)
    send(running)
    assert said(running).endswith("Gateway gw-west is offline.")


def test_without_the_worker_that_sends_the_page_says_so(world: World) -> None:
    assert "Commands are not being sent" in world.visitor("duty").get("/people/W-EXC").text
    heartbeats.beat(world.database.sessions, "commands", world.clock())
    assert "Commands are not being sent" not in world.visitor("duty").get("/people/W-EXC").text
    world.clock.forward(seconds=61)
    assert "Commands are not being sent" in world.visitor("duty").get("/people/W-EXC").text


def test_without_an_open_alert_a_reason_is_asked_for(quiet_world: World) -> None:
    page = quiet_world.visitor("duty").get("/people/W-EXC")
    assert "with a reason" in words_of(page)
    answer = press(quiet_world, reason=" ")
    assert answer.status_code == 422
    assert "Enter why you ask this of the device" in words_of(answer)
    assert "Error: " in answer.text
    assert press(quiet_world, reason="welfare check").status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        pytest.param({"kind": "explode"}, "Select what the device should do", id="no such kind"),
        pytest.param({"kind": "message", "reason": "x"}, "Select a text", id="no text"),
        pytest.param({"kind": "message", "text": "come home", "reason": "x"}, "Select a text",
                     id="a text of somebody's own"),
        pytest.param({"device": ""}, "Select a device", id="no device"),
    ],
)  # fmt: skip
def test_a_form_that_asks_for_what_there_is_not(running: World, form: dict, words: str) -> None:
    answer = press(running, **form)
    assert answer.status_code == 422
    assert words in words_of(answer)
    assert running.database.count(CommandRow) == 0


def test_a_tag_of_somebody_else_is_not_found(running: World) -> None:
    assert press(running, device="TAG-W-CUR").status_code == 404
    assert running.database.count(CommandRow) == 0


def test_too_often_is_said_with_the_reason(running: World) -> None:
    for _ in range(12):
        press(running)
        running.clock.forward(seconds=200)
        settle(running)
    visitor = running.visitor("duty")
    visitor.post(f"{PATH}/ask", device="TAG-W-EXC", kind="locate")
    page = words_of(visitor.get("/people/W-EXC"))
    assert "has had 12 commands within an hour, the most that its battery is asked for" in page


def test_asking_twice_is_asking_once(running: World) -> None:
    visitor = running.visitor("duty")
    for _ in range(2):
        visitor.post(f"{PATH}/ask", device="TAG-W-EXC", kind="locate")
    assert running.database.count(CommandRow) == 1
    assert "This is being asked already" in words_of(visitor.get("/people/W-EXC"))


def test_polling_writes_one_entry_when_the_answer_is_first_seen(running: World) -> None:
    press(running)
    send(running)
    running.clock.forward(seconds=5)
    locate(running)
    settle(running)
    visitor, before = running.visitor("duty"), running.database.count(AuditRow)
    for _ in range(4):
        visitor.get(PATH + ".json", headers={"X-Background-Refresh": "1"})
    entries = running.database.all(AuditRow)[before:]
    assert [each.what for each in entries] == ["position on demand"]


def test_polling_writes_nothing_while_there_is_nothing_new(running: World, writes) -> None:
    press(running)
    visitor = running.visitor("duty")
    visitor.get(PATH + ".json")
    writes.clear()
    for _ in range(3):
        assert visitor.get(PATH + ".json", headers={"X-Background-Refresh": "1"}).status_code == 200
    assert writes == []


def test_those_who_may_not_ask_see_nothing_of_it(running: World) -> None:
    press(running)
    for who in ("idva", "facilitator", "access"):
        page = words_of(running.visitor(who).get("/people/W-EXC"))
        assert "Locate now" not in page
        assert "Ask a device" not in page


def test_polling_does_not_keep_a_session_alive(running: World) -> None:
    press(running)
    visitor = running.visitor("duty")
    for _ in range(4):
        running.clock.at += timedelta(minutes=10)
        answer = visitor.get(PATH + ".json", headers={"X-Background-Refresh": "1"})
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
