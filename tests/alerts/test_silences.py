"""What may be muted, by whom, for how long; and what never."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.finding import FindingKind
from alerts.playbooks import PLAYBOOKS, Doer, left_to_do, playbook
from alerts.silences import (
    LONGEST_SILENCE,
    ZONE_BREACHES,
    Matter,
    Reason,
    Silence,
    SilenceFault,
    SilenceKind,
    grouped_by_gateway,
    muted_by,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def silence(number=1, **changed):
    base = {
        "number": number,
        "kind": SilenceKind.SILENCE,
        "from_at": NOON,
        "until_at": NOON + HOUR,
        "author_id": 1,
        "reason": Reason.KNOWN_FAULT,
        "words": "strap replaced tomorrow",
        "device_id": 5,
    }
    return Silence(**{**base, **changed})


def matter(kind=FindingKind.STRAP_TAMPER, **changed):
    base = {"wearer_id": 2, "device_id": 5, "gateway_id": 8, "condition_id": 11, "kind": kind}
    return Matter(**{**base, **changed})


@pytest.mark.parametrize(
    ("at", "muted"),
    [
        pytest.param(NOON - timedelta(seconds=1), False, id="before it"),
        pytest.param(NOON, True, id="at its start"),
        pytest.param(NOON + HOUR - timedelta(seconds=1), True, id="just before its end"),
        pytest.param(NOON + HOUR, False, id="at its end"),
    ],
)
def test_when_a_silence_counts(at, muted):
    assert (muted_by([silence()], matter(), at) is not None) is muted


def test_nobody_need_tell_a_wearer_to_leave_a_zone_that_he_left_hours_ago():
    kind = FindingKind.EXCLUSION_BREACH
    now, over = (
        {each.key for each in left_to_do(kind, frozenset(), over=over)} for over in (False, True)
    )
    assert now - over == {"tell_to_leave"}
    assert over < now


@pytest.mark.parametrize("kind", sorted(ZONE_BREACHES, key=lambda each: each.value))
def test_one_person_alone_never_mutes_a_zone(kind):
    assert muted_by([silence()], matter(kind), NOON) is None
    assert muted_by([silence(approved_by=3)], matter(kind), NOON) is not None


@pytest.mark.parametrize("kind", sorted(ZONE_BREACHES, key=lambda each: each.value))
def test_a_gateway_never_mutes_a_zone_even_with_two_people(kind):
    both = silence(device_id=None, gateway_id=8, approved_by=3)
    assert muted_by([both], matter(kind), NOON) is None
    assert not grouped_by_gateway(kind, gateway_down=True)


def test_only_the_silence_of_a_device_is_grouped_under_its_gateway():
    grouped = {kind for kind in FindingKind if grouped_by_gateway(kind, gateway_down=True)}
    assert grouped == {FindingKind.SILENCE}
    assert not grouped_by_gateway(FindingKind.SILENCE, gateway_down=False)


@pytest.mark.parametrize(
    ("changed", "muted"),
    [
        pytest.param({"device_id": None, "wearer_id": 2}, True, id="this wearer"),
        pytest.param({"device_id": None, "wearer_id": 3}, False, id="another wearer"),
        pytest.param({"device_id": None, "condition_id": 11}, True, id="this condition"),
        pytest.param({"device_id": None, "gateway_id": 8}, True, id="its gateway"),
        pytest.param({"device_id": 6}, False, id="another device"),
        pytest.param({"kinds": frozenset({FindingKind.SILENCE})}, False, id="another kind"),
    ],
)
def test_what_a_silence_is_about(changed, muted):
    assert (muted_by([silence(**changed)], matter(), NOON) is not None) is muted


def test_of_several_the_one_that_ends_last_is_named():
    long = silence(2, until_at=NOON + 2 * HOUR)
    assert muted_by([silence(), long], matter(), NOON).number == 2


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"words": "  "}, id="no words"),
        pytest.param({"until_at": NOON}, id="no length"),
        pytest.param({"until_at": NOON + LONGEST_SILENCE + HOUR}, id="too long"),
        pytest.param({"device_id": None}, id="about nothing"),
        pytest.param({"wearer_id": 2}, id="about two things"),
        pytest.param({"approved_by": 1}, id="approved by its author"),
    ],
)
def test_a_silence_that_may_not_be_made(changed):
    with pytest.raises(SilenceFault):
        silence(**changed)


@pytest.mark.parametrize("kind", list(FindingKind))
def test_every_kind_has_steps_and_the_victim_is_reached_by_the_idva_alone(kind):
    steps = playbook(kind)
    assert steps
    assert len({each.key for each in steps}) == len(steps)
    asks = [each for each in steps if each.key == "check_victim"]
    does = [each for each in steps if each.doer is Doer.IDVA]
    assert bool(asks) == bool(does)


def test_what_is_left_to_do_shrinks_as_steps_are_ticked():
    kind = FindingKind.EXCLUSION_BREACH
    all_of_it = left_to_do(kind, frozenset())
    assert [each.key for each in left_to_do(kind, frozenset({all_of_it[0].key}))] == [
        each.key for each in all_of_it[1:]
    ]
    assert left_to_do(kind, frozenset(each.key for each in playbook(kind))) == ()


@pytest.mark.parametrize("kind", sorted(ZONE_BREACHES, key=lambda each: each.value))
def test_every_breach_of_a_zone_has_a_playbook_of_its_own_that_sends_somebody(kind):
    assert kind in PLAYBOOKS
    assert "send_unit" in {each.key for each in playbook(kind) if each.must}


def test_near_a_protected_person_nobody_is_asked_to_call_the_wearer():
    steps = [each.key for each in playbook(FindingKind.DISTANCE_BREACH)]
    assert steps[:4] == ["look", "check_victim", "idva_checked", "locate"]
    assert not {"call_wearer", "tell_to_leave"} & set(steps)


def test_where_nearness_may_be_a_part_the_words_are_agreed_before_the_call():
    steps = [each.key for each in playbook(FindingKind.COMPOUND)]
    assert steps.index("agree_words") < steps.index("call_wearer")


def test_a_sensor_that_failed_is_nobody_s_blame_and_one_that_is_covered_is_visited():
    assert "call_wearer" not in {each.key for each in playbook(FindingKind.SENSOR_FAULT)}
    covered = [each.key for each in playbook(FindingKind.CONTACT_LOST)]
    assert covered.index("check_tag") < covered.index("call_wearer") < covered.index("visit")
