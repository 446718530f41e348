"""Batches of intake: the next is decoded while this one is stored, and nothing is lost by it."""

from collections.abc import Sequence
from datetime import timedelta

from case_files import OUTSIDE, START, fix, message
from databases import Database
from fed_worker import Fed, QueuedListener

from devices import columns
from devices.columns import Arrived, Split
from devices.quality import QualityLimits
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services.ingest import Message
from navigate_safer.workers.batches import BATCH_MESSAGES, Batches


def minutes(count: int) -> list[Message]:
    """Two fixes a minute, each a message, all heard at noon."""
    at = [START + (n + 1) * timedelta(seconds=30) for n in range(count)]
    return [
        message("TAG-1", fix(each, OUTSIDE), received_at=START + timedelta(hours=12)) for each in at
    ]


def filled(count: int) -> QueuedListener:
    """A listener with so many messages waiting."""
    listener = QueuedListener()
    listener.put(*minutes(count))
    return listener


def test_a_whole_batch_that_waits_is_made_ready_while_the_one_before_is_stored():
    listener = filled(2 * BATCH_MESSAGES)
    batches = Batches(listener, QualityLimits())
    first = batches.take(gather_s=0.0)
    batches.look_ahead()
    assert len(batches.made_ready) == BATCH_MESSAGES
    assert listener.waiting == 0
    second = batches.take(gather_s=0.0)
    assert first is not None
    assert second is not None
    assert (first.ahead, second.ahead) == (False, True)
    assert [each.mid for each in (*first.held, *second.held)] == [*range(1, 2 * BATCH_MESSAGES + 1)]
    assert batches.made_ready == ()


def test_what_does_not_fill_a_batch_is_not_taken_before_its_time():
    listener = filled(BATCH_MESSAGES + 5)
    batches = Batches(listener, QualityLimits())
    batches.take(gather_s=0.0)
    batches.look_ahead()
    assert batches.made_ready == ()
    assert listener.waiting == 5


def test_where_our_own_decoding_fails_every_message_is_left_to_the_general_form():
    def broken(messages: Sequence[Arrived], limits: QualityLimits) -> Split:
        if messages:
            raise ZeroDivisionError
        return columns.split(messages, limits)

    batches = Batches(filled(3), QualityLimits(), broken)
    batch = batches.take(gather_s=0.0)
    assert batch is not None
    assert len(batch.split.fixes) == 0
    assert batch.split.left == [0, 1, 2]


def test_several_batches_on_end_are_stored_once_each_and_acknowledged_in_order(database: Database):
    fed = Fed(database)
    fed.hear()
    before = fed.acknowledged
    fed.service.queue.put(*minutes(2 * BATCH_MESSAGES + 7))
    while fed.worker.turn():
        pass
    newest = [each.mid for each in fed.service.queue.acknowledged[before:]]
    assert newest == sorted(newest)
    assert len(newest) == 2 * BATCH_MESSAGES + 7
    assert database.count(FixRow) == before + 2 * BATCH_MESSAGES + 7
    fed.close()
