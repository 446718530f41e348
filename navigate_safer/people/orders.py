"""Orders with their clauses, and the variations as versions: structures and what may not be.

Days are days of London, both ends counted; instants are aware. A clause is in force for
``from_at <= t < until_at``, and never outside of its order.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.clause_catalogue import ALCOHOL, Monitored
from navigate_safer.people.days import day_of, end_of, start_of
from navigate_safer.people.order_rules import (
    OrderRules,
    length_fault,
    monitoring_fault,
    of_kind,
)
from navigate_safer.people.records import Due, RecordKind
from navigate_safer.people.working_days import last_day, working_day_by

# What an alarm is about, as it is kept when somebody has seen to it.
NOTICE, PLAN = "notice", "plan"
Faults = dict[str, str]


class Clause(msgspec.Struct, frozen=True):
    """One clause: its number in the order, its words, and what is checked of it.

    ``key`` numbers it within the order's record. ``condition_ref`` names the monitored condition,
    None where no device checks it. ``zone_ref`` is a zone's reference.
    """

    key: int
    number: str
    code: str
    text: str
    from_at: datetime
    until_at: datetime | None = None
    monitored: Monitored | None = None
    severity: str = "medium"
    zone_ref: str | None = None
    condition_ref: str | None = None

    def in_force(self, at: datetime) -> bool:
        """Whether it applies at an instant, while its order does."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)

    def over(self, at: datetime) -> bool:
        """Whether it has ended."""
        return self.until_at is not None and self.until_at <= at


class OrderFile(msgspec.Struct, frozen=True):
    """What an order says. ``order_ref`` is its reference among the orders that are judged by.

    ``varied_by`` and ``varied_from`` are of this version: which court or officer, from when.
    ``revoked_at`` is when it ended before its time. ``seen`` are the alarms seen to.
    """

    order_ref: str
    kind: str
    made_by: str
    case_number: str
    made_on: date
    starts_on: date
    ends_on: date | None
    clauses: tuple[Clause, ...] = ()
    varied_by: str = ""
    varied_from: datetime | None = None
    revoked_at: datetime | None = None
    end_why: str = ""
    seen: tuple[str, ...] = ()

    @property
    def rules(self) -> OrderRules:
        """What holds for its kind."""
        return of_kind(self.kind)

    @property
    def ends_at(self) -> datetime | None:
        """The instant from which nothing of it holds; None without an end."""
        ends = [] if self.ends_on is None else [start_of(self.ends_on + timedelta(days=1))]
        return min([*ends, *([self.revoked_at] if self.revoked_at else [])], default=None)

    def stage(self, at: datetime) -> str:
        """Where it stands: to come, in force, ended, or revoked."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return "revoked"
        if self.ends_at is not None and self.ends_at <= at:
            return "ended"
        return "in_force" if start_of(self.starts_on) <= at else "to_come"

    def clause(self, key: int) -> Clause | None:
        """One clause by its key."""
        return next((each for each in self.clauses if each.key == key), None)


ORDER = RecordKind(
    "order", "Order", "OR", OrderFile, Permission.SEE_CASEWORK, Permission.MANAGE_CASES
)


def days_left(order: OrderFile, today: date) -> int | None:
    """Days that are left, today among them; None without an end, 0 when it is over."""
    if order.ends_on is None:
        return None
    return max((order.ends_on - today).days + 1, 0)


def order_faults(draft: OrderFile, others: Iterable[OrderFile], now: datetime) -> Faults:
    """What is wrong with an order, by the field that is to be mended."""
    rules, found = draft.rules, Faults()
    if draft.made_on > day_of(now):
        found["made_on"] = "Enter the day on which it was made: it is today or in the past"
    if draft.starts_on < draft.made_on:
        found["starts_on"] = "Enter a start that is not before the day on which it was made"
    wrong = length_fault(rules, draft.starts_on, draft.ends_on)
    if wrong is not None:
        found["ends_on"] = wrong
    if not found:
        found.update(_overlap(draft, others))
    return found


def _overlap(draft: OrderFile, others: Iterable[OrderFile]) -> Faults:
    """One that is on file already, or a second of what somebody can have one of."""
    for other in others:
        if other.kind != draft.kind or other.order_ref == draft.order_ref:
            continue
        if not _meet(draft, other):
            continue
        until = "without an end" if other.ends_on is None else f"to {_said(other.ends_on)}"
        known = f"from {_said(other.starts_on)} {until}"
        if draft.rules.one_at_a_time:
            what = f"There is one in force already, {known}: vary that, or end it first"
            return {"starts_on": what}
        if draft.case_number and draft.case_number.casefold() == other.case_number.casefold():
            return {"case_number": f"This order is on file already, {known}: vary that"}
    return {}


def _meet(one: OrderFile, other: OrderFile) -> bool:
    def last(each: OrderFile) -> date:
        ends = [day for day in (each.ends_on,) if day is not None]
        if each.revoked_at is not None:
            ends.append(day_of(each.revoked_at) - timedelta(days=1))
        return min(ends, default=date.max)

    return one.starts_on <= last(other) and other.starts_on <= last(one)


def clause_faults(order: OrderFile, clause: Clause, now: datetime) -> Faults:
    """What is wrong with a clause of an order, by the field that is to be mended."""
    found = Faults()
    if order.stage(now) in ("ended", "revoked"):
        found["number"] = "The order is over: a clause of it would check nothing"
    starts, ends = start_of(order.starts_on), order.ends_at
    if clause.from_at < starts:
        found["from_at"] = f"Enter a start within the order: it begins on {_said(order.starts_on)}"
    elif ends is not None and clause.from_at >= ends:
        found["from_at"] = "Enter a start before the order ends"
    if clause.until_at is not None:
        if clause.until_at <= clause.from_at:
            found["until_at"] = "Enter an end that is after the start"
        elif ends is not None and clause.until_at > ends:
            found["until_at"] = "Enter an end within the order, or leave it empty"
    found.update(_same_again(order, clause, now))
    if not found.keys() & {"from_at", "until_at"}:
        wrong = _monitoring(order, clause)
        if wrong is not None:
            found["until_at"] = wrong
    return found


def _same_again(order: OrderFile, clause: Clause, now: datetime) -> Faults:
    for other in order.clauses:
        if other.key == clause.key or other.over(now):
            continue
        if other.number.casefold() == clause.number.casefold():
            return {"number": f"There is a clause {other.number} already: give it its own number"}
        if clause.zone_ref is not None and clause.zone_ref == other.zone_ref:
            return {"zone": f"Clause {other.number} is about this zone already"}
        if clause.zone_ref is None and _judged_alike(clause, other):
            # Two of them would raise every alert twice.
            what = f"Clause {other.number} is checked in this way already"
            return {"monitored": f"{what}: keep this one without monitoring"}
    return {}


def _judged_alike(one: Clause, other: Clause) -> bool:
    if one.monitored is None or other.monitored is None:
        return False
    kind = one.monitored.judged_as
    # Somebody may have to keep away from two people.
    alike = kind is not None and kind is other.monitored.judged_as
    return alike and one.monitored is not Monitored.DISTANCE


def _monitoring(order: OrderFile, clause: Clause) -> str | None:
    if clause.monitored is None or clause.monitored.judged_as is None:
        return None
    second = timedelta(seconds=1)
    until = min((at for at in (clause.until_at, order.ends_at) if at is not None), default=None)
    return monitoring_fault(
        order.rules,
        clause.monitored in ALCOHOL,
        day_of(clause.from_at),
        None if until is None else day_of(until - second),
    )


def notice_day(order: OrderFile) -> date | None:
    """The last day to tell the police a name and address; None where the order asks nothing."""
    days = order.rules.notice_days
    if days is None:
        return None
    return last_day(order.made_on, days, leave_out=order.rules.notice_leaves_out)


def due_of(order: OrderFile, now: datetime, who: int | None) -> Due | None:
    """The first alarm that nobody has seen to, while the order lasts; None when there is none."""
    if order.stage(now) == "revoked" or order.end_why:
        return None
    waiting = [due for key, due in alarms(order, who) if key not in order.seen]
    return min(waiting, key=lambda each: each.at, default=None)


def alarms(order: OrderFile, who: int | None) -> list[tuple[str, Due]]:
    """Everything that an order has a clock for: ``(key, due)``."""
    found: list[tuple[str, Due]] = []
    told = notice_day(order)
    if told is not None:
        what = f"Check that the police know the name and address: they must by {_said(told)}"
        at = end_of(_nth(order.made_on, order.rules.notice_alarm_day or 1, told))
        found.append((NOTICE, Due(at, what, who)))
    if order.rules.plan_day is not None:
        what = f"Plan what follows the {order.rules.label.lower()}"
        found.append((PLAN, Due(end_of(_nth(order.starts_on, order.rules.plan_day)), what, who)))
    if order.ends_on is not None:
        what = f"{order.rules.label} ends on {_said(order.ends_on)}: decide what follows"
        for days in (*order.rules.alarms_days, 0):
            day = order.ends_on - timedelta(days=days)
            if day > order.starts_on or days == 0:
                # On a weekend or a bank holiday nobody would see to it.
                found.append((f"end-{days}", Due(end_of(working_day_by(day)), what, who)))
    return found


def _nth(first: date, number: int, latest: date = date.max) -> date:
    return min(first + timedelta(days=number - 1), latest)


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
