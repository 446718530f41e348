"""Rules of programmes: attendance, days of activity, schedules, the menu, and caseloads."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.people import caseloads, menu_rules
from navigate_safer.people.attendance import (
    Attendance,
    Taken,
    attendance,
    covered,
    days_to_start,
    rar_days,
)
from navigate_safer.people.caseloads import Load, load, open_at_once, over_limit, workers_needed
from navigate_safer.people.group_schedule import (
    NoSuchDay,
    due_after_working_days,
    instant,
    overlap,
    weekly,
)
from navigate_safer.people.menu import (
    AlcoholNeed,
    Band,
    Facts,
    Intervention,
    Motivation,
    Need,
    Request,
    RequestState,
    Strand,
    Timing,
    queue,
    refusals,
    shipped,
    warnings,
)
from navigate_safer.people.programmes import (
    Measure,
    Member,
    SessionKind,
    Stage,
    template,
    templates,
)
from navigate_safer.people.session_outcomes import by_code, common
from zones.bank_holidays import is_bank_holiday

DAY = date(2026, 11, 2)
CODES = sorted(by_code())


def sessions(*codes: str | None, rar: bool = False) -> list[Taken]:
    """One a week with these outcomes."""
    return [Taken(DAY + timedelta(weeks=n), code, rar, n + 1) for n, code in enumerate(codes)]


def test_attendance_leaves_out_what_was_excused_and_what_was_put_off() -> None:
    counted = attendance(sessions("ATTC", "AFTC", "UAAB", "AAME", "RSSR", None))
    assert counted == Attendance(2, 1, 1, 1, 1, 1)
    assert counted.offered == 4
    assert counted.rate == pytest.approx(2 / 3)
    assert attendance(sessions("AAME", "RSSR", None)).rate is None


@given(st.lists(st.sampled_from([*CODES, None]), max_size=40), st.randoms())
def test_attendance_is_a_share_whatever_came_in_whatever_order(codes, rng) -> None:
    taken = sessions(*codes)
    counted = attendance(taken)
    assert counted.rate is None or 0 <= counted.rate <= 1
    assert counted.attended + counted.missed + counted.excused + counted.rescheduled + (
        counted.planned
    ) == len(codes)
    rng.shuffle(taken)
    assert attendance(taken) == counted
    # An absence that proves to be acceptable never makes attendance worse.
    excused = attendance(
        [msgspec.structs.replace(x, outcome="AAAA") if x.outcome == "UAAB" else x for x in taken]
    )
    assert (excused.rate or 0) >= (counted.rate or 0) or excused.rate is None


def test_every_code_says_whether_he_attended_and_complied() -> None:
    assert len(CODES) == 18
    assert [each.code for each in common()] == ["ATTC", "AFTC", "UAAB", "AAME"]
    failing = {code for code, each in by_code().items() if not each.complied}
    assert failing == {"AFTC", "ATSH", "UAAB"}
    assert by_code()["ATSH"].state == "attended_without_complying"


def test_a_session_that_was_caught_up_is_covered() -> None:
    taken = [*sessions("ATTC", "UAAB", "AAME"), Taken(DAY, "ATTC", unit=2)]
    assert covered(taken) == {1, 2}


def test_a_day_with_two_activities_counts_once_unless_told_otherwise() -> None:
    morning, evening = Taken(DAY, "ATTC", rar=True), Taken(DAY, "ATTC", rar=True)
    other = Taken(DAY, "ATTC", rar=False)
    ahead = Taken(DAY + timedelta(days=7), None, rar=True)
    once = rar_days([morning, evening, other, ahead, ahead], 2, day_counts_once=True)
    assert (once.done, once.planned, once.left, once.over) == (1, 1, 1, False)
    each = rar_days([morning, evening, other, ahead, ahead], 2, day_counts_once=False)
    assert (each.done, each.planned, each.left, each.over) == (2, 2, 0, True)


def test_days_to_start_run_to_the_first_session_that_he_came_to() -> None:
    assert days_to_start(DAY, sessions("UAAB", "AAME", "ATTC", "ATTC")) == 14
    assert days_to_start(DAY, sessions("UAAB", None)) is None


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(1, 40),
    st.sets(st.dates(date(2020, 1, 1), date(2030, 12, 31)), max_size=10),
)
def test_a_group_meets_once_a_week_and_never_on_a_bank_holiday(first, count, breaks) -> None:
    days = weekly(first, count, breaks)
    assert len(days) == count
    assert {each.weekday() for each in days} == {first.weekday()}
    assert days == sorted(set(days))
    assert not any(is_bank_holiday(each) or each in breaks for each in days)


def test_a_monday_group_skips_the_spring_holidays() -> None:
    # Easter Monday is 29 March 2027 and the early May holiday 3 May.
    days = weekly(date(2027, 3, 22), 6)
    assert [each.isoformat() for each in days] == [
        "2027-03-22", "2027-04-05", "2027-04-12", "2027-04-19", "2027-04-26", "2027-05-10",
    ]  # fmt: skip
    with pytest.raises(NoSuchDay):
        weekly(date(2027, 3, 22), 1, [date(2027, 3, 22) + timedelta(weeks=n) for n in range(60)])


def test_half_past_six_is_half_past_six_on_both_sides_of_a_clock_change() -> None:
    before, after = date(2026, 10, 22), date(2026, 10, 29)
    at = [instant(each, time(18, 30)) for each in (before, after)]
    assert [each.hour for each in at] == [17, 18]
    assert overlap(at[0], 150, at[0] + timedelta(minutes=149), 60)
    assert not overlap(at[0], 150, at[0] + timedelta(minutes=150), 60)


def test_what_is_due_in_working_days_is_due_at_the_end_of_the_last() -> None:
    # A Thursday before Christmas: Boxing Day is kept on Monday the 28th.
    due = due_after_working_days(date(2026, 12, 24), 2)
    assert due == datetime(2026, 12, 30, 23, 59, 59, tzinfo=UTC)


def test_the_shipped_programmes_have_the_sessions_of_their_manuals() -> None:
    choices = template("building-choices")
    assert choices is not None
    assert len(choices.sessions) == 26
    assert len(choices.of_kind(SessionKind.GROUP)) == 21
    own = template("behaviour-change-22")
    assert own is not None
    assert len(own.of_kind(SessionKind.GROUP)) == 22
    assert all(each.source for each in templates().templates)


def test_a_member_is_on_the_registers_from_joining_to_leaving() -> None:
    left = Member(1, "W-1", DAY, DAY + timedelta(days=14))
    days = (-1, 0, 14, 15)
    assert [left.there_on(DAY + timedelta(days=n)) for n in days] == [False, True, True, False]


def test_a_measure_knows_which_end_of_its_scale_is_better() -> None:
    rising = Measure("Scale A, 2", Stage.BEFORE, DAY, 30, 10, 50, higher_is_better=True)
    falling = msgspec.structs.replace(rising, score=10, higher_is_better=False)
    assert (rising.share, falling.share) == (0.5, 1.0)


def entry(**changed: object) -> Intervention:
    """A group for motivated men of medium and high risk."""
    values: dict[str, object] = {
        "code": "change", "name": "Change", "about": "A group.", "need": Need.ABUSE,
        "strand": Strand.PROTECTION, "timing": Timing.PREVENTIVE, "route": "Probation",
        "bands": (Band.HIGH, Band.MEDIUM), "places_perpetrators": 12, **changed,
    }  # fmt: skip
    return Intervention(**values)


HE = Facts("high", "Boughton", Motivation.MOTIVATED, AlcoholNeed.HARMFUL)


def test_whoever_is_not_eligible_is_told_why_in_words() -> None:
    from navigate_safer.people.menu import AlcoholRule

    assert refusals(entry(), HE) == []
    strict = entry(
        bands=(Band.STANDARD,), motivation=(Motivation.NOT_MOTIVATED,),
        alcohol=AlcoholRule.NOT_DEPENDENT, localities=("Winsford",),
    )  # fmt: skip
    drinks = msgspec.structs.replace(HE, alcohol=AlcoholNeed.DEPENDENT)
    said = refusals(strict, drinks)
    assert len(said) == 4
    assert said[0] == "It is for standard risk, and this person is high risk."
    assert "Winsford" in said[3]
    assert "Boughton" not in " ".join(said)
    unknown = Facts("high", "boughton ")
    assert refusals(entry(localities=("Boughton",)), unknown) == []
    (asked,) = refusals(entry(alcohol=AlcoholRule.NEEDED), unknown)
    assert "say first" in asked


def test_a_perpetrator_never_takes_the_place_of_a_victim() -> None:
    (said,) = refusals(entry(places_perpetrators=0, places_victims=100), HE)
    assert "never takes one of them" in said
    moved = menu_rules.may_become(
        entry(places_perpetrators=5, places_victims=10),
        entry(places_perpetrators=6, places_victims=9),
    )
    assert "victims come first" in moved
    assert not menu_rules.may_become(entry(places_perpetrators=5), entry(places_perpetrators=9))


def test_what_is_out_of_order_is_said() -> None:
    made = entry(code="skills", name="Skills", after=("change",), beside=("alcohol",))
    names = {"change": "Change", "alcohol": "Alcohol recovery"}
    assert warnings(made, {}, names) == [
        "Change comes first, and has not been asked for.",
        "It goes with Alcohol recovery, which has not been asked for.",
    ]
    had = {"change": RequestState.COMPLETED, "alcohol": RequestState.STARTED}
    assert warnings(made, had, names) == []
    early = {"change": RequestState.ENDED, "alcohol": RequestState.WAITING}
    assert warnings(made, early, names) == [
        "Change comes first, and was ended early.",
        "It goes with Alcohol recovery, which is waiting.",
    ]


def test_an_intervention_has_one_commissioning_route() -> None:
    said = menu_rules.may_stand_beside(entry(route="Council"), [entry()])
    assert "commissioned through Probation" in said
    assert menu_rules.may_stand_beside(entry(code="other", name="Other"), [entry()]) == ""
    (pair,) = menu_rules.doubles([entry(), entry(code="b", name="B", route="Council")])
    assert {pair.one.name, pair.other.name} == {"Change", "B"}
    apart = [
        entry(code="b", name="B", route="Council", localities=("Winsford",)),
        entry(localities=("Chester",)),
        entry(code="c", name="C", route="Health", need=Need.ALCOHOL),
    ]
    assert menu_rules.doubles(apart) == []


def test_an_intervention_cannot_come_before_itself() -> None:
    others = [entry(code="b", after=("c",)), entry(code="c", after=("change",))]
    assert menu_rules.depends_on_itself(entry(after=("b",)), others)
    assert not menu_rules.depends_on_itself(entry(), others)


def test_the_shipped_menu_stands_by_its_own_rules() -> None:
    entries = list(shipped().interventions)
    codes = {each.code for each in entries}
    for each in entries:
        others = [x for x in entries if x is not each]
        assert menu_rules.may_stand_beside(each, others) == ""
        assert set(each.after) | set(each.beside) <= codes
        assert each.places_perpetrators == 0 or each.places_victims == 0
    assert menu_rules.doubles(entries) == []


def test_places_go_to_the_higher_risk_and_then_to_who_waited_longest() -> None:
    waiting = [
        ("medium", DAY, "IR-1"), ("high", DAY, "IR-2"), ("high", DAY - timedelta(days=9), "IR-3"),
    ]  # fmt: skip
    assert queue(waiting) == ["IR-3", "IR-2", "IR-1"]


def test_waits_run_from_the_decision_to_the_first_session_by_locality() -> None:
    def asked(locality: str, days: int | None) -> Request:
        first = None if days is None else DAY + timedelta(days=days)
        return Request("change", "Change", DAY, "high", locality, first_session_on=first)

    made = [
        (RequestState.STARTED, asked("Hoole", 10)), (RequestState.COMPLETED, asked("Hoole", 30)),
        (RequestState.WAITING, asked("Hoole", None)), (RequestState.ENDED, asked("Neston", None)),
        (RequestState.ACCEPTED, asked("Boughton", None)),
    ]  # fmt: skip
    hoole, boughton = menu_rules.waits(made, DAY + timedelta(days=40))
    assert (hoole.started, hoole.median_days, hoole.longest_days) == (2, 20, 30)
    assert (hoole.waiting, hoole.longest_waiting_days) == (1, 40)
    assert (boughton.started, boughton.median_days, boughton.waiting) == (0, None, 1)


def test_the_staffing_figures_of_the_reference_come_out() -> None:
    """Cheshire East: 150 perpetrators a year for 9 months, 4 workers; and the cohort of 156."""
    assert open_at_once(150, 9) == 112.5
    assert workers_needed(112.5, 4) == pytest.approx(28.1, abs=0.05)
    assert open_at_once(156, 9) == 117
    assert workers_needed(117, 112.5 / 4) == pytest.approx(4.16)
    # 400 to 500 high-risk victims for 3 months at 25, and medium for 6 months at 35.
    limits = caseloads.shipped()
    high, medium = limits.of("high_risk_victims"), limits.of("medium_risk_victims")
    assert (high.cases_each, medium.cases_each) == (25, 35)
    assert limits.of("perpetrators").cases_each == 28
    assert workers_needed(open_at_once(500, high.months_open), high.cases_each) == 5
    needed = workers_needed(open_at_once(500, medium.months_open), medium.cases_each)
    assert needed == pytest.approx(7.14, abs=0.01)


def test_cases_count_by_their_weights_and_too_many_are_said() -> None:
    made = load("A", {"high": 20, "medium": 10}, 28, {"high": 1.5, "medium": 0.5})
    assert (made.cases, made.weighted, made.over) == (30, 35, True)
    full = load("B", {"high": 28}, 28, {})
    assert not full.over
    worse = Load("C", 60, 60, 28, {})
    assert [each.name for each in over_limit([full, made, worse])] == ["C", "A"]
