"""Whom an alert is told to, by which policy, and what a preview says."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerts.finding import FindingKind, Severity
from alerts.policy import (
    Channel,
    Nobody,
    Person,
    Policy,
    PolicyFault,
    Step,
    Target,
    Telling,
    choose,
    instants,
    preview,
    receivers,
    snapshot,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALL = frozenset(Severity)
BOTH = frozenset({Channel.SMS, Channel.VOICE})
DUTY = Person(staff_id=1, role="duty_officer", call_order=1, channels=BOTH)
SECOND = Person(staff_id=2, role="duty_officer", call_order=2, channels=frozenset({Channel.SMS}))
CHIEF = Person(staff_id=9, role="supervisor", call_order=1, channels=BOTH)
PEOPLE = [CHIEF, SECOND, DUTY]
ROTA = Step(target=Target.ROTA, rota_id=7, answer_within_s=120)
ROLE = Step(target=Target.ROLE, role="duty_officer", answer_within_s=300)
CALL = Step(target=Target.PERSON, staff_id=9, channel=Channel.VOICE, answer_within_s=60)


def policy(number=1, **changed):
    base = {"number": number, "version": 1, "name": "night", "severities": ALL, "steps": (ROTA,)}
    return Policy(**{**base, **changed})


@pytest.mark.parametrize(
    ("policies", "chosen"),
    [
        pytest.param([policy(1), policy(2, area_id=3)], 2, id="its area before everywhere"),
        pytest.param(
            [
                policy(1, area_id=3),
                policy(2, kinds=frozenset({FindingKind.EXCLUSION_BREACH})),
            ],
            2,
            id="its kind before its area",
        ),
        pytest.param(
            [policy(2), policy(1, severities=frozenset({Severity.CRITICAL}))],
            1,
            id="made for this severity before made for all",
        ),
        pytest.param([policy(1), policy(2)], 2, id="of equals the newer"),
        pytest.param([policy(1, area_id=4)], None, id="none of another area"),
        pytest.param(
            [policy(1, kinds=frozenset({FindingKind.SILENCE}))], None, id="none of another kind"
        ),
    ],
)
def test_which_policy_an_alert_falls_under(policies, chosen):
    found = choose(policies, Severity.CRITICAL, 3, FindingKind.EXCLUSION_BREACH)
    assert (found.number if found else None) == chosen


def test_a_fault_of_the_service_has_policies_of_its_own():
    own = policy(3, about_service=True)
    assert choose([policy(1), own], Severity.HIGH, None, None) == own
    assert choose([policy(1)], Severity.HIGH, None, None) is None
    assert choose([own], Severity.HIGH, 3, FindingKind.SILENCE) is None


def test_a_rota_means_who_is_on_duty_then():
    found, why = receivers(ROTA, {7: 2}, PEOPLE)
    assert ([each.staff_id for each in found], why) == ([2], "on duty on the rota")


@pytest.mark.parametrize(
    "on_rota",
    [
        pytest.param({7: None}, id="a gap in the rota"),
        pytest.param({}, id="a rota that is gone"),
        pytest.param({7: 44}, id="somebody who has left"),
    ],
)
def test_a_rota_that_means_nobody_falls_to_the_supervisors(on_rota):
    found, why = receivers(ROTA, on_rota, PEOPLE)
    assert [each.staff_id for each in found] == [9]
    assert "supervisors" in why


def test_somebody_on_duty_without_this_channel_is_not_silence():
    by_phone = msgspec.structs.replace(ROTA, channel=Channel.VOICE)
    assert [each.staff_id for each in receivers(by_phone, {7: 2}, PEOPLE)[0]] == [9]


def test_a_role_means_all_of_it_in_their_order():
    assert [each.staff_id for each in receivers(ROLE, {}, PEOPLE)[0]] == [1, 2]


def test_the_last_step_repeats():
    kept = snapshot(policy(steps=(ROTA, CALL)))
    assert [kept.step(number) for number in (0, 1, 2, 9)] == [ROTA, CALL, CALL, CALL]
    assert kept.policy == "night (1.1)"


def test_the_preview_says_who_when_and_why():
    night = policy(steps=(ROTA, ROLE, CALL))
    due = instants(night, NOON)
    assert due == [NOON, NOON + timedelta(seconds=120), NOON + timedelta(seconds=420)]
    listed = preview(night, NOON, {due[0]: {7: 1}}, PEOPLE)
    assert [(each.at, each.staff_id, each.channel.value) for each in listed] == [
        (due[0], 1, "sms"),
        (due[1], 1, "sms"),
        (due[1], 2, "sms"),
        (due[2], 9, "voice"),
    ]
    assert all(isinstance(each, Telling) for each in listed)


def test_the_preview_does_not_hide_a_step_that_reaches_nobody():
    (found,) = preview(policy(), NOON, {}, [DUTY])
    assert isinstance(found, Nobody)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Step(target=Target.PERSON, answer_within_s=60), id="names nobody"),
        pytest.param(
            lambda: Step(target=Target.PERSON, staff_id=1, role="idva", answer_within_s=60),
            id="names two",
        ),
        pytest.param(
            lambda: Step(target=Target.ROTA, staff_id=1, answer_within_s=60), id="names another"
        ),
        pytest.param(
            lambda: Step(target=Target.PERSON, staff_id=1, answer_within_s=5), id="no time"
        ),
        pytest.param(
            lambda: Step(target=Target.PERSON, staff_id=1, answer_within_s=86_400), id="a day"
        ),
        pytest.param(lambda: policy(steps=()), id="no steps"),
        pytest.param(lambda: policy(severities=frozenset()), id="no severity"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(make):
    with pytest.raises(PolicyFault):
        make()


def test_a_policy_is_kept_as_json():
    night = policy(steps=(ROTA, ROLE, CALL), kinds=frozenset({FindingKind.SILENCE}))
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(night)), Policy) == night
