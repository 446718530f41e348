"""Who was near a place: the form, the answer, its map, and what may not be seen of it."""

import re
from datetime import timedelta

import pytest
from case_files import MINUTE, START, walk
from web.world import AWAY, CROSS, World, words_of

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.place_questions import PlaceQuestionRow
from navigate_safer.web import wall_time

ASKED = {
    "lat": str(CROSS.lat),
    "lon": str(CROSS.lon),
    "radius_m": "150",
    "from_at": "2026-11-20T21:00",
    "to_at": "2026-11-20T21:02",
    "purpose": "crime",
    "reference": "CC/2026/004711",
}


def asked_by(world: World, account: str = "manager", **changed: str):
    visitor = world.visitor(account)
    answer = visitor.post("/near/ask", **ASKED | changed)
    return visitor, answer


@pytest.fixture
def evening(quiet_world: World) -> World:
    """W-EXC walks to the Cross, W-CUR stays away, all others are silent."""
    hear = quiet_world.watch.hear
    hear(*walk("TAG-W-EXC", *[AWAY] * 10, *[CROSS] * 15, start=START - 10 * MINUTE))
    hear(*walk("TAG-W-CUR", *[AWAY] * 25, start=START - 10 * MINUTE))
    hear(*walk("TAG-W-EAST", *[CROSS] * 25, start=START - 10 * MINUTE))
    quiet_world.clock.not_before(START + timedelta(hours=1))
    return quiet_world


def test_the_answer_rules_in_rules_out_and_says_of_whom_nobody_can_tell(evening: World) -> None:
    visitor, answer = asked_by(evening)
    assert answer.status_code == 303
    page = visitor.get(answer.location)
    assert page.status_code == 200
    words = words_of(page)
    assert "1 in, 1 out, 5 cannot tell" in words
    assert "Investigating a crime" in words
    assert re.search(r"Leofric Umbershaw.*?in chance over 99.9 %", words)
    assert re.search(r"Osgar Pettivale.*?out chance under 0.1 %", words)
    assert re.search(r"Hilda Quennell.*?cannot tell", words)
    assert "does not say that somebody committed or saw anything" in words
    assert not re.search(r"\b(None|Undefined|nan)\b", words)


def test_nobody_of_another_area_is_looked_at(evening: World) -> None:
    visitor, answer = asked_by(evening)
    page = visitor.get(answer.location).text
    assert "Haslington" not in page
    assert "W-EAST" not in page
    assert "TAG-W-EAST" not in visitor.get(answer.location + "/map.json").text
    east, theirs = asked_by(evening, "duty-east")
    assert "Wystan Haslington" in east.get(theirs.location).text
    assert "Umbershaw" not in east.get(theirs.location).text


def test_the_question_of_somebody_else_is_like_none(evening: World) -> None:
    _, answer = asked_by(evening)
    assert evening.visitor("supervisor").get(answer.location).status_code == 404
    assert evening.visitor("supervisor").get("/near/answers/nothing").status_code == 404


def test_the_map_has_the_circle_and_the_fixes_of_those_not_ruled_out(evening: World) -> None:
    visitor, answer = asked_by(evening)
    drawn = visitor.get(answer.location + "/map.json").get_json()
    assert {fix["who"] for fix in drawn["fixes"]} == {"W-EXC"}
    assert len(drawn["fixes"]) == 3
    assert drawn["lines"] is False
    (circle,) = drawn["zones"]
    assert circle["geometry"]["type"] == "Polygon"


def test_purpose_and_every_look_are_in_the_log_without_place_or_name(evening: World) -> None:
    visitor, answer = asked_by(evening)
    visitor.get(answer.location)
    asked, answered = evening.log("combination")[-2:]
    assert (asked.what, asked.detail["purpose"]) == ("near a place asked", "crime")
    assert asked.detail["reference"] == "CC/2026/004711"
    assert answered.what == "near a place answered"
    wearer = evening.database.one(PlaceQuestionRow)
    assert answered.subject_id == wearer.id
    assert len(answered.detail["in"]) == 1
    written = " ".join(str(row.detail) for row in evening.database.all(AuditRow))
    for word in ("53.19", "-2.89", "Umbershaw"):
        assert word not in written


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        pytest.param({"lat": "north"}, "lat", "Enter the latitude as a number", id="no number"),
        pytest.param({"lat": "nan"}, "lat", "Enter the latitude as a number", id="nan"),
        pytest.param({"lat": "153.19"}, "lat", "between -85 and 85", id="no latitude"),
        pytest.param({"lat": "89.9999"}, "lat", "between -85 and 85", id="where no metre is one"),
        pytest.param({"lon": "-282"}, "lon", "between -180 and 180", id="no longitude"),
        pytest.param({"radius_m": "0"}, "radius_m", "above 0 and at most 5,000", id="radius 0"),
        pytest.param({"radius_m": "6000"}, "radius_m", "at most 5,000", id="radius too wide"),
        pytest.param({"from_at": "tonight"}, "from_at", "Enter a date and time", id="no time"),
        pytest.param({"from_at": "2027-01-01T00:00"}, "from_at", "in the past", id="future"),
        pytest.param({"to_at": "2026-11-20T20:00"}, "to_at", "end after it begins", id="reversed"),
        pytest.param({"from_at": "2026-11-20T08:00", "to_at": "2026-11-20T20:01"}, "to_at",
                     "at most 12 hours", id="longer than 12 hours"),
        pytest.param({"from_at": "2026-03-29T01:30"}, "from_at", "clocks went forward",
                     id="an hour that never was"),
        pytest.param({"purpose": ""}, "purpose", "Select why you ask", id="no purpose"),
        pytest.param({"purpose": "curiosity"}, "purpose", "Select why you ask", id="own purpose"),
        pytest.param({"reference": "  "}, "reference", "Enter the reference", id="no reference"),
        pytest.param({"reference": "x" * 65}, "reference", "at most 64", id="long reference"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_asked_is_refused_by_its_field(
    quiet_world: World, changed: dict[str, str], field: str, words: str
) -> None:
    quiet_world.clock.not_before(START + timedelta(hours=1))
    _, answer = asked_by(quiet_world, **changed)
    assert answer.status_code == 422
    assert words in words_of(answer)
    assert f'href="#{field}"' in answer.text
    assert quiet_world.database.all(PlaceQuestionRow) == []


def test_the_hour_that_the_clocks_repeat_is_taken_whole() -> None:
    first = wall_time.read("2026-10-25T01:00", later=False)
    last = wall_time.read("2026-10-25T01:30", later=True)
    assert last - first == timedelta(minutes=90)
    assert wall_time.written(first) == "2026-10-25T01:00"
