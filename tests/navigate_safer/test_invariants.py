"""What must hold at every instant: each invariant is broken by hand, and is counted."""

from datetime import datetime, timedelta

import pytest
from case_files import INSIDE, OUTSIDE, walk
from sqlalchemy import select, update
from watch import Watch

from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextAttemptRow, TextRow

SENT_AGAIN = "a text was sent again after a provider had taken it"
UNTRIED = "a text is long due and nobody has tried it"
NO_CALL = "a text is called accepted and no call was made"
TWO_ALERTS = "a breach that goes on has two live alerts"
SECOND = timedelta(seconds=1)


@pytest.fixture
def told(watch: Watch) -> Watch:
    """A breach of which the first officer was told; the provider took the text."""
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.deliver()
    assert broken(watch) == {}
    return watch


def broken(watch: Watch) -> dict[str, int]:
    with watch.sessions() as session:
        return invariants.broken(session, watch.clock())


def call_again(watch: Watch, claimed_at: datetime, outcome: str = "accepted") -> None:
    """Plant a second call of the one text."""
    first = watch.database.one(TextAttemptRow)
    with watch.sessions.begin() as session:
        session.add(
            TextAttemptRow(
                id="again", text_id=first.text_id, provider=first.provider,
                claimed_at=claimed_at, finished_at=claimed_at + SECOND, outcome=outcome,
            )
        )  # fmt: skip


def test_a_text_that_is_sent_again_after_the_provider_had_taken_it_is_counted(told):
    call_again(told, told.clock() + SECOND)
    assert broken(told) == {SENT_AGAIN: 1}


def test_a_resend_after_an_unknown_is_marked_and_no_fault(told):
    call_again(told, told.clock() + SECOND)
    with told.sessions.begin() as session:
        session.execute(update(TextRow).values(resent_after_unknown=True))
    assert broken(told) == {}


def test_a_slow_call_beside_one_that_found_the_text_is_no_second_text(told):
    first = told.database.one(TextAttemptRow)
    call_again(told, first.finished_at - SECOND / 2)
    assert broken(told) == {}


def test_a_call_that_was_refused_is_no_second_text(told):
    call_again(told, told.clock() + SECOND, outcome="transient")
    assert broken(told) == {}


def test_a_text_that_nobody_has_tried_for_a_minute_is_counted(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.clock.forward(seconds=60)
    assert broken(watch) == {}
    watch.clock.forward(seconds=1)
    assert broken(watch) == {UNTRIED: 1}
    watch.deliver()
    assert broken(watch) == {}


def test_a_text_that_counts_as_taken_without_any_call_is_counted(told):
    with told.sessions.begin() as session:
        session.execute(update(TextAttemptRow).values(text_id=planted_text(told)))
    assert broken(told) == {NO_CALL: 1}


def planted_text(watch: Watch) -> int:
    """A text that was cancelled, to which a call can be moved."""
    with watch.sessions.begin() as session:
        row = session.scalars(select(TextRow)).one()
        copy = copied(row, id=None, step=9, state="cancelled", provider_id=None)
        session.add(copy)
        session.flush()
        return copy.id


def test_two_live_alerts_about_one_stay_that_goes_on_are_counted(told):
    with told.sessions.begin() as session:
        alert = session.scalars(select(AlertRow)).one()
        episode = session.get_one(EpisodeRow, alert.episode_id)
        second = copied(episode, id=None, started_at=episode.started_at + SECOND)
        session.add(second)
        session.flush()
        second_id = second.id
        session.add(copied(alert, id=None, reference="TWICE2", episode_id=second_id))
    assert broken(told) == {TWO_ALERTS: 1}
    with told.sessions.begin() as session:
        session.execute(
            update(EpisodeRow).where(EpisodeRow.id == second_id).values(ended_at=told.clock())
        )
    assert broken(told) == {}, "the one is over"


def copied(row, **changed):
    """Another row with the same columns, but for those that are given."""
    values = {each.key: getattr(row, each.key) for each in row.__table__.columns}
    values |= changed
    return type(row)(**{key: value for key, value in values.items() if value is not None})
