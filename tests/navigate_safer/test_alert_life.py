"""The life of an alert against a model of it: any order of what people, ticks and replies can do.

The model knows no database, no texts and no policy; it says only what state the alert must be in,
who is next, and that nobody waits past the deadline.
"""

import functools
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from case_files import INSIDE, OUTSIDE, walk
from databases import Database, SqliteFactory
from decided import breach_again, withdraw
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from watch import Watch

from alerts.lifecycle import Outcome
from alerts.silences import Reason
from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeRow, TextRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.telling import SilenceRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import casework, replies
from navigate_safer.services.replies import ReplyResult

_STEP = timedelta(seconds=120)
_EXPIRES = timedelta(minutes=15)


class Model:
    """What must be true of one alert, in fifty lines."""

    def __init__(self, now: datetime) -> None:
        self.state, self.told, self.resolved = "open", 1, False
        self.due_at: datetime | None = now + _STEP
        self.expires_at: datetime | None = None
        self.quiet_until: datetime | None = None
        self.anew_at: datetime | None = None
        self.held = self.withdrawn = False

    def acknowledge(self, now: datetime) -> bool:
        if self.state != "open":
            return False
        self.state, self.expires_at, self.due_at = "acknowledged", now + _EXPIRES, None
        return True

    def note(self) -> None:
        self.expires_at = None

    def resolve(self) -> bool:
        if self.state == "resolved":
            return False
        self.state, self.expires_at, self.due_at = "resolved", None, None
        return True

    def reopen(self, now: datetime) -> bool:
        if self.state != "resolved":
            return False
        self.state, self.due_at, self.anew_at = "open", now, now
        return True

    def stale(self, sent_at: datetime) -> bool:
        return self.state == "open" and self.anew_at is not None and sent_at < self.anew_at

    def withdraw(self) -> None:
        self.withdrawn, self.due_at, self.expires_at = True, None, None

    def breach_again(self, now: datetime) -> None:
        self.withdrawn, self.expires_at = False, None
        if self.state != "open" or self.due_at is None:
            self.state, self.due_at = "open", now

    def tick(self, now: datetime) -> None:
        if self.state == "acknowledged" and self.expires_at is not None and self.expires_at <= now:
            self.state, self.expires_at, self.due_at, self.anew_at = "open", None, now, now
        if self.state != "open" or self.due_at is None or self.due_at > now:
            return
        if self.quiet_until is not None and now < self.quiet_until:
            self.due_at, self.held = self.quiet_until, True
            return
        if self.held and self.withdrawn:
            self.held, self.due_at = False, None
            return
        self.held = False
        self.told, self.due_at = self.told + 1, now + _STEP


class AlertLife(RuleBasedStateMachine):
    """One zone breach; every rule is something that can happen at any time."""

    @initialize()
    def begins(self) -> None:
        self.opened = _factory().fresh()
        self.database: Database = self.opened.__enter__()
        self.watch = Watch(self.database)
        self.watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
        self.watch.deliver()
        self.model = Model(self.alert.opened_at)
        self.was: list[tuple[int, str]] = []
        self.tick()

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.__exit__(None, None, None)

    @property
    def alert(self) -> AlertRow:
        return self.database.one(AlertRow)

    @property
    def episode(self) -> EpisodeRow:
        return self.database.one(EpisodeRow, EpisodeRow.id == self.alert.episode_id)

    @property
    def scope(self) -> Scope:
        west = self.database.one(AreaRow, AreaRow.ref == "west").id
        officer = self.database.one(StaffRow, StaffRow.ref == "off-1").id
        return Scope(officer, Role.DUTY_OFFICER, frozenset({west}))

    def tick(self) -> None:
        self.watch.escalate()
        self.watch.deliver()
        self.model.tick(self.watch.clock())

    @rule(seconds=st.sampled_from([1, 20, 60, 119, 121, 600, 901]))
    def time_passes(self, seconds: int) -> None:
        # Each second has its tick; the ones between due instants do nothing.
        until = self.watch.clock() + timedelta(seconds=seconds)
        while self.watch.clock() < until:
            due = [at for at in (self.model.due_at, self.model.expires_at) if at is not None]
            next_at = min([*due, until])
            self.watch.clock.at = min(max(next_at, self.watch.clock()), until)
            self.tick()

    @rule()
    def somebody_acknowledges(self) -> None:
        now = self.watch.clock()
        done = casework.acknowledge(self.watch.sessions, self.scope, self.alert.reference, now)
        assert done is self.model.acknowledge(now)

    @rule()
    def somebody_notes(self) -> None:
        now, reference = self.watch.clock(), self.alert.reference
        assert casework.add_note(self.watch.sessions, self.scope, reference, "rang him", now)
        self.model.note()

    @rule(outcome=st.sampled_from([Outcome.BREACH_CONFIRMED, Outcome.FALSE_ALARM]))
    def somebody_resolves(self, outcome: Outcome) -> None:
        done = casework.resolve(
            self.watch.sessions, self.scope, self.alert.reference, outcome, "", self.watch.clock()
        )
        assert done is self.model.resolve()

    @rule()
    def it_is_reopened(self) -> None:
        now = self.watch.clock()
        moved = casework.reopen(
            self.watch.sessions, self.scope, self.alert.reference, "too soon", now
        )
        assert moved is self.model.reopen(now)
        self.tick()

    @rule()
    def late_data_shows_no_breach(self) -> None:
        if not self.model.withdrawn:
            withdraw(self.watch, self.episode)
            self.model.withdraw()

    @rule()
    def late_data_shows_that_it_was_one(self) -> None:
        """He is in the zone again, or still: what was withdrawn or resolved is told again."""
        breach_again(self.watch, self.episode)
        self.model.breach_again(self.watch.clock())
        self.tick()

    @rule(which=st.integers(0, 10), good=st.booleans())
    def a_reply_comes(self, which: int, good: bool) -> None:
        texts, now = self.database.all(TextRow), self.watch.clock()
        text = texts[which % len(texts)]
        sender = self.database.one(StaffRow, StaffRow.id == text.staff_id).phone
        expired = text.code_expires_at <= now
        self.was.append((text.id, f"SM{len(self.was)}"))
        result = replies.take_reply(
            self.watch.sessions,
            provider_id=self.was[-1][1],
            sender=sender if good else "+447700900999",
            body=text.code,
            now=now,
        )
        if not good:
            assert result is ReplyResult.UNKNOWN_NUMBER
        elif expired:
            assert result is ReplyResult.EXPIRED
        elif self.model.stale(text.created_at):
            assert result is ReplyResult.STALE
        else:
            moved = self.model.acknowledge(now)
            assert result is (ReplyResult.ACKNOWLEDGED if moved else ReplyResult.ALREADY)

    @rule()
    def an_old_reply_is_played_again(self) -> None:
        if self.was:
            again = replies.take_reply(
                self.watch.sessions, provider_id=self.was[0][1], sender="+447700900101",
                body="000000", now=self.watch.clock(),
            )  # fmt: skip
            assert again is ReplyResult.REPEATED

    @rule(minutes=st.sampled_from([5, 30]))
    def a_silence_is_made(self, minutes: int) -> None:
        now = self.watch.clock()
        if self.model.quiet_until is not None and now < self.model.quiet_until:
            return
        author, second = (
            self.database.one(StaffRow, StaffRow.ref == ref).id for ref in ("off-1", "sup-1")
        )
        about = self.database.one(EpisodeRow, EpisodeRow.id == self.alert.episode_id)
        until = now + timedelta(minutes=minutes)
        with self.watch.sessions.begin() as session:
            session.add(
                SilenceRow(
                    kind="silence", from_at=now, until_at=until, author_id=author, made_at=now,
                    reason=Reason.BEING_DEALT_WITH.value, words="test", kinds=None,
                    area_id=self.alert.area_id,
                    condition_id=about.condition_id, approved_by=second, approved_at=now,
                )
            )  # fmt: skip
        self.model.quiet_until = until

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        row = self.alert
        assert row.state == self.model.state
        assert self.database.count(TextRow) == self.model.told
        with self.watch.sessions() as session:
            assert invariants.broken(session, self.watch.clock()) == {}

    @invariant()
    def every_change_of_state_is_in_the_history(self) -> None:
        if hasattr(self, "model"):
            moves = [row.move for row in self.database.all(AlertHistoryRow)]
            state = "open"
            after = {"acknowledge": "acknowledged", "resolve": "resolved"}
            for move in moves:
                state = after.get(move, "open" if move in ("expire", "reopen") else state)
            assert state == self.model.state


@functools.cache
def _factory() -> SqliteFactory:
    """One chain of migrations for all examples."""
    return SqliteFactory(Path(tempfile.mkdtemp(prefix="alert-life-")))


TestAlertLife = AlertLife.TestCase
TestAlertLife.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_an_acknowledgement_of_what_was_withdrawn_has_nothing_left_to_expire():
    life = AlertLife()
    life.begins()
    try:
        life.somebody_acknowledges()
        life.late_data_shows_no_breach()
        life.time_passes(901)
        life.it_is_as_the_model_says()
        life.late_data_shows_that_it_was_one()
        life.it_is_as_the_model_says()
    finally:
        life.teardown()
