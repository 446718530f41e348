"""Keeping away from a protected person: judged from two devices, and never where she is."""

import itertools
import re

import msgspec
import pytest
from case_files import MINUTE, START, condition, fix, message
from cli.commands import check_refused, run
from databases import Database
from sqlalchemy import select
from watch import Watch
from web.protected_pair import (
    FAR,
    HER,
    HER_WORDS,
    NEAR_HER,
    away_from_her,
    hers,
    his,
    pair_file,
)
from web.world import World, words_of

from alerts.finding import FindingKind, Severity
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import EpisodeRow, TextRow
from navigate_safer.db.people import AreaRow, StaffAreaRow, StaffRow
from navigate_safer.people.casefile import CaseFile
from navigate_safer.services import register
from navigate_safer.services.register import CaseFileFault

APPROACH = (FAR, FAR, FAR, NEAR_HER, NEAR_HER, NEAR_HER, FAR, FAR)


@pytest.fixture
def together(quiet_world: World) -> World:
    """He comes near her for three minutes; the readings of both arrive as they are measured."""
    quiet_world.watch.register(pair_file())
    for one, other in itertools.zip_longest(his(*APPROACH), hers()):
        quiet_world.watch.hear(one, other)
    return quiet_world


def episodes(database: Database) -> list[tuple[object, object]]:
    kind = FindingKind.DISTANCE_BREACH.value
    rows = database.all(EpisodeRow, EpisodeRow.kind == kind, EpisodeRow.withdrawn.is_(False))
    return sorted((row.started_at, row.ended_at) for row in rows)


def test_an_approach_is_an_alert_that_names_the_clause_and_is_texted(together: World) -> None:
    ((started_at, ended_at),) = episodes(together.database)
    assert (started_at, ended_at) == (START + 3 * MINUTE, START + 6 * MINUTE)
    reference = together.reference(FindingKind.DISTANCE_BREACH, "W-DIS")
    page = words_of(together.visitor("duty").get(f"/alerts/{reference}"))
    assert "Too near a protected person" in page
    assert "Licence 12 (Dapo)" in page
    assert "where the protected person was is shown to nobody" in page
    assert "Ask the IDVA to check on the protected person" in page
    assert "Call the wearer" not in page, "who is near is never told to the wearer"
    assert not re.search(r"\b(None|Undefined|nan)\b", page)
    assert together.database.all(TextRow)


def test_nothing_that_any_role_can_open_says_where_she_is(together: World) -> None:
    reference = together.reference(FindingKind.DISTANCE_BREACH, "W-DIS")
    paths = [
        f"/alerts/{reference}",
        f"/alerts/{reference}/map.json",
        f"/alerts/{reference}/probability.json",
        "/people/W-DIS",
        "/people/W-DIS/map.json",
        "/board",
        "/caseload",
        "/audit",
        "/service",
    ]
    for account in ("duty", "manager", "idva", "supervisor", "auditor", "admin"):
        for path in paths:
            body = together.visitor(account).get(path).text
            for word in HER_WORDS:
                assert word not in body, (account, path, word)
    evidence = together.database.one(EpisodeRow, EpisodeRow.kind == "distance_breach").evidence
    assert set(evidence) == {
        "threshold", "miss_cost_false_alarms", "max_gap_s", "error_model", "distance_model"
    }  # fmt: skip


def test_a_refused_message_of_her_device_is_shown_without_its_bytes(together: World) -> None:
    wrong = message("PRO-9", fix(START, HER) | {"accuracy_m": -1}).payload
    entry = together.refused(wrong, "PRO-9")
    with together.database.sessions.begin() as session:
        # One who has every area may see what nobody else may.
        staff = session.scalar(select(StaffRow).where(StaffRow.ref == "supervisor"))
        east = session.scalar(select(AreaRow).where(AreaRow.ref == "east"))
        session.add(StaffAreaRow(staff_id=staff.id, area_id=east.id))
    page = together.visitor("supervisor").get(f"/service/quarantine/{entry}")
    assert page.status_code == 200
    assert str(HER.lat) not in page.text


def test_near_a_place_does_not_find_her(together: World) -> None:
    together.clock.forward(minutes=5)
    visitor = together.visitor("manager")
    form = {
        "lat": str(HER.lat), "lon": str(HER.lon), "radius_m": "500", "from_at": "2026-11-20T21:00",
        "to_at": "2026-11-20T21:08", "purpose": "crime", "reference": "CC/1",
    }  # fmt: skip
    page = visitor.get(visitor.post("/near/ask", **form).location).text
    assert "W-DIS" in page
    for word in ("PRO-9", "Aveline", "V-9"):
        assert word not in page


def test_replay_refuses_her_device_as_if_there_were_none(together: World) -> None:
    environ = {"NAVIGATE_SAFER_DATABASE_URL": together.database.url}
    environ["NAVIGATE_SAFER_LOG_LEVEL"] = "error"
    span = ("--from", "2026-11-20T00:00:00Z", "--to", "2026-11-21T00:00:00Z")
    check_refused(run("replay", "--device", "PRO-9", *span, env=environ), "no device PRO-9")


@pytest.mark.parametrize(
    "order",
    [
        pytest.param("his first", id="all of his, then all of hers"),
        pytest.param("hers first", id="all of hers, then all of his"),
        pytest.param("backwards", id="the newest first"),
        pytest.param("one batch", id="everything at once"),
        pytest.param("twice", id="everything twice"),
    ],
)
def test_the_episodes_do_not_depend_on_the_order_of_arrival(quiet_world: World, order: str) -> None:
    watch = quiet_world.watch
    watch.register(pair_file())
    mine, theirs = his(*APPROACH), hers()
    in_turn = [each for pair in zip(mine, theirs, strict=True) for each in pair]
    match order:
        case "his first":
            watch.hear(*mine, *theirs)
        case "hers first":
            watch.hear(*theirs, *mine)
        case "backwards":
            watch.hear(*in_turn[::-1])
        case "one batch":
            watch.receive(*in_turn)
            watch.judge()
        case "twice":
            watch.hear(*in_turn, *in_turn[4:])
    ((started_at, ended_at),) = episodes(quiet_world.database)
    # What arriving in turn gives: see the first test.
    assert (started_at, ended_at) == (START + 3 * MINUTE, START + 6 * MINUTE)


def test_without_her_readings_nothing_is_known_and_nobody_is_told(quiet_world: World) -> None:
    quiet_world.watch.register(pair_file())
    quiet_world.watch.hear(*his(*APPROACH))
    assert episodes(quiet_world.database) == []


@pytest.mark.parametrize(
    ("case_file", "words"),
    [
        pytest.param(pair_file(away_from_her(None)), "in within_m the metres", id="no metres"),
        pytest.param(pair_file(device="PRO-9"), "cannot be on a wearer", id="her device on him"),
        pytest.param(
            pair_file(condition("C-DIS", ConditionKind.DISTANCE, Severity.HIGH)),
            "name in keep_away the victim",
            id="from nobody",
        ),
        pytest.param(
            pair_file(
                msgspec.structs.replace(
                    condition("C-DIS", ConditionKind.TAG_CARE, Severity.HIGH), keep_away="V-9"
                )
            ),
            "are for a condition of distance",
            id="on another kind",
        ),
    ],
)
def test_a_case_file_that_cannot_be_right_is_refused(
    database: Database, case_file: CaseFile, words: str
) -> None:
    watch = Watch(database)
    with pytest.raises(CaseFileFault, match=words):
        register.register(watch.sessions, case_file, watch.clock())
