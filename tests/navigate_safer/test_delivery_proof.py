"""What the proof of delivery calls broken: each fault is planted by itself and must be named."""

from datetime import timedelta

import msgspec
import pytest
from case_files import START

from navigate_safer.db.delivery_rows import AlertLine, DeliveryRows, TextLine
from navigate_safer.demo.delivery_proof import Outside, Verdict, verdict
from navigate_safer.demo.telephones import FIRST, SECOND, Posted
from navigate_safer.demo.text_provider import Taken

BODY = (
    "Navigate Safer CRITICAL alert 7KQ4M2. Reply 482913 to acknowledge, or open http://a/a/7KQ4M2"
)

TEXT = TextLine(
    text_id=1, reference="7KQ4M2", about_breach=True, staff="bench-1", phone=FIRST, body=BODY,
    state="accepted", resent=False, provider_id="SM1", delivery="delivered", created_at=START,
    attempts={"a1": "accepted"},
)  # fmt: skip
ALERT = AlertLine(
    reference="7KQ4M2", state="acknowledged", acknowledged_by="bench-1", told_at=(START,),
    waits=(timedelta(seconds=30),),
)  # fmt: skip
ROWS = DeliveryRows(
    readings=1, episodes=1, alerts=[ALERT], texts=[TEXT], receipts={("SM1", "delivered")},
    disclosed={"a1"}, overdue=0, broken={},
)  # fmt: skip
TAKEN = Taken(sid="SM1", to=FIRST, body=BODY, callback="http://a/twilio/status/a1", at=START)
OUTSIDE = Outside(
    taken=[TAKEN],
    answered={("482913", FIRST)},
    posted=[Posted("delivered", "SM1", True, 204), Posted("failed", "SM1", False, 403)],
)


def rows(**changes) -> DeliveryRows:
    return msgspec.structs.replace(ROWS, **changes)


def text(**changes) -> DeliveryRows:
    return rows(texts=[msgspec.structs.replace(TEXT, **changes)])


def alert(**changes) -> DeliveryRows:
    return rows(alerts=[msgspec.structs.replace(ALERT, **changes)])


def outside(**changes) -> Outside:
    return msgspec.structs.replace(OUTSIDE, **changes)


def taken(**changes) -> Taken:
    return msgspec.structs.replace(TAKEN, **changes)


def judged(found: DeliveryRows = ROWS, seen: Outside = OUTSIDE) -> Verdict:
    return verdict(found, seen, 1)


def test_a_run_in_which_all_is_well_breaks_nothing():
    found = judged()
    assert found.broken == []
    assert (found.accepted, found.twice, found.marked, found.overdue) == (1, 0, 0, 0)


TWICE = [TAKEN, taken(sid="SM2", callback="http://a/twilio/status/a2")]
TWO_CALLS = {"a1": "ambiguous", "a2": "accepted"}


def test_a_text_twice_is_broken_unless_it_is_marked_as_a_resend():
    both = rows(disclosed={"a1", "a2"})
    unmarked = msgspec.structs.replace(TEXT, attempts=TWO_CALLS)
    marked = msgspec.structs.replace(unmarked, resent=True)
    seen = outside(taken=TWICE)
    found = judged(msgspec.structs.replace(both, texts=[unmarked]), seen)
    assert (found.accepted, found.twice, found.marked) == (2, 1, 0)
    assert found.broken == ["1 text(s) twice and not marked as a resend"]
    found = judged(msgspec.structs.replace(both, texts=[marked]), seen)
    assert (found.twice, found.marked, found.broken) == (1, 1, [])


@pytest.mark.parametrize(
    ("found", "seen", "said"),
    [
        pytest.param(rows(readings=2), OUTSIDE, "2 readings of 1", id="a reading stored twice"),
        pytest.param(rows(episodes=0), OUTSIDE, "0 episodes of 1", id="a breach without episode"),
        pytest.param(alert(state="open"), OUTSIDE, "0 acknowledged", id="an alert not answered"),
        pytest.param(alert(told_at=()), OUTSIDE, "nobody was told of", id="told to nobody"),
        pytest.param(rows(overdue=1), OUTSIDE, "past the deadline", id="a deadline passed"),
        pytest.param(
            rows(broken={"an episode has two alerts": 1}), OUTSIDE, "has two alerts",
            id="an invariant of the service",
        ),
        pytest.param(
            text(state="failed"), OUTSIDE, "provider took and no row", id="a text without its row"
        ),
        pytest.param(
            text(provider_id="SM9"), OUTSIDE, "provider does not have", id="a text never taken"
        ),
        pytest.param(text(state="unknown"), OUTSIDE, "came to rest", id="a text still in doubt"),
        pytest.param(
            text(attempts={"a1": None}, delivery=None), OUTSIDE, "no call has an end",
            id="a call without an end",
        ),
        pytest.param(ROWS, outside(taken=[]), "provider does not have", id="nothing was sent"),
        pytest.param(
            ROWS, outside(taken=[taken(to=SECOND)]), "to somebody else", id="a wrong telephone"
        ),
        pytest.param(
            rows(disclosed=set()), OUTSIDE, "log of disclosures", id="a disclosure not logged"
        ),
        pytest.param(
            ROWS, outside(taken=[TAKEN, taken(sid="SM2", callback="http://a/twilio/status/zz")]),
            "no row knows", id="a text of nobody's",
        ),
        pytest.param(
            ROWS, outside(answered=set()), "who did not answer", id="acknowledged for nobody"
        ),
        pytest.param(
            ROWS, outside(posted=[Posted("failed", "SM1", False, 204)]), "not refused",
            id="a forged receipt believed",
        ),
        pytest.param(
            rows(receipts={("SM1", "failed")}), OUTSIDE, "forged receipt(s) kept",
            id="a forged receipt kept",
        ),
        pytest.param(
            text(delivery="sent"), OUTSIDE, "not called delivered", id="a receipt lost"
        ),
        pytest.param(
            ROWS, outside(on_duty={1: "bench-2"}), "not on duty", id="told to who was off duty"
        ),
        pytest.param(
            ROWS, outside(complaints=["too few were killed"]), "too few", id="no fault took place"
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(found: DeliveryRows, seen: Outside, said: str):
    assert any(said in each for each in judged(found, seen).broken), judged(found, seen).broken


def test_a_step_is_late_by_what_passed_after_its_deadline():
    told = tuple(START + timedelta(seconds=s) for s in (0, 31, 50, 95))
    assert judged(alert(told_at=told)).late_s == 15.0
