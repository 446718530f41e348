"""Who is told first, and who when nobody answers."""

import msgspec
import pytest

from alerts.finding import Severity
from alerts.policy import POLICY_VERSION, Channel, Person, Plan, Step
from alerts.routing import ANSWER_WITHIN_S, ROLES_FOR_THE_SERVICE, plan, plan_about_staff

TEXTED = [severity for severity in Severity if severity.texts_an_officer]
TEXTS = frozenset({Channel.SMS})


def person(staff_id, role, call_order, *, reached=True):
    channels = TEXTS if reached else frozenset()
    return Person(staff_id=staff_id, role=role, call_order=call_order, channels=channels)


DAY_DUTY = person(1, "duty_officer", 1)
NIGHT_DUTY = person(2, "duty_officer", 2)
NO_PHONE = person(3, "duty_officer", 0, reached=False)
SUPERVISOR = person(4, "supervisor", 0)
MANAGER = person(5, "offender_manager", 0)
VICTIM_ADVISER = person(6, "idva", 0)


def order(severity, contacts):
    return [step.staff_id for step in plan(severity, contacts).steps]


@pytest.mark.parametrize(
    ("contacts", "told"),
    [
        pytest.param([NIGHT_DUTY, DAY_DUTY], [1, 2], id="duty officers by their call order"),
        pytest.param([SUPERVISOR, NIGHT_DUTY], [2, 4], id="a supervisor after them, whatever hers"),
        pytest.param([NO_PHONE, DAY_DUTY], [1], id="nobody without a telephone"),
        pytest.param([MANAGER, VICTIM_ADVISER, DAY_DUTY], [1], id="no other role"),
        pytest.param([SUPERVISOR], [4], id="a supervisor alone"),
        pytest.param([NO_PHONE, MANAGER], [], id="nobody who can be told"),
        pytest.param([], [], id="nobody at all"),
    ],
)
def test_who_is_told(contacts, told):
    assert order(Severity.CRITICAL, contacts) == told


@pytest.mark.parametrize("severity", TEXTED)
def test_every_severity_that_texts_has_its_time_to_answer(severity):
    steps = plan(severity, [DAY_DUTY, SUPERVISOR]).steps
    assert [step.answer_within_s for step in steps] == [ANSWER_WITHIN_S[severity]] * 2


def test_the_more_urgent_the_shorter_the_wait():
    waits = [ANSWER_WITHIN_S[severity] for severity in TEXTED]
    assert waits == sorted(waits)
    # NIJ 1004.00: an active breach reaches the agency within four minutes; two people fit in.
    assert 2 * ANSWER_WITHIN_S[Severity.CRITICAL] <= 240


def test_a_low_alert_is_for_the_board_alone():
    assert plan(Severity.LOW, [DAY_DUTY]) == Plan(POLICY_VERSION, ())


def test_the_last_step_repeats_until_somebody_answers():
    made = plan(Severity.HIGH, [DAY_DUTY, NIGHT_DUTY])
    assert [made.step(number).staff_id for number in range(5)] == [1, 2, 2, 2, 2]


def test_an_empty_plan_has_no_step():
    assert [Plan(POLICY_VERSION, ()).step(number) for number in (0, 1, 9)] == [None] * 3


def test_a_plan_is_kept_as_json_and_names_its_policy():
    made = plan(Severity.CRITICAL, [DAY_DUTY])
    assert made == Plan("3", (Step(staff_id=1, answer_within_s=120),))
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(made)), Plan) == made


def test_the_plan_of_an_alert_that_opened_under_version_1_is_still_read():
    old = {"policy_version": "1", "steps": [{"staff_id": 1, "answer_within_s": 120}]}
    assert msgspec.convert(old, Plan) == Plan("1", (Step(staff_id=1, answer_within_s=120),))


def test_a_fault_of_the_service_goes_to_who_can_mend_it_first():
    administrator = person(7, "system_administrator", 5)
    made = plan(Severity.HIGH, [SUPERVISOR, DAY_DUTY, administrator], ROLES_FOR_THE_SERVICE)
    assert [each.staff_id for each in made.steps] == [7, 4]


def test_what_staff_must_mend_goes_to_the_area_s_supervisors_before_the_administrators():
    administrator, elsewhere = person(7, "system_administrator", 0), person(8, "supervisor", 0)
    everybody = [administrator, elsewhere, SUPERVISOR, DAY_DUTY]
    # A supervisor of two areas is told once.
    made = plan_about_staff(Severity.HIGH, [SUPERVISOR, DAY_DUTY, SUPERVISOR], everybody)
    assert [each.staff_id for each in made.steps] == [4, 7, 8]


def test_without_a_supervisor_in_the_area_the_administrators_are_first():
    administrator, elsewhere = person(7, "system_administrator", 0), person(8, "supervisor", 0)
    made = plan_about_staff(Severity.HIGH, [DAY_DUTY], [administrator, elsewhere])
    assert [each.staff_id for each in made.steps] == [7, 8]
