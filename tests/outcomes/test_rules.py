"""Rules of law and practice: named situations."""

import pytest
from outcome_inputs import measured

from navigate_safer.outcomes.dash import Checklist, risk_band
from navigate_safer.outcomes.policy import Policy

BAD, FINE = "unacceptable", "acceptable"
WARN, REFER, NONE = "warning", "refer_to_enforcement_officer", "none"


@pytest.mark.parametrize(
    ("entries", "steps"),
    [
        pytest.param([], [], id="nothing happened"),
        pytest.param([("2024-05-01", FINE)], [NONE], id="a good reason"),
        pytest.param([("2024-05-01", BAD), ("2024-06-01", FINE), ("2025-04-30", BAD)],
                     [WARN, NONE, REFER], id="again on the last day of the twelve months"),
        pytest.param([("2024-05-01", BAD), ("2025-05-01", BAD), ("2026-04-30", BAD)],
                     [WARN, WARN, REFER], id="again on the anniversary, then in the new year"),
        pytest.param([("2024-02-29", BAD), ("2025-02-28", BAD), ("2025-03-01", BAD)],
                     [WARN, REFER, WARN], id="warned on a leap day"),
        pytest.param([("2024-05-01", BAD), ("2024-05-01", BAD)], [WARN, REFER],
                     id="twice in a day"),
        pytest.param([("2024-06-01", BAD), ("2024-05-01", BAD)], [REFER, WARN],
                     id="entered in the wrong order"),
        pytest.param([("2024-05-01", BAD), ("2024-06-01", BAD), ("2025-04-30", BAD),
                      ("2025-06-01", BAD)], [WARN, REFER, REFER, WARN],
                     id="a referral does not lengthen the warning"),
    ],
)  # fmt: skip
def test_what_follows_a_failure_to_comply(entries, steps):
    given = [{"date": day, "finding": finding} for day, finding in entries]
    assert measured("breach-rule", given) == steps


@pytest.mark.parametrize(
    ("given", "disregarded", "latest"),
    [
        pytest.param("2025-06-10T09:30", [], "2025-06-12T09:30", id="in the week"),
        pytest.param("2025-06-13T15:00", [], "2025-06-16T15:00", id="over a Sunday"),
        pytest.param("2025-06-15T10:00", [], "2025-06-18T00:00", id="given on a Sunday"),
        pytest.param("2025-06-13T00:00", [], "2025-06-15T00:00", id="ends as Sunday begins"),
        pytest.param("2025-12-24T12:00", ["2025-12-25", "2025-12-26"], "2025-12-29T12:00",
                     id="over Christmas and a Sunday"),
        pytest.param("2025-03-29T12:00", [], "2025-04-01T12:00",
                     id="over the Sunday on which the clocks go forward"),
        pytest.param("2025-10-25T12:00", [], "2025-10-28T12:00",
                     id="over the Sunday on which they go back"),
        pytest.param("2025-06-10T09:30:59", [], "2025-06-12T09:30", id="seconds are dropped"),
        pytest.param("2025-06-10T09:30", ["2025-06-10", "2025-06-10"], "2025-06-13T00:00",
                     id="a day given twice counts once"),
    ],
)  # fmt: skip
def test_by_when_the_court_must_hear(given, disregarded, latest):
    found = measured("hearing-deadline", {"given": given, "disregarded_dates": disregarded})
    assert found == {"latest_hearing": latest}


@pytest.mark.parametrize(
    ("checklist", "band"),
    [
        pytest.param({"ticks": 0}, "standard", id="nothing ticked"),
        pytest.param({"ticks": 9}, "standard", id="nine"),
        pytest.param({"ticks": 10}, "medium", id="ten"),
        pytest.param({"ticks": 13}, "medium", id="thirteen"),
        pytest.param({"ticks": 14}, "high", id="fourteen"),
        pytest.param({"ticks": 24}, "high", id="all"),
        pytest.param({"ticks": 3, "professional_judgement": "high"}, "high", id="raised"),
        pytest.param({"ticks": 14, "professional_judgement": "standard"}, "high", id="not lowered"),
        pytest.param(
            {"ticks": 3, "professional_judgement": "medium"}, "medium", id="raised by one"
        ),
        pytest.param({"ticks": 3, "incidents_12m": 2}, "standard", id="two incidents"),
        pytest.param({"ticks": 3, "incidents_12m": 3}, "high", id="escalation"),
        pytest.param({"ticks": 3, "professional_judgement": None}, "standard", id="no judgement"),
    ],
)
def test_the_band_of_a_checklist(checklist, band):
    assert measured("risk-band", checklist) == {"band": band}


def test_an_area_may_set_its_own_number_of_incidents():
    checklist = Checklist(3, incidents_12m=4)
    assert risk_band(checklist, Policy(escalation_incidents=5)).band == "standard"
    assert risk_band(checklist).band == "high"


@pytest.mark.parametrize(
    ("referral", "incident", "repeat"),
    [
        pytest.param("2024-03-01", "2024-03-01", False, id="the same day"),
        pytest.param("2024-03-01", "2024-03-02", True, id="the day after"),
        pytest.param("2024-03-01", "2025-03-01", True, id="the anniversary"),
        pytest.param("2024-03-01", "2025-03-02", False, id="the day after it"),
        pytest.param("2024-03-01", "2023-12-01", False, id="before"),
        pytest.param("2024-02-29", "2025-02-28", True, id="the anniversary of a leap day"),
        pytest.param("2024-02-29", "2025-03-01", False, id="after that"),
    ],
)
def test_a_repeat_at_the_conference(referral, incident, repeat):
    assert measured("marac-repeat", {"last_referral": referral, "incident": incident}) is repeat


def incidents(*rows):
    return [dict(zip("pvd", row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("rows", "ages", "reason"),
    [
        pytest.param([("P", "A", "2022-06-30"), ("P", "B", "2025-06-30")], {"P": 16}, None,
                     id="both ends are in"),
        pytest.param([("P", "A", "2022-06-29"), ("P", "B", "2025-06-30")], {"P": 40},
                     "only one incident", id="a day too early"),
        pytest.param([("P", "A", "2025-07-01"), ("P", "B", "2025-06-30")], {"P": 40},
                     "only one incident", id="after the day of the records"),
        pytest.param([("P", "A", "2025-01-01"), ("P", "A", "2025-06-30")], {"P": 40},
                     "only one victim", id="the same victim twice"),
        pytest.param([("P", "A", "2025-01-01"), ("P", None, "2025-06-30")], {"P": 40},
                     "only one victim", id="a victim who is not known adds none"),
        pytest.param([("P", "A", "2025-01-01"), ("P", "B", "2025-06-30")], {"P": 15},
                     "under 16", id="a child"),
        pytest.param([("P", "A", "2025-01-01"), ("P", "B", "2025-06-30")], {}, None,
                     id="age not known"),
        pytest.param([("P", "A", "2020-01-01")], {"P": 40}, "no incident", id="long ago"),
    ],
)  # fmt: skip
def test_who_is_a_serial_perpetrator(rows, ages, reason):
    given = {"as_at": "2025-06-30", "incidents": incidents(*rows), "ages": ages}
    found = measured("serial", given)
    if reason is None:
        assert found == {"serial": ["P"], "not_serial": {}}
    else:
        assert found["serial"] == []
        assert reason in found["not_serial"]["P"]
