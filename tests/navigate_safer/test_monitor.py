"""Judgement over the database: what a breach leaves behind, what late data changes, what is due."""

import itertools
from datetime import timedelta

import pytest
from case_files import (
    FITTED_AT,
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    alcohol,
    battery,
    condition,
    event,
    fix,
    message,
    one_more_wearer,
    walk,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from watch import VOICE, Watch

from alerts.finding import Severity
from alerts.lifecycle import ACKNOWLEDGEMENT_LASTS, Outcome
from alerts.routing import ANSWER_WITHIN_S
from alerts.terms import ConditionKind
from navigate_safer.db import pending
from navigate_safer.db.alerting import (
    AlertHistoryRow,
    AlertRow,
    EpisodeHistoryRow,
    EpisodeRow,
    TextRow,
)
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import (
    AreaRow,
    ConditionRow,
    DeviceRow,
    FittingRow,
    StaffRow,
    WearerRow,
)
from navigate_safer.db.telemetry import CheckpointRow, JudgementRow, PendingRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import casework, heartbeats, monitor, sweep

HOUR = timedelta(hours=1)
CRITICAL_WAIT = timedelta(seconds=ANSWER_WITHIN_S[Severity.CRITICAL])


def episodes(watch: Watch, kind: str) -> list[EpisodeRow]:
    return watch.database.all(EpisodeRow, EpisodeRow.kind == kind, EpisodeRow.withdrawn.is_(False))


def breach(watch: Watch) -> EpisodeRow:
    """The one entry into the zone."""
    (episode,) = episodes(watch, "exclusion_breach")
    return episode


def staff_ids(watch: Watch) -> dict[str, int]:
    return {row.ref: row.id for row in watch.database.all(StaffRow)}


def officer(watch: Watch, ref: str = "off-1") -> Scope:
    areas = {row.ref: row.id for row in watch.database.all(AreaRow)}
    return Scope(staff_ids(watch)[ref], Role.DUTY_OFFICER, frozenset({areas["west"]}))


def history(watch: Watch) -> list[tuple[str, str]]:
    return [(row.move, row.reason) for row in watch.database.all(AlertHistoryRow)]


def decisions(watch: Watch, episode: EpisodeRow) -> list[str]:
    rows = watch.database.all(EpisodeHistoryRow, EpisodeHistoryRow.episode_id == episode.id)
    return [row.action for row in rows]


# What a breach leaves behind


def test_entering_the_zone_gives_one_episode_one_alert_and_one_text(watch):
    judged = watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, INSIDE))
    # That he is still there is said on arrival.
    assert [each.opened for each in judged] == [0, 1]
    episode, alert, text = breach(watch), watch.database.one(AlertRow), watch.database.one(TextRow)
    assert (episode.kind, episode.severity, episode.clause) == (
        "exclusion_breach", "critical", "Licence 12",
    )  # fmt: skip
    assert (episode.rule, episode.rule_version) == ("place.probability", "5")
    assert START < episode.started_at < START + MINUTE
    assert episode.ended_at is None
    assert (alert.episode_id, alert.state, alert.severity_rank) == (episode.id, "open", 0)
    assert (text.alert_id, text.step, text.state) == (alert.id, 0, "pending")
    assert text.staff_id == staff_ids(watch)["off-1"]
    assert alert.reference in text.body
    assert text.code in text.body
    assert watch.database.count(PendingRow) == 0
    assert [move for move, _ in history(watch)] == ["opened", "told"]
    assert decisions(watch, episode) == ["open"]


def test_leaving_the_zone_ends_the_episode_and_the_alert_stays_until_it_is_answered(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, OUTSIDE))
    episode = breach(watch)
    assert START + MINUTE < episode.ended_at < START + 2 * MINUTE
    assert watch.database.one(AlertRow).state == "open"
    assert history(watch)[-1] == ("end", "the condition is kept again")


def test_two_visits_are_two_breaches_with_an_alert_each(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, OUTSIDE, INSIDE, OUTSIDE))
    assert len(episodes(watch, "exclusion_breach")) == watch.database.count(AlertRow) == 2


@pytest.mark.parametrize(
    ("device", "reading", "kind", "texts"),
    [
        pytest.param(
            "TAG-1", event(START, "strap_tamper", "start"), "strap_tamper", 1, id="a cut strap"
        ),
        pytest.param("TAG-1", battery(START, 15), "battery_low", 0, id="a low battery"),
        pytest.param("MON-1", alcohol(START, 0.031), "alcohol_threshold", 1, id="alcohol"),
    ],
)
def test_each_kind_of_breach_opens_an_alert_and_only_serious_ones_a_text(
    watch, device, reading, kind, texts
):
    # Heard until now, so that only the one thing is wrong.
    watch.hear(message(device, battery(FITTED_AT + MINUTE, 100)))
    watch.hear(message(device, reading))
    (episode,) = episodes(watch, kind)
    assert watch.database.count(AlertRow, AlertRow.episode_id == episode.id) == 1
    assert watch.database.count(TextRow) == texts


def test_readings_of_a_device_that_changed_hands_are_judged_by_whose_it_was(watch):
    while_w1_wore_it = START - 7 * HOUR
    while_nobody_did = START - 5 * HOUR
    while_w2_wears_it = START
    for at in (while_w1_wore_it, while_nobody_did, while_w2_wears_it):
        watch.hear(message("TAG-LENT", fix(at, INSIDE), received_at=START + MINUTE))
    episode = breach(watch)
    assert episode.wearer_id == watch.database.one(WearerRow, WearerRow.ref == "W-1").id
    assert episode.started_at == while_w1_wore_it


def test_a_breach_in_an_area_where_nobody_can_be_texted_says_so(watch):
    with watch.sessions.begin() as session:
        session.execute(update(StaffRow).values(active=False))
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    assert watch.database.count(TextRow) == 0
    assert history(watch)[-1] == ("nobody_to_tell", "no one of this area can be texted")


# All or nothing


class FailingWrite:
    """Makes the ``nth`` statement that writes fail, once; 0 is the commit."""

    def __init__(self, engine, nth):
        self._engine, self._left, self.failed = engine, nth, False
        self._fails_at_commit = nth == 0
        sqlalchemy_event.listen(engine, "before_cursor_execute", self._statement)
        sqlalchemy_event.listen(engine, "commit", self._commit)

    def _statement(self, _connection, _cursor, statement, _parameters, _context, _many):
        if statement.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            self._left -= 1
            if self._left == 0 and not self._fails_at_commit:
                self._fail()

    def _commit(self, _connection):
        if self._fails_at_commit and not self.failed:
            self._fail()

    def _fail(self):
        self.failed = True
        raise OperationalError("write", None, Exception("the disk is full"))

    def remove(self):
        sqlalchemy_event.remove(self._engine, "before_cursor_execute", self._statement)
        sqlalchemy_event.remove(self._engine, "commit", self._commit)


def test_whichever_write_fails_the_breach_leaves_nothing_and_is_found_again(watch):
    """Fails the commit, then each write in turn, until a judgement has no more to fail."""
    nth = 0
    while True:
        watch.register(one_more_wearer(nth))
        tag = f"TAG-X{nth}"
        watch.hear(message(tag, fix(START - 3 * MINUTE, OUTSIDE)))
        watch.receive(*walk(tag, OUTSIDE, INSIDE))
        before = watch.database.counts()
        states = watch.database.one(JudgementRow, JudgementRow.fitting_id == fitting_id(watch, tag))
        failing = FailingWrite(watch.database.engine, nth)
        judged = monitor.judge_next(watch.sessions, watch.clock(), VOICE)
        failing.remove()
        if not failing.failed:
            break
        assert "the disk is full" in judged.failed
        assert watch.database.counts() == before
        again = watch.database.one(JudgementRow, JudgementRow.fitting_id == states.fitting_id)
        assert (again.version, again.states) == (states.version, states.states)
        watch.clock.forward(minutes=6)
        watch.judge()
        after = watch.database.counts()
        assert {name: after[name] - before[name] for name in ("episodes", "alerts", "texts")} == {
            "episodes": 1, "alerts": 1, "texts": 1,
        }, f"after write {nth} failed"  # fmt: skip
        assert watch.database.count(PendingRow) == 0
        nth += 1
    # Silence's arming, states, checkpoint, episode, two histories, alert, text, mark.
    assert nth > 6


def fitting_id(watch: Watch, tag: str) -> int:
    device = watch.database.one(DeviceRow, DeviceRow.ref == tag)
    return watch.database.one(FittingRow, FittingRow.device_id == device.id).id


def break_the_exclusion_of(watch: Watch, condition_ref: str) -> None:
    """Leave a condition about a place without its place: its rule raises on the next fix."""
    with watch.sessions.begin() as session:
        session.execute(
            update(ConditionRow).where(ConditionRow.ref == condition_ref).values(zone_id=None)
        )


def test_a_rule_that_fails_keeps_its_readings_and_the_other_devices_are_judged(watch):
    break_the_exclusion_of(watch, "C-1")
    watch.register(one_more_wearer(1))
    watch.receive(*walk("TAG-1", INSIDE))
    watch.receive(*walk("TAG-X1", INSIDE))
    judged = watch.judge()
    assert [each.failed is None for each in judged] == [False, True]
    assert "place.probability" in judged[0].failed
    assert watch.database.count(EpisodeRow, EpisodeRow.kind == "exclusion_breach") == 1
    mark = watch.database.one(PendingRow)
    assert (mark.failures, mark.earliest_at) == (1, START)
    assert mark.not_before == watch.clock() + pending.FIRST_RETRY
    assert "place.probability" in mark.fault


def test_a_device_that_cannot_be_judged_is_tried_again_ever_less_often(watch):
    break_the_exclusion_of(watch, "C-1")
    watch.receive(*walk("TAG-1", INSIDE))
    waits = []
    for _ in range(9):
        watch.judge()
        mark = watch.database.one(PendingRow)
        waits.append(mark.not_before - watch.clock())
        watch.clock.at = mark.not_before
    assert waits[:3] == [pending.FIRST_RETRY * factor for factor in (1, 2, 4)]
    assert waits[-1] == pending.LONGEST_RETRY


def test_once_the_rule_is_mended_the_breach_that_waited_is_told(watch):
    break_the_exclusion_of(watch, "C-1")
    watch.hear(*walk("TAG-1", INSIDE))
    watch.receive(*walk("TAG-1", OUTSIDE, start=START + MINUTE))
    with watch.sessions.begin() as session:
        zone = watch.database.one(ConditionRow, ConditionRow.ref == "C-4").zone_id
        session.execute(
            update(ConditionRow).where(ConditionRow.ref == "C-1").values(zone_id=zone - 1)
        )
    watch.clock.forward(seconds=pending.FIRST_RETRY.total_seconds())
    watch.judge()
    episode = breach(watch)
    assert episode.started_at == START
    assert watch.database.count(PendingRow) == 0


# Late data


def test_a_breach_found_in_an_upload_of_hours_is_told_as_late_data(watch):
    watch.receive(
        *[
            message("TAG-1", fix(START + MINUTE * n, place), received_at=START + 3 * HOUR)
            for n, place in enumerate([OUTSIDE, INSIDE, OUTSIDE])
        ]
    )
    watch.judge()
    (alert,) = watch.database.all(AlertRow, AlertRow.severity == "critical")
    assert alert.late_data
    assert ("opened", "new breach, found in late data") in history(watch)


def test_late_data_that_moves_the_beginning_amends_the_episode_and_keeps_what_it_was(watch):
    watch.hear(*walk("TAG-1", INSIDE))
    watch.hear(message("TAG-1", fix(START - MINUTE, INSIDE), received_at=START + MINUTE))
    episode = watch.database.one(EpisodeRow, EpisodeRow.kind == "exclusion_breach")
    assert episode.started_at == START - MINUTE
    rows = watch.database.all(EpisodeHistoryRow, EpisodeHistoryRow.episode_id == episode.id)
    assert [row.action for row in rows] == ["open", "amend"]
    assert rows[1].why == "late data changed its times"
    assert rows[1].before == {
        "started_at": START.isoformat(), "ended_at": None, "withdrawn": False,
    }  # fmt: skip
    assert watch.database.count(AlertRow, AlertRow.episode_id == episode.id) == 1
    assert ("amend", "late data changed its times") in history(watch)


def test_late_data_that_shows_no_breach_withdraws_the_episode_and_keeps_its_alert(watch):
    # Two tampers without an end between them are one; an end that comes late shows the first
    # to have been over, and a start before it that there was another.
    watch.hear(message("TAG-1", event(START, "strap_tamper", "start")))
    watch.hear(
        message("TAG-1", event(START - MINUTE, "strap_tamper", "start"), received_at=START + MINUTE)
    )
    watch.hear(
        message(
            "TAG-1",
            event(START + MINUTE, "strap_tamper", "end"),
            received_at=START + 2 * MINUTE,
        )
    )
    (episode,) = episodes(watch, "strap_tamper")
    assert (episode.started_at, episode.ended_at) == (START - MINUTE, START + MINUTE)


def test_a_crossing_that_a_late_fix_explains_away_is_withdrawn(watch):
    # Straight from west to east through the zone; then the fix between, well to the north.
    west, north, east = Place(53.1905, -2.93), Place(53.23, -2.8918), Place(53.1905, -2.85)
    watch.hear(message("TAG-1", fix(START, west)), message("TAG-1", fix(START + 2 * MINUTE, east)))
    assert len(episodes(watch, "exclusion_breach")) == 1
    watch.hear(message("TAG-1", fix(START + MINUTE, north), received_at=START + 3 * MINUTE))
    assert episodes(watch, "exclusion_breach") == []
    row = watch.database.one(EpisodeRow, EpisodeRow.kind == "exclusion_breach")
    assert row.withdrawn
    assert ("withdraw", "late data shows no breach") in history(watch)
    assert watch.database.one(AlertRow, AlertRow.episode_id == row.id).state == "open"


def test_a_breach_that_late_data_shows_to_go_on_opens_its_resolved_alert_again(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.hear(message("TAG-1", fix(START + 20 * MINUTE, OUTSIDE)))
    alert = watch.database.one(AlertRow, AlertRow.severity == "critical")
    scope = officer(watch)
    assert casework.resolve(
        watch.sessions, scope, alert.reference, Outcome.MONITORING_GAP, "", watch.clock()
    )
    # The gap is filled, and the zone was left later than was seen.
    watch.hear(
        *[
            message("TAG-1", fix(START + MINUTE * n, INSIDE), received_at=START + 21 * MINUTE)
            for n in range(2, 20, 2)
        ]
    )
    episode = breach(watch)
    assert START + 18 * MINUTE < episode.ended_at < START + 20 * MINUTE
    assert watch.database.count(EpisodeRow, EpisodeRow.kind == "exclusion_breach") == 1


def test_late_data_just_after_a_checkpoint_at_which_a_breach_was_last_seen(watch):
    last_of_the_hour = START + 59 * MINUTE
    watch.hear(
        message("TAG-1", fix(last_of_the_hour - MINUTE, OUTSIDE)),
        message("TAG-1", fix(last_of_the_hour, INSIDE)),
        # Nothing for half an hour: the breach ended where it was last seen.
        message("TAG-1", fix(last_of_the_hour + 30 * MINUTE, OUTSIDE)),
    )
    episode = breach(watch)
    assert episode.ended_at == last_of_the_hour
    assert watch.database.count(CheckpointRow, CheckpointRow.at == last_of_the_hour)
    late = message(
        "TAG-1",
        fix(last_of_the_hour + 5 * MINUTE, INSIDE),
        received_at=last_of_the_hour + 31 * MINUTE,
    )
    (judged,) = watch.hear(late)
    assert judged.failed is None
    episode = breach(watch)
    assert episode.ended_at == last_of_the_hour + 5 * MINUTE
    assert watch.database.count(AlertRow, AlertRow.severity == "critical") == 1


# The order of arrival


MINUTES = st.integers(0, 20).map(lambda n: n * 4) | st.integers(0, 24 * 60 - 1)
READINGS = st.one_of(
    st.tuples(MINUTES, st.sampled_from(["inside", "outside"])),
    st.tuples(MINUTES, st.sampled_from(["inside", "outside"])),
    st.tuples(MINUTES, st.sampled_from(["tamper", "tamper ends"])),
    st.tuples(MINUTES, st.sampled_from(["battery 100", "battery 15", "battery 3"])),
)
DAY = START - timedelta(days=1)
CLAUSE_ENDS = DAY + timedelta(minutes=70)
NIGHT = START + timedelta(hours=2)
# Each example has a wearer of its own in one database.
_numbers = itertools.count()


def telemetry(tag: str, minute: int, what: str):
    at = DAY + timedelta(minutes=minute)
    word, _, rest = what.partition(" ")
    reading = {
        "inside": lambda: fix(at, INSIDE),
        "outside": lambda: fix(at, OUTSIDE),
        "tamper": lambda: event(at, "strap_tamper", (rest and "end") or "start"),
        "battery": lambda: battery(at, float(rest or 0)),
    }[word]()
    # Whatever the order of arrival, each has its own time of receipt.
    return message(tag, reading, received_at=at + timedelta(seconds=2))


def a_wearer(watch: Watch) -> str:
    number = next(_numbers)
    own = (
        condition(f"CX-{number}", ConditionKind.EXCLUSION_ZONE, Severity.HIGH, zone="Z-1"),
        condition(
            f"CU-{number}", ConditionKind.EXCLUSION_ZONE, Severity.HIGH, zone="Z-1",
            until_at=CLAUSE_ENDS,
        ),
        condition(f"CY-{number}", ConditionKind.TAG_CARE, Severity.HIGH),
    )  # fmt: skip
    watch.register(one_more_wearer(number, conditions=own))
    return f"X{number}"


def final_episodes(watch: Watch, wearer: str) -> set[tuple]:
    number = wearer.removeprefix("X")
    wearer_id = watch.database.one(WearerRow, WearerRow.ref == f"W-X{number}").id
    refs = {row.id: row.ref.partition("-")[0] for row in watch.database.all(ConditionRow)}
    rows = watch.database.all(
        EpisodeRow, EpisodeRow.wearer_id == wearer_id, EpisodeRow.withdrawn.is_(False)
    )
    return {
        (refs[row.condition_id], row.kind, row.started_at, row.ended_at, repr(row.evidence))
        for row in rows
    }


@st.composite
def days(draw):
    """A day's readings, and an order of arrival in batches with repeats and ticks between."""
    readings = draw(st.lists(READINGS, min_size=1, max_size=14))
    repeats = draw(st.lists(st.sampled_from(readings), max_size=4))
    arrival = draw(st.permutations([*readings, *repeats]))
    cuts = draw(st.lists(st.integers(1, len(arrival)), max_size=6).map(sorted))
    edges = [0, *cuts, len(arrival)]
    batches = [arrival[a:b] for a, b in itertools.pairwise(edges) if a < b]
    ticks = draw(st.lists(st.booleans(), min_size=len(batches), max_size=len(batches)))
    return readings, list(zip(batches, ticks, strict=True))


@settings(
    # Each example is two dozen transactions.
    max_examples=settings.default.max_examples // 8,
    # To shrink an example takes longer than to read it.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(day=days())
def check_order_of_arrival(watch: Watch, day) -> None:
    readings, arrival = day
    in_order, as_it_came = a_wearer(watch), a_wearer(watch)
    watch.clock.at = NIGHT
    watch.receive(*[telemetry(f"TAG-{in_order}", *each) for each in sorted(readings)])
    assert not [each for each in watch.judge() if each.failed]
    for batch, tick in arrival:
        watch.receive(*[telemetry(f"TAG-{as_it_came}", *each) for each in batch])
        assert not [each for each in watch.judge() if each.failed]
        if tick:
            watch.look_for_silence()
    watch.look_for_silence()
    assert final_episodes(watch, as_it_came) == final_episodes(watch, in_order)


def test_the_final_episodes_depend_on_the_readings_and_not_on_their_arrival(watch):
    check_order_of_arrival(watch)


# Silence


def silent(watch: Watch) -> list[EpisodeRow]:
    return episodes(watch, "silence")


def tag_1_only(watch: Watch) -> None:
    """Everything else has been heard of just now, and stays out of the way."""
    with watch.sessions.begin() as session:
        session.execute(
            update(JudgementRow)
            .where(JudgementRow.fitting_id != fitting_id(watch, "TAG-1"))
            .values(check_after=None)
        )


@pytest.fixture
def heard(watch):
    tag_1_only(watch)
    watch.hear(message("TAG-1", battery(FITTED_AT + MINUTE, 100)), *walk("TAG-1", OUTSIDE))
    return watch


def silences_since_start(watch: Watch) -> list[EpisodeRow]:
    return [row for row in silent(watch) if row.started_at >= START]


def test_a_tag_that_is_silent_past_its_deadline_is_found_by_the_clock(heard):
    heard.clock.at = START + 15 * MINUTE
    heard.look_for_silence()
    assert silences_since_start(heard) == []
    heard.clock.forward(seconds=1)
    assert heard.look_for_silence() == [1]
    (episode,) = silences_since_start(heard)
    assert (episode.started_at, episode.ended_at) == (START, None)


def test_looking_again_opens_no_second_alert_for_one_silence(heard):
    heard.clock.at = START + 16 * MINUTE
    heard.look_for_silence()
    heard.clock.forward(hours=5)
    heard.look_for_silence()
    assert len(silences_since_start(heard)) == 1


def test_a_tag_that_was_never_heard_is_silent_since_it_was_fitted(watch):
    tag_1_only(watch)
    watch.clock.at = START
    watch.look_for_silence()
    (episode,) = silent(watch)
    assert episode.started_at == FITTED_AT


def test_a_reading_ends_the_silence(heard):
    heard.clock.at = START + 16 * MINUTE
    heard.look_for_silence()
    heard.hear(*walk("TAG-1", OUTSIDE, start=START + 40 * MINUTE))
    (episode,) = silences_since_start(heard)
    assert (episode.started_at, episode.ended_at) == (START, START + 40 * MINUTE)


def test_an_upload_of_what_was_measured_meanwhile_withdraws_the_silence(heard):
    """Out of coverage, not silent: the tag measured all along."""
    heard.clock.at = START + 16 * MINUTE
    heard.look_for_silence()
    heard.receive(
        *[
            message("TAG-1", fix(START + MINUTE * n, OUTSIDE), received_at=START + 30 * MINUTE)
            for n in range(1, 31)
        ]
    )
    heard.judge()
    assert silences_since_start(heard) == []
    row = heard.database.one(EpisodeRow, EpisodeRow.started_at == START)
    assert row.withdrawn
    assert ("withdraw", "late data shows no breach") in history(heard)


def test_an_old_reading_that_comes_during_a_silence_amends_it_and_raises_no_other(heard):
    heard.clock.at = START + 16 * MINUTE
    heard.look_for_silence()
    heard.hear(message("TAG-1", fix(START + 5 * MINUTE, OUTSIDE), received_at=START + 40 * MINUTE))
    heard.look_for_silence()
    (episode,) = silences_since_start(heard)
    assert (episode.started_at, episode.ended_at) == (START + 5 * MINUTE, None)
    assert heard.database.count(EpisodeRow, EpisodeRow.started_at >= START) == 1


def test_a_tag_with_readings_that_wait_to_be_judged_is_not_called_silent(heard):
    heard.clock.at = START + 16 * MINUTE
    heard.receive(*walk("TAG-1", OUTSIDE, start=START + 15 * MINUTE))
    heard.look_for_silence()
    assert silences_since_start(heard) == []


def test_a_tag_that_was_taken_off_is_not_silent(watch):
    watch.clock.at = START
    watch.look_for_silence()
    removed_at = START - 6 * HOUR
    lent = [row for row in silent(watch) if row.fitting_id == fitting_of_lent(watch)]
    assert [row.ended_at for row in lent] in ([], [removed_at])
    assert watch.look_for_silence() == []


def fitting_of_lent(watch: Watch) -> int:
    device = watch.database.one(DeviceRow, DeviceRow.ref == "TAG-LENT")
    wearer = watch.database.one(WearerRow, WearerRow.ref == "W-1")
    return watch.database.one(
        FittingRow, FittingRow.device_id == device.id, FittingRow.wearer_id == wearer.id
    ).id


@pytest.mark.parametrize(
    ("beaten", "connected", "up"),
    [
        pytest.param(None, None, False, id="intake never ran"),
        pytest.param(0, None, False, id="not connected"),
        pytest.param(0, 30, False, id="connected half a minute ago"),
        pytest.param(0, 60, True, id="connected for a minute"),
        pytest.param(61, 600, False, id="no sign of life for a minute"),
    ],
)
def test_silence_means_something_only_while_our_own_feed_is_up(watch, beaten, connected, up):
    def ago(seconds):
        return None if seconds is None else watch.clock() - timedelta(seconds=seconds)

    if beaten is not None:
        heartbeats.beat(watch.sessions, "ingest", ago(beaten), connected_since=ago(connected))
    assert heartbeats.feed_is_up(watch.sessions, watch.clock()) is up


# Who is told next


@pytest.fixture
def alerted(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch


def told(watch: Watch) -> list[str]:
    refs = {number: ref for ref, number in staff_ids(watch).items()}
    return [refs[row.staff_id] for row in watch.database.all(TextRow)]


def test_an_unanswered_alert_goes_to_the_next_person_and_the_last_one_is_told_again(alerted):
    assert told(alerted) == ["off-1"]
    for expected in ("off-2", "sup-1", "sup-1", "sup-1"):
        alerted.clock.at = alerted.clock() + CRITICAL_WAIT - timedelta(seconds=1)
        assert alerted.escalate() == []
        alerted.clock.forward(seconds=1)
        assert len(alerted.escalate()) == 1
        assert told(alerted)[-1] == expected
    assert [row.step for row in alerted.database.all(TextRow)] == [0, 1, 2, 3, 4]
    assert len({row.code for row in alerted.database.all(TextRow)}) == 5


def test_a_tick_that_is_missed_for_an_hour_tells_one_person_and_not_thirty(alerted):
    alerted.clock.forward(hours=1)
    assert len(alerted.escalate()) == 1
    assert told(alerted) == ["off-1", "off-2"]


def test_an_acknowledged_alert_goes_to_nobody_else(alerted):
    reference = alerted.database.one(AlertRow).reference
    assert casework.acknowledge(alerted.sessions, officer(alerted), reference, alerted.clock())
    alerted.clock.at += 3 * CRITICAL_WAIT
    assert alerted.escalate() == []
    assert told(alerted) == ["off-1"]


def test_an_acknowledgement_that_nothing_follows_expires_and_the_escalation_begins_anew(alerted):
    reference = alerted.database.one(AlertRow).reference
    casework.acknowledge(alerted.sessions, officer(alerted), reference, alerted.clock())
    alerted.clock.at += ACKNOWLEDGEMENT_LASTS
    assert len(alerted.escalate()) == 1
    alert = alerted.database.one(AlertRow)
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_at) == ("open", None, None)
    assert told(alerted) == ["off-1", "off-1"]
    alerted.clock.at += CRITICAL_WAIT
    alerted.escalate()
    assert told(alerted) == ["off-1", "off-1", "off-2"]
    assert ("expire", "no outcome and no note followed the acknowledgement") in history(alerted)


@pytest.mark.parametrize("follow", ["note", "outcome"])
def test_a_note_or_an_outcome_keeps_the_acknowledgement(alerted, follow):
    reference, scope = alerted.database.one(AlertRow).reference, officer(alerted)
    casework.acknowledge(alerted.sessions, scope, reference, alerted.clock())
    if follow == "note":
        casework.add_note(alerted.sessions, scope, reference, "Patrol sent.", alerted.clock())
    else:
        outcome = Outcome.BREACH_CONFIRMED
        casework.resolve(alerted.sessions, scope, reference, outcome, "", alerted.clock())
    alerted.clock.forward(hours=12)
    assert alerted.escalate() == []
    assert told(alerted) == ["off-1"]


def test_a_note_on_an_unanswered_alert_does_not_stop_the_escalation(alerted):
    reference = alerted.database.one(AlertRow).reference
    scope, now = officer(alerted), alerted.clock()
    casework.add_note(alerted.sessions, scope, reference, "Rang, no answer.", now)
    alerted.clock.at += CRITICAL_WAIT
    assert len(alerted.escalate()) == 1


def test_an_alert_keeps_the_escalation_it_opened_with_when_the_staff_changes(alerted):
    with alerted.sessions.begin() as session:
        session.execute(update(StaffRow).where(StaffRow.ref == "off-1").values(call_order=99))
    alerted.clock.at += CRITICAL_WAIT
    alerted.escalate()
    assert told(alerted) == ["off-1", "off-2"]


def test_every_move_of_an_alert_is_logged_in_the_same_transaction(alerted):
    reference, scope = alerted.database.one(AlertRow).reference, officer(alerted)
    casework.acknowledge(alerted.sessions, scope, reference, alerted.clock())
    entry = alerted.database.one(AuditRow, AuditRow.act == "alteration")
    assert (entry.what, entry.actor, entry.staff_id) == (
        "alert acknowledge", "staff", scope.staff_id,
    )  # fmt: skip


# Checkpoints


def test_old_checkpoints_are_thinned_to_one_a_day_and_judgement_still_finds_its_way_back(watch):
    watch.register(one_more_wearer(1))
    begin = START - timedelta(days=1)
    watch.receive(
        *[
            message("TAG-X1", fix(begin + timedelta(minutes=30 * n), OUTSIDE), received_at=START)
            for n in range(48)
        ]
    )
    watch.judge()
    before = watch.database.count(CheckpointRow)
    watch.clock.forward(days=9)
    dropped = sweep.prune_checkpoints(watch.sessions, watch.clock())
    assert dropped == before - watch.database.count(CheckpointRow)
    assert watch.database.count(CheckpointRow) == 2
    late = fix(begin + timedelta(minutes=75), INSIDE)
    watch.hear(message("TAG-X1", late, received_at=watch.clock()))
    assert len(episodes(watch, "exclusion_breach")) == 1
