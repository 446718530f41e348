"""The RFGV score: the worked example, and that worse never scores less."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.people import rfgv
from navigate_safer.people.rfgv import BadWeights, RfgvInputs

TABLE = rfgv.shipped_weights()
TODAY = date(2026, 11, 20)
KINDS = [each.kind for each in TABLE.gravity]


def inputs(days: int | None, incidents: int, gravest: str, victims: int) -> RfgvInputs:
    last_on = None if days is None else TODAY - timedelta(days=days)
    return RfgvInputs(TODAY, last_on, incidents, gravest, victims)


def test_the_worked_example_of_the_reference() -> None:
    made = rfgv.score(inputs(45, 6, "injury", 2), TABLE)
    assert made.score == 73.5
    assert made.parts == {"recency": 75, "frequency": 75, "gravity": 80, "victims": 60}
    assert made.added == pytest.approx(
        {"recency": 18.75, "frequency": 18.75, "gravity": 24, "victims": 12}
    )
    assert made.weights == TABLE.version


def test_nothing_known_scores_nothing() -> None:
    assert rfgv.score(inputs(None, 0, "", 0), TABLE).score == 0


@given(
    st.integers(0, 900),
    st.integers(1, 40),
    st.integers(0, len(KINDS) - 1),
    st.integers(0, 6),
    st.integers(0, 400),
    st.integers(0, 10),
)
def test_worse_never_scores_less(
    days: int, incidents: int, gravity: int, victims: int, less: int, more: int
) -> None:
    before = rfgv.score(inputs(days, incidents, KINDS[gravity], victims), TABLE).score
    graver = KINDS[min(gravity + more, len(KINDS) - 1)]
    for worse in (
        inputs(max(0, days - less), incidents, KINDS[gravity], victims),
        inputs(days, incidents + more, KINDS[gravity], victims),
        inputs(days, incidents, graver, victims),
        inputs(days, incidents, KINDS[gravity], victims + more),
    ):
        assert before <= rfgv.score(worse, TABLE).score <= 100


def test_the_shipped_table_is_one_that_an_area_could_save() -> None:
    rfgv.check(TABLE)
    assert "MATAC" in TABLE.source


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        pytest.param("share", {"share": dict(TABLE.share, recency=0.5)}, id="shares over 1"),
        pytest.param("share", {"share": {"recency": 1.0}}, id="a share missing"),
        pytest.param("recency", {"recency": [(30, 10), (90, 75)]}, id="longer ago scores more"),
        pytest.param("frequency", {"frequency": [(1, 50), (2, 25)]}, id="more scores less"),
        pytest.param("victims", {"victims": [(2, 20), (1, 60)]}, id="steps out of order"),
        pytest.param("victims", {"victims": [(1, 120)]}, id="over 100 points"),
    ],
)
def test_a_table_by_which_worse_could_score_less_is_refused(part: str, changed: dict) -> None:
    with pytest.raises(BadWeights) as told:
        rfgv.check(msgspec.structs.replace(TABLE, **changed))
    assert told.value.part == part
