"""Who is told first, and who when nobody answers."""

import msgspec
import pytest

from alerts.finding import Severity
from alerts.routing import ANSWER_WITHIN_S, POLICY_VERSION, Contact, Plan, PlannedStep, plan

TEXTED = [severity for severity in Severity if severity.texts_an_officer]
DAY_DUTY = Contact(1, "duty_officer", 1, True)
NIGHT_DUTY = Contact(2, "duty_officer", 2, True)
NO_PHONE = Contact(3, "duty_officer", 0, False)
SUPERVISOR = Contact(4, "supervisor", 0, True)
MANAGER = Contact(5, "offender_manager", 0, True)
VICTIM_ADVISER = Contact(6, "idva", 0, True)


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
    assert made == Plan("1", (PlannedStep(1, 120),))
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(made)), Plan) == made
