"""Every fault of ``bench delivery`` on a small scale: no text lost, none twice without its mark.

The workers are processes of their own, the provider and the officers' telephones are on sockets.
All runs of one database go side by side, and each test looks at one of them.
"""

import pytest
from absent import absent

from navigate_safer.demo.delivery_bench import Ground, prove
from navigate_safer.demo.delivery_faults import FAULTS
from navigate_safer.demo.delivery_run import Outcome
from navigate_safer.demo.servers import Missing

BREACHES, SPREAD_S, AT_ONCE = 6, 0.5, 9
# A tick comes each second, and on a busy machine a little later.
LATEST_STEP_S = 10.0
STOPPED = [each.name for each in FAULTS if each.database_stop is not None]
OTHERS = [each.name for each in FAULTS if each.database_stop is None]


def outcomes_of(kind: str, names: list[str]) -> dict[str, Outcome]:
    # Those that wait for the clocks to change begin first.
    faults = sorted(
        (each for each in FAULTS if each.name in names), key=lambda each: each.change_at is None
    )
    with Ground(kind) as ground:
        found = prove(
            ground, faults, breaches=BREACHES, seed=1, side_by_side=AT_ONCE, spread_s=SPREAD_S
        )
    return {each.fault: each for each in found}


@pytest.fixture(scope="module")
def on_sqlite() -> dict[str, Outcome]:
    return outcomes_of("sqlite", OTHERS)


@pytest.fixture(scope="module")
def on_postgresql() -> dict[str, Outcome] | Missing:
    try:
        return outcomes_of("postgresql", STOPPED)
    except Missing as missing:
        return missing


def check(outcome: Outcome) -> None:
    found = outcome.verdict
    assert found.broken == []
    assert found.breaches == BREACHES
    assert found.accepted >= BREACHES
    assert (found.twice, found.overdue) == (found.marked, 0)


@pytest.mark.parametrize("fault", OTHERS)
def test_every_breach_is_answered_and_no_text_comes_twice_unmarked(
    on_sqlite: dict[str, Outcome], fault: str
) -> None:
    check(on_sqlite[fault])


@pytest.mark.parametrize("fault", STOPPED)
def test_the_same_when_the_database_is_stopped_and_started(
    on_postgresql: dict[str, Outcome] | Missing, fault: str
) -> None:
    if isinstance(on_postgresql, Missing):
        absent(on_postgresql)
    check(on_postgresql[fault])


def test_what_the_provider_took_before_the_answer_was_lost_is_not_sent_again(
    on_sqlite: dict[str, Outcome],
) -> None:
    for fault in ("cut after accepting", "kill in the call, taken", "provider slow"):
        assert on_sqlite[fault].verdict.twice == 0, fault


def test_without_a_fault_nobody_is_killed_and_every_step_is_in_time(
    on_sqlite: dict[str, Outcome],
) -> None:
    outcome = on_sqlite["nothing"]
    assert outcome.killed == 0
    assert outcome.verdict.late_s < LATEST_STEP_S
    # Every second officer does not answer, and the next one is told.
    assert outcome.verdict.accepted > BREACHES
