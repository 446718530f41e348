"""A small office: one account a role, one wearer for each kind of alert, and the real pages.

Everybody is invented. The office of the west has every role; the east has a duty officer and one
wearer, whom nobody of the west may know of.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import case_files as msg
import msgspec
from case_files import MINUTE, START, Place, box, condition
from databases import Database, opened
from flask import Flask
from sqlalchemy import select
from watch import VOICE, Clock, Watch
from werkzeug.test import TestResponse

from alerts.finding import FindingKind, Severity
from alerts.terms import ConditionKind, DeviceKind
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.audit import AuditRow, WebSessionRow
from navigate_safer.db.people import StaffRow, WearerRow
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import (
    Area,
    CaseFile,
    Device,
    Fitting,
    Gateway,
    OrderEntry,
    StaffMember,
    Victim,
    Wearer,
    ZoneEntry,
)
from navigate_safer.people.offending import EntryKind, IncidentRole, OffendingEntry
from navigate_safer.services import accounts, alerting, heartbeats
from navigate_safer.services.health import Recent
from navigate_safer.services.ingest import Message
from navigate_safer.settings import Settings
from navigate_safer.web import create_app
from navigate_safer.wiring import Service

PASSWORD = "nine damp umbrellas"
SECRET_KEY = "a-key-of-the-tests-and-of-nothing-else"
HOME = Place(53.2101, -2.8743)
CROSS = Place(53.1905, -2.8918)
AWAY = Place(53.2270, -2.8840)
CREWE = Place(53.0988, -2.4413)
HOSTILE = "<script>alert('x')</script>&\"<b>"
# One account a role, named after it; each is of the west.
ACCOUNTS = {
    "duty": Role.DUTY_OFFICER,
    "manager": Role.OFFENDER_MANAGER,
    "facilitator": Role.PROGRAMME_FACILITATOR,
    "idva": Role.IDVA,
    "access": Role.ACCESS_TEAM,
    "supervisor": Role.SUPERVISOR,
    "auditor": Role.AUDITOR,
    "admin": Role.SYSTEM_ADMINISTRATOR,
    "board": Role.BOARD_MEMBER,
}
ZONES = {
    "Z-CROSS": ("Rookery Cross exclusion", "exclusion", CROSS),
    "Z-HOME": ("Larkspur House curfew", "inclusion", HOME),
    "Z-TOWN": ("Vicars Mead restriction", "restriction", HOME),
    "Z-CREWE": ("Crewe market exclusion", "exclusion", CREWE),
}
# Words that only those who may see places may read.
PLACE_WORDS = [name for name, _, _ in ZONES.values()] + ["53.1", "53.2", "-2.8", "2.89"]
# Words of victims, which no page shows yet.
VICTIM_WORDS = ["Merewen Dunstable", "14 Fletching Row", "07700900199", "7700 900199"]
WEST_ALERTS = {
    FindingKind.EXCLUSION_BREACH: "W-EXC",
    FindingKind.CURFEW_BREACH: "W-CUR",
    FindingKind.RESTRICTION_BREACH: "W-RES",
    FindingKind.ALCOHOL_THRESHOLD: "W-ALC",
    FindingKind.STRAP_TAMPER: "W-TAG",
    FindingKind.BATTERY_LOW: "W-TAG",
    FindingKind.BATTERY_CRITICAL: "W-TAG",
    FindingKind.SILENCE: "W-SIL",
}


def case_file() -> CaseFile:
    """The whole office."""
    staff = [
        StaffMember(ref, f"{ref.title()} Ashworthy", role, ["west"], PASSWORD)
        for ref, role in ACCOUNTS.items()
    ]
    staff[0] = msgspec.structs.replace(staff[0], phone="07700 900101", call_order=1)
    second = StaffMember("duty-2", "Barnabas Threlkeldy", Role.DUTY_OFFICER, ["west"])
    staff.append(msgspec.structs.replace(second, phone="07700 900102", call_order=2))
    # An alert that can be told to nobody is a fault of the service, and the world is well.
    east = StaffMember("duty-east", "Zeb Haver", Role.DUTY_OFFICER, ["east"], PASSWORD)
    staff.append(msgspec.structs.replace(east, phone="07700 900104", call_order=1))
    wearers = _wearers()
    return CaseFile(
        v=1,
        areas=[Area("west", "Cheshire West"), Area("east", "Cheshire East")],
        staff=staff,
        gateways=[Gateway("gw-west", "West gateway")],
        devices=[Device(each.fittings[0].device, "tag") for each in wearers]
        + [Device("MON-1", "monitor", DeviceKind.ALCOHOL_MONITOR)],
        zones=[
            ZoneEntry(ref, name, kind, box(place), protects=["V-1"] if ref == "Z-CROSS" else [])
            for ref, (name, kind, place) in ZONES.items()
        ],
        wearers=wearers,
        victims=[
            Victim("V-1", "Merewen Dunstable", "west", ["W-EXC"], "14 Fletching Row", "07700900199")
        ],
        offending=offending(wearers),
    )


def offending(wearers: list[Wearer]) -> list[OffendingEntry]:
    """Each was selected a year ago after three incidents; W-EXC has had one since."""
    made = []
    for each in wearers:
        picked = SELECTED
        days = [picked - timedelta(days=n) for n in (60, 90, 120)]
        days += [picked + timedelta(days=100)] if each.ref == "W-EXC" else []
        made.append(entry(each.ref, 0, EntryKind.SELECTION, picked))
        made += [
            entry(each.ref, n + 1, EntryKind.INCIDENT, day, role=IncidentRole.SUSPECT)
            for n, day in enumerate(days)
        ]
    return made


SELECTED = date(2025, 9, 1)


def entry(wearer: str, number: int, kind: EntryKind, on: date, **fields: Any) -> OffendingEntry:
    """One line of the police's records, as of the day before the office opened."""
    known = START.date() - timedelta(days=1)
    return OffendingEntry(f"{wearer}/{number}", wearer, kind, on, "police record", known, **fields)


def _wearers() -> list[Wearer]:
    kinds, severe = ConditionKind, Severity
    made = [
        _wearer("W-EXC", "Leofric Umbershaw", kinds.EXCLUSION_ZONE, severe.CRITICAL, "Z-CROSS"),
        _wearer("W-CUR", "Osgar Pettivale", kinds.CURFEW, severe.MEDIUM, "Z-HOME"),
        _wearer("W-RES", "Hilda Quennell", kinds.RESTRICTION_ZONE, severe.HIGH, "Z-TOWN"),
        _wearer("W-ALC", "Cuthbert Ormley", kinds.ALCOHOL_ABSTINENCE, severe.MEDIUM),
        _wearer("W-TAG", "Edric Sandiway", kinds.TAG_CARE, severe.HIGH),
        _wearer("W-SIL", "Aldous Kinnerton", kinds.TAG_CARE, severe.HIGH),
        _wearer("W-BAD", HOSTILE, kinds.EXCLUSION_ZONE, severe.HIGH, "Z-CROSS", clause=HOSTILE),
        _wearer("W-EAST", "Wystan Haslington", kinds.EXCLUSION_ZONE, severe.HIGH, "Z-CREWE"),
    ]
    made[3] = msgspec.structs.replace(
        made[3], fittings=[*made[3].fittings, Fitting("MON-1", START - MINUTE)]
    )
    made[-1] = msgspec.structs.replace(made[-1], area="east", offender_manager=None)
    return made


def _wearer(
    ref: str,
    name: str,
    kind: ConditionKind,
    severity: Severity,
    zone: str | None = None,
    *,
    clause: str = "Licence 12",
) -> Wearer:
    entry = condition(f"C-{ref}", kind, severity, zone=zone, clause=clause)
    order = OrderEntry(f"O-{ref}", "licence", date(2026, 9, 1), date(2027, 6, 29), [entry])
    born = date(1987, 4, 2)
    fitted = [Fitting(f"TAG-{ref}", START - MINUTE)]
    return Wearer(ref, name, born, "west", "Boughton", "high", "manager", [order], fitted)


def breach_everything(watch: Watch) -> None:
    """One alert of each kind in the west, one with hostile words, and one in the east."""
    watch.hear(*enters_the_cross("TAG-W-EXC"))
    watch.hear(*msg.walk("TAG-W-CUR", HOME, AWAY, AWAY))
    watch.hear(*msg.walk("TAG-W-RES", HOME, AWAY, AWAY))
    watch.hear(*enters_the_cross("TAG-W-BAD"))
    watch.hear(*msg.walk("TAG-W-EAST", HOME, CREWE, CREWE))
    drinks = [msg.alcohol(START + MINUTE * n, tac) for n, tac in enumerate((0.0, 0.03, 0.071))]
    watch.hear(msg.message("MON-1", *drinks))
    watch.hear(
        msg.message("TAG-W-TAG", msg.event(START + MINUTE, "strap_cut", "start")),
        msg.message("TAG-W-TAG", msg.battery(START + 2 * MINUTE, 17)),
        msg.message("TAG-W-TAG", msg.battery(START + 3 * MINUTE, 4)),
    )
    # The tag of W-SIL has said nothing since it was fitted; 15 minutes is its deadline.
    watch.clock.not_before(START + 16 * MINUTE)
    watch.look_for_silence()
    watch.deliver()


def enters_the_cross(device: str, *, start: datetime = START) -> list[Any]:
    """Messages of a tag that walks into the exclusion zone at the Cross and stays."""
    return msg.walk(device, AWAY, CROSS, CROSS, start=start)


class World:
    """The registered office on one database, its pages, and a clock that only tests move."""

    def __init__(self, database: Database, **settings: object) -> None:
        self.database = database
        # The office is registered already, so there is nothing left to take in.
        self.watch = Watch(database, CaseFile(v=1))
        self.clock.at = START + 16 * MINUTE
        values = {"public_url": "http://localhost", "secret_key": SECRET_KEY, **settings}
        self.service = Service(Settings(database_url=database.url, **values))
        # What a test changes is to be seen at its next request.
        self.service.recent_health = Recent(lasts_s=0.0)
        self.service.clock = self.service.wall_clock = self.clock
        self.app: Flask = create_app(self.service)

    @property
    def clock(self) -> Clock:
        """The one clock of the workers and of the pages."""
        return self.watch.clock

    def visitor(self, account: str | None = None, **options: Any) -> "Visitor":
        """Somebody at a browser; signed in when an account is given."""
        return Visitor(self, account, **options)

    def session_of(self, account: str) -> str:
        """A good session's token, without the slow hashing of a password."""
        token = secrets.token_urlsafe(16)
        staff = self.database.one(StaffRow, StaffRow.ref == account)
        now = self.clock()
        with self.database.sessions.begin() as session:
            session.add(
                WebSessionRow(
                    token_hash=accounts.hash_token(token),
                    staff_id=staff.id,
                    created_at=now,
                    seen_at=now,
                )
            )
        return token

    def reference(self, kind: FindingKind, wearer: str | None = None) -> str:
        """The reference of the alert of a kind."""
        wearer = wearer or WEST_ALERTS[kind]
        query = (
            select(AlertRow.reference)
            .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
            .join(WearerRow, WearerRow.id == AlertRow.wearer_id)
            .where(EpisodeRow.kind == kind.value, WearerRow.ref == wearer)
        )
        with self.database.sessions() as session:
            return session.scalars(query).one()

    def alert(self, reference: str) -> AlertRow:
        """The stored alert."""
        return self.database.one(AlertRow, AlertRow.reference == reference)

    def log(self, act: str = "consultation") -> list[AuditRow]:
        """Entries of one act, oldest first."""
        return self.database.all(AuditRow, AuditRow.act == act)

    def refused(self, payload: bytes = b"not json", device: str = "TAG-W-EXC") -> int:
        """The quarantine entry of a refused message, sent once however often it is asked."""
        known = self.database.all(QuarantineRow, QuarantineRow.payload == payload)
        if not known:
            topic = f"telemetry/v1/gw-west/{device}"
            self.watch.receive(Message(topic, payload, self.clock()))
            known = self.database.all(QuarantineRow, QuarantineRow.payload == payload)
        return known[0].id

    def fault(self) -> str:
        """The reference of a live alert about the service itself."""
        with self.database.sessions.begin() as session:
            found = alerting.open_service_alert(
                session, "tape", Severity.HIGH, self.clock(), VOICE, "The tape drive squeaks."
            )
            return found.reference

    def all_workers_well(self) -> None:
        """Every worker has done what was due, and gives a sign of life now."""
        self.watch.escalate()
        self.watch.deliver()
        for worker in ("ingest", "monitor", "deliver", "schedule"):
            up = self.clock() - timedelta(hours=1)
            heartbeats.beat(self.database.sessions, worker, self.clock(), connected_since=up)


class Visitor:
    """A browser that is signed in, or not; forms carry their token as the pages' own do."""

    def __init__(self, world: World, account: str | None, base_url: str = "http://localhost"):
        self.world = world
        self.base_url = base_url
        self.client = world.app.test_client()
        self._csrf: str | None = None
        if account is not None:
            with self.client.session_transaction(base_url=base_url) as session:
                session["token"] = world.session_of(account)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open an address."""
        return self.client.get(path, base_url=self.base_url, **options)

    def post(self, path: str, *, token: bool = True, **form: str) -> TestResponse:
        """Send a form; without its token when the test says so."""
        if token:
            form["csrf_token"] = self._token()
        return self.client.post(path, data=form, base_url=self.base_url)

    def sign_in(self, account: str, password: str = PASSWORD, next_: str = "") -> TestResponse:
        """Send the sign-in form."""
        path = "/sign-in" + (f"?next={next_}" if next_ else "")
        answer = self.post(path, account=account, password=password)
        # A new session has a new token.
        self._csrf = None
        return answer

    def cookie(self) -> Any:
        """The session's cookie."""
        names = ("navigate-safer", "__Host-navigate-safer")
        return next((found for name in names if (found := self.client.get_cookie(name))), None)

    def _token(self) -> str:
        if self._csrf is None:
            page = self.get("/sign-in").get_data(as_text=True)
            self._csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        return self._csrf


def plain(answer: TestResponse) -> str:
    """The body without what differs each time: the nonce and the form token."""
    body = answer.get_data(as_text=True)
    return re.sub(r'(nonce|name="csrf_token" value)="[^"]*"', r"\1", body)


def words_of(answer: TestResponse) -> str:
    """What a reader sees: the body without its tags, spaces made single."""
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.get_data(as_text=True), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


@contextmanager
def world_at(url: str, **settings: object) -> Iterator[World]:
    """The world over a database that is registered already, closed at the end."""
    with opened("sqlite", url) as database:
        made = World(database, **settings)
        yield made
        made.service.close()
