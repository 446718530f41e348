"""Zones and exceptions by forms and files, as the server answers them."""

import html
import json
import re
from datetime import timedelta

import pytest
from web.world import CROSS, World, box, words_of

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.exceptions import ExceptionRow, permissions_of
from navigate_safer.db.people import ConditionRow, ZoneRow
from zones.schedule import WEEK

TABLE = "53.19, -2.90\n53.19, -2.88\n53.20, -2.89"
FORM = {
    "shape": "Polygon", "coordinates": TABLE, "kind": "exclusion", "id": "Z-NEW",
    "name": "New one", "reason": "asked for",
}  # fmt: skip


def geojson(*features: dict[str, object]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def feature(zone_id: str = "Z-UP", **properties: object) -> dict[str, object]:
    own = {"id": zone_id, "kind": "exclusion", **properties}
    return {"type": "Feature", "properties": own, "geometry": box(CROSS)}


def upload(world: World, content: bytes, who: str = "manager", reason: str = "a file"):
    visitor = world.visitor(who)
    # Written by hand: the test client would keep a large file in one that it never closes.
    fields = {"reason": reason, "csrf_token": visitor._token()}
    parts = [f'name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    parts.append(b'name="file"; filename="zones.geojson"\r\n\r\n' + content)
    head = b"--part\r\nContent-Disposition: form-data; "
    body = b"".join(head + part + b"\r\n" for part in parts) + b"--part--\r\n"
    return visitor.client.post(
        "/zones/files/take-in",
        data=body,
        content_type="multipart/form-data; boundary=part",
        base_url=visitor.base_url,
    )


def zone(world: World, ref: str) -> ZoneRow:
    return world.database.all(ZoneRow, ZoneRow.ref == ref)[-1]


def test_a_form_with_everything_in_it_is_stored_as_a_zone_file_says_it(quiet_world):
    form = {
        **FORM, "buffer_m": "50", "priority": "7", "start_0": "19:00", "end_0": "07:00",
        "days_0": "mon", "holidays": "none", "from": "2026-11-20", "until": "2026-12-24",
        "first_date": "2026-11-20", "first_start": "15:00", "first_end": "07:00",
        "ring_m_0": "300", "ring_severity_0": "low",
    }  # fmt: skip
    assert quiet_world.visitor("manager").post("/zones/draw/save", **form).status_code == 302
    row = zone(quiet_world, "Z-NEW")
    assert row.buffer_m == 50
    assert row.schedule == [
        {"days": ["mon"], "start": "19:00", "end": "07:00"},
        {"days": ["hol"], "hours": "none"},
    ]
    assert row.properties == {
        "priority": 7, "rings": [{"m": 300, "severity": "low"}], "from": "2026-11-20",
        "until": "2026-12-24",
        "first_night": {"date": "2026-11-20", "start": "15:00", "end": "07:00"},
    }  # fmt: skip


def test_a_zone_that_is_opened_and_saved_unchanged_makes_no_new_version(quiet_world):
    quiet_world.visitor("manager").post("/zones/draw/save", **FORM)
    manager = quiet_world.visitor("manager")
    again = {**FORM, "ref": "Z-NEW"}
    manager.post("/zones/draw/save", **again)
    assert zone(quiet_world, "Z-NEW").version == 1


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param(
            {"schedule": [{"days": [day.value], "start": "19:00", "end": "07:00"} for day in WEEK]},
            id="hours of their own on every day of the week",
        ),
        pytest.param(
            {
                "schedule": [{"days": ["mon"], "start": "19:00", "end": "07:00"}],
                "timezone": "Europe/Paris",
            },
            id="hours of another time zone",
        ),
        pytest.param(
            {"rings": [{"m": 100.1234567, "severity": "high"}], "buffer_m": 10.12345678},
            id="metres to the last digit",
        ),
    ],
)
def test_a_change_of_the_name_by_the_form_changes_nothing_else(quiet_world, properties):
    upload(quiet_world, geojson(feature("Z-UP", **properties)))
    manager = quiet_world.visitor("manager")
    page = manager.get("/zones/Z-UP/change").get_data(as_text=True)
    sent = filled_in(page) | {"name": ["Another name"], "reason": ["a better name"]}
    sent["csrf_token"] = [manager._token()]
    answer = manager.client.post("/zones/draw/save", data=sent, base_url=manager.base_url)
    assert answer.status_code == 302
    one, two = quiet_world.database.all(ZoneRow, ZoneRow.ref == "Z-UP")
    assert (two.version, two.name) == (2, "Another name")
    for name in ("geometry", "schedule", "timezone", "buffer_m", "properties"):
        assert getattr(two, name) == getattr(one, name)


def test_the_page_of_a_zone_says_by_which_clock_its_hours_are(quiet_world):
    hours = [{"days": ["mon"], "start": "19:00", "end": "07:00"}]
    upload(quiet_world, geojson(feature("Z-UP", schedule=hours, timezone="Europe/Paris")))
    page = words_of(quiet_world.visitor("duty").get("/zones/Z-UP"))
    assert "Hours, time of Europe/Paris" in page


def test_bank_holidays_keep_their_hours_when_a_zone_with_a_free_day_is_changed(quiet_world):
    hours = [
        {"days": ["mon"], "start": "19:00", "end": "07:00"},
        {"days": ["tue"], "hours": "none"},
    ]
    upload(quiet_world, geojson(feature("Z-UP", schedule=hours)))
    page = quiet_world.visitor("manager").get("/zones/Z-UP/change").get_data(as_text=True)
    assert "holidays" not in filled_in(page)


def test_who_changes_a_zone_that_was_changed_meanwhile_is_told_and_undoes_nothing(quiet_world):
    first, second = quiet_world.visitor("manager"), quiet_world.visitor("supervisor")
    first.post("/zones/draw/save", **FORM)
    larger = "53.18, -2.91\n53.18, -2.87\n53.21, -2.89"
    change = {**FORM, "ref": "Z-NEW", "version": "1"}
    assert first.post("/zones/draw/save", **{**change, "coordinates": larger}).status_code == 302
    late = second.post("/zones/draw/save", **{**change, "name": "Renamed"})
    assert late.status_code == 422
    assert "was changed meanwhile and is now in version 2" in words_of(late)
    assert zone(quiet_world, "Z-NEW").version == 2


def filled_in(page: str) -> dict[str, list[str]]:
    """What a browser would send of a form that nobody has touched."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        said = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        box = said.get("type") in ("checkbox", "radio")
        if "name" in said and (not box or " checked" in tag):
            fields.setdefault(said["name"], []).append(html.unescape(said.get("value", "")))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', page, re.S):
        fields[name] = [html.unescape(text)]
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', options)
        fields[name] = [chosen[1] if chosen else re.search(r'value="([^"]*)"', options)[1]]
    return fields


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"priority": "nan"}, "'nan' is not a number", id="no number at all"),
        pytest.param({"priority": "2.7"}, "'2.7' is not a whole number", id="half a priority"),
        pytest.param({"until": "9999-12-31"}, "not of this age", id="the last day there is"),
        pytest.param({"coordinates": ""}, "are empty", id="nothing drawn"),
        pytest.param({"coordinates": "north"}, "line 1", id="not a position"),
        pytest.param(
            {"coordinates": "-2.90, 53.19\n-2.88, 53.19\n-2.89, 53.20"}, "exchanged", id="swapped"
        ),
        pytest.param({"shape": "Circle"}, "is not known", id="an unknown shape"),
        pytest.param({"kind": ""}, "Select what the zone is for", id="no kind"),
        pytest.param({"kind": "danger"}, "not a kind of zone", id="an unknown kind"),
        pytest.param({"name": " "}, "Enter a name", id="no name"),
        pytest.param({"id": ""}, "Enter a reference", id="no reference"),
        pytest.param({"reason": ""}, "Enter why", id="no reason"),
        pytest.param({"buffer_m": "wide"}, "is not a number", id="a buffer in words"),
        pytest.param({"priority": "700"}, "priority", id="a priority out of range"),
        pytest.param({"start_0": "19:00"}, "needs days", id="half a window"),
        pytest.param({"from": "2026-12-24", "until": "2026-11-20"}, "not after from", id="dates"),
        pytest.param(
            {"first_start": "15:00", "first_end": "07:00"}, "needs its date", id="a night undated"
        ),
        pytest.param({"first_date": "2026-11-20"}, "needs its start", id="a night without hours"),
        pytest.param(
            {"holidays": "none"}, "a zone without hours always counts", id="free of no hours"
        ),
        pytest.param({"ring_m_0": "0", "ring_severity_0": "low"}, "warns of nothing", id="ring 0"),
    ],
)
def test_a_faulty_form_comes_back_with_what_is_wrong(shared_world, changed, message):
    answer = shared_world.visitor("manager").post("/zones/draw/save", **{**FORM, **changed})
    assert answer.status_code == 422
    assert message in words_of(answer).replace("&#39;", "'")
    assert shared_world.database.all(ZoneRow, ZoneRow.ref == "Z-NEW") == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"name": "14 Fletching Row"}, "its name: take out the street", id="a street"),
        pytest.param({"name": "The refuge"}, "its name: take out the refuge", id="a refuge"),
        pytest.param({"name": "CH1 2AB"}, "its name: take out the postcode", id="a postcode"),
        pytest.param({"id": "14 Fletching Row"}, "its id: take out the street", id="an address"),
    ],
)
def test_a_zone_is_not_called_after_where_somebody_lives(shared_world, changed, message):
    answer = shared_world.visitor("manager").post("/zones/draw/save", **{**FORM, **changed})
    assert answer.status_code == 422
    assert message in words_of(answer)


def test_a_placemark_is_not_kept_under_the_address_that_it_is_called_by(quiet_world):
    ring = " ".join(f"{lon},{lat}" for lon, lat in box(CROSS)["coordinates"][0])
    content = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>14 Fletching Row</name>'
        '<ExtendedData><Data name="kind"><value>exclusion</value></Data></ExtendedData><Polygon>'
        f"<outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing>"
        "</outerBoundaryIs></Polygon></Placemark></kml>"
    )
    answer = upload(quiet_world, content.encode())
    assert answer.status_code == 422
    assert "its id: take out the street address" in words_of(answer)


def test_a_wearer_may_be_told_to_be_at_an_address_by_its_name(quiet_world):
    form = {**FORM, "kind": "inclusion", "name": "Home, 14 Fletching Row"}
    assert quiet_world.visitor("manager").post("/zones/draw/save", **form).status_code == 302


def test_a_file_is_taken_in_and_comes_out_the_same(quiet_world):
    assert upload(quiet_world, geojson(feature(name="From a file"))).status_code == 302
    out = json.loads(quiet_world.visitor("manager").get("/zones/download.geojson").data)
    [found] = [each for each in out["features"] if each["properties"]["id"] == "Z-UP"]
    assert found["geometry"] == box(CROSS)
    kml = quiet_world.visitor("manager").get("/zones/download.kml").data
    again = upload(quiet_world, kml)
    assert again.status_code == 302
    assert zone(quiet_world, "Z-UP").version == 1
    logged = [row.what for row in quiet_world.database.all(AuditRow, AuditRow.act == "disclosure")]
    assert logged == ["zones exported", "zones exported"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"{", "not JSON", id="not JSON"),
        pytest.param(geojson(feature(), feature("Z-2", kind="x")), "not a kind", id="one of two"),
        pytest.param(b"<kml/>", "no Placemark", id="an empty KML"),
        pytest.param(b"<!DOCTYPE x><kml/>", "document type", id="a KML bomb"),
        pytest.param(geojson(feature(name="\ud800")), "cannot be kept", id="half a character"),
        pytest.param(geojson(feature(name="a\0b")), "cannot be kept", id="a zero in a name"),
        pytest.param(geojson(feature("Z-CREWE")), "cannot be used", id="another area's"),
    ],
)
def test_a_faulty_file_is_refused_whole(shared_world, content, message):
    answer = upload(shared_world, content)
    assert answer.status_code == 422
    assert message in words_of(answer)
    assert shared_world.database.all(ZoneRow, ZoneRow.ref == "Z-UP") == []


def test_a_file_larger_than_any_other_form_is_taken_and_one_too_large_is_not(quiet_world):
    padded = geojson(feature()) + b" " * 1_000_000
    assert upload(quiet_world, padded).status_code == 302
    assert upload(quiet_world, padded + b" " * 12_000_000).status_code == 413


def allow(world: World, **changed: str):
    form = {
        "condition": "C-W-EXC", "from_date": "2026-11-20", "from_time": "21:30",
        "until_date": "2026-11-20", "until_time": "23:00", "why": "a court date", **changed,
    }  # fmt: skip
    return world.visitor("manager").post("/people/W-EXC/exceptions/allow", **form)


def test_an_exception_is_allowed_shown_and_taken_back(quiet_world):
    assert allow(quiet_world).status_code == 302
    page = words_of(quiet_world.visitor("duty").get("/people/W-EXC/exceptions"))
    assert "a court date" in page
    assert "Allow something" not in page
    number = quiet_world.database.one(ExceptionRow).id
    path = f"/people/W-EXC/exceptions/{number}/revoke"
    manager = quiet_world.visitor("manager")
    assert manager.post(path, reason=" ").status_code == 422
    assert manager.post(path, reason="adjourned").status_code == 302
    assert "adjourned" in words_of(manager.get("/people/W-EXC/exceptions"))
    assert quiet_world.database.one(ExceptionRow).revoke_reason == "adjourned"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"condition": ""}, "Select a condition", id="no condition"),
        pytest.param({"from_time": "half past"}, "Enter the start", id="a time in words"),
        pytest.param({"from_time": "21:30+05:00"}, "Enter the start", id="a time of elsewhere"),
        pytest.param({"until_time": "20:00"}, "The end must be after", id="ends before"),
        pytest.param({"why": ""}, "Enter why it is allowed", id="no reason"),
        pytest.param(
            {"start_0": "09:00"}, "needs days, a start and an end", id="hours without days"
        ),
        pytest.param(
            {"days_0": "mon", "start_0": "09:00", "end_0": "17:00"},
            "None of the hours is between the start and the end",
            id="hours of another day",
        ),
        pytest.param(
            {"days_0": "fri", "start_0": "late", "end_0": "23:00"}, "is not a time", id="no time"
        ),
        pytest.param({"corridor": "53.19, -2.9"}, "metres to each side", id="no width"),
        pytest.param({"corridor": "x", "corridor_m": "9"}, "line 1", id="not a way"),
        pytest.param({"corridor_m": "20"}, "Enter the way", id="a width and no way"),
    ],
)
def test_a_faulty_exception_comes_back_with_what_is_wrong(shared_world, changed, message):
    answer = allow(shared_world, **changed)
    assert answer.status_code == 422
    assert message in words_of(answer)
    assert shared_world.database.count(ExceptionRow) == 0


def test_an_exception_of_some_hours_of_the_week_keeps_them_and_shows_them(quiet_world):
    hours = {"days_0": "fri", "start_0": "22:00", "end_0": "22:30"}
    assert allow(quiet_world, until_date="2026-12-20", **hours).status_code == 302
    row = quiet_world.database.one(ExceptionRow)
    assert row.schedule == [{"days": ["fri"], "start": "22:00", "end": "22:30"}]
    page = words_of(quiet_world.visitor("manager").get("/people/W-EXC/exceptions"))
    assert "Fri: 22:00 to 22:30" in page
    with quiet_world.database.sessions() as session:
        (allowed,) = permissions_of(session, {"C-W-EXC"})["C-W-EXC"]
    assert allowed.times.covers(row.from_at + timedelta(minutes=45))
    assert not allowed.times.covers(row.from_at + timedelta(minutes=75))


def test_a_number_that_no_exception_can_have_is_no_page(shared_world):
    path = f"/people/W-EXC/exceptions/{2**63}/revoke"
    assert shared_world.visitor("manager").post(path, reason="none").status_code == 404


def test_names_and_shapes_of_zones_are_for_those_who_may_see_places(shared_world):
    assert len(shared_world.database.all(ConditionRow)) > 0
    for who in ("facilitator", "idva", "access", "auditor", "admin"):
        visitor = shared_world.visitor(who)
        assert visitor.get("/zones").status_code == 403
        assert 'href="/zones"' not in visitor.get("/caseload").get_data(as_text=True)
