"""Each look at a case is an entry in the log: what was seen, by whom, and nothing too many."""

from collections.abc import Callable

import pytest
from case_files import MINUTE, START, walk
from sqlalchemy import select
from web.world import AWAY, HOSTILE, World, enters_the_cross

from alerts.finding import FindingKind
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import ConditionRow, StaffRow, WearerRow, ZoneRow

CONSULTED, ALTERED = "consultation", "alteration"
# What one opening of an address writes for each role that may open it; "" is nothing.
EXPECTED = [
    pytest.param("duty", "/alerts/ALERT", ["alert"], id="alert"),
    pytest.param("idva", "/alerts/ALERT", ["alert"], id="alert without its places"),
    pytest.param("duty", "/alerts/ALERT/map.json", ["alert map"], id="map of an alert"),
    pytest.param("duty", "/alerts/ALERT/alcohol.json", ["alert"], id="readings of an alert"),
    pytest.param("duty", "/caseload", ["caseload"], id="caseload"),
    pytest.param("duty", "/alerts/INSIDE", ["alert", "alert explanation"],
                 id="alert about a place, with its explanation"),
    pytest.param("idva", "/alerts/INSIDE", ["alert"], id="the same without its places"),
    pytest.param("duty", "/alerts/INSIDE/probability.json", ["alert explanation"],
                 id="probability over time"),
    pytest.param("duty", "/near", [], id="a question that nobody has asked yet"),
    pytest.param("duty", "/people/W-EXC", ["person", "person map", "meetings", "compliance"],
                 id="person with a tag"),
    pytest.param("duty", "/people/W-ALC",
                 ["person", "person map", "meetings", "alcohol readings", "compliance"],
                 id="person with an alcohol monitor"),
    pytest.param("facilitator", "/people/W-ALC", ["person", "compliance"],
                 id="person, to a facilitator"),
    pytest.param("idva", "/people/W-EXC", ["person", "compliance"], id="person, to an IDVA"),
    pytest.param("duty", "/people/W-EXC/map.json", ["person map"], id="map of a person"),
    pytest.param("duty", "/people/W-ALC/alcohol.json", ["alcohol readings"],
                 id="readings of a person"),
    pytest.param("duty", "/people/W-EXC/messages", ["messages to the wearer"],
                 id="what a wearer was told"),
    pytest.param("facilitator", "/people/W-EXC/sessions", ["sessions"], id="sessions of a person"),
    pytest.param("facilitator", "/people/W-EXC/interventions", ["interventions"],
                 id="interventions of a person"),
    pytest.param("facilitator", "/groups", ["groups"], id="groups"),
    pytest.param("manager", "/capacity", ["capacity"], id="capacity"),
    pytest.param("auditor", "/audit", ["audit log"], id="the log itself"),
    pytest.param("duty", "/a/ALERT", [], id="the short link of a text, before it leads anywhere"),
    pytest.param("admin", "/service", [], id="the service, which shows no case"),
    pytest.param("duty", "/map/style.json", [], id="style of the maps"),
    pytest.param("duty", "/map/wards.geojson", [], id="outlines of the wards"),
    pytest.param("duty", "/", [], id="the first page's redirect"),
]  # fmt: skip
# None of these shows anything, so none is a consultation.
NOT_OPENED = [
    pytest.param("duty", "/alerts/ZZZZZZ", 404, id="an alert that is not there"),
    pytest.param("duty", "/alerts/EAST", 404, id="an alert of another area"),
    pytest.param("duty", "/people/W-EAST", 404, id="a person of another area"),
    pytest.param("duty", "/people/W-EAST/map.json", 404, id="a map of another area"),
    pytest.param("facilitator", "/people/W-EXC/map.json", 403, id="a map, to a facilitator"),
    pytest.param("admin", "/people/W-EXC", 403, id="a person, to an administrator"),
    pytest.param("admin", "/audit", 403, id="the log, to an administrator"),
    pytest.param(None, "/people/W-EXC", 302, id="a person, to nobody"),
    pytest.param(None, "/people/W-EXC/map.json", 401, id="a map, to nobody"),
]


@pytest.fixture
def written(shared_world: World) -> Callable[[], list[AuditRow]]:
    """The entries since the test began."""
    before = len(shared_world.database.all(AuditRow))
    return lambda: shared_world.database.all(AuditRow)[before:]


def address(world: World, path: str) -> str:
    east = world.reference(FindingKind.EXCLUSION_BREACH, "W-EAST")
    own = world.reference(FindingKind.ALCOHOL_THRESHOLD)
    path = path.replace("INSIDE", world.reference(FindingKind.EXCLUSION_BREACH))
    return path.replace("EAST", east if "/alerts/" in path else "EAST").replace("ALERT", own)


@pytest.mark.parametrize(("account", "path", "whats"), EXPECTED)
def test_each_look_is_written_once(
    shared_world: World, written, account: str, path: str, whats: list[str]
) -> None:
    answer = shared_world.visitor(account).get(address(shared_world, path))
    assert answer.status_code in (200, 302)
    entries = written()
    assert [entry.what for entry in entries] == whats
    staff = shared_world.database.one(StaffRow, StaffRow.ref == account)
    for entry in entries:
        assert (entry.act, entry.staff_id, entry.actor) == (CONSULTED, staff.id, "staff")
        assert entry.at == shared_world.clock()


@pytest.mark.parametrize(("account", "path", "status"), NOT_OPENED)
def test_what_was_not_shown_was_not_consulted(
    shared_world: World, written, account: str | None, path: str, status: int
) -> None:
    answer = shared_world.visitor(account).get(address(shared_world, path))
    assert answer.status_code == status
    assert written() == []


def test_an_entry_names_the_case_by_its_number_and_by_nothing_else(
    shared_world: World, written
) -> None:
    shared_world.visitor("duty").get("/people/W-EXC")
    shared_world.visitor("duty").get("/caseload", query_string={"search": "Umbershaw"})
    person = shared_world.database.one(WearerRow, WearerRow.ref == "W-EXC")
    first, *_, search = written()
    assert (first.subject_kind, first.subject_id) == ("wearer", person.id)
    assert search.detail == {"shown": 1, "found": [person.id]}
    assert "umbershaw" not in repr([entry.__dict__ for entry in written()]).lower()


def test_a_page_that_fails_was_not_consulted(world: World) -> None:
    """The query and its entry are one transaction: a zone that cannot be read ends both."""
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    with world.database.sessions.begin() as session:
        row = session.scalars(select(ZoneRow).where(ZoneRow.ref == "Z-CROSS")).one()
        broken = {"type": "Polygon", "coordinates": []}
        unreadable = ZoneRow(ref=row.ref, version=2, name="", kind=row.kind, geometry=broken)
        session.add(unreadable)
        session.flush()
        for clause in session.scalars(select(ConditionRow).where(ConditionRow.zone_id == row.id)):
            clause.zone_id = unreadable.id
    before = len(world.log(CONSULTED))
    assert world.visitor("duty").get(f"/alerts/{reference}/map.json").status_code == 500
    assert len(world.log(CONSULTED)) == before


def test_a_board_that_shows_the_same_again_is_the_same_consultation(world: World) -> None:
    visitor = world.visitor("duty")
    before = len(world.log(CONSULTED))

    def looks() -> int:
        return len(world.log(CONSULTED)) - before

    visitor.get("/board")
    assert looks() == 1
    for _ in range(3):
        world.clock.forward(seconds=3)
        visitor.get("/board/fragment", headers={"X-Background-Refresh": "1"})
        visitor.get("/board")
    assert looks() == 1

    world.watch.hear(*walk("TAG-W-TAG", AWAY, AWAY, start=START + 17 * MINUTE))
    visitor.get("/board/fragment")
    assert looks() == 1, "the tag's wearer has no zone: nothing new is shown"
    seen = world.log(CONSULTED)[-1].detail["alerts"]
    assert len(seen) == 9


def test_a_new_alert_on_the_board_is_a_new_consultation(quiet_world: World) -> None:
    visitor = quiet_world.visitor("duty")
    visitor.get("/board")
    quiet_world.watch.hear(*enters_the_cross("TAG-W-EXC"))
    visitor.get("/board/fragment", headers={"X-Background-Refresh": "1"})
    visitor.get("/board/fragment", headers={"X-Background-Refresh": "1"})
    shown = [entry.detail["alerts"] for entry in quiet_world.log(CONSULTED)]
    reference = quiet_world.reference(FindingKind.EXCLUSION_BREACH)
    assert shown == [[], [quiet_world.alert(reference).id]]


def test_the_same_board_before_two_people_is_two_consultations(world: World) -> None:
    for account in ("duty", "supervisor"):
        world.visitor(account).get("/board")
    staff = [entry.staff_id for entry in world.log(CONSULTED)]
    assert len(staff) == len(set(staff)) == 2


@pytest.mark.parametrize(
    ("action", "form", "what"),
    [
        pytest.param("acknowledge", {}, "alert acknowledge", id="acknowledge"),
        pytest.param("note", {"note": HOSTILE}, "alert note", id="note"),
        pytest.param("resolve", {"outcome": "other", "explanation": "Leofric Umbershaw rang"},
                     "alert resolve", id="resolve"),
    ],
)  # fmt: skip
def test_what_is_done_with_an_alert_is_an_alteration(
    world: World, action: str, form: dict[str, str], what: str
) -> None:
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    visitor = world.visitor("duty")
    visitor.post(f"/alerts/{reference}/{action}", **form)
    (entry,) = world.log(ALTERED)
    assert (entry.what, entry.subject_kind) == (what, "alert")
    assert entry.subject_id == world.alert(reference).id
    assert entry.staff_id == world.database.one(StaffRow, StaffRow.ref == "duty").id
    assert "Umbershaw" not in repr(entry.detail)

    refused = visitor.post(f"/alerts/{reference}/acknowledge", token=False)
    assert refused.status_code == 400
    assert len(world.log(ALTERED)) == 1


def test_an_acknowledgement_that_came_too_late_alters_nothing(world: World) -> None:
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    for account in ("duty", "supervisor"):
        world.visitor(account).post(f"/alerts/{reference}/acknowledge")
    assert len(world.log(ALTERED)) == 1


def test_texts_to_officers_are_disclosures_with_their_recipient(world: World) -> None:
    entries = world.log("disclosure")
    assert len(entries) == len(world.watch.sender.sent) or entries
    # The alert of the east goes to the officer of the east, all others to the one of the west.
    told = {world.database.one(StaffRow, StaffRow.ref == ref).id for ref in ("duty", "duty-east")}
    assert {entry.recipient_id for entry in entries} == told
    assert all(entry.subject_kind == "wearer" for entry in entries)
    assert START <= entries[0].at <= START + 20 * MINUTE
