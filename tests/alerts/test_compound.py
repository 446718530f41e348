"""Cases: alcohol together with an approach or a missed session, in whatever order found."""

import random

import pytest
from builders import at, minute
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alcohol.verdict import Verdict
from alerts.compound import PART_OF, MissedSession, Part, PartKind, compounds, missed
from alerts.finding import FindingKind, Severity

K = FindingKind


def part(kind, start, end, source=None, *, severity=Severity.MEDIUM, condition_id=1, sure=None):
    alcohol = PART_OF[kind] is PartKind.ALCOHOL
    return Part(
        PART_OF[kind],
        kind.value,
        source or f"episode:{kind.value}{start}",
        severity,
        at(start),
        None if end is None else at(end),
        condition_id if alcohol else 9,
        1,
        "Licence 12",
        sure or ("review" if alcohol else None),
    )


def alcohol(start, end, **terms):
    return part(K.ALCOHOL_THRESHOLD, start, end, **terms)


def session(start, end, ref="S-1"):
    return missed(MissedSession(ref, at(start), at(end)))


def shown(found):
    """Each case as its start and what came together in it."""
    return [
        (minute(each.started_at), [part["what"] for part in each.evidence["parts"]])
        for each in found
    ]


DRINKS = alcohol(0, 240)


@pytest.mark.parametrize(
    ("other", "joined"),
    [
        pytest.param(part(K.EXCLUSION_BREACH, 60, 70), True, id="in the zone while alcohol is up"),
        pytest.param(part(K.EXCLUSION_APPROACH, 479, 479), True, id="near it four hours later"),
        pytest.param(part(K.EXCLUSION_APPROACH, 481, 481), False, id="longer after it"),
        pytest.param(
            part(K.EXCLUSION_BREACH, -250, -240), True, id="in the zone four hours before"
        ),
        pytest.param(part(K.EXCLUSION_BREACH, -250, -241), False, id="longer before"),
        pytest.param(part(K.EARLY_WARNING_3, 30, None), True, id="in the outer ring"),
        pytest.param(part(K.DISTANCE_BREACH, 30, 40), True, id="near the person herself"),
        pytest.param(session(1_680, 1_740), True, id="session missed within a day"),
        pytest.param(session(1_681, 1_740), False, id="session missed later than that"),
        pytest.param(session(-120, -60), True, id="session missed just before"),
    ],
)
def test_what_makes_a_case(other, joined):
    found = compounds([DRINKS, other])
    assert bool(found) is joined
    if joined:
        assert minute(found[0].started_at) == 0
        assert {each["source"] for each in found[0].evidence["parts"]} == {
            DRINKS.source,
            other.source,
        }


@pytest.mark.parametrize("verdict", list(Verdict))
def test_alcohol_counts_with_any_verdict_but_not_confirmed(verdict):
    found = compounds([alcohol(0, 60, sure=verdict.value), part(K.EXCLUSION_BREACH, 30, 40)])
    assert bool(found) is (verdict is not Verdict.NOT_CONFIRMED)
    if found:
        assert found[0].evidence["parts"][0]["sure"] == verdict.value


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="nothing"),
        pytest.param([DRINKS], id="alcohol alone"),
        pytest.param([part(K.EXCLUSION_BREACH, 0, 9), session(0, 9)], id="no alcohol"),
    ],
)
def test_what_is_no_case(parts):
    assert compounds(parts) == []


def test_one_drinking_is_one_case_however_it_was_found():
    confirmed = part(K.ALCOHOL_CONFIRMED, 0, 240, sure="confirmed")
    limit = alcohol(30, 200, source="episode:limit", condition_id=2)
    near, inside = part(K.EARLY_WARNING_1, 50, 60), part(K.EXCLUSION_BREACH, 60, 90)
    found = compounds([inside, limit, confirmed, near, session(600, 660), DRINKS])
    assert shown(found) == [
        (
            0,
            [
                "alcohol_confirmed",
                "alcohol_threshold",
                "alcohol_threshold",
                "early_warning_1",
                "exclusion_breach",
                "missed_session",
            ],
        )
    ]
    assert found[0].condition_id == 1


def test_a_part_near_two_evenings_belongs_to_the_nearer_and_is_told_once():
    second = alcohol(500, 560)
    between = part(K.EXCLUSION_BREACH, 400, 410)
    assert shown(compounds([DRINKS, second, between])) == [
        (500, ["exclusion_breach", "alcohol_threshold"])
    ]
    middle = part(K.EXCLUSION_BREACH, 365, 375)
    assert shown(compounds([DRINKS, second, middle]))[0][0] == 0


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([part(K.EXCLUSION_APPROACH, 30, 30, severity=Severity.LOW)], Severity.HIGH),
        ([part(K.EXCLUSION_BREACH, 30, 40, severity=Severity.HIGH)], Severity.CRITICAL),
        ([part(K.EXCLUSION_BREACH, 30, 40, severity=Severity.CRITICAL)], Severity.CRITICAL),
        ([session(30, 40)], Severity.MEDIUM),
    ],
)
def test_coming_near_makes_it_a_step_more_urgent_and_a_session_does_not(others, expected):
    assert compounds([DRINKS, *others])[0].severity is expected


def test_a_case_lasts_until_its_last_part_is_over():
    inside = part(K.EXCLUSION_BREACH, 60, 300)
    assert minute(compounds([DRINKS, inside])[0].ended_at) == 300
    assert compounds([DRINKS, part(K.EXCLUSION_BREACH, 60, None)])[0].ended_at is None


KINDS = st.sampled_from(sorted(PART_OF, key=lambda each: each.value))
PARTS = st.lists(
    st.builds(
        lambda kind, start, length, verdict, number: part(
            kind, start, start + length, f"episode:{number}-{start}", sure=verdict
        ),
        KINDS,
        st.integers(-2_000, 2_000),
        st.integers(0, 400),
        st.sampled_from([each.value for each in Verdict]),
        st.integers(0, 99),
    )
    | st.builds(lambda start, n: session(start, start + 60, f"S-{n}"),
                st.integers(-2_000, 2_000), st.integers(0, 99)),
    max_size=12,
    unique_by=lambda each: each.source,
)  # fmt: skip


@settings(deadline=None)
@given(parts=PARTS, seed=st.integers(0, 9))
def test_cases_depend_on_the_parts_alone_and_no_part_is_told_twice(parts, seed):
    mixed = list(parts)
    random.Random(seed).shuffle(mixed)
    found = compounds(mixed)
    assert found == compounds(parts)
    told = [each["source"] for case in found for each in case.evidence["parts"]]
    assert len(told) == len(set(told))
    assert len({case.key for case in found}) == len(found)
    for case in found:
        kinds = {each["kind"] for each in case.evidence["parts"]}
        assert "alcohol" in kinds
        assert len(kinds) > 1
