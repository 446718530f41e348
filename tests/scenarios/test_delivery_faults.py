"""The faults of ``bench delivery`` on a small scale: no text lost, none twice without its mark.

The workers are processes of their own, the provider and the officers' telephones are on sockets.
Here several faults share a run; the runs go side by side, and each test looks at one of them.
"""

import signal

import pytest
from absent import absent

from navigate_safer.db.crash_points import CrashPoint
from navigate_safer.demo.delivery_bench import Ground, prove
from navigate_safer.demo.delivery_faults import FAULTS, MARCH, OCTOBER, Fault
from navigate_safer.demo.delivery_run import Outcome
from navigate_safer.demo.servers import Missing
from navigate_safer.demo.telephones import Receipts
from navigate_safer.demo.text_provider import Trouble

BREACHES, SPREAD_S, AT_ONCE = 6, 0.5, 7
KILLING = (Trouble.KILL_BEFORE, Trouble.KILL_AFTER)

CLOCKS = [each for each in FAULTS if each.change_at in (MARCH, OCTOBER)]
PROVIDER = Fault(
    name="provider slow, cutting, 429 and 5xx",
    troubles=tuple(each for each in Trouble if each not in KILLING),
)
RECEIPTS = Fault(name="receipts repeated, late, out of order, forged", receipts=tuple(Receipts))
KILLS = Fault(
    name="kill -9 at every crash point", crashes=tuple(CrashPoint), calls_cut_short=KILLING
)
TWO = Fault(
    name="two senders and two ticks, provider down first", senders=2, ticks=2, provider_away=True
)
# Those that wait for the clocks to change begin first.
ON_SQLITE = [*CLOCKS, KILLS, PROVIDER, RECEIPTS, TWO]
STOPPED = Fault(name="database stopped at once", database_stop=signal.SIGQUIT)


def outcomes_of(kind: str, faults: list[Fault]) -> dict[str, Outcome]:
    with Ground(kind) as ground:
        found = prove(
            ground, faults, breaches=BREACHES, seed=1, side_by_side=AT_ONCE, spread_s=SPREAD_S
        )
    return {each.fault: each for each in found}


@pytest.fixture(scope="module")
def on_sqlite() -> dict[str, Outcome]:
    return outcomes_of("sqlite", ON_SQLITE)


def check(outcome: Outcome) -> None:
    found = outcome.verdict
    assert found.broken == []
    assert found.breaches == BREACHES
    assert found.accepted >= BREACHES
    assert (found.twice, found.overdue) == (found.marked, 0)


@pytest.mark.parametrize("fault", ON_SQLITE, ids=lambda fault: fault.name)
def test_every_breach_is_answered_and_no_text_comes_twice_unmarked(
    on_sqlite: dict[str, Outcome], fault: Fault
) -> None:
    check(on_sqlite[fault.name])


def test_the_same_when_the_database_is_stopped_and_started() -> None:
    try:
        found = outcomes_of("postgresql", [STOPPED])
    except Missing as missing:
        absent(missing)
    check(found[STOPPED.name])


def test_some_officers_did_not_answer_and_the_next_ones_were_told(
    on_sqlite: dict[str, Outcome],
) -> None:
    # Every second one who is told first does not answer; in a run of six chance may spare all.
    assert sum(each.verdict.accepted for each in on_sqlite.values()) > BREACHES * len(on_sqlite)


def test_a_worker_was_killed_at_every_point(on_sqlite: dict[str, Outcome]) -> None:
    assert on_sqlite[KILLS.name].killed == len(CrashPoint) + len(KILLING)


def test_the_bench_has_every_fault_that_is_tried_here() -> None:
    crashes = {point for each in FAULTS for point in each.crashes}
    troubles = {trouble for each in FAULTS for trouble in (*each.troubles, *each.calls_cut_short)}
    receipts = {one for each in FAULTS for one in each.receipts}
    assert (crashes, troubles, receipts) == (set(CrashPoint), set(Trouble), set(Receipts))
    assert {each.database_stop for each in FAULTS} >= {signal.SIGINT, signal.SIGQUIT}
    assert {each.change_at for each in FAULTS} >= {MARCH, OCTOBER}
    assert any(each.provider_away for each in FAULTS)
    assert any(each.senders == each.ticks == 2 for each in FAULTS)
