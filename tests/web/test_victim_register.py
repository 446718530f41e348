"""An IDVA registers somebody protected; what is refused, what it opens, and who never sees it."""

import re

import pytest
from web.test_assessment_pages import dash
from web.test_victim_pages import CONTACT
from web.world import ACCOUNTS, World, plain, words_of

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import ConditionRow, VictimRow, VictimWearerRow
from navigate_safer.db.protected import KeepAwayRow

NAME, STREET = "Eadgyth Saighton", "3 Bolesworth Way"


def form(world: World, **changed: str) -> dict[str, str]:
    page = world.visitor("idva").get("/victims/new").text
    return {
        "name": NAME, "area": re.search(r'value="(\d+)"', page)[1], "wearer": "W-CUR",
        "address": STREET, "phone": "07700 900321", **changed,
    }  # fmt: skip


def registered(world: World, **changed: str) -> str:
    answer = world.visitor("idva").post("/victims/new", **form(world, **changed))
    assert answer.status_code == 302, plain(answer)
    return answer.location.rpartition("/")[2]


def test_whoever_is_registered_has_a_dash_a_contact_and_a_disclosure(quiet_world: World) -> None:
    world, idva = quiet_world, quiet_world.visitor("idva")
    assert "Register her" in idva.get("/people/W-CUR/assessments").text
    assert "Register her" not in world.visitor("manager").get("/people/W-CUR/assessments").text
    ref = registered(world)
    row = world.database.one(VictimRow, VictimRow.ref == ref)
    assert (row.name, row.address, row.phone, row.in_refuge) == (
        NAME, STREET, "+447700900321", False,
    )  # fmt: skip
    assert idva.post(f"/victims/{ref}/contact", **CONTACT).status_code == 302
    assert idva.post(f"/people/W-CUR/assessments/dash/{ref}", **dash(15)).status_code == 302
    told = {"told_on-day": "20", "told_on-month": "11", "told_on-year": "2026"}
    kept = idva.post(
        f"/victims/{ref}/disclosure", basis="order", told_by="IDVA", what="The order",
        wearer="W-CUR", **told,
    )  # fmt: skip
    assert kept.status_code == 302
    page = plain(idva.get(f"/victims/{ref}"))
    assert "Changed: registered" in page


@pytest.mark.parametrize(
    ("changed", "field", "what"),
    [
        pytest.param({"name": ""}, "name", "Enter her name", id="without a name"),
        pytest.param({"area": "77"}, "area", "Select the area", id="an area of others"),
        pytest.param({"wearer": "W-EAST"}, "wearer", "nobody of this reference",
                     id="a perpetrator of another area"),
        pytest.param({"address": "Oak refuge, Crewe"}, "address", "never stored", id="a refuge"),
        pytest.param({"in_refuge": "yes"}, "address", "Leave the address empty",
                     id="in a refuge, with an address"),
        pytest.param({"phone": "call her"}, "phone", "Enter a telephone number", id="no number"),
        pytest.param({"name": "merewen  dunstable"}, "another", "V-1 has this name",
                     id="somebody of this name is known"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_told_and_nothing_is_half_saved(
    quiet_world: World, changed: dict[str, str], field: str, what: str
) -> None:
    before = quiet_world.database.counts()
    sent = form(quiet_world, **changed)
    answer = quiet_world.visitor("idva").post("/victims/new", **sent)
    assert answer.status_code == 422
    assert what in plain(answer)
    assert f'href="#{field}"' in answer.text
    assert quiet_world.database.count(VictimRow) == before["victims"]
    assert quiet_world.database.count(VictimWearerRow) == before["victim_wearers"]


def test_another_person_of_the_same_name_is_registered_when_it_is_said(quiet_world: World) -> None:
    assert registered(quiet_world, name="Merewen Dunstable", another="yes") != "V-1"


def test_she_is_protected_from_one_more_and_from_one_less(quiet_world: World) -> None:
    world, idva = quiet_world, quiet_world.visitor("idva")
    ref = registered(world)
    unknown = idva.post(f"/victims/{ref}/link", link_wearer="W-EAST")
    assert unknown.status_code == 422
    assert "nobody of this reference" in plain(unknown)
    for _twice in range(2):
        assert idva.post(f"/victims/{ref}/link", link_wearer="W-EXC").status_code == 302
    assert ref in world.visitor("manager").get("/people/W-EXC/assessments").text
    assert idva.post(f"/victims/{ref}/unlink", unlink_wearer="W-CUR").status_code == 302
    assert ref not in world.visitor("manager").get("/people/W-CUR/assessments").text
    page = words_of(idva.get(f"/victims/{ref}"))
    for what in ("Protected from W-EXC", "no longer protected from W-CUR"):
        assert what in page
    assert idva.post(f"/victims/{ref}/unlink", unlink_wearer="W-CUR").status_code == 422


def test_a_link_on_which_a_dash_rests_stays_until_the_dash_is_closed(quiet_world: World) -> None:
    idva = quiet_world.visitor("idva")
    idva.post("/people/W-EXC/assessments/dash/V-1", **dash(3))
    refused = idva.post("/victims/V-1/unlink", unlink_wearer="W-EXC")
    assert refused.status_code == 422
    assert "Close her Dash about W-EXC first" in plain(refused)
    idva.post("/people/W-EXC/assessments/dash/V-1/close", close_reason="A mistake", replaces="1")
    assert idva.post("/victims/V-1/unlink", unlink_wearer="W-EXC").status_code == 302
    assert "Protected from nobody" in words_of(idva.get("/victims/V-1"))


def test_a_link_on_which_an_order_rests_stays_while_the_order_does(quiet_world: World) -> None:
    world = quiet_world
    condition = world.database.one(ConditionRow, ConditionRow.ref == "C-W-EXC").id
    with world.database.sessions.begin() as session:
        victim_id = world.database.one(VictimRow, VictimRow.ref == "V-1").id
        session.add(KeepAwayRow(condition_id=condition, victim_id=victim_id, within_m=200.0))
    refused = world.visitor("idva").post("/victims/V-1/unlink", unlink_wearer="W-EXC")
    assert "keeps him away from her" in plain(refused)


def test_the_log_says_that_it_was_done_and_nothing_of_her(quiet_world: World) -> None:
    ref = registered(quiet_world)
    quiet_world.visitor("idva").post(f"/victims/{ref}/link", link_wearer="W-EXC")
    victim = quiet_world.database.one(VictimRow, VictimRow.ref == ref).id
    rows = [
        row for row in quiet_world.database.all(AuditRow)
        if row.subject_kind == "victim" and row.subject_id == victim and row.act != "consultation"
    ]  # fmt: skip
    assert [(row.act, row.what) for row in rows] == [
        ("collection", "protected person registered"),
        ("combination", "protected person linked to a perpetrator"),
    ]
    told = repr([row.detail for row in quiet_world.database.all(AuditRow)])
    assert not any(each in told for each in (NAME, STREET, "900321", ref))


@pytest.mark.parametrize("who", sorted(set(ACCOUNTS) - {"idva"}))
def test_nobody_else_sees_whom_the_idva_has_registered(quiet_world: World, who: str) -> None:
    ref = registered(quiet_world)
    visitor = quiet_world.visitor(who)
    for path in ("/victims/new", f"/victims/{ref}"):
        assert visitor.get(path).status_code == 403
    paths = ("/today?whose=all", "/people/W-CUR", "/people/W-CUR/timeline", "/audit", "/cohort")
    for path in (*paths, "/people/W-CUR/assessments", "/people/W-CUR/safety-checks"):
        text = visitor.get(path).text
        assert not any(each in text for each in (NAME, STREET, "900321"))
