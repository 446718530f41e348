"""Case files: everything in one is taken in, or nothing and a line that says what is wrong."""

import json
from datetime import timedelta

import msgspec
import pytest
from case_files import FITTED_AT, PASSWORD, START, one_more_wearer, small_case_file
from databases import Database

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import (
    ConditionRow,
    DeviceRow,
    FittingRow,
    StaffAreaRow,
    StaffRow,
    VictimWearerRow,
    WearerRow,
    ZoneVictimRow,
)
from navigate_safer.db.telemetry import JudgementRow
from navigate_safer.people.casefile import CaseFile
from navigate_safer.services import register
from navigate_safer.services.case_entries import CaseFileFault, read_case_file


def take(database: Database, content: bytes) -> None:
    register.register(database.sessions, read_case_file(content), START)


def document() -> dict:
    """The small case file as its JSON, to be spoilt."""
    return json.loads(msgspec.json.encode(small_case_file()))


def written(database: Database) -> dict[str, int]:
    return {name: count for name, count in database.counts().items() if count}


# What is taken in


def test_a_case_file_is_taken_in_whole(database):
    take(database, msgspec.json.encode(small_case_file()))
    assert written(database) == {
        "areas": 2, "staff": 5, "staff_areas": 5, "gateways": 2, "devices": 5, "zones": 2,
        "wearers": 2, "orders": 2, "conditions": 4, "fittings": 5, "judgements": 5,
        "victims": 1, "victim_wearers": 1, "zone_victims": 1, "audit_entries": 4,
    }  # fmt: skip
    lent = database.one(DeviceRow, DeviceRow.ref == "TAG-LENT").id
    worn = database.all(FittingRow, FittingRow.device_id == lent)
    assert [row.removed_at for row in worn] == [START - timedelta(hours=6), None]


def test_what_is_registered_is_logged_as_collected_and_linking_as_combination(database):
    take(database, msgspec.json.encode(small_case_file()))
    entries = [(row.act, row.what, row.subject_kind) for row in database.all(AuditRow)]
    assert entries == [
        ("collection", "wearer registered", "wearer"),
        ("collection", "wearer registered", "wearer"),
        ("collection", "victims registered", "victims"),
        ("combination", "zone linked to victims", "zone"),
    ]
    kept = repr([vars(row) for row in database.all(AuditRow)])
    assert not [name for name in ("Umbershaw", "Merewen", "Fletching", "07700") if name in kept]


def test_telephone_numbers_are_kept_in_the_one_form_that_replies_are_compared_in(database):
    case_file = document()
    forms = ["07700 900101", "+44 7700 900102", "0044 7700900103", "(07700) 900-104", None]
    for staff, phone in zip(case_file["staff"], forms, strict=True):
        staff["phone"] = phone
    take(database, json.dumps(case_file).encode())
    assert [row.phone for row in database.all(StaffRow)] == [
        "+447700900101", "+447700900102", "+447700900103", "+447700900104", None,
    ]  # fmt: skip


def test_passwords_are_kept_only_as_hashes(database):
    whole = small_case_file()
    officer = msgspec.structs.replace(whole.staff[0], password=PASSWORD)
    case_file = CaseFile(v=1, areas=whole.areas, staff=[officer])
    register.register(database.sessions, case_file, START)
    assert database.one(StaffRow).password_hash.startswith("$argon2id$")


def test_silence_is_armed_from_the_fitting_before_anything_is_heard(database):
    take(database, msgspec.json.encode(small_case_file()))
    take(database, msgspec.json.encode(one_more_wearer(1)))
    newest = database.all(JudgementRow)[-1]
    assert newest.check_after == FITTED_AT + timedelta(minutes=15)


def test_a_second_file_adds_to_what_is_there(database):
    take(database, msgspec.json.encode(small_case_file()))
    take(database, msgspec.json.encode(one_more_wearer(1)))
    refs = [row.ref for row in database.all(WearerRow)]
    assert refs == ["W-1", "W-2", "W-X1"]
    conditions = [row.ref for row in database.all(ConditionRow)]
    assert conditions == ["C-1", "C-2", "C-3", "C-4", "CX-1", "CY-1"]


def test_a_zone_is_linked_only_to_the_victims_it_names(database):
    take(database, msgspec.json.encode(small_case_file()))
    assert database.count(ZoneVictimRow) == database.count(VictimWearerRow) == 1
    assert database.count(StaffAreaRow) == 5


# What is refused


def spoilt(path: str, value: object):
    """Sets one field of the document, such as ``wearers.0.area``."""

    def spoil(case_file: dict) -> None:
        *way, last = path.split(".")
        inner = case_file
        for step in way:
            inner = inner[int(step) if step.isdigit() else step]
        inner[int(last) if last.isdigit() else last] = value

    return spoil


def doubled(path: str):
    """Repeats the first entry of a list."""

    def spoil(case_file: dict) -> None:
        inner = case_file
        for step in path.split("."):
            inner = inner[int(step) if step.isdigit() else step]
        inner.append(json.loads(json.dumps(inner[0])))

    return spoil


BOW = {
    "type": "Polygon",
    "coordinates": [[[-2.9, 53.1], [-2.8, 53.2], [-2.8, 53.1], [-2.9, 53.2], [-2.9, 53.1]]],
}
AWAY = {"type": "Point", "coordinates": [-2.9, 153.0]}
OVERLAP = {"device": "TAG-1", "fitted_at": START.isoformat()}
BACKWARDS = {
    "device": "TAG-SPARE",
    "fitted_at": START.isoformat(),
    "removed_at": (START - timedelta(days=1)).isoformat(),
}

BAD = [
    pytest.param(spoilt("v", 2), "version", id="a version to come"),
    pytest.param(spoilt("colour", "red"), "colour", id="a list that we do not know"),
    pytest.param(spoilt("staff.0.shoe", 44), "shoe", id="a field that we do not know"),
    pytest.param(spoilt("staff.0.role", "king"), "staff", id="a role that there is not"),
    pytest.param(spoilt("staff.0.areas", ["north"]), "off-1.*north", id="staff of no area"),
    pytest.param(spoilt("staff.0.phone", "ring me"), "off-1.*phone", id="no telephone number"),
    pytest.param(spoilt("staff.0.password", "short"), "off-1.*password", id="a short password"),
    pytest.param(spoilt("devices.0.gateway", "gw-0"), "TAG-1.*gw-0", id="an unknown gateway"),
    pytest.param(spoilt("zones.0.geometry", BOW), "Z-1", id="a zone that crosses itself"),
    pytest.param(spoilt("zones.0.geometry", AWAY), "Z-1", id="a zone outside the earth"),
    pytest.param(spoilt("zones.0.geometry", {}), "Z-1", id="a zone without a shape"),
    pytest.param(spoilt("zones.0.kind", "moat"), "Z-1.*moat", id="a kind of zone there is not"),
    pytest.param(
        spoilt("zones.0.kind", "inclusion"), "C-1.*inclusion", id="a zone judged inside out"
    ),
    pytest.param(
        spoilt("zones.0.schedule", [{"days": ["someday"], "start": "09:00", "end": "10:00"}]),
        "Z-1",
        id="a day that there is not",
    ),
    pytest.param(spoilt("zones.0.timezone", "Mars/Base"), "Z-1", id="a time zone there is not"),
    pytest.param(spoilt("zones.0.protects", ["V-9"]), "Z-1.*V-9", id="a victim not in the file"),
    pytest.param(spoilt("wearers.0.area", "north"), "W-1.*north", id="a wearer of no area"),
    pytest.param(
        spoilt("wearers.0.offender_manager", "off-9"), "W-1.*off-9", id="an unknown manager"
    ),
    pytest.param(
        spoilt("wearers.0.orders.0.ends_on", "2020-01-01"), "W-1.*O-1", id="an order over too soon"
    ),
    pytest.param(
        spoilt("wearers.0.orders.0.conditions.0.zone", None),
        "W-1.*C-1",
        id="no zone to avoid",
    ),
    pytest.param(
        spoilt("wearers.0.orders.0.conditions.0.zone", "Z-9"), "W-1.*Z-9", id="an unknown zone"
    ),
    pytest.param(
        spoilt("wearers.0.orders.0.conditions.0.from_at", "2026-11-01T10:00:00"),
        "W-1.*offset",
        id="a condition's time without an offset",
    ),
    pytest.param(
        spoilt("wearers.0.orders.0.conditions.0.until_at", "2020-01-01T00:00:00Z"),
        "W-1.*C-1",
        id="a condition over before it begins",
    ),
    pytest.param(
        spoilt("wearers.0.orders.0.conditions.0.kind", "tickling"),
        "kind",
        id="no such condition",
    ),
    pytest.param(
        spoilt("wearers.0.orders.0.conditions.1.limits", {"battery_low_percent": 99.0}),
        "battery",
        id="levels of a battery out of order",
    ),
    pytest.param(
        spoilt("wearers.0.fittings.0.fitted_at", "2026-11-01T10:00:00"),
        "W-1.*offset",
        id="a fitting without an offset",
    ),
    pytest.param(spoilt("wearers.0.fittings.0.device", "TAG-9"), "W-1.*TAG-9", id="no such tag"),
    pytest.param(spoilt("wearers.1.fittings.0", OVERLAP), "W-2.*TAG-1", id="a tag on two people"),
    pytest.param(
        spoilt("wearers.1.fittings.0", BACKWARDS), "W-2.*TAG-SPARE", id="off before it was on"
    ),
    pytest.param(spoilt("wearers.0.born_on", "1987-13-02"), "born_on", id="a month there is not"),
    pytest.param(spoilt("victims.0.wearers", ["W-9"]), "V-1.*W-9", id="a victim of nobody known"),
    pytest.param(doubled("areas"), "west", id="an area twice"),
    pytest.param(doubled("staff"), "off-1", id="staff twice"),
    pytest.param(doubled("devices"), "TAG-1", id="a device twice"),
    pytest.param(doubled("zones"), "Z-1", id="a zone twice"),
    pytest.param(doubled("wearers"), "W-1", id="a wearer twice"),
    pytest.param(doubled("wearers.0.orders"), "O-1", id="an order twice"),
    pytest.param(doubled("wearers.0.orders.0.conditions"), "C-1", id="a condition twice"),
    pytest.param(doubled("victims.0.wearers"), "V-1.*W-1", id="a wearer named twice by a victim"),
    pytest.param(doubled("zones.0.protects"), "Z-1.*V-1", id="a victim named twice by a zone"),
    pytest.param(doubled("staff.0.areas"), "off-1.*west", id="an area named twice by staff"),
    pytest.param(spoilt("wearers.0.ref", "W" * 65), "ref", id="a reference that is too long"),
    pytest.param(spoilt("wearers.0.name", "x" * 201), "name", id="a name that is too long"),
    pytest.param(spoilt("wearers.0.name", "Leof\0ric"), "name", id="a name with a zero in it"),
    pytest.param(
        spoilt("devices.4.ref", "TAG/4"), r"devices\[4\].ref", id="a tag that no topic can name"
    ),
    pytest.param(
        spoilt("gateways.0.ref", "gw+1"),
        r"gateways\[0\].ref",
        id="a gateway that no topic can name",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_a_bad_case_file_is_refused_with_the_entry_at_fault_and_leaves_nothing(
    database, spoil, said
):
    case_file = document()
    spoil(case_file)
    with pytest.raises(CaseFileFault, match=said) as caught:
        take(database, json.dumps(case_file).encode())
    assert "\n" not in str(caught.value)
    assert written(database) == {}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="an empty file"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"{", id="half a document"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no version"),
    ],
)
def test_what_is_no_case_file_is_refused(database, content):
    with pytest.raises(CaseFileFault):
        take(database, content)
    assert written(database) == {}


def test_a_file_that_was_taken_in_is_not_taken_in_twice(database):
    take(database, msgspec.json.encode(small_case_file()))
    before = database.counts()
    with pytest.raises(CaseFileFault, match="west is registered already"):
        take(database, msgspec.json.encode(small_case_file()))
    assert database.counts() == before


def test_a_tag_that_somebody_wears_cannot_be_fitted_by_another_file(database):
    take(database, msgspec.json.encode(small_case_file()))
    before = database.counts()
    more = one_more_wearer(1)
    (wearer,) = more.wearers
    (fitting,) = wearer.fittings
    worn = msgspec.structs.replace(fitting, device="TAG-1")
    more = msgspec.structs.replace(more, wearers=[msgspec.structs.replace(wearer, fittings=[worn])])
    with pytest.raises(CaseFileFault, match=r"W-X1.*TAG-1 is on somebody else"):
        take(database, msgspec.json.encode(more))
    assert database.counts() == before


def test_an_empty_case_file_adds_nothing(database):
    take(database, msgspec.json.encode(CaseFile(v=1)))
    assert written(database) == {}
