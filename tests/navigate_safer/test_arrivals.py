"""Judged on arrival is judged as the monitor would: the same readings give the same episodes.

The same day is given to three wearers' tags. Two are judged as their readings arrive, with turns
of the monitor, restarts and failed batches in between wherever these like to come; the third by
the monitor alone, once, at the end.
"""

import itertools
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from case_files import START, Place, battery, box, condition, event, fix, message, one_more_wearer
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import OperationalError
from watch import VOICE, Watch

from alerts.finding import Severity
from alerts.terms import ConditionKind
from navigate_safer.db import terms
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.people import ConditionRow, DeviceRow, FittingRow
from navigate_safer.db.telemetry import JudgementRow
from navigate_safer.people.casefile import CaseFile, Window, ZoneEntry
from navigate_safer.services import monitor
from navigate_safer.services.arrivals import Arrivals

# From the afternoon on, so that a curfew begins and ends on the way.
BEGINS = START - timedelta(hours=5)
EDGE_M = 0.006
PLACES = {
    "home": Place(53.2270, -2.8840),
    "street": Place(53.2268, -2.8832),
    "town": Place(53.1905, -2.8918),
    "edge of town": Place(53.1905 + EDGE_M, -2.8918),
    "far": Place(53.0988, -2.4413),
}
NIGHT = [Window(["fri", "sat"], "20:00", "23:30")]
_numbers = itertools.count(5_000)


class Told(NamedTuple):
    """A reading as the tag sends it, in one message, and how long that was on the way."""

    second: int
    what: dict[str, object]
    delay_s: int


class Step(NamedTuple):
    """A batch of messages, by their places in the day, and what happens around it."""

    places: list[int]
    around: str


def prepare(watch: Watch) -> None:
    """A home to be in by night, and nothing of the small case file to be looked after."""
    home = ZoneEntry("Z-H", "Home", "inclusion", box(PLACES["home"], half_deg=0.003),
                     schedule=NIGHT)  # fmt: skip
    watch.register(CaseFile(v=1, zones=[home]))


def a_tag(watch: Watch) -> str:
    number = next(_numbers)
    since = BEGINS - timedelta(hours=1)
    own = (
        condition(f"EX-{number}", ConditionKind.EXCLUSION_ZONE, Severity.HIGH, zone="Z-1",
                  from_at=since),
        condition(f"CU-{number}", ConditionKind.CURFEW, Severity.HIGH, zone="Z-H", from_at=since,
                  until_at=BEGINS + timedelta(hours=7)),
        condition(f"CA-{number}", ConditionKind.TAG_CARE, Severity.HIGH, from_at=since),
    )  # fmt: skip
    watch.register(one_more_wearer(number, conditions=own))
    return f"TAG-X{number}"


@st.composite
def days(draw) -> list[Told]:
    """Stays and ways between places at any pace, with jitter, gaps, events and repeats."""
    second, told = 0, []
    stays = st.tuples(
        # Mostly where nothing is to be found, and again and again there.
        st.sampled_from([*["home"] * 6, *sorted(PLACES)]),
        st.integers(1, 40),
        st.sampled_from([15, 30, 60, 60, 60, 120]),
        st.sampled_from([8.0, 8.0, 8.0, 8.0, 3.0, 25.0, 90.0, 400.0, 2_000.0]),
    )
    for name, count, pace_s, accuracy_m in draw(st.lists(stays, min_size=2, max_size=8)):
        place = PLACES[name]
        for n in range(count):
            second += pace_s
            jitter = draw(st.integers(-40, 40)) * 1e-6 if n % 7 == 0 else n * 1e-6
            at = BEGINS + timedelta(seconds=second)
            where = Place(place.lat + jitter, place.lon - jitter)
            told.append(Told(second, fix(at, where, accuracy_m=accuracy_m), 2))
        second += draw(st.sampled_from([0, 0, 0, 700, 1_500, 4_000]))
    others = st.tuples(
        st.integers(1, second), st.sampled_from(["battery", "low", "tamper", "tamper ends"])
    )
    for when, what in draw(st.lists(others, max_size=3)):
        told.append(Told(when, _other(BEGINS + timedelta(seconds=when), what), 2))
    return _on_the_way(draw, told)


def _on_the_way(draw, told: list[Told]) -> list[Told]:
    """Some are sent again, some come late, in the order in which they come."""
    again = draw(st.lists(st.sampled_from(told), max_size=2))
    late = draw(st.sets(st.sampled_from(range(len(told))), max_size=3))
    hours = st.sampled_from([90, 1_200, 9_000, 30_000])
    told = [each._replace(delay_s=draw(hours)) if n in late else each for n, each in
            enumerate(told)]  # fmt: skip
    told += [each._replace(delay_s=each.delay_s + draw(hours)) for each in again]
    return sorted(told, key=lambda each: each.second + each.delay_s)


def _other(at: datetime, what: str) -> dict[str, object]:
    if what in ("battery", "low"):
        return battery(at, 80 if what == "battery" else 3)
    return event(at, "strap_tamper", "end" if "ends" in what else "start")


AROUND = (*["monitor"] * 9, "", "", "silence", "restart", "fails")


@st.composite
def arrivals(draw) -> tuple[list[Told], list[Step]]:
    day = draw(days())
    sizes = draw(st.lists(st.sampled_from([1, 1, 2, 3, 5, 12, 40]), min_size=1, max_size=9))
    edges = [0]
    while edges[-1] < len(day):
        edges.append(min(len(day), edges[-1] + sizes[len(edges) % len(sizes)]))
    steps = [Step(list(range(a, b)), draw(st.sampled_from(AROUND)))
             for a, b in itertools.pairwise(edges) if a < b]  # fmt: skip
    return day, steps


class FailingCommit:
    """The next commit fails, as it does when the connection is cut just then."""

    def __init__(self, watch: Watch) -> None:
        self._engine = watch.database.engine

    def __enter__(self) -> None:
        sqlalchemy_event.listen(self._engine, "commit", self._fail)

    def __exit__(self, *_: object) -> None:
        sqlalchemy_event.remove(self._engine, "commit", self._fail)

    def _fail(self, _connection) -> None:
        raise OperationalError("commit", None, Exception("the connection is gone"))


def messages(day: list[Told], places: list[int], *tags: str):
    """Each reading in a message of its own, for each of the tags."""
    return [
        message(tag, day[place].what, received_at=_received_at(day[place]))
        for place in places
        for tag in tags
    ]


def _received_at(told: Told) -> datetime:
    return BEGINS + timedelta(seconds=told.second + told.delay_s)


def live(watch: Watch, day: list[Told], steps: list[Step], *tags: str) -> int:
    """As it goes in the service; how many readings were judged on arrival."""
    on_arrival = 0
    for step in steps:
        batch = messages(day, step.places, *tags)
        if step.around == "restart":
            watch.arrivals = Arrivals(most_at_hand=1)
        if step.around == "fails":
            with FailingCommit(watch), pytest.raises(OperationalError):
                watch.receive(*batch)
        on_arrival += watch.receive(*batch).on_arrival
        if step.around == "monitor":
            assert not [each for each in watch.judge() if each.failed]
        if step.around == "silence":
            watch.look_for_silence()
    return on_arrival


def found(watch: Watch, tag: str) -> tuple[set[tuple[object, ...]], dict[str, object]]:
    """Episodes and states of a tag's wearer, under names that do not tell whose they are."""
    database = watch.database
    refs = {row.id: row.ref[:2] for row in database.all(ConditionRow)}
    device = database.one(DeviceRow, DeviceRow.ref == tag)
    fitting_id = database.one(FittingRow, FittingRow.device_id == device.id).id
    rows = database.all(
        EpisodeRow, EpisodeRow.fitting_id == fitting_id, EpisodeRow.withdrawn.is_(False)
    )
    episodes = {
        (refs[row.condition_id], row.kind, row.started_at, row.ended_at, repr(row.evidence))
        for row in rows
    }
    with watch.sessions.begin() as session:
        # What was passed by in calm is in the states of both.
        monitor.catch_up(session, terms.fitting(session, fitting_id), watch.clock(), VOICE)
    states = database.one(JudgementRow, JudgementRow.fitting_id == fitting_id).states
    named = {}
    for key, value in states["by_rule"].items():
        condition_id, _, rule = key.partition("/")
        named[f"{refs[int(condition_id)]}/{rule}"] = value
    return episodes, {"through": states["through"], **named}


@settings(
    # Each example is some dozens of transactions.
    max_examples=settings.default.max_examples // 4,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=arrivals())
def check_a_day(watch: Watch, story: tuple[list[Told], list[Step]]) -> None:
    day, steps = story
    one, other, by_the_monitor = a_tag(watch), a_tag(watch), a_tag(watch)
    watch.arrivals = Arrivals(most_at_hand=1)
    watch.clock.at = BEGINS
    on_arrival = live(watch, day, steps, one, other)
    watch.judge()
    watch.arrivals = None
    watch.receive(*messages(day, list(range(len(day))), by_the_monitor))
    watch.judge()
    watch.look_for_silence()
    expected = found(watch, by_the_monitor)
    assert found(watch, one) == expected
    assert found(watch, other) == expected
    target(float(on_arrival), label="readings judged on arrival")


def test_a_day_judged_on_arrival_is_the_day_as_the_monitor_judges_it(watch):
    prepare(watch)
    check_a_day(watch)
