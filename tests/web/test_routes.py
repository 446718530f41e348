"""Who reaches which address: a table written from the roles' work, not from the grants."""

import re
from typing import NamedTuple

import pytest
from flask import Flask
from web.on_call import policy_of, rota_of, silence_of
from web.world import ACCOUNTS, HOME, World, plain

from alerts.finding import FindingKind
from alerts.lifecycle import AlertState
from navigate_safer.people.access import Permission
from navigate_safer.web import auth, create_app

# What anybody may ask for without signing in, and why.
PUBLIC = {
    "auth.sign_in": "the door itself",
    "public.health": "for whatever watches the service; one sentence a part, no case data",
    "public.live": "for whatever restarts the process",
    "public.metrics": "behind a token of its own, and not there without one",
    "public.telemetry_schema": "for gateway makers",
    "static": "scripts and styles",
    "twilio.status": "signed by Twilio",
    "twilio.reply": "signed by Twilio",
    "twilio.call_status": "signed by Twilio",
    "twilio.key": "signed by Twilio",
    "notify.status": "with the token that Notify was given",
    "notify.reply": "with the token that Notify was given",
}
# ok: the page. to: sent on to another page. bad: the form is refused, its sender is not.
ANSWERS = {"ok": 200, "to": 302, "bad": 422, "no": 403, "none": 204, "gone": 404}
TABLE = """
                                   duty manager facilitator idva access supervisor auditor admin
GET  /                             to   to      to          to   to     to         to      to
POST /sign-out                     to   to      to          to   to     to         to      to
GET  /board                        ok   ok      no          ok   no     ok         no      no
GET  /board/fragment               ok   ok      no          ok   no     ok         no      no
GET  /a/ALERT                      to   to      to          to   to     to         to      to
GET  /alerts/ALERT                 ok   ok      no          ok   no     ok         no      no
POST /alerts/ALERT/acknowledge     to   to      no          no   no     to         no      no
POST /alerts/ALERT/note            bad  bad     no          no   no     bad        no      no
POST /alerts/ALERT/resolve         bad  bad     no          no   no     bad        no      no
GET  /alerts/ALERT/map.json        ok   ok      no          no   no     ok         no      no
GET  /alerts/ALERT/alcohol.json    ok   ok      no          no   no     ok         no      no
GET  /alerts/ALERT/probability.json ok  ok      no          no   no     ok         no      no
GET  /caseload                     ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON                ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON/map.json       ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/alcohol.json   ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/commands       ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/commands.json  ok   ok      no          no   no     ok         no      no
POST /people/PERSON/commands/ask   bad  bad     no          no   no     bad        no      no
GET  /zones                        ok   ok      no          no   no     ok         no      no
GET  /zones/draw                   no   ok      no          no   no     ok         no      no
POST /zones/draw/save              no   bad     no          no   no     bad        no      no
POST /zones/files/take-in          no   bad     no          no   no     bad        no      no
GET  /zones/download.kml           ok   ok      no          no   no     ok         no      no
GET  /zones/Z-CROSS                ok   ok      no          no   no     ok         no      no
GET  /zones/Z-CROSS/change         no   ok      no          no   no     ok         no      no
GET  /zones/Z-CROSS/map.json       ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/exceptions     ok   ok      no          no   no     ok         no      no
POST /people/PERSON/exceptions/allow     no bad no          no   no     bad        no      no
POST /people/PERSON/exceptions/1/revoke  no bad no          no   no     bad        no      no
GET  /map/style.json               ok   ok      no          no   no     ok         no      no
GET  /map/tiles/1/2/3              none none    no          no   no     none       no      no
GET  /map/wards.geojson            ok   ok      no          no   no     ok         no      no
GET  /near                         ok   ok      no          no   no     ok         no      no
POST /near/ask                     bad  bad     no          no   no     bad        no      no
GET  /near/answers/QUESTION        gone gone  no          no   no     gone      no      no
GET  /near/answers/QUESTION/map.json gone gone  no          no   no     gone      no      no
GET  /outcomes                     no   ok      no          no   ok     ok         ok      no
GET  /outcomes/survival.json       no   ok      no          no   ok     ok         ok      no
GET  /outcomes/framework           no   ok      no          no   ok     ok         ok      no
GET  /outcomes/pack.pdf            no   ok      no          no   ok     ok         ok      no
GET  /outcomes/pack.zip            no   ok      no          no   ok     ok         ok      no
GET  /outcomes/behind/FIGURE       no   ok      no          no   no     ok         no      no
GET  /service                      no   no      no          no   no     ok         no      ok
GET  /service/quarantine           no   no      no          no   no     ok         no      ok
POST /service/quarantine/try-again no   no      no          no   no     to         no      to
GET  /service/quarantine/ENTRY     no   no      no          no   no     ok         no      ok
POST /service/quarantine/ENTRY/try-again no no  no          no   no     to         no      to
POST /service/quarantine/ENTRY/correct   no no  no          no   no     bad        no      bad
POST /service/quarantine/ENTRY/set-aside no no  no          no   no     bad        no      bad
GET  /service/alerts/FAULT         ok   no      no          no   no     ok         no      ok
POST /service/alerts/FAULT/acknowledge to no    no          no   no     to         no      to
POST /service/alerts/FAULT/note    bad  no      no          no   no     bad        no      bad
POST /service/alerts/FAULT/resolve bad  no      no          no   no     bad        no      bad
GET  /protection/ALERT             gone no      no          gone no     gone       no      no
POST /protection/ALERT/acknowledge to   no      no          gone no     to         no      no
POST /protection/ALERT/note        gone no      no          gone no     gone       no      no
POST /protection/ALERT/resolve     gone no      no          gone no     gone       no      no
GET  /silences                     ok   ok      no          no   no     ok         no      no
POST /silences                     bad  bad     no          no   no     bad        no      no
GET  /silences/HUSH                ok   ok      no          no   no     ok         no      no
POST /silences/HUSH/approve        to   to      no          no   no     to         no      no
POST /silences/HUSH/end            to   to      no          no   no     to         no      no
GET  /policies                     no   no      no          no   no     ok         no      no
GET  /policies/new                 no   no      no          no   no     ok         no      no
POST /policies/new                 no   no      no          no   no     bad        no      no
GET  /policies/POLICY              no   no      no          no   no     ok         no      no
POST /policies/POLICY              no   no      no          no   no     bad        no      no
POST /policies/POLICY/deactivate   no   no      no          no   no     bad        no      no
GET  /rotas                        ok   ok      no          no   no     ok         no      no
GET  /rotas/new                    no   no      no          no   no     ok         no      no
POST /rotas/new                    no   no      no          no   no     bad        no      no
GET  /rotas/ROTA                   ok   ok      no          no   no     ok         no      no
GET  /rotas/ROTA.ics               ok   ok      no          no   no     ok         no      no
GET  /rotas/ROTA/layers            no   no      no          no   no     ok         no      no
POST /rotas/ROTA/layers            no   no      no          no   no     bad        no      no
POST /rotas/ROTA/override          no   no      no          no   no     bad        no      no
POST /rotas/ROTA/swap              bad  bad     no          no   no     bad        no      no
POST /rotas/ROTA/calendar          no   no      no          no   no     bad        no      no
POST /rotas/ROTA/changes/1/agree   gone gone    no          no   no     gone       no      no
POST /rotas/ROTA/changes/1/cancel  gone gone    no          no   no     gone       no      no
POST /alerts/ALERT/step            gone gone    no          gone no     gone       no      no
GET  /account                      ok   ok      ok          ok   ok     ok         ok      ok
POST /account/ask                  bad  bad     bad         bad  bad    bad        bad     bad
POST /account/verify               bad  bad     bad         bad  bad    bad        bad     bad
GET  /burden                       no   no      no          no   no     ok         no      no
GET  /audit                        no   no      no          no   no     ok         ok      no
"""
# The first page of each role.
HOMES = {
    "duty": "/board",
    "manager": "/board",
    "idva": "/board",
    "supervisor": "/board",
    "facilitator": "/caseload",
    "access": "/caseload",
    "auditor": "/audit",
    "admin": "/service",
}


class Row(NamedTuple):
    """One route and what each account is answered."""

    method: str
    path: str
    answers: dict[str, int]


def rows() -> list[Row]:
    head, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return [
        Row(
            method, path, {who: ANSWERS[word] for who, word in zip(head, words, strict=True)}
        )
        for method, path, *words in lines
    ]  # fmt: skip


ROWS = rows()
BY_NAME = [pytest.param(row, id=f"{row.method} {row.path}") for row in ROWS]
CASES = [
    pytest.param(row, who, id=f"{who}: {row.method} {row.path}")
    for row in ROWS
    for who in row.answers
]


def address(world: World, path: str, *, alert: str | None = None, person: str = "W-EXC") -> str:
    reference = alert or world.reference(FindingKind.EXCLUSION_BREACH)
    if "FAULT" in path:
        path = path.replace("FAULT", world.fault())
    if "ENTRY" in path:
        path = path.replace("ENTRY", str(world.refused()))
    path = path.replace("FIGURE", "before")
    for word, made in (("HUSH", silence_of), ("POLICY", policy_of), ("ROTA", rota_of)):
        if word in path:
            path = path.replace(word, made(world))
    return path.replace("ALERT", reference).replace("PERSON", person)


def without_a_rule(app: Flask) -> list[str]:
    """Views that name neither a permission nor that they are public."""
    return sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if not isinstance(auth.rule_of(view), Permission) and auth.rule_of(view) != auth.PUBLIC
    )


def test_every_view_names_its_rule(shared_world: World) -> None:
    app = shared_world.app
    assert without_a_rule(app) == []
    public = {name for name, view in app.view_functions.items() if auth.rule_of(view) == "public"}
    assert public == set(PUBLIC)


def test_a_view_without_a_rule_is_found_and_refused_to_everybody(world: World) -> None:
    app = create_app(world.service)
    app.add_url_rule("/planted", "planted", lambda: "a name and a number")
    assert without_a_rule(app) == ["planted"]

    world.app = app
    for who in ACCOUNTS:
        answer = world.visitor(who).get("/planted")
        assert answer.status_code == 403, who
        assert "a name and a number" not in answer.text


def test_the_table_below_has_every_route(shared_world: World) -> None:
    written = {(row.method, row.path.replace("1/2/3", "Z/X/Y")) for row in ROWS}
    served = {
        (method, _written(rule.rule))
        for rule in shared_world.app.url_map.iter_rules()
        if rule.endpoint not in PUBLIC
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == written


def _written(rule: str) -> str:
    rule = re.sub(r"<int:z>/<int:x>/<int:y>", "Z/X/Y", rule)
    rule = rule.replace("/silences/<int:number>", "/silences/HUSH")
    rule = rule.replace("/policies/<int:number>", "/policies/POLICY")
    rule = rule.replace("/rotas/<ref>", "/rotas/ROTA")
    rule = rule.replace("<int:entry_id>", "ENTRY").replace("<int:number>", "1")
    rule = rule.replace("<figure>", "FIGURE")
    rule = rule.replace("/service/alerts/<reference>", "/service/alerts/FAULT")
    rule = rule.replace("/zones/<ref>", "/zones/Z-CROSS").replace("<form>", "kml")
    return (
        rule.replace("<reference>", "ALERT")
        .replace("<ref>", "PERSON")
        .replace("<name>", "QUESTION")
    )


@pytest.mark.parametrize(("row", "who"), CASES)
def test_each_role_gets_what_its_work_needs_and_no_more(
    shared_world: World, row: Row, who: str
) -> None:
    visitor = shared_world.visitor(who)
    path = address(shared_world, row.path)
    answer = visitor.get(path) if row.method == "GET" else visitor.post(path)
    assert answer.status_code == row.answers[who]


@pytest.mark.parametrize(("who", "path"), HOMES.items())
def test_each_role_has_a_first_page_that_it_may_see(
    shared_world: World, who: str, path: str
) -> None:
    visitor = shared_world.visitor(who)
    assert visitor.get("/").location == path
    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("row", BY_NAME)
def test_nobody_gets_in_without_signing_in(shared_world: World, row: Row) -> None:
    visitor = shared_world.visitor()
    path = address(shared_world, row.path)
    answer = visitor.get(path) if row.method == "GET" else visitor.post(path)
    if row.method == "GET" and not re.search(r"\.(geo)?json$|/fragment$", path):
        assert (answer.status_code, answer.location) == (302, f"/sign-in?next={path}")
    else:
        assert answer.status_code == 401
    assert "Umbershaw" not in answer.text


OF_ONE_CASE = [each for each in BY_NAME if "ALERT" in each.id or "PERSON" in each.id]
# A short link is sent on before anybody looks whether there is such an alert.
OF_ONE_CASE = [each for each in OF_ONE_CASE if "/a/" not in each.id]


@pytest.mark.parametrize("row", OF_ONE_CASE)
def test_cases_of_another_area_are_like_cases_that_do_not_exist(
    shared_world: World, row: Row
) -> None:
    elsewhere = shared_world.reference(FindingKind.EXCLUSION_BREACH, "W-EAST")
    filled = {"note": "seen", "outcome": "false_alarm"} if row.method == "POST" else {}

    def answer_to(alert: str, person: str):
        visitor = shared_world.visitor("supervisor")
        path = address(shared_world, row.path, alert=alert, person=person)
        if row.method == "POST":
            return visitor.post(path, **filled)
        return visitor.get(path)

    of_the_east, of_nobody = answer_to(elsewhere, "W-EAST"), answer_to("ZZZZZZ", "W-NONE")
    assert of_the_east.status_code == of_nobody.status_code == 404
    assert plain(of_the_east) == plain(of_nobody)
    assert shared_world.alert(elsewhere).state == AlertState.OPEN.value


def test_lists_show_nothing_of_another_area(shared_world: World) -> None:
    for path in ("/board", "/caseload", "/caseload?search=W-EAST"):
        west = shared_world.visitor("supervisor").get(path).text
        assert "Haslington" not in west
        assert "Wystan" not in west
    east = shared_world.visitor("duty-east").get("/board").text
    assert "Haslington" in east
    assert "Umbershaw" not in east


@pytest.mark.parametrize("row", [each for each in BY_NAME if each.id.startswith("POST")])
def test_a_form_without_its_token_is_refused_and_changes_nothing(world: World, row: Row) -> None:
    visitor = world.visitor("duty")
    path = address(world, row.path)
    answer = visitor.post(path, token=False, note="seen", outcome="false_alarm")
    assert answer.status_code == 400
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).state == "open"
    assert visitor.get("/board").status_code == 200, "still signed in"


def test_a_sign_in_without_its_token_is_refused(world: World) -> None:
    visitor = world.visitor()
    assert visitor.post("/sign-in", token=False, account="duty").status_code == 400


@pytest.mark.parametrize("row", BY_NAME)
def test_an_address_takes_only_its_own_methods(shared_world: World, row: Row) -> None:
    client, path = shared_world.visitor("supervisor").client, address(shared_world, row.path)
    others = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    others -= {each.method for each in ROWS if each.path == row.path}
    answers = {method: client.open(path, method=method).status_code for method in others}
    assert set(answers.values()) == {405}, answers


def test_a_change_of_role_works_at_the_next_request(world: World) -> None:
    from navigate_safer.db.people import StaffRow

    visitor = world.visitor("duty")
    assert visitor.get("/board").status_code == 200
    with world.database.sessions.begin() as session:
        staff = session.get(StaffRow, world.database.one(StaffRow, StaffRow.ref == "duty").id)
        staff.role = "programme_facilitator"
    assert visitor.get("/board").status_code == 403


def test_an_unknown_address_and_a_fault_have_pages_of_their_own(world: World) -> None:
    visitor = world.visitor("duty")
    missing = visitor.get("/people/W-EXC/diary")
    assert missing.status_code == 404
    assert "Page not found" in missing.text
    assert "Signed in as" in missing.text
    assert "Signed in as" not in world.visitor().get("/people/W-EXC/diary").text

    def broken() -> str:
        raise RuntimeError(f"at {HOME.lat}, {HOME.lon}")

    world.app.view_functions["board.board"] = auth.rule(Permission.SEE_BOARD)(broken)
    fault = visitor.get("/board")
    assert fault.status_code == 500
    assert "fault in the service" in fault.text
    assert str(HOME.lat) not in fault.text
    assert "Traceback" not in fault.text
