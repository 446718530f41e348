"""The judge and an officer at one alert at the same moment: neither undoes what the other does."""

import threading

import pytest
from case_files import INSIDE, OUTSIDE, walk
from decided import breach_again, withdraw
from watch import Watch

from alerts.lifecycle import Move
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.services import alerting


@pytest.fixture
def alerted(watch: Watch) -> Watch:
    """A breach of which somebody was told."""
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch


def episode(watch: Watch) -> EpisodeRow:
    return watch.database.one(EpisodeRow, EpisodeRow.kind == "exclusion_breach")


def while_an_officer(watch: Watch, move: Move, judge) -> AlertRow:
    """The officer moves the alert, the judge comes, and then the officer's move is committed."""
    row, alert_id = episode(watch), watch.database.one(AlertRow).id
    judged = threading.Thread(target=judge, args=(watch, row))
    with watch.sessions.begin() as session:
        alert = session.get_one(AlertRow, alert_id, with_for_update=True)
        assert alerting.move(
            session, alert, move, watch.clock(), staff_id=None, channel="page", reason="x"
        )
        session.flush()
        judged.start()
        judged.join(0.5)
        assert judged.is_alive(), "it waits for the officer"
    judged.join(30)
    assert not judged.is_alive()
    return watch.database.one(AlertRow)


def test_a_breach_that_goes_on_opens_the_alert_that_is_being_resolved(alerted):
    assert while_an_officer(alerted, Move.RESOLVE, breach_again).state == "open"


def test_a_breach_that_goes_on_ends_an_acknowledgement_that_is_being_made(alerted):
    alert = while_an_officer(alerted, Move.ACKNOWLEDGE, breach_again)
    assert (alert.state, alert.acknowledgement_expires_at) == ("open", None)


def test_a_breach_that_is_withdrawn_while_it_is_acknowledged_does_not_expire(alerted):
    alert = while_an_officer(alerted, Move.ACKNOWLEDGE, withdraw)
    assert (alert.state, alert.acknowledgement_expires_at) == ("acknowledged", None)
