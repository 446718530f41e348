"""Who is on duty, across clock changes, bank holidays, swaps and overrides."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rota import Layer, On, Override, Rota, RotaFault, Swap, duties, on_duty
from alerts.rota_problems import DutyLimits, ProblemKind, Reach, problems
from zones.schedule_entries import schedule_from_entries

LONDON = ZoneInfo("Europe/London")
ANN, BEN, CAT, DEE = 1, 2, 3, 4
WEEKLY = Layer(people=(ANN, BEN, CAT), starts_on=date(2026, 10, 5))
CHRISTMAS = (date(2026, 12, 25), date(2026, 12, 28))


def local(*parts):
    return datetime(*parts, tzinfo=LONDON)


def who(rota, *parts, holidays=()):
    return on_duty(rota, local(*parts), holidays)


def test_a_week_each_handed_over_at_nine():
    rota = Rota(layers=(WEEKLY,))
    assert who(rota, 2026, 10, 5, 9) == ANN
    assert who(rota, 2026, 10, 12, 8, 59) == ANN
    assert who(rota, 2026, 10, 12, 9) == BEN
    assert who(rota, 2026, 10, 26, 9) == ANN


def test_nobody_before_the_rota_begins_and_after_it_ends():
    rota = Rota(
        layers=(
            Layer(people=(ANN,), starts_on=date(2026, 10, 5), turn_days=1, until=date(2026, 10, 6)),
        )
    )
    assert who(rota, 2026, 10, 5, 8, 59) is None
    assert who(rota, 2026, 10, 6, 23) == ANN
    assert who(rota, 2026, 10, 7, 9) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((2026, 10, 19), (2026, 10, 26), id="the clocks go back on 25 October"),
        pytest.param((2027, 3, 22), (2027, 3, 29), id="the clocks go forward on 28 March"),
    ],
)
def test_the_handover_stays_at_nine_on_the_wall_when_the_clocks_change(before, after):
    rota = Rota(layers=(WEEKLY,))
    first, second = who(rota, *before, 12), who(rota, *after, 12)
    assert first != second
    assert who(rota, *after, 8, 59) == first
    assert who(rota, *after, 9) == second


def test_night_hours_are_the_wall_s_on_the_night_that_is_an_hour_longer():
    nights = schedule_from_entries(
        [{"days": ["sat"], "start": "22:00", "end": "06:00"}], "Europe/London"
    )
    rota = Rota(layers=(Layer(people=(ANN,), starts_on=date(2026, 10, 5), hours=nights),))
    (night,) = [
        each
        for each in duties(rota, local(2026, 10, 24, 12), local(2026, 10, 25, 12))
        if each.staff_id == ANN
    ]
    assert night.start == local(2026, 10, 24, 22)
    assert night.end == local(2026, 10, 25, 6)
    # Aware times of one zone are subtracted on the wall; in UTC the night is nine hours.
    assert night.end.astimezone(UTC) - night.start.astimezone(UTC) == timedelta(hours=9)


def test_a_later_layer_wins_in_its_hours_only():
    days = schedule_from_entries([{"days": ["mon", "tue"], "start": "08:00", "end": "18:00"}])
    desk = Layer(people=(DEE,), starts_on=date(2026, 10, 5), hours=days)
    rota = Rota(layers=(WEEKLY, desk))
    assert [who(rota, 2026, 10, 6, hour) for hour in (7, 8, 17, 18)] == [ANN, DEE, DEE, ANN]


def test_bank_holidays_have_their_own_people():
    holiday = Layer(people=(DEE,), starts_on=date(2026, 10, 5), turn_days=1, on=On.BANK_HOLIDAYS)
    other = Layer(people=(ANN,), starts_on=date(2026, 10, 5), on=On.OTHER_DAYS)
    rota = Rota(layers=(other, holiday))
    assert who(rota, 2026, 12, 25, 0, holidays=CHRISTMAS) == DEE
    assert who(rota, 2026, 12, 25, 23, 59, holidays=CHRISTMAS) == DEE
    assert who(rota, 2026, 12, 26, 0, holidays=CHRISTMAS) == ANN


def test_a_swap_changes_who_takes_the_turn_and_nothing_else():
    swap = Swap(
        from_at=local(2026, 10, 7), until_at=local(2026, 10, 14), staff_id=ANN, taken_by=CAT
    )
    rota = Rota(layers=(WEEKLY,), swaps=(swap,))
    assert who(rota, 2026, 10, 6, 12) == ANN
    assert who(rota, 2026, 10, 8, 12) == CAT
    assert who(rota, 2026, 10, 13, 12) == BEN


def test_an_override_wins_over_a_swap_and_may_leave_a_gap():
    swap = Swap(
        from_at=local(2026, 10, 5), until_at=local(2026, 10, 12), staff_id=ANN, taken_by=CAT
    )
    stands_in = Override(
        from_at=local(2026, 10, 8, 9), until_at=local(2026, 10, 8, 17), staff_id=DEE, reason="court"
    )
    off = Override(
        from_at=local(2026, 10, 9, 9), until_at=local(2026, 10, 9, 10), staff_id=None, reason="sick"
    )
    rota = Rota(layers=(WEEKLY,), swaps=(swap,), overrides=(stands_in, off))
    assert who(rota, 2026, 10, 8, 12) == DEE
    assert who(rota, 2026, 10, 8, 17) == CAT
    assert who(rota, 2026, 10, 9, 9, 30) is None


PEOPLE = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
LAYERS = st.lists(
    st.builds(
        Layer,
        people=PEOPLE,
        starts_on=st.dates(date(2026, 3, 1), date(2026, 11, 30)),
        handover=st.times().map(lambda at: at.replace(tzinfo=None, fold=0)),
        turn_days=st.integers(1, 10),
        on=st.sampled_from(On),
    ),
    max_size=3,
).map(tuple)
STARTS = st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 20)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)


@given(layers=LAYERS, start=STARTS, length_h=st.integers(1, 24 * 40), ask_h=st.floats(0, 0.999))
def test_every_instant_has_exactly_one_answer(layers, start, length_h, ask_h):
    rota = Rota(layers=layers)
    end = start + timedelta(hours=length_h)
    found = duties(rota, start, end, CHRISTMAS)
    assert found[0].start == start
    assert found[-1].end == end
    assert all(one.end == two.start for one, two in pairwise(found))
    at = start + (end - start) * ask_h
    (then,) = [each for each in found if each.start <= at < each.end]
    assert on_duty(rota, at, CHRISTMAS) == then.staff_id


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Layer(people=(), starts_on=date(2026, 1, 1)), id="nobody"),
        pytest.param(
            lambda: Layer(people=(ANN,), starts_on=date(2026, 1, 1), turn_days=0), id="no days"
        ),
        pytest.param(
            lambda: Layer(people=(ANN,), starts_on=date(2026, 1, 2), until=date(2026, 1, 1)),
            id="ends before it starts",
        ),
        pytest.param(
            lambda: Override(
                from_at=local(2026, 1, 2), until_at=local(2026, 1, 2), staff_id=ANN, reason="x"
            ),
            id="an override without length",
        ),
        pytest.param(
            lambda: Swap(
                from_at=datetime(2026, 1, 2),  # noqa: DTZ001
                until_at=local(2026, 1, 3),
                staff_id=ANN,
                taken_by=BEN,
            ),
            id="a time without a zone",
        ),
        pytest.param(
            lambda: Rota(
                layers=(
                    Layer(
                        people=(ANN,),
                        starts_on=date(2026, 1, 1),
                        hours=schedule_from_entries(
                            [{"days": ["mon"], "start": "08:00", "end": "18:00"}], "Europe/Paris"
                        ),
                    ),
                )
            ),
            id="two time zones",
        ),
    ],
)
def test_a_rota_that_cannot_be_kept_is_refused(make):
    with pytest.raises(RotaFault):
        make()


HERE = Reach(active=True, verified=True)
ALL_HERE = {ANN: HERE, BEN: HERE, CAT: HERE, DEE: HERE}


def listed(rota, reach=ALL_HERE, weeks=8, limits=None):
    found = duties(rota, local(2026, 10, 5, 9), local(2026, 10, 5, 9) + timedelta(weeks=weeks))
    return [(each.kind, each.staff_id) for each in problems(found, reach, limits)]


def test_three_who_can_be_reached_are_no_problem_even_when_a_week_has_an_hour_more():
    assert listed(Rota(layers=(WEEKLY,))) == []


def test_a_gap_is_found_before_it_comes():
    days = schedule_from_entries([{"days": ["mon"], "start": "09:00", "end": "17:00"}])
    rota = Rota(layers=(Layer(people=(ANN,), starts_on=date(2026, 10, 5), hours=days),))
    kinds = listed(rota, weeks=1)
    assert kinds == [(ProblemKind.GAP, None)]
    assert ProblemKind.GAP.nobody_is_told


@pytest.mark.parametrize(
    ("reach", "kind"),
    [
        pytest.param(Reach(True, False), ProblemKind.NO_CONTACT, id="a number never verified"),
        pytest.param(Reach(False, True), ProblemKind.INACTIVE, id="left the service"),
        pytest.param(None, ProblemKind.INACTIVE, id="not known any more"),
    ],
)
def test_somebody_who_cannot_be_told_is_found_before_the_turn(reach, kind):
    people = {**ALL_HERE, BEN: reach} if reach else {ANN: HERE, CAT: HERE}
    assert listed(Rota(layers=(WEEKLY,)), people, weeks=3) == [(kind, BEN)]


def test_one_person_for_ever_is_too_long_and_too_much():
    rota = Rota(layers=(Layer(people=(ANN,), starts_on=date(2026, 10, 5), handover=time(9)),))
    assert {kind for kind, _ in listed(rota)} == {ProblemKind.TOO_LONG, ProblemKind.TOO_MUCH}


def test_two_duties_with_a_short_night_between_them():
    hours = schedule_from_entries(
        [
            {"days": ["mon"], "start": "09:00", "end": "23:00"},
            {"days": ["tue"], "start": "07:00", "end": "12:00"},
        ]
    )
    rota = Rota(layers=(Layer(people=(ANN,), starts_on=date(2026, 10, 5), hours=hours),))
    found = listed(rota, weeks=1, limits=DutyLimits(least_rest_h=11))
    assert (ProblemKind.NO_REST, ANN) in found
