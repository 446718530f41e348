"""The page of a case alert: its parts with their links, and the way back from each of them."""

import pytest
from case_files import MINUTE, START
from watch import VOICE
from web.world import World, words_of

from alerts.compound import MissedSession
from alerts.finding import FindingKind
from navigate_safer.services import compound


@pytest.fixture
def case(world: World) -> str:
    """W-ALC, in whom alcohol is measured, has missed a session: the reference of the case."""
    missed = MissedSession("S-1", START, START + 60 * MINUTE)
    compound.session_missed(world.database.sessions, "W-ALC", missed, world.clock(), VOICE)
    return world.reference(FindingKind.COMPOUND, "W-ALC")


def test_a_case_names_its_parts_with_how_sure_they_are(world: World, case: str) -> None:
    answer = world.visitor("duty").get(f"/alerts/{case}")
    said = words_of(answer)
    assert "What came together" in said
    assert "Session missed 21:00:00 22:00:00 recorded by staff none" in said
    alcohol = world.reference(FindingKind.ALCOHOL_THRESHOLD)
    assert (
        f"Alcohol measured above the limit 21:01:00 still going on Undetermined {alcohol}" in said
    )
    assert f'href="/alerts/{alcohol}"' in answer.text
    assert "this says only that they came together" in said


def test_each_part_leads_to_its_case_and_is_not_told_beside_it(world: World, case: str) -> None:
    reference = world.reference(FindingKind.ALCOHOL_THRESHOLD)
    page = world.visitor("duty").get(f"/alerts/{reference}")
    assert f'href="/alerts/{case}">Case alert {case}</a>' in page.text
    assert f"Told as part of a case alert told by case alert {case}" in " ".join(
        words_of(page).replace("20 November 2026, 21:16:00 ", "").split()
    )
    assert world.alert(reference).next_step_at is None


def test_the_chart_of_alcohol_has_its_episodes_and_what_the_readings_do_not_tell(
    world: World, case: str
) -> None:
    data = world.visitor("duty").get(f"/alerts/{case}/alcohol.json").json
    assert data["bands"] == [
        {
            "from": "2026-11-20T21:01:00+00:00",
            "to": "2026-11-20T21:02:00+00:00",
            "verdict": "undetermined",
            "words": "Cannot be told",
            "number": 1,
        }
    ]
    assert (data["gap_s"], data["stretches"], data["charges"]) == (5_400, [], [])
    said = words_of(world.visitor("duty").get("/people/W-ALC"))
    assert "What the chart shows Number What From To 1 Alcohol: cannot be told" in said
    assert "Of 2 full days: 0 kept, 0 in breach (drinking confirmed), 0 for review, 2" in said
