"""An office with a wearer who has a tag and no order yet, for tests of orders and enforcement."""

from datetime import date, timedelta

from case_files import MINUTE, START, fix, message
from faulty_days import breaches_of
from watch import Watch

from alerts.finding import Severity
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, Device, Fitting, Wearer
from navigate_safer.people.clause_catalogue import Monitored
from navigate_safer.people.days import day_of
from navigate_safer.people.orders import Clause, OrderFile
from navigate_safer.services import order_clauses, order_views, orders
from navigate_safer.services.orders import Variation

HOUR = timedelta(hours=1)
TODAY = day_of(START)
ZONE_CODE = "0f9a20f4-35c7-4c77-8af8-f200f153fa11"


def draft(kind: str = "dapo", **fields) -> OrderFile:
    """An order of this week, of eight weeks unless told."""
    first = TODAY - timedelta(days=2)
    given = {
        "order_ref": "", "kind": kind, "made_by": "Chester Magistrates' Court", "case_number": "",
        "made_on": first, "starts_on": first, "ends_on": TODAY + timedelta(days=54), **fields,
    }  # fmt: skip
    return OrderFile(**given)


def zone_clause(zone: str = "Z-1", **fields) -> Clause:
    given = {
        "key": 0, "number": "4", "code": ZONE_CODE, "text": "Stay out.", "from_at": START - HOUR,
        "monitored": Monitored.EXCLUSION_ZONE, "severity": Severity.HIGH.value, "zone_ref": zone,
        **fields,
    }  # fmt: skip
    return Clause(**given)


def by_court(from_at=START, replaces=0, why="The court said so") -> Variation:
    return Variation("Chester Magistrates' Court", from_at, why, replaces)


class Office:
    """A wearer of the west with a tag and no order, and the officer who has the case."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.sessions = watch, watch.sessions
        wearer = Wearer(
            "W-NEW", "Radulf Ambersley", date(1984, 5, 6), "west", "Hoole", "high", None, [],
            [Fitting("TAG-NEW", START - timedelta(days=1))],
        )  # fmt: skip
        watch.register(CaseFile(v=1, devices=[Device("TAG-NEW", "tag")], wearers=[wearer]))
        self.areas = {row.ref: row.id for row in watch.database.all(AreaRow)}
        self.staff_id = watch.database.all(StaffRow)[0].id

    def scope(self, role: Role = Role.OFFENDER_MANAGER, area: str = "west") -> Scope:
        return Scope(self.staff_id, role, frozenset({self.areas[area]}))

    def make(self, file: OrderFile | None = None, ref: str = "W-NEW") -> int:
        return orders.make(self.sessions, self.scope(), ref, file or draft(), self.now)

    def add(self, number: int, clause: Clause, replaces: int = 1) -> None:
        order_clauses.add_clause(
            self.sessions, self.scope(), "W-NEW", number, clause, by_court(replaces=replaces),
            self.now,
        )  # fmt: skip

    def end(self, number: int, at, replaces: int) -> None:
        variation = by_court(at, replaces, "Revoked on appeal")
        orders.end_order(self.sessions, self.scope(), "W-NEW", number, variation, self.now)

    def see(self, number: int, ref: str = "W-NEW", role: Role = Role.OFFENDER_MANAGER):
        return order_views.see_order(self.sessions, self.scope(role), ref, number, self.now)

    def go(self, first: int, *places) -> None:
        """A fix a minute from so many minutes after START."""
        for n, place in enumerate(places, start=first):
            self.watch.hear(message("TAG-NEW", fix(START + n * MINUTE, place)))

    @property
    def now(self):
        return self.watch.clock()

    @property
    def breaches(self):
        return breaches_of(self.watch.database, "TAG-NEW")
