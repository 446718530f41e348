"""The monitoring watches itself: a part that fails is an alert, and resolves when it works again.

Any number of processes may watch at once: a live alert is one a part, whoever opens it. Whether
everything holds is a separate question, whose answer an outside dead-man switch waits for.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import requests
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from alerts.finding import Severity
from alerts.lifecycle import AlertState
from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.bad_contacts import bad_contacts
from navigate_safer.db.base import Sessions
from navigate_safer.db.figures import TELLING
from navigate_safer.db.people import GatewayRow, StaffRow
from navigate_safer.db.reading import DATABASE_FAULTS, reading
from navigate_safer.db.service_alerts import ABOUT_SERVICE, CONTACT_PARTS, ROTA_PARTS
from navigate_safer.services import alerting, health, stopped
from navigate_safer.services.health import Check, SlowChecks, State
from navigate_safer.services.telling import Voice, gateway_part

# What works for a moment between two failures is not mended; project policy.
STEADY = timedelta(seconds=60)
# What is only coming nearer is no alert until it has stayed for a while: on the first day of an
# installation half of the limits are still being made.
WARNING_STAYS = timedelta(hours=1)
# A switch that does not answer must not hold up what it watches.
PING_WITHIN_S = 5.0
LOOK_WITHIN_S = 3.0
# A number that a provider refused so long ago, with nobody told of it, is told when it is refused
# again; project policy.
REFUSED_NUMBER_SEEN = timedelta(hours=1)
# Who has just started with all the others cannot tell who is missing.
STARTING = timedelta(seconds=40)
# No row can be written about a database that is away.
AWAY = "database away"
# Between a breach and an officer stand these; the rest makes it late or will, one day.
_SEVERITIES = {
    "database": Severity.CRITICAL,
    TELLING: Severity.CRITICAL,
    "feed": Severity.CRITICAL,
    "intake": Severity.HIGH,
    "judging": Severity.HIGH,
    "texts": Severity.HIGH,
}


class Part(msgspec.Struct, frozen=True):
    """A part of the service that fails, how badly, and a sentence about it."""

    name: str
    severity: Severity
    text: str


class Watched(msgspec.Struct, frozen=True):
    """What one look found: parts that fail, and the alerts it opened and ended."""

    failing: tuple[str, ...]
    opened: tuple[str, ...]
    ended: tuple[str, ...]


class SelfWatch:
    """Looks, and remembers since when each part has worked again."""

    def __init__(self, sessions: Sessions, voice: Voice, disk_bytes: int = 0) -> None:
        self._sessions = sessions
        self._voice = voice
        self._slow = SlowChecks(disk_bytes)
        self._well_since: dict[str, datetime] = {}
        self._warned_since: dict[str, datetime] = {}
        self._first_look: datetime | None = None

    def look(self, now: datetime, wall_now: datetime) -> Watched:
        """Open an alert for each part that fails, and end those of parts that work again.

        ``now`` is the service's clock, ``wall_now`` real time. A database that is away leaves no
        row: then only the switch outside can tell.
        """
        failing = self._failing(now, wall_now)
        if AWAY in failing:
            return Watched(tuple(failing), (), ())
        due = self._due(failing.values(), wall_now)
        opened = tuple(part.name for part in due if self._open(part, now))
        live = self._live()
        well = [name for name in live if name not in failing]
        self._well_since = {name: self._well_since.get(name, wall_now) for name in well}
        ended = tuple(
            name
            for name, since in self._well_since.items()
            if wall_now - since >= STEADY and self._end(name, now)
        )
        return Watched(tuple(failing), opened, ended)

    def _failing(self, now: datetime, wall_now: datetime) -> dict[str, Part]:
        checks = health.look(self._sessions, now, wall_now, slow=self._slow)
        parts = [part for each in checks if (part := part_of(each)) is not None]
        if [each.text for each in checks] == [health.AWAY]:
            return {AWAY: parts[0]}
        # Of a telephone that is both, STOP is the one that its owner can mend.
        others = (*self._gateways(), *self._bad_contacts(now), *self._stopped())
        return {part.name: part for part in (*parts, *others)}

    def _due(self, failing: Iterable[Part], wall_now: datetime) -> list[Part]:
        """Faults at once; warnings once they have stayed."""
        self._first_look = self._first_look or wall_now
        if wall_now - self._first_look < STARTING:
            failing = [part for part in failing if not part.name.startswith("worker: ")]
        failing = list(failing)
        warned = [part.name for part in failing if part.severity is Severity.LOW]
        self._warned_since = {name: self._warned_since.get(name, wall_now) for name in warned}
        long_ago = wall_now - WARNING_STAYS
        return [part for part in failing if self._warned_since.get(part.name, long_ago) <= long_ago]

    def _gateways(self) -> list[Part]:
        with reading(self._sessions, within_s=LOOK_WITHIN_S) as session:
            query = select(GatewayRow.id, GatewayRow.ref).where(GatewayRow.online.is_(False))
            return [
                Part(gateway_part(row.id), Severity.HIGH, f"Gateway {row.ref} says it is away.")
                for row in session.execute(query)
            ]

    def _stopped(self) -> list[Part]:
        """Officers whose telephones take no more texts."""
        with reading(self._sessions, within_s=LOOK_WITHIN_S) as session:
            query = select(StaffRow.id, StaffRow.ref).where(
                StaffRow.phone_stopped_at.is_not(None), StaffRow.active
            )
            return [
                Part(stopped.part(row.id), stopped.SEVERITY, stopped.sentence(row.ref))
                for row in session.execute(query)
            ]

    def _bad_contacts(self, now: datetime) -> list[Part]:
        """Officers whose telephone or mailbox a provider calls wrong, until it is another.

        Looked for since the oldest alert about one that is live, so that none ends by its age.
        """
        with reading(self._sessions, within_s=LOOK_WITHIN_S) as session:
            oldest = select(func.min(AlertRow.opened_at)).where(
                AlertRow.part.startswith(CONTACT_PARTS),
                AlertRow.state != AlertState.RESOLVED.value,
            )
            opened_at = session.scalar(oldest) or now
            since = min(opened_at, now) - REFUSED_NUMBER_SEEN
            return [
                Part(stopped.part(staff_id), stopped.SEVERITY, stopped.refused(ref, channel))
                for (staff_id, ref), channel in bad_contacts(session, since).items()
            ]

    def _live(self) -> list[str]:
        with reading(self._sessions, within_s=LOOK_WITHIN_S) as session:
            query = select(AlertRow.part).where(
                AlertRow.part.is_not(None),
                AlertRow.state != AlertState.RESOLVED.value,
                # Rotas are looked at by a round of their own, hours before they matter.
                AlertRow.part.not_like(f"{ROTA_PARTS}%"),
                ABOUT_SERVICE,
            )
            return [part for part in session.scalars(query) if part is not None]

    def _open(self, part: Part, now: datetime) -> bool:
        try:
            with self._sessions.begin() as session:
                alert = alerting.open_service_alert(
                    session, part.name, part.severity, now, self._voice, part.text
                )
                return alert.opened_at == now
        except IntegrityError:  # another process was first
            return False

    def _end(self, name: str, now: datetime) -> bool:
        why = f"It has worked again for {int(STEADY.total_seconds())} seconds."
        with self._sessions.begin() as session:
            return alerting.end_service_alert(session, name, now, why)


def part_of(check: Check) -> Part | None:
    """What fails, as an alert sees it; None for what is well."""
    if check.state is State.OK:
        return None
    text = f"{check.text} {check.detail}".strip()
    if check.state is State.WARNING:
        # It still works: worth an answer in working hours, not at night, unless the check says so.
        return Part(check.name, check.told_as or Severity.LOW, text)
    return Part(check.name, _SEVERITIES.get(check.name, Severity.HIGH), text)


def not_holding(sessions: Sessions, now: datetime, wall_now: datetime) -> list[str]:
    """Everything that does not hold, in words; empty if a breach would reach somebody now."""
    checks = health.look(sessions, now, wall_now)
    wrong = [each.text for each in checks if each.state is State.FAULT]
    try:
        with reading(sessions, within_s=LOOK_WITHIN_S) as session:
            wrong += _sentences(invariants.broken(session, now))
    except DATABASE_FAULTS:
        wrong.append(health.AWAY)
    return wrong


def _sentences(broken: Mapping[str, int]) -> Iterable[str]:
    return [f"{what} ({count})" for what, count in broken.items()]


def ping(url: str, get: Callable[..., requests.Response] = requests.get) -> bool:
    """Tell the switch outside that everything holds; False when it could not be told.

    Nothing but the address is sent, and no redirection is followed: it could lead anywhere.
    """
    try:
        return get(url, timeout=PING_WITHIN_S, allow_redirects=False).ok
    except requests.RequestException:
        return False
