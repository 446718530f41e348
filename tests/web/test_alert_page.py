"""The page of one alert: what it says of each kind, and what its forms do."""

import re
from itertools import pairwise
from typing import Any

import pytest
from case_files import MINUTE, START, Place, fix, message
from sqlalchemy import select
from web.alert_reasons import REASONS
from web.world import (
    AWAY,
    CROSS,
    HOSTILE,
    PLACE_WORDS,
    VICTIM_WORDS,
    WEST_ALERTS,
    World,
    enters_the_cross,
    words_of,
)

from alerts.finding import FindingKind
from alerts.lifecycle import Outcome
from navigate_safer.db.alerting import AlertHistoryRow, EpisodeRow, TextRow

KINDS = FindingKind


def page_of(world: World, kind: FindingKind, account: str = "duty"):
    return world.visitor(account).get(f"/alerts/{world.reference(kind)}")


def lines_of_the_board(page: str) -> list[str]:
    """Severity and reference of each row, in their order."""
    body = page[page.index("<tbody") : page.index("</tbody>")]
    return [
        f"{severity} {reference}"
        for severity, reference in re.findall(
            r'govuk-tag--\w+">(\w+)</strong></td>.*?/alerts/(\w+)"', body, re.S
        )
    ]


# The alert page

SAID = {
    KINDS.EXCLUSION_BREACH: ["Inside an exclusion zone", "lay inside Rookery Cross exclusion",
                             "accurate to 8 metres", "Still going on", "Rule", "place.probability"],
    KINDS.CURFEW_BREACH: ["Away from the curfew address", "lay outside Larkspur House curfew",
                          "Fixes seen outside so far: 2"],
    KINDS.RESTRICTION_BREACH: ["Outside the restriction zone", "lay outside Vicars Mead"],
    KINDS.ALCOHOL_THRESHOLD: ["Alcohol measured above the limit", "2 samples at or above 0.02",
                              "the highest is 0.071 g/dl", "confirmed or not by a person"],
    KINDS.STRAP_TAMPER: ["Strap or case tampered with", "reported strap cut",
                         "has not reported its end"],
    KINDS.BATTERY_LOW: ["Battery low", "stood at 4 %", "limit of 20 %",
                        "Nobody was texted: alerts of this severity show on the board."],
    KINDS.BATTERY_CRITICAL: ["Battery nearly empty", "stood at 4 %", "limit of 5 %"],
    KINDS.SILENCE: ["Device is silent", "within the deadline of 15 minutes",
                    "it is not by itself a breach"],
}  # fmt: skip


def test_every_kind_of_alert_is_described_here_or_among_the_reasons() -> None:
    # Of two devices, and so of a world of its own: see test_distance_page.
    early = {kind for kind in KINDS if kind.value.startswith("early_warning")}
    elsewhere = {
        KINDS.DISTANCE_BREACH,
        KINDS.EXCUSED_STAY,
        KINDS.COMPOUND,
        KINDS.EXCLUSION_APPROACH,
        # Of no wearer: see test_protection_page.
        KINDS.PROTECTED_SILENCE,
    } | early
    assert set(SAID) == set(WEST_ALERTS)
    assert set(SAID) | set(REASONS) | elsewhere == set(KINDS)


def test_an_early_warning_says_how_soon_and_that_nothing_has_been_broken(
    shared_world: World,
) -> None:
    why = {"speed_kmh": 4.8, "edge_m": 340.0, "eta_s": 225.0}
    said = shared_world.app.jinja_env.get_template("alert_reason.html").render(
        alert={"evidence": why, "zone_name": "Rookery Cross exclusion"},
        line={"kind": KINDS.EXCLUSION_APPROACH.value},
    )
    assert "5 km/h, 340 metres from the edge" in said
    assert "likely to be in Rookery Cross exclusion in about 225 seconds" in said
    assert "nothing has been broken" in said


def test_how_far_off_a_wearer_is_who_comes_nearer_is_for_those_who_may_see_places(
    shared_world: World,
) -> None:
    why = {"speed_kmh": 4.8, "edge_m": 340.0, "eta_s": 225.0}
    # The name of the zone is there for those alone who may see places.
    said = shared_world.app.jinja_env.get_template("alert_reason.html").render(
        alert={"evidence": why, "zone_name": None},
        line={"kind": KINDS.EXCLUSION_APPROACH.value},
    )
    assert "metres" not in said
    assert "likely to be in the exclusion zone in about 225 seconds" in said


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.value) for kind in SAID])
def test_an_alert_says_what_when_and_why(shared_world: World, kind: FindingKind) -> None:
    answer = page_of(shared_world, kind)
    assert answer.status_code == 200
    page = words_of(answer)
    for words in SAID[kind]:
        assert words.lower() in page.lower(), words
    assert shared_world.reference(kind) in page
    assert "Licence 12 (Licence)" in page
    assert "A judgement is a reason to look, not proof of a breach." in page
    assert "Began 2" in page
    # Nothing of the templates is left over where a value is missing.
    assert not re.search(r"\b(None|Undefined|nan)\b", page), page


def test_an_alert_about_a_place_is_explained_in_words(shared_world: World) -> None:
    page = words_of(page_of(shared_world, KINDS.EXCLUSION_BREACH))
    assert re.search(
        r"At 21:0\d:00 a GPS fix with an accuracy of 8 m put the wearer \d+ m inside the zone; "
        r"the chance that the wearer was inside was over 99\.9 %",
        page,
    )
    assert (
        "told from 29 % on. A missed breach of this condition is counted as costly as 2.5" in page
    )
    assert "Fixes cover" in page
    assert "counts as unknown, never as a breach" in page
    assert "What speaks against it" in page
    curfew = words_of(page_of(shared_world, KINDS.CURFEW_BREACH))
    assert "m outside the zone; the chance that the wearer was outside was" in curfew


def test_what_makes_the_explanation_another_than_the_alert_is_said(quiet_world: World) -> None:
    quiet_world.watch.hear(*enters_the_cross("TAG-W-EXC"))
    page = words_of(page_of(quiet_world, KINDS.EXCLUSION_BREACH))
    assert "was raised by rule" not in page
    assert "A way was allowed" not in page
    with quiet_world.database.sessions.begin() as session:
        row = session.scalars(select(EpisodeRow)).one()
        row.rule_version = "1"
        row.evidence = {**row.evidence, "authorised": "5"}
    page = words_of(page_of(quiet_world, KINDS.EXCLUSION_BREACH))
    assert "The alert was raised by rule place.probability, version 1;" in page
    assert "A way was allowed at the time, by exception 5" in page


def through_the_cross(*, accuracy_m: float = 8.0) -> list[Any]:
    """From the west of the zone to the east of it, with no fix on the way, in four minutes."""
    places = [Place(CROSS.lat, CROSS.lon + degrees) for degrees in (-0.02, 0.02)]
    return [
        message("TAG-W-EXC", fix(START + 4 * MINUTE * n, place, accuracy_m=accuracy_m))
        for n, place in enumerate(places)
    ]


def round_the_cross() -> list[Any]:
    """The same way as it really was: north of the zone, a fix every 20 seconds."""
    corners = [(0.0, -0.02), (0.015, -0.015), (0.015, 0.015), (0.0, 0.02)]
    on_the_way = [
        Place(CROSS.lat + n0 + (n1 - n0) * part / 4, CROSS.lon + e0 + (e1 - e0) * part / 4)
        for (n0, e0), (n1, e1) in pairwise(corners)
        for part in range(4)
    ]
    return [
        message("TAG-W-EXC", fix(START + n * MINUTE / 3, place))
        for n, place in enumerate(on_the_way)
        if n
    ]


def test_of_a_way_between_two_fixes_the_page_claims_no_fix_inside(quiet_world: World) -> None:
    quiet_world.watch.hear(*through_the_cross())
    page = words_of(page_of(quiet_world, KINDS.EXCLUSION_BREACH))
    assert "may have lain inside Rookery Cross exclusion" in page
    assert "Fixes seen inside so far: 0." in page
    assert "No single fix shows it." in page


def test_an_accuracy_of_zero_is_one_that_is_not_stated(quiet_world: World) -> None:
    messages = [
        message("TAG-W-EXC", fix(START + n * MINUTE, place, accuracy_m=0))
        for n, place in enumerate((AWAY, CROSS, CROSS))
    ]
    quiet_world.watch.hear(*messages)
    page = words_of(page_of(quiet_world, KINDS.EXCLUSION_BREACH))
    assert "The newest one does not state its accuracy." in page
    assert re.search(r"GPS fix that states no accuracy, taken to be good to \d+ m, put the", page)
    assert "not stated GPS" in page, "in the table"
    assert not re.search(r"\b0 m(etres)? (put|\()", page)


def test_a_table_that_has_not_all_the_fixes_says_so(quiet_world: World) -> None:
    messages = [
        message("TAG-W-EXC", fix(START + n * MINUTE / 6, AWAY if n < 2 else CROSS))
        for n in range(70)
    ]
    quiet_world.watch.hear(*messages)
    page = words_of(page_of(quiet_world, KINDS.EXCLUSION_BREACH))
    assert "The newest 60 of these 70 fixes as a table" in page
    assert "The newest 60 of these 70 points as a table" in page


def test_what_late_data_disproved_is_not_said_to_be_so(quiet_world: World) -> None:
    quiet_world.watch.hear(*through_the_cross())
    quiet_world.watch.hear(*round_the_cross())
    page = words_of(page_of(quiet_world, KINDS.EXCLUSION_BREACH))
    assert "Late data shows no breach" in page
    assert "As it was judged before it was withdrawn, the path" in page
    assert (
        "This alert is withdrawn. Before, it was judged to have happened with a chance of" in page
    )
    assert "The way between two fixes led inside" not in page


def test_the_distance_to_an_edge_is_for_those_who_may_see_places(shared_world: World) -> None:
    page = words_of(page_of(shared_world, KINDS.EXCLUSION_BREACH, "idva"))
    assert "Inside an exclusion zone" in page
    for words in ("m inside the zone", "How sure this is", "Against the zone"):
        assert words not in page


def test_times_are_those_of_the_wall_clock_in_london(world: World) -> None:
    reference = world.reference(KINDS.STRAP_TAMPER)
    page = words_of(world.visitor("duty").get(f"/alerts/{reference}"))
    assert "Began 20 November 2026, 21:01:00" in page
    # In July the same instant would be an hour later on the wall; the filter knows.
    from datetime import UTC, datetime

    from navigate_safer.web import words

    assert words.moment(datetime(2026, 7, 1, 21, 1, tzinfo=UTC)) == "1 July 2026, 22:01:00"


def test_an_alert_says_who_was_told_and_who_is_next(world: World) -> None:
    world.clock.forward(minutes=2)
    world.watch.escalate()
    world.watch.deliver()
    page = words_of(page_of(world, KINDS.EXCLUSION_BREACH))
    assert "Duty Ashworthy text at 21:16" in page
    assert "Barnabas Threlkeldy text at 21:18:00, accepted" in page
    assert re.search(r"The next person is told at 21:\d\d:\d\d unless somebody acknowledges", page)
    assert "Officer told: Barnabas Threlkeldy" in page
    assert "07700" not in page
    assert "+44" not in page


def test_the_last_person_is_told_again_and_again_and_listed_once(world: World) -> None:
    for _ in range(4):
        world.clock.forward(minutes=2)
        world.watch.escalate()
        world.watch.deliver()
    page = words_of(page_of(world, KINDS.EXCLUSION_BREACH))
    assert re.search(
        r"Barnabas Threlkeldy \d texts since 21:18:00, the last: text at 21:24:00", page
    )
    assert page.count("text at 21:") == 2


def test_an_alert_shows_where_to_those_who_may_see_places(shared_world: World) -> None:
    reference = shared_world.reference(KINDS.EXCLUSION_BREACH)
    page = shared_world.visitor("duty").get(f"/alerts/{reference}").text
    assert f'data-map-src="/alerts/{reference}/map.json"' in page
    assert "53.19050" in page, "the table beside the map"
    data = shared_world.visitor("duty").get(f"/alerts/{reference}/map.json").json
    assert [zone["name"] for zone in data["zones"]] == ["Rookery Cross exclusion"]
    assert {(each["lat"], each["lon"]) for each in data["fixes"]} == {
        (AWAY.lat, AWAY.lon),
        (53.1905, -2.8918),
    }
    assert data["highlight"]["from"] < data["highlight"]["to"]


def test_an_idva_sees_the_breach_and_no_place(shared_world: World) -> None:
    answer = page_of(shared_world, KINDS.EXCLUSION_BREACH, "idva")
    page = words_of(answer)
    assert "lay inside the exclusion zone" in page
    for word in PLACE_WORDS + VICTIM_WORDS:
        assert word not in answer.text, word
    assert "Acknowledge: I am dealing with it" not in page
    # The one thing for her to do is the step of the playbook that is hers.
    forms = re.findall(r"<form[^>]*action=\"([^\"]+)\"", answer.text)
    assert {each.rsplit("/", 1)[-1] for each in forms} == {"sign-out", "step"}
    keys = re.findall(r'name="key" value="([^"]+)"', answer.text)
    assert keys == ["idva_checked"]


def test_alcohol_is_drawn_with_the_limit_it_was_judged_by(shared_world: World) -> None:
    reference = shared_world.reference(KINDS.ALCOHOL_THRESHOLD)
    page = shared_world.visitor("duty").get(f"/alerts/{reference}").text
    assert f'data-chart-src="/alerts/{reference}/alcohol.json"' in page
    data = shared_world.visitor("duty").get(f"/alerts/{reference}/alcohol.json").json
    assert [each["tac_g_dl"] for each in data["readings"]] == [0.0, 0.03, 0.071]
    assert data["threshold_g_dl"] == 0.02


def test_what_late_data_changed_is_said(quiet_world: World) -> None:
    """Everything came at once, with the readings that show the breach to be over."""
    world = quiet_world
    world.watch.receive(*enters_the_cross("TAG-W-EXC"))
    world.watch.receive(message("TAG-W-EXC", fix(START + 4 * MINUTE, AWAY)))
    world.watch.judge()
    page = words_of(page_of(world, KINDS.EXCLUSION_BREACH))
    assert "Found in late data" in page
    assert "Still going on" not in page


# What is done with an alert


def test_acknowledging_takes_the_alert_on(world: World) -> None:
    visitor, reference = world.visitor("duty"), world.reference(KINDS.EXCLUSION_BREACH)
    before = words_of(visitor.get(f"/alerts/{reference}"))
    assert "Nobody has acknowledged this alert" in before

    answer = visitor.post(f"/alerts/{reference}/acknowledge")
    assert (answer.status_code, answer.location) == (302, f"/alerts/{reference}")
    page = words_of(visitor.get(answer.location))
    assert "You have acknowledged this alert." in page
    assert "Duty Ashworthy is dealing with this" in page
    assert "The acknowledgement expires at 21:31:00" in page
    assert "Acknowledge: I am dealing with it" not in page
    # Nobody else is told.
    world.clock.forward(minutes=5)
    world.watch.escalate()
    alert = world.alert(reference)
    assert world.database.count(TextRow, TextRow.alert_id == alert.id) == 1


def test_acknowledging_twice_changes_nothing(world: World) -> None:
    reference = world.reference(KINDS.EXCLUSION_BREACH)
    world.visitor("duty").post(f"/alerts/{reference}/acknowledge")
    before = world.alert(reference)
    history = world.database.count(AlertHistoryRow, AlertHistoryRow.alert_id == before.id)

    world.clock.forward(minutes=1)
    other = world.visitor("supervisor")
    answer = other.post(f"/alerts/{reference}/acknowledge")
    assert answer.status_code == 302
    page = words_of(other.get(answer.location))
    assert "This alert was acknowledged or resolved before you." in page
    after = world.alert(reference)
    assert after.acknowledged_by == before.acknowledged_by
    assert after.acknowledged_at == before.acknowledged_at
    assert world.database.count(AlertHistoryRow, AlertHistoryRow.alert_id == after.id) == history


def test_a_note_is_kept_as_it_was_written_and_holds_the_acknowledgement(world: World) -> None:
    visitor, reference = world.visitor("duty"), world.reference(KINDS.EXCLUSION_BREACH)
    visitor.post(f"/alerts/{reference}/acknowledge")
    answer = visitor.post(f"/alerts/{reference}/note", note=f"  Rang him. {HOSTILE}  ")
    page = visitor.get(answer.location)
    assert "Your note is saved." in words_of(page)
    assert "expires" not in words_of(page)
    assert HOSTILE not in page.text
    note = world.database.one(AlertHistoryRow, AlertHistoryRow.move == "note")
    assert note.reason == f"Rang him. {HOSTILE}"


@pytest.mark.parametrize(
    ("action", "form", "field", "said"),
    [
        pytest.param("note", {"note": "  "}, "note", "Enter a note", id="an empty note"),
        pytest.param("resolve", {}, "outcome", "Select what you found", id="no outcome"),
        pytest.param("resolve", {"outcome": "cured"}, "outcome", "Select what you found",
                     id="an outcome that is not on the list"),
        pytest.param("resolve", {"outcome": "other", "explanation": " "}, "explanation",
                     "Say what happened when you select Other", id="Other without a word"),
    ],
)  # fmt: skip
def test_a_form_that_is_not_complete_comes_back_with_what_to_do(
    world: World, action: str, form: dict[str, str], field: str, said: str
) -> None:
    """The GOV.UK error pattern: title, summary with a link, message at the field."""
    reference = world.reference(KINDS.EXCLUSION_BREACH)
    answer = world.visitor("duty").post(f"/alerts/{reference}/{action}", **form)
    page = answer.text
    assert answer.status_code == 422
    assert re.search(r"<title>\s*Error: Inside an exclusion zone", page)
    assert "There is a problem" in page
    assert re.search(rf'<a href="#{field}">\s*{said}\s*</a>', page)
    assert re.search(rf'id="{field}-error"[^>]*>\s*<span[^>]*>Error:</span>\s*{said}', page)
    assert re.search(rf'id="{field}"', page), "the link leads to the field"
    if form.get("outcome") == "other":
        assert re.search(r'value="other"[^>]*checked', page), "what was chosen is kept"
    assert world.alert(reference).state == "open"


@pytest.mark.parametrize("outcome", [pytest.param(each, id=each.value) for each in Outcome])
def test_an_alert_is_resolved_with_what_was_found(world: World, outcome: Outcome) -> None:
    visitor, reference = world.visitor("duty"), world.reference(KINDS.EXCLUSION_BREACH)
    answer = visitor.post(
        f"/alerts/{reference}/resolve", outcome=outcome.value, explanation="Spoke to the family"
    )
    page = words_of(visitor.get(answer.location))
    assert "The alert is resolved." in page
    assert f"Resolved: {outcome.label}" in page
    assert f"{outcome.label}: Spoke to the family" in page
    stored = world.alert(reference)
    assert (stored.state, stored.outcome) == ("resolved", outcome.value)
    assert "Resolve: what did you find?" not in page


def test_resolving_twice_keeps_the_first_outcome(world: World) -> None:
    visitor, reference = world.visitor("duty"), world.reference(KINDS.EXCLUSION_BREACH)
    visitor.post(f"/alerts/{reference}/resolve", outcome="false_alarm")
    answer = visitor.post(f"/alerts/{reference}/resolve", outcome="breach_confirmed")
    assert "resolved before you" in visitor.get(answer.location).text
    assert world.alert(reference).outcome == "false_alarm"
    acknowledged = visitor.post(f"/alerts/{reference}/acknowledge")
    assert acknowledged.status_code == 302
    assert world.alert(reference).state == "resolved"


def resolved(world: World) -> tuple[str, str]:
    """An exclusion breach that somebody took for a false alarm: its reference and its address."""
    reference = world.reference(KINDS.EXCLUSION_BREACH)
    world.visitor("duty").post(f"/alerts/{reference}/resolve", outcome="false_alarm")
    world.clock.forward(minutes=1)
    return reference, f"/alerts/{reference}"


def test_a_resolved_alert_is_opened_again_with_a_reason_and_told_from_the_first_step(
    world: World,
) -> None:
    reference, path = resolved(world)
    alert_id = world.alert(reference).id
    told = world.database.count(TextRow, TextRow.alert_id == alert_id)
    supervisor = world.visitor("supervisor")
    answer = supervisor.post(f"{path}/reopen", reopening=f"  He was seen there. {HOSTILE} ")
    page = supervisor.get(answer.location)
    assert "The alert is open again" in words_of(page)
    assert HOSTILE not in page.text
    stored = world.alert(reference)
    assert (stored.state, stored.outcome, stored.resolved_at) == ("open", None, None)
    move = world.database.one(AlertHistoryRow, AlertHistoryRow.move == "reopen")
    assert (move.reason, move.channel) == (f"He was seen there. {HOSTILE}", "page")
    assert [row.what for row in world.log("alteration")][-1] == "alert reopen"
    world.watch.escalate()
    texts = world.database.all(TextRow, TextRow.alert_id == alert_id)
    assert len(texts) == told + 1
    assert texts[-1].staff_id == texts[0].staff_id, "whoever is first is told first again"


def test_an_alert_is_not_opened_again_without_a_reason(world: World) -> None:
    reference, path = resolved(world)
    answer = world.visitor("duty").post(f"{path}/reopen", reopening=" ")
    assert answer.status_code == 422
    assert re.search(
        r'<a href="#reopening">\s*Enter why the alert is opened again\s*</a>', answer.text
    )
    assert world.alert(reference).state == "resolved"


def test_an_alert_that_is_not_resolved_is_not_opened_again(world: World) -> None:
    reference = world.reference(KINDS.EXCLUSION_BREACH)
    visitor = world.visitor("duty")
    visitor.post(f"/alerts/{reference}/acknowledge")
    answer = visitor.post(f"/alerts/{reference}/reopen", reopening="by mistake")
    assert "This alert is not resolved." in words_of(visitor.get(answer.location))
    assert world.alert(reference).state == "acknowledged"
    assert "Open the alert again" not in words_of(visitor.get(answer.location))


def test_the_form_to_open_it_again_is_there_for_who_may_resolve(world: World) -> None:
    _, path = resolved(world)
    assert "Open the alert again" in words_of(world.visitor("duty").get(path))
    assert "Open the alert again" not in words_of(world.visitor("idva").get(path))
