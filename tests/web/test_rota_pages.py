"""Rotas on the pages: layers, overrides, swaps, calendars, the picture, and warnings beforehand."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update
from watch import VOICE
from web.on_call import rota_of, staff_id, west
from web.world import World, words_of

from alerts.rota import Duty, On
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.answering import RotaVersionRow
from navigate_safer.db.people import StaffRow
from navigate_safer.db.telling import RotaChangeRow, RotaRow
from navigate_safer.services import reaching, rota_watch
from navigate_safer.web import rota_picture

STRETCH = {"from": "2026-11-24T09:00", "until": "2026-11-25T09:00"}


@pytest.fixture
def rota(quiet_world: World) -> str:
    return f"/rotas/{rota_of(quiet_world)}"


def form(world: World, **changed: str) -> dict[str, str]:
    return {
        "ref": "nights", "name": "Nights", "area": str(west(world)), "active": "yes",
        "people_1": "duty, duty-2", "starts_on_1": "2026-11-02", "handover_1": "09:00",
        "turn_days_1": "7", "on_1": "every_day", "reason": "winter", **changed,
    }  # fmt: skip


def on(world: World, at: datetime) -> str | None:
    with world.database.sessions() as session:
        row = session.get(RotaRow, world.database.all(RotaRow)[0].id)
        found = reaching.on_duty_now(session, row, at)
    return None if found is None else world.database.one(StaffRow, StaffRow.id == found).ref


def at(day: int, hour: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_a_rota_made_on_the_page_says_who_is_on(quiet_world: World):
    world, supervisor = quiet_world, quiet_world.visitor("supervisor")
    assert supervisor.post("/rotas/new", **form(world)).status_code == 302
    assert [on(world, at(3, 12)), on(world, at(10, 12))] == ["duty", "duty-2"]
    shown = words_of(world.visitor("duty").get("/rotas/nights"))
    assert "Nights" in shown
    assert "Barnabas Threlkeldy" in shown


def test_a_layer_for_bank_holidays_counts_on_them_alone_on_the_wall(quiet_world: World):
    world = quiet_world
    holidays = {"people_2": "supervisor", "starts_on_2": "2026-11-02", "handover_2": "00:00",
                "turn_days_2": "1", "on_2": On.BANK_HOLIDAYS.value}  # fmt: skip
    world.visitor("supervisor").post("/rotas/new", **form(world, **holidays))
    assert on(world, at(25, 12, 12)) == "supervisor"
    assert on(world, at(24, 12, 12)) != "supervisor"
    # Good Friday 2027 is in winter time, the Spring bank holiday begins at 23:00 UTC.
    assert on(world, datetime(2027, 3, 26, 0, 0, tzinfo=UTC)) == "supervisor"
    assert on(world, datetime(2027, 5, 30, 23, 0, tzinfo=UTC)) == "supervisor"
    assert on(world, datetime(2027, 5, 30, 22, 59, tzinfo=UTC)) != "supervisor"


def test_new_layers_are_a_version_and_the_old_ones_stay_on_record(quiet_world: World, rota: str):
    world, supervisor = quiet_world, quiet_world.visitor("supervisor")
    change = form(world, people_1="duty-2", replaces="1", reason="she is on leave")
    assert supervisor.post(f"{rota}/layers", **change).status_code == 302
    assert "Somebody changed it" in supervisor.post(f"{rota}/layers", **change).text
    assert [row.version for row in world.database.all(RotaVersionRow)] == [1, 2]
    assert "she is on leave" in supervisor.get(rota).text
    assert 'value="duty-2"' in supervisor.get(f"{rota}/layers").text


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"people_1": "duty, nobody-here"}, "has the account 'nobody-here'"),
        ({"people_1": "duty-east"}, "has the account 'duty-east'"),
        ({"people_1": ""}, "Enter who takes turns"),
        ({"starts_on_1": "soon"}, "Enter a first day"),
        ({"turn_days_1": "0"}, "1 to 366 days"),
        ({"turn_days_1": "99999999999"}, "1 to 366 days"),
        ({"start_1": "17:00"}, "enter both times"),
        ({"until_1": "2026-10-01"}, "before it starts"),
        ({"ref": "a/b"}, "A reference has letters"),
        ({"ref": "new"}, "A reference has letters"),
        ({"reason": " "}, "Enter why"),
        ({"area": "999"}, "Select one of your areas"),
    ],
)
def test_a_rota_that_cannot_be_kept_says_what_to_change(quiet_world: World, changed, says):
    answer = quiet_world.visitor("supervisor").post("/rotas/new", **form(quiet_world, **changed))
    assert answer.status_code == 422
    assert says in words_of(answer).replace("&#39;", "'")
    assert quiet_world.database.count(RotaRow) == 0


def test_an_override_counts_and_can_be_taken_back(quiet_world: World, rota: str):
    world, supervisor = quiet_world, quiet_world.visitor("supervisor")
    who = str(staff_id(world, "supervisor"))
    over = {f"over_{key}": text for key, text in STRETCH.items()}
    supervisor.post(f"{rota}/override", over_who=who, over_reason="ill", **over)
    assert on(world, at(24, 8)) != "supervisor"
    assert on(world, at(24, 10)) == "supervisor"
    number = world.database.one(RotaChangeRow).id
    supervisor.post(f"{rota}/changes/{number}/cancel")
    assert on(world, at(24, 10)) != "supervisor"
    assert "Taken back" in supervisor.get(rota).text


def test_a_swap_counts_only_once_the_other_person_agrees(quiet_world: World, rota: str):
    world = quiet_world
    before = on(world, at(24, 10))
    other = {"duty": "supervisor", "duty-2": "supervisor"}[before]
    swap = {f"swap_{key}": text for key, text in STRETCH.items()}
    asked = world.visitor(before).post(
        f"{rota}/swap", swap_who=str(staff_id(world, other)), swap_reason="wedding", **swap
    )
    assert asked.status_code == 302
    number = world.database.one(RotaChangeRow).id
    assert on(world, at(24, 10)) == before
    world.visitor("manager").post(f"{rota}/changes/{number}/agree")
    world.visitor(before).post(f"{rota}/changes/{number}/agree")
    assert on(world, at(24, 10)) == before, "nobody else can agree"
    assert "Agree" in world.visitor(other).get(rota).text
    world.visitor(other).post(f"{rota}/changes/{number}/agree")
    assert on(world, at(24, 10)) == other
    world.visitor(before).post(f"{rota}/changes/{number}/cancel")
    assert on(world, at(24, 10)) == other, "what is agreed is a supervisor's to take back"


def test_who_has_no_duty_has_none_to_swap(quiet_world: World, rota: str):
    swap = {f"swap_{key}": text for key, text in STRETCH.items()}
    answer = quiet_world.visitor("manager").post(
        f"{rota}/swap", swap_who=str(staff_id(quiet_world, "duty")), swap_reason="x", **swap
    )
    assert "nothing to swap" in answer.text


def send_calendar(world: World, rota: str, text: bytes):
    visitor = world.visitor("supervisor")
    data = {"calendar": (io.BytesIO(text), "duty.ics"), "csrf_token": visitor._token()}
    return visitor.client.post(f"{rota}/calendar", data=data, base_url=visitor.base_url)


EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:e1\r\n"
    "DTSTAMP:20261101T000000Z\r\nSUMMARY:{who}\r\nDTSTART:{start}\r\nDTEND:{end}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def event(who: str, start: str = "20261124T090000Z", end: str = "20261124T210000Z") -> bytes:
    return EVENT.format(who=who, start=start, end=end).encode()


def test_a_calendar_comes_in_as_overrides_once_and_follows_its_events(
    quiet_world: World, rota: str
):
    world = quiet_world
    assert send_calendar(world, rota, event("Supervisor Ashworthy")).status_code == 302
    send_calendar(world, rota, event("supervisor"))
    assert world.database.count(RotaChangeRow) == 1
    assert on(world, at(24, 10)) == "supervisor"
    send_calendar(world, rota, event("supervisor", "20261126T090000Z", "20261126T210000Z"))
    assert on(world, at(24, 10)) != "supervisor", "the event was moved"
    assert on(world, at(26, 10)) == "supervisor"


def test_a_calendar_with_a_stranger_is_not_taken_in_at_all(quiet_world: World, rota: str):
    answer = send_calendar(quiet_world, rota, event("Zeb Haver"))
    assert answer.status_code == 422
    assert "names nobody of this area" in answer.text
    assert quiet_world.database.count(RotaChangeRow) == 0
    assert send_calendar(quiet_world, rota, b"hello").status_code == 422


def test_the_calendar_goes_out_with_names_and_times(quiet_world: World, rota: str):
    answer = quiet_world.visitor("duty").get(f"{rota}.ics")
    assert answer.mimetype == "text/calendar"
    assert "SUMMARY:Barnabas Threlkeldy" in answer.text
    assert quiet_world.visitor("duty-east").get(f"{rota}.ics").status_code == 404


def test_a_week_with_a_clock_change_is_one_bar_of_its_own_length():
    start = rota_picture.week_start(datetime(2026, 10, 22, tzinfo=UTC), "Europe/London")
    end = rota_picture.weeks_after(start, "Europe/London", 1)
    hours = (end.timestamp() - start.timestamp()) / 3600
    assert hours == 169
    half = start + timedelta(days=3)
    found = [Duty(start.astimezone(UTC), half.astimezone(UTC), 1, "layer 1"),
             Duty(half.astimezone(UTC), end.astimezone(UTC), None, "gap")]  # fmt: skip
    week = rota_picture.weeks(found, {1: "Ada Bright"}, start, "Europe/London", 1, half)[0]
    assert [part.label for part in week.parts] == ["AB", "GAP"]
    assert week.parts[0].width == pytest.approx(72 / 169)
    assert week.parts[1].look is None
    assert "Ada Bright from Mon 00:00; nobody from Thu 00:00" in week.words


# Warned beforehand


def look(world: World) -> list[str]:
    return rota_watch.look(world.database.sessions, world.clock(), VOICE)


def service_alerts(world: World) -> list[AlertRow]:
    return world.database.all(AlertRow, AlertRow.part.startswith("rota:"))


def test_a_gap_ahead_is_an_alert_that_resolves_itself_once_mended(quiet_world: World):
    world = quiet_world
    rota_of(world, until=date(2026, 11, 16))
    assert len(look(world)) == 1
    look(world)
    alert = service_alerts(world)[0]
    assert (alert.severity, alert.state, len(service_alerts(world))) == ("low", "open", 1)
    assert world.database.count(TextRow) == 0, "three days are left: it is shown and not told"
    world.clock.forward(days=2)
    look(world)
    assert service_alerts(world)[0].severity == "medium"
    with world.database.sessions.begin() as session:
        row = session.get(RotaRow, world.database.one(RotaRow).id)
        row.layers = [{**row.layers[0], "until": None}]
    look(world)
    assert service_alerts(world)[0].state == "resolved"


def test_somebody_without_a_verified_contact_is_found_before_the_turn_begins(quiet_world: World):
    world = quiet_world
    rota_of(world)
    with world.database.sessions.begin() as session:
        session.execute(
            update(StaffRow).where(StaffRow.ref == "duty-2").values(phone_verified_at=None)
        )
    look(world)
    page = world.visitor("supervisor").get(f"/service/alerts/{service_alerts(world)[0].reference}")
    assert "no verified contact" in page.text
    assert "Threlkeldy" not in page.text, "a text names nobody"
    assert "No verified contact" in words_of(world.visitor("duty").get("/rotas/west-duty"))


def test_one_person_all_the_time_is_too_much(quiet_world: World):
    rota_of(quiet_world, "duty")
    look(quiet_world)
    assert service_alerts(quiet_world)[0].severity == "low"
    shown = words_of(quiet_world.visitor("duty").get("/rotas/west-duty"))
    assert "Duty too long" in shown


def test_a_rota_in_order_warns_of_nothing(quiet_world: World):
    rota_of(quiet_world)
    assert look(quiet_world) == []
    assert service_alerts(quiet_world) == []
