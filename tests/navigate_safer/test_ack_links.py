"""The link of a text: acknowledges once, as the person it was sent to, and nobody else's."""

import random
import re
from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, walk
from sqlalchemy import delete, update
from watch import PUBLIC_URL, Watch

from alerts.delivery import Fault, SendError
from alerts.messages import fits_one_part, link_token
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextReplyRow, TextRow
from navigate_safer.db.answering import AckLinkRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import StaffAreaRow, StaffRow
from navigate_safer.services import ack_links, deliver
from navigate_safer.services.accounts import FAILURES_ALLOWED
from navigate_safer.services.ack_links import LinkResult
from navigate_safer.services.telling import CODE_LASTS

pytestmark = pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
LINK = re.compile(re.escape(PUBLIC_URL) + "/k/([A-Za-z0-9]{22})$")


@pytest.fixture
def told(watch: Watch) -> Watch:
    """A breach of which the first officer was told."""
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.deliver()
    watch.clock.forward(seconds=30)
    return watch


def token(watch: Watch, nth: int = -1) -> str:
    found = LINK.search(watch.sender.sent[nth].body)
    assert found is not None
    return found[1]


def take(watch: Watch, what: str, visitor: int | None = None) -> LinkResult:
    return ack_links.take(watch.sessions, what, visitor, watch.clock()).result


def state(watch: Watch) -> str:
    return watch.database.one(AlertRow).state


def staff(watch: Watch, ref: str) -> int:
    return watch.database.one(StaffRow, StaffRow.ref == ref).id


def recorded(watch: Watch) -> list[str]:
    return [each.result for each in watch.database.all(TextReplyRow)]


def test_the_text_has_the_link_and_is_still_one_part(told):
    said = told.sender.sent[0].body
    assert LINK.search(said)
    assert fits_one_part(said)


def test_the_token_is_in_the_text_and_nowhere_in_the_database(told):
    hidden = token(told)
    assert hidden not in told.database.one(TextRow).body
    link = told.database.one(AckLinkRow)
    assert hidden not in link.token_hash
    assert link.attempt_id == told.sender.sent[0].attempt_id


def test_looking_changes_nothing_and_shows_no_more_than_the_text(told):
    link = ack_links.see(told.sessions, token(told), None, told.clock())
    alert = told.database.one(AlertRow)
    assert (link.result, link.reference) == (LinkResult.READY, alert.reference)
    assert link.severity == "critical"
    assert (alert.state, recorded(told)) == ("open", [])


def test_the_form_acknowledges_as_the_officer_who_was_told(told):
    assert take(told, token(told)) is LinkResult.ACKNOWLEDGED
    alert = told.database.one(AlertRow)
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", staff(told, "off-1"))
    last = told.database.all(AlertHistoryRow)[-1]
    assert (last.move, last.channel) == ("acknowledge", "link")
    assert recorded(told) == ["link_acknowledged"]
    assert told.database.one(AuditRow, AuditRow.what == "link of a text").detail == {
        "result": "link_acknowledged"
    }


def test_it_works_once(told):
    take(told, token(told))
    told.clock.forward(minutes=16)
    told.escalate()
    assert state(told) == "open", "the acknowledgement has expired"
    assert take(told, token(told)) is LinkResult.USED
    assert (state(told), recorded(told)[-1]) == ("open", "link_used")


def test_one_of_before_the_alert_was_told_again_is_refused_and_recorded(told):
    told.clock.forward(seconds=100)
    told.escalate()
    told.deliver()
    take(told, token(told, 1))
    told.clock.forward(minutes=16)
    told.escalate()
    told.deliver()
    assert take(told, token(told, 0)) is LinkResult.STALE
    assert (state(told), recorded(told)[-1]) == ("open", "link_stale")
    assert take(told, token(told, 2)) is LinkResult.ACKNOWLEDGED


def test_it_expires_with_the_code(told):
    told.clock.forward(seconds=CODE_LASTS.total_seconds())
    assert take(told, token(told)) is LinkResult.EXPIRED
    assert (state(told), recorded(told)) == ("open", ["link_expired"])


def test_an_alert_that_somebody_has_answered_stays_as_it_is(told):
    told.clock.forward(seconds=100)
    told.escalate()
    told.deliver()
    take(told, token(told, -1))
    assert take(told, token(told, 0)) is LinkResult.ALREADY
    assert told.database.one(AlertRow).acknowledged_by == staff(told, "off-2")


def test_the_link_of_somebody_else_is_refused_and_shows_nothing(told):
    other = staff(told, "off-2")
    link = ack_links.see(told.sessions, token(told), other, told.clock())
    assert (link.result, link.reference, link.severity) == (LinkResult.FOREIGN, None, None)
    assert take(told, token(told), other) is LinkResult.FOREIGN
    assert (state(told), recorded(told)) == ("open", ["link_foreign"])
    assert take(told, token(told), staff(told, "off-1")) is LinkResult.ACKNOWLEDGED


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(update(StaffRow).values(active=False), id="has left"),
        pytest.param(update(StaffRow).values(role="idva"), id="has another role"),
        pytest.param(delete(StaffAreaRow), id="has moved to another area"),
    ],
)
def test_who_may_no_longer_answer_cannot_by_an_old_link_either(told, change):
    with told.sessions.begin() as session:
        session.execute(change)
    assert take(told, token(told)) is LinkResult.FOREIGN
    assert state(told) == "open"


def test_guesses_are_recorded_until_there_are_too_many_and_lock_nobody_out(told):
    guesses = [link_token(random.Random(seed)) for seed in range(FAILURES_ALLOWED + 2)]
    results = [take(told, each) for each in guesses]
    assert results == [LinkResult.FORGED] * FAILURES_ALLOWED + [LinkResult.TOO_MANY] * 2
    assert recorded(told) == ["link_forged"] * FAILURES_ALLOWED
    assert take(told, token(told)) is LinkResult.ACKNOWLEDGED
    told.clock.forward(minutes=15, seconds=1)
    assert take(told, guesses[0]) is LinkResult.FORGED


def test_a_used_link_is_recorded_a_few_times_only(told):
    results = [take(told, token(told)) for _ in range(FAILURES_ALLOWED + 2)]
    assert results[1:-1] == [LinkResult.USED] * FAILURES_ALLOWED
    assert results[-1] is LinkResult.TOO_MANY
    assert len(recorded(told)) == FAILURES_ALLOWED + 1


def test_a_text_that_is_sent_again_has_another_link_and_both_are_the_officer_s(watch):
    watch.sender.fail(1, SendError(Fault.AMBIGUOUS, "planted"))
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.deliver()
    watch.clock.forward(seconds=31)
    watch.deliver()
    first, second = (LINK.search(each.body)[1] for each in watch.sender.tried)
    assert first != second
    assert take(watch, second) is LinkResult.ACKNOWLEDGED
    assert take(watch, first) is LinkResult.ALREADY


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("http://safer.example.gov.uk", id="anybody on the way could read it"),
        pytest.param("https://".ljust(63, "x"), id="there is no room for it"),
    ],
)
def test_without_https_or_room_the_text_asks_to_sign_in_and_keeps_its_code(watch, address):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    deliver.deliver_next(watch.sessions, watch.ways, watch.clock, address, jitter=0.0)
    (sent,) = watch.sender.sent
    assert sent.body == watch.database.one(TextRow).body
    assert "/k/" not in sent.body
    assert watch.database.one(TextRow).code in sent.body
    assert watch.database.count(AckLinkRow) == 0


def test_a_link_lasts_no_longer_than_an_acknowledgement_is_of_use(told):
    row = told.database.one(AckLinkRow)
    assert row.expires_at - row.made_at <= timedelta(hours=2)
