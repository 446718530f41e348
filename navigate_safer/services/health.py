"""What stands between a breach and an officer at this moment, said in plain sentences.

The judgement is a pure function of what was read. A *fault* means that a breach might not reach an
officer; a *warning* that it still does, and will not for ever.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import figures, limits, parts, seals
from navigate_safer.db.base import Sessions
from navigate_safer.db.figures import TELLING, Facts
from navigate_safer.db.limits import Limit, Partitions
from navigate_safer.db.operations import WORKERS, StorageLine, WorkerLine
from navigate_safer.db.reading import DATABASE_FAULTS, reading
from navigate_safer.people.days import span
from navigate_safer.services import part_checks
from navigate_safer.services.checks import Check as Check  # noqa: PLC0414 - part of health
from navigate_safer.services.checks import State as State  # noqa: PLC0414 - part of health

# Policy of this project, version 1. Messages that wait this long mean that intake is behind.
INTAKE_BEHIND_S = 30.0
# Readings that wait longer than this to be judged mean that judging has fallen behind; told within
# the minute that is the project's bar.
UNJUDGED_STALE = timedelta(seconds=45)
# Every fitted tag speaks within the 15 minutes after which it is called silent (alerts/terms.py);
# when none of them has, it is the feed that is silent.
FEED_SILENT = timedelta(minutes=15)
# A look at the state takes milliseconds; intake commits many times a second.
DATABASE_SLOW_S = 1.0
LOOK_WITHIN_S = 3.0
# Anybody may ask for /health; a probe that comes each few seconds sees nothing older than this.
RECENT_S = 1.0
# Ids, partitions and the disk change over days, and cost more to read than all the rest. With the
# five seconds of the watch they are told within the minute that is the project's bar.
SLOW_EVERY_S = 50.0
# Fewer days than this to any limit: a warning; less than one: a fault.
DAYS_WARNING, DAYS_FAULT = 14.0, 1.0
# Partitions are made ahead every night, so a day less is one failed night.
PARTITION_DAYS_WARNING = 1.0

KEPT = "Messages are kept by the broker and nothing is lost."
AWAY = (
    "The database does not answer. Nothing can be judged or shown until it does. "
    f"{KEPT} If an alert is waiting, use the reply code in your text."
)


def look(
    sessions: Sessions,
    now: datetime,
    wall_now: datetime,
    *,
    slow: "SlowChecks | None" = None,
) -> list[Check]:
    """Every check; a database that is away is one of them. Takes no lock and never raises.

    ``now`` is the service's clock, ``wall_now`` real time; they differ in a demonstration only.
    With ``slow`` the limits too.
    """
    began = time.monotonic()
    try:
        with reading(sessions, within_s=LOOK_WITHIN_S) as session:
            found = figures.facts(session, now, wall_now)
            took_s = time.monotonic() - began
            checks = [_database(took_s), *judge(found, now)]
            checks += part_checks.judge(parts.facts(session, now, wall_now), now)
            if slow is not None:
                checks += slow.look(session, now)
            return checks
    except DATABASE_FAULTS:
        return [Check("database", State.FAULT, AWAY)]


class Recent:
    """The last answer, for as long as it is good enough: asking costs the database no more often.

    Whoever asks while somebody looks waits for that answer. ``clock`` gives seconds that only grow.
    """

    def __init__(
        self, lasts_s: float = RECENT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lasts_s, self._clock = lasts_s, clock
        self._looking = threading.Lock()
        self._checks: list[Check] = []
        self._until_s = float("-inf")

    def look(self, find: Callable[[], list[Check]]) -> list[Check]:
        """What ``find`` says, or said a moment ago."""
        with self._looking:
            if self._clock() >= self._until_s:
                self._checks = find()
                self._until_s = self._clock() + self._lasts_s
            return self._checks


class SlowChecks:
    """The checks of ids, partitions, the disk and the logs as they were last read, with their age.

    ``disk_bytes`` is the size of the database's disk where it cannot be read; ``clock`` gives
    seconds that only grow.
    """

    def __init__(self, disk_bytes: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._disk_bytes, self._clock = disk_bytes, clock
        self._looking = threading.Lock()
        self._checks: list[Check] = []
        self._read_at_s = float("-inf")

    def look(self, session: Session, now: datetime) -> list[Check]:
        """What they say; read again when they are :data:`SLOW_EVERY_S` old."""
        with self._looking:
            age_s = self._clock() - self._read_at_s
            if age_s < SLOW_EVERY_S:
                said = f"Read {span(timedelta(seconds=age_s))} ago."
                return [
                    msgspec.structs.replace(each, text=f"{each.text} {said}")
                    for each in self._checks
                ]
            daily = limits.partitions(session, now)
            near = limits.limits(session, now, self._disk_bytes, daily)
            self._checks = judge_limits(near, daily)
            self._checks += part_checks.logs(seals.facts(session, now), now)
            self._read_at_s = self._clock()
            return list(self._checks)


def degraded(sessions: Sessions, now: datetime, wall_now: datetime) -> list[str]:
    """The sentences about what is not well, for the top of every page."""
    return [each.text for each in look(sessions, now, wall_now) if each.state is not State.OK]


def judge(found: Facts, now: datetime) -> list[Check]:
    """Intake, every worker, judging, texts, whether alerts reach anybody, and old readings."""
    return [
        *_workers(found.workers),
        *_intake(found, now),
        _judging(found, now),
        _texts(found),
        *_storage(found.storage),
        _telling(found),
    ]


def judge_limits(near: Sequence[Limit], partitions: Sequence[Partitions]) -> list[Check]:
    """Disk, ids and partitions."""
    checks = []
    for each in near:
        state = State.OK
        if each.days is not None and each.days < DAYS_WARNING:
            state = State.FAULT if each.days < DAYS_FAULT else State.WARNING
        if each.is_made_ahead:
            # A row without its partition still has the default one: slower, not lost.
            late = each.days is not None and each.days < PARTITION_DAYS_WARNING
            state = State.WARNING if late else State.OK
        checks.append(Check(f"limit: {each.name}", state, _limit_text(each)))
    for part in partitions:
        if part.in_default:
            text = f"{part.in_default} row(s) of {part.table} lie outside every day's partition."
            checks.append(Check(f"default partition: {part.table}", State.WARNING, text))
    return checks


def _limit_text(each: Limit) -> str:
    if each.days is None:
        return f"How long the limit of {each.name} is away is not known yet."
    if each.days == float("inf"):
        return f"The limit of {each.name} is not coming nearer."
    return f"The limit of {each.name} is {each.days:,.1f} days away at the present pace."


def _database(took_s: float) -> Check:
    if took_s > DATABASE_SLOW_S:
        text = f"The database is slow: it took {took_s:.1f} seconds to answer. {KEPT}"
        return Check("database", State.FAULT, text)
    return Check("database", State.OK, "The database answers.")


def _workers(lines: Sequence[WorkerLine]) -> list[Check]:
    """One for each; of several processes of one worker, which this page may not name, by number."""
    checks, seen = list[Check](), dict[str, int]()
    for line in lines:
        number = seen[line.worker] = seen.get(line.worker, 0) + 1
        checks.append(_worker(line, f"worker: {line.worker}" + (f" ({number})" * (number > 1))))
    return checks


def _worker(line: WorkerLine, name: str) -> Check:
    # Without the others a breach still reaches an officer.
    bad = State.FAULT if line.worker in WORKERS else State.WARNING
    if line.stale:
        return Check(name, bad, f"The {line.worker} worker gives no sign of life.")
    if line.fault is not None:
        return Check(name, bad, f"The {line.worker} worker reports a fault ({line.fault}).")
    return Check(name, State.OK, f"The {line.worker} worker is running.")


def _intake(found: Facts, now: datetime) -> list[Check]:
    lines = [each for each in found.workers if each.worker == "ingest"]
    # Each process takes every message: one that is connected and keeps up is enough.
    line = min(lines, key=lambda each: (each.connected_since is None, each.oldest_waiting_s or 0.0))
    checks = [_feed(line, found, now), _waiting(line)]
    if line.note is not None:
        checks.append(Check("intake note", State.WARNING, f"Intake says: {line.note}"))
    at_work = sum(each.newly_heard for each in lines)
    if at_work > 1:
        text = (
            f"{at_work} processes of intake are running. Each takes every message and nothing is "
            "stored twice, but one is enough: stop the others."
        )
        checks.append(Check("intake processes", State.WARNING, text))
    return checks


def _feed(line: WorkerLine, found: Facts, now: datetime) -> Check:
    if not line.stale and line.connected_since is None:
        text = "Telemetry is not being received: no connection to the broker."
        return Check("feed", State.FAULT, text)
    last = found.last_received_at
    if found.tags_fitted and last is not None and now - last > FEED_SILENT:
        text = f"No message of any device has come for {span(now - last)}."
        return Check("feed", State.FAULT, text)
    return Check("feed", State.OK, "Telemetry is being received.")


def _waiting(line: WorkerLine) -> Check:
    oldest_s, waiting = line.oldest_waiting_s or 0.0, line.waiting or 0
    if line.at is None or oldest_s <= INTAKE_BEHIND_S:
        return Check("intake", State.OK, "Intake keeps up.")
    since = line.at - timedelta(seconds=oldest_s)
    text = (
        f"Intake is behind: {waiting:,} message(s) wait to be stored, the oldest since "
        f"{since:%H:%M:%S} UTC ({span(timedelta(seconds=oldest_s))}). Alerts come late. {KEPT}"
    )
    return Check("intake", State.FAULT, text)


def _judging(found: Facts, now: datetime) -> Check:
    if found.failing_devices:
        text = (
            f"{found.failing_devices} device(s) cannot be judged: "
            "their readings are kept and waiting."
        )
        return Check("judging", State.FAULT, text)
    since = found.pending_since
    if since is not None and now - since > UNJUDGED_STALE:
        text = (
            f"Judging is behind: readings of {found.pending_devices} device(s) wait, "
            f"the oldest for {span(now - since)}. Alerts come late; nothing is lost."
        )
        return Check("judging", State.FAULT, text)
    return Check("judging", State.OK, "Readings are judged as they come.")


def _texts(found: Facts) -> Check:
    said = []
    if found.texts_overdue:
        said.append(f"{found.texts_overdue} text(s) have been waiting for too long.")
    if found.texts_refused:
        said.append(f"{found.texts_refused} text(s) of open alerts did not reach an officer.")
    if said:
        return Check("texts", State.FAULT, " ".join(said))
    return Check("texts", State.OK, "Texts go out as they are due.")


def _telling(found: Facts) -> Check:
    if not found.alerts_untold:
        return Check(TELLING, State.OK, "Open alerts are told to somebody.")
    text = (
        f"{found.alerts_untold} open alert(s) can be told to nobody: look at the board, and at the "
        "policy, the rota and the telephone numbers of their area."
    )
    return Check(TELLING, State.FAULT, text)


def _storage(line: StorageLine | None) -> list[Check]:
    """Nothing before the first round. A breach still reaches an officer whatever it says."""
    if line is None:
        return []
    if line.last_fault is None:
        return [
            Check("storage", State.OK, "Old readings are put in order and away as they are due.")
        ]
    text = (
        f"{line.faults} thing(s) could not be done with old readings, the last: {line.last_fault}. "
        "Each is left as it is and tried again."
    )
    return [Check("storage", State.WARNING, text)]
