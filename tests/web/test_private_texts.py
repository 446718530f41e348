"""No note about a person may hold where somebody lives; where a place is meant, a street may."""

from io import BytesIO

import pytest
from web import programmes
from web.enforcing import OF, breach_of, community_order, failure_of, listed, missed, notice_of
from web.test_order_pages import BY, clause, new
from web.world import World, plain

from alerts.finding import FindingKind
from navigate_safer.people.failures import FAILURE
from navigate_safer.people.programmes import GROUP
from navigate_safer.services import records

HOME = "He was seen at 14 Fletching Row again"
TOLD = "Take out the street address"
NOTES = [
    ("manager", f"/people/{OF}/enforcement/report", "requirement"),
    ("manager", f"/people/{OF}/enforcement/notices", "given_by"),
    ("manager", "/failures/FAILURE/decide", "evidence"),
    ("manager", "/failures/FAILURE/reply", "reply"),
    ("manager", "/failures/FAILURE/close", "close_why"),
    ("manager", "/breaches/BREACH/sign", "statement"),
    ("manager", "/notices/NOTICE/heard", "outcome_NOTICE"),
    ("manager", f"/people/{OF}/interventions", "note"),
    ("manager", f"/people/{OF}/sessions", "title"),
    ("facilitator", "/sessions/SESSION", "behaviour"),
    ("facilitator", "/groups/GROUP/sessions/1/register", f"concern-{OF}"),
    ("manager", f"/people/{OF}/cohort/rag", "cause"),
    ("manager", f"/people/{OF}/plan/agreement", "of_person"),
    ("manager", f"/people/{OF}/orders/new", "case_number"),
    ("manager", f"/people/{OF}/partners", "note"),
    ("manager", f"/people/{OF}/exceptions/allow", "why"),
    ("manager", f"/people/{OF}/commands/ask", "reason"),
    ("duty", "/silences", "words"),
    ("duty", "/alerts/ALERT/note", "note"),
    ("duty", "/alerts/ALERT/resolve", "explanation"),
    ("duty", "/alerts/ALERT/step", "said"),
    ("manager", "/zones/files/take-in", "reason"),
]
MADE = {
    "FAILURE": failure_of,
    "BREACH": breach_of,
    "NOTICE": notice_of,
    "SESSION": programmes.session_of,
    "GROUP": programmes.group_of,
    "ALERT": lambda world: world.reference(FindingKind.EXCLUSION_BREACH),
}

# What else a form needs before it looks at the note.
BESIDE = {
    "resolve": lambda: {"outcome": "false_alarm"},
    "step": lambda: {"key": "look"},
    "take-in": lambda: {"file": (BytesIO(b"{}"), "zones.geojson")},
}


@pytest.mark.parametrize(("account", "path", "field"), NOTES)
def test_where_somebody_lives_is_refused_under_its_field(
    shared_world: World, account: str, path: str, field: str
) -> None:
    for word, made in MADE.items():
        if word in path:
            ref = made(shared_world)
            path, field = path.replace(word, ref), field.replace(word, ref)
    form = BESIDE.get(path.rsplit("/", 1)[1], dict)()
    answer = shared_world.visitor(account).post(path, **form, **{field: HOME})
    assert answer.status_code == 422
    assert TOLD in answer.text


def test_the_letter_to_him_holds_no_address(world: World) -> None:
    order, ref = community_order(world), missed(world, 1, "SE-1")
    form = {
        "acceptable": "no", "why": "No proof was shown", "order_ref": order, "replaces": "1",
        "requirement": "Attend the programme", "what": HOME,
    }  # fmt: skip
    refused = world.visitor("manager").post(f"/failures/{ref}/decide", **form)
    assert refused.status_code == 422
    assert HOME in refused.text, "what was typed is not lost"
    assert [each.version for each in listed(world, FAILURE)] == [1]


def test_a_group_may_meet_at_an_address(world: World) -> None:
    ref = programmes.group_of(world)
    form = {"name": "Friday", "place": "Hall, 12 Brook Street", "places": "12", "reason": "moved"}
    facilitator = world.visitor("facilitator")
    page = facilitator.get(f"/groups/{ref}/change").text
    version = page.split('name="replaces" value="')[1].split('"')[0]
    staff = page.split('name="facilitators"')[1].split('value="')[1].split('"')[0]
    answer = facilitator.post(f"/groups/{ref}/change", **form, replaces=version, facilitators=staff)
    assert answer.status_code == 302, plain(answer)[:500]
    with world.database.sessions() as session:
        (kept,) = records.listed(session, programmes.scope_of(world, "facilitator"), GROUP)
    assert kept.body.place == "Hall, 12 Brook Street"


def test_a_clause_may_name_the_street_that_it_forbids(world: World) -> None:
    manager = world.visitor("manager")
    path = manager.post(f"/people/{OF}/orders/new", **new()).location
    assert manager.post(f"{path}/clauses/new", **clause()).status_code == 302
    changed = {
        "number": "2", "text": "Keep away from 14 Fletching Row", "severity": "high",
        "zone": "Z-CROSS", "varied_from": "2026-11-20T21:10", "replaces": "2", **BY,
    }  # fmt: skip
    assert manager.post(f"{path}/clauses/1", **changed).status_code == 302
    assert "Keep away from 14 Fletching Row" in manager.get(path).text
    refused = manager.post(f"{path}/clauses/1", **changed | {"why": HOME, "replaces": "3"})
    assert (refused.status_code, TOLD in refused.text) == (422, True)
