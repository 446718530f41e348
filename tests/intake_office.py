"""The small office with somebody of each role of intake and assessment, and referrals to it."""

from datetime import date, datetime, timedelta

import msgspec
from case_files import START, small_case_file
from databases import Database

from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.assessment_forms import Answers, Evidence, form
from navigate_safer.people.assessments import By
from navigate_safer.people.referrals import (
    Answered,
    Band,
    Caller,
    Facts,
    Outcome,
    Person,
    Referral,
)
from navigate_safer.services import referral_decisions, referrals, register
from navigate_safer.services.assessments import DashWish
from navigate_safer.services.referral_decisions import Wish

NOW = START
TODAY = START.date()
FACTS = Facts(
    date(2026, 11, 18), "Shouting, and a broken door", Answered.YES, Answered.NO, Answered.NO,
    Answered.NO, Answered.YES, None,
)  # fmt: skip
STRANGER = Person("Godric Wistaston", [], date(1990, 5, 6), pnc="12/0123456A")
# Who is on the caseload as W-1, with a slip of the pen.
NEARLY_W1 = Person("Leofric Umbreshaw", [], date(1987, 4, 2))


class Office(msgspec.Struct, frozen=True):
    """The service with the small case file in it."""

    database: Database
    areas: dict[str, int]
    staff_id: int

    @classmethod
    def opened(cls, database: Database) -> "Office":
        register.register(database.sessions, small_case_file(), START)
        areas = {row.ref: row.id for row in database.all(AreaRow)}
        return cls(database, areas, database.all(StaffRow)[0].id)

    def scope(self, role: Role = Role.ACCESS_TEAM, area: str = "west") -> Scope:
        return Scope(self.staff_id, role, frozenset({self.areas[area]}))

    def refer(
        self, person: Person = STRANGER, at: datetime = NOW, *, urgent: bool = False, **facts
    ) -> str:
        made = Referral(
            person, "Hoole", "Probation", Caller.AGENCY, "", "He asks for help", urgent,
            msgspec.structs.replace(FACTS, **facts),
        )  # fmt: skip
        return referrals.take_in(self.database.sessions, self.scope(), "west", made, at, at)

    def decide(
        self,
        ref: str,
        outcome: Outcome = Outcome.APPROPRIATE,
        now: datetime = NOW + timedelta(hours=2),
        replaces: int = 1,
        **more,
    ) -> str | None:
        wish = Wish(outcome, "He is willing", **more)
        sessions = self.database.sessions
        return referral_decisions.decide(sessions, self.scope(), ref, wish, replaces, now)

    def taken_on(self, person: Person = STRANGER, **facts) -> str:
        """The reference of somebody who was taken on as new, at medium."""
        made = self.decide(self.refer(person, **facts), put_to="new", band=Band.MEDIUM)
        assert made is not None
        return made


def dash_answers(ticks: int) -> Answers:
    items = [item.id for item in form("dash").items()]
    return {
        item: Evidence("yes" if number < ticks else "no", "she said so", "IDVA service", TODAY)
        for number, item in enumerate(items)
    }


def by(agency: str = "Probation", days: int = 90) -> By:
    return By("P. Officer", agency, TODAY, TODAY + timedelta(days=days))


def dash(ticks: int, judged: Band | None = None, victim: str = "V-1", **more) -> DashWish:
    why = "She is sure that he will find her" if judged else ""
    given = {"incidents_12m": None, "by": by("IDVA service")} | more
    return DashWish(victim, dash_answers(ticks), judged=judged, judged_why=why, **given)
