"""What wearers are told: only what is switched on, in words that give nothing away."""

import re
from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.finding import FindingKind
from alerts.messages import fits_one_part
from alerts.wearer_messages import (
    LATEST,
    Facts,
    Phone,
    Verdict,
    Way,
    WearerPolicy,
    WearerPolicyFault,
    curfew_to_announce,
    decide,
)
from alerts.wearer_words import OCCASIONS, Occasion, Tone, masked, words

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD = Facts(
    since=NOON, silenced=False, excused=False, told_today=0, told_lately=False, phone=Phone.GOOD,
    tag_fitted=True,
)  # fmt: skip
BOTH = Way(occasion=Occasion.BATTERY, by_text=True, by_vibration=True)
POLICY = WearerPolicy(ways=(BOTH,))
# Of places, directions, people, and of why somebody is monitored.
GIVES_AWAY = re.compile(
    r"\b(zone|map|street|road|home|house|address|near|north|south|east|west|left|right|metres?|"
    r"back|away|leave here|she|her|he|him|his|victim|partner|wife|abuse|drink\w*|alcohol|police|"
    r"probation|tag|navigate)\b",
    re.IGNORECASE,
)


def facts(**changed):
    return msgspec.structs.replace(GOOD, **changed)


@pytest.mark.parametrize("tone", Tone)
@pytest.mark.parametrize("occasion", Occasion)
def test_every_text_is_one_part_and_gives_nothing_away(occasion, tone):
    said = words(occasion, tone, "7KQ4M2", NOON)
    assert fits_one_part(said)
    assert said.endswith("Ref 7KQ4M2")
    assert "{" not in said
    # "Put it right" is no direction.
    assert not GIVES_AWAY.search(said.replace("ut it right", ""))


@pytest.mark.parametrize("occasion", Occasion)
def test_each_occasion_has_words_of_its_own_in_each_tone(occasion):
    assert len({words(occasion, tone, "7KQ4M2", NOON) for tone in Tone}) == len(Tone)


def test_nearness_to_a_protected_person_is_never_told():
    assert not {FindingKind.DISTANCE_BREACH, FindingKind.COMPOUND} & set(OCCASIONS)


def test_nothing_is_told_unless_it_was_switched_on():
    assert [WearerPolicy().way(each) for each in Occasion] == [None] * len(Occasion)
    assert WearerPolicy().kinds == frozenset()
    named_only = WearerPolicy(ways=(Way(occasion=Occasion.APPROACH),))
    assert named_only.way(Occasion.APPROACH) is None


def test_the_page_warns_of_what_a_warning_on_approach_reveals():
    assert "reveals the zone" in Occasion.APPROACH.reveals
    assert Occasion.BATTERY.reveals == ""


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        pytest.param({}, Verdict.TOLD, id="nothing stands against it"),
        pytest.param({"excused": True}, Verdict.EXCUSED, id="an officer has allowed it"),
        pytest.param({"silenced": True}, Verdict.SILENCED, id="a silence"),
        pytest.param({"since": NOON - LATEST - timedelta(seconds=1)}, Verdict.TOO_LATE, id="late"),
        pytest.param({"told_lately": True}, Verdict.TOLD_LATELY, id="told of the same just now"),
        pytest.param({"told_today": 4}, Verdict.MOST_A_DAY, id="enough for a day"),
        pytest.param({"phone": Phone.STOPPED, "tag_fitted": False}, Verdict.STOPPED, id="STOP"),
        pytest.param({"phone": Phone.NONE, "tag_fitted": False}, Verdict.NO_WAY, id="no way"),
    ],
)
def test_why_a_wearer_is_told_or_not(changed, verdict):
    assert decide(POLICY, BOTH, facts(**changed), NOON).verdict is verdict


@pytest.mark.parametrize(
    ("phone", "text", "vibration"),
    [
        pytest.param(Phone.GOOD, True, True, id="by both"),
        pytest.param(Phone.UNVERIFIED, False, True, id="a number that may be another's"),
        pytest.param(Phone.STOPPED, False, True, id="STOP is respected, the tag still moves"),
    ],
)
def test_by_which_ways(phone, text, vibration):
    done = decide(POLICY, BOTH, facts(phone=phone), NOON)
    assert (done.by_text, done.by_vibration) == (text, vibration)


@pytest.mark.parametrize(
    ("wall", "quiet"),
    [("21:59", False), ("22:00", True), ("03:00", True), ("06:59", True), ("07:00", False)],
)
def test_quiet_hours_are_those_of_the_wall_in_summer_too(wall, quiet):
    at = datetime.fromisoformat(f"2026-07-01T{wall}+01:00").astimezone(UTC)
    assert POLICY.is_quiet(at) is quiet


def test_hours_that_end_as_they_start_are_none():
    assert not WearerPolicy(quiet_from=time(7), quiet_until=time(7)).is_quiet(NOON)


times = st.times()
ways = st.builds(
    Way, occasion=st.sampled_from(Occasion), by_text=st.booleans(), by_vibration=st.booleans(),
    tone=st.sampled_from(Tone),
)  # fmt: skip


@given(
    way=ways,
    hours=st.tuples(times, times),
    most=st.integers(1, 20),
    given_facts=st.builds(
        Facts,
        since=st.just(NOON), silenced=st.booleans(), excused=st.booleans(),
        told_today=st.integers(0, 30), told_lately=st.booleans(),
        phone=st.sampled_from(Phone), tag_fitted=st.booleans(),
    ),
    late_s=st.integers(0, 900),
)  # fmt: skip
def test_nobody_is_told_against_the_policy(way, hours, most, given_facts, late_s):
    now = NOON + timedelta(seconds=late_s)
    policy = WearerPolicy(
        ways=(way,), quiet_from=hours[0], quiet_until=hours[1], most_a_day=most
    )  # fmt: skip
    done = decide(policy, way, given_facts, now)
    assert (done.verdict is Verdict.TOLD) == (done.by_text or done.by_vibration)
    if done.verdict is Verdict.TOLD:
        held = (given_facts.silenced, given_facts.excused, given_facts.told_lately)
        assert not any(held)
        assert given_facts.told_today < most
        assert way.occasion.at_breach or not policy.is_quiet(now)
        assert not done.by_text or (way.by_text and given_facts.phone is Phone.GOOD)
        assert not done.by_vibration or (way.by_vibration and given_facts.tag_fitted)


@pytest.mark.parametrize(
    "wrong",
    [{"most_a_day": 0}, {"most_a_day": 21}, {"curfew_notice_min": 4}, {"ways": (BOTH, BOTH)}],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(WearerPolicyFault):
        WearerPolicy(**wrong)


@pytest.mark.parametrize(
    ("minutes", "announced"), [(-1, False), (0, False), (1, True), (30, True), (31, False)]
)
def test_a_curfew_is_announced_within_its_notice(minutes, announced):
    starts = NOON + timedelta(minutes=minutes)
    found = curfew_to_announce(WearerPolicy(), [starts], NOON)
    assert found == (starts if announced else None)


def test_a_number_is_shown_by_its_last_three_digits():
    assert masked("+447700900177").endswith(" 177")
    assert "4477" not in masked("+447700900177")
