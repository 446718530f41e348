"""Failures to comply: what happened, who decided about it, and what must follow.

The software counts and proposes; a named officer decides. Days are days of London.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.order_rules import OnFailure, OrderRules, of_kind
from navigate_safer.people.records import Due, RecordKind
from navigate_safer.people.working_days import months_after, working_day_after

# The project's own: the letter has to be out by then, so that the decision cannot wait longer.
DECIDE_WORKING_DAYS = 2
# A wearer's failures are counted over this long on the panel of the page; the Ministry's page of
# compliance counts 12 months too.
PANEL_MONTHS = 12


class Source(Enum):
    """Who or what noticed the failure."""

    OFFICER = "officer"
    SESSION = "session"
    ALERT = "alert"


class FailureState(Enum):
    """How far a failure has come."""

    AWAITING = "awaiting_decision"
    ACCEPTABLE = "acceptable"
    UNACCEPTABLE = "unacceptable"
    WARNED = "warned"
    TO_REFER = "must_be_referred"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


# A decision stands that there was no good reason.
COUNTED = frozenset(
    {
        FailureState.UNACCEPTABLE,
        FailureState.WARNED,
        FailureState.TO_REFER,
        FailureState.REFERRED,
        FailureState.CLOSED,
    }
)


class Decision(msgspec.Struct, frozen=True):
    """Whether there was a good reason, by a named officer."""

    acceptable: bool
    why: str
    by: str
    at: datetime


class Warned(msgspec.Struct, frozen=True):
    """The warning letter as it was sent; ``text`` are its paragraphs."""

    sent_on: date
    reply_by: date
    by: str
    text: tuple[str, ...]


class Reply(msgspec.Struct, frozen=True):
    """What the wearer answered."""

    on: date
    text: str
    taken_by: str


class Failure(msgspec.Struct, frozen=True):
    """One failure. The record's ``at`` is when it happened.

    ``source_ref`` names the session or the alert. ``order_ref`` and ``order_kind`` are the order
    that it is a failure under, None until the officer has said so.
    """

    what: str
    source: Source = Source.OFFICER
    source_ref: str = ""
    requirement: str = ""
    evidence: str = ""
    order_ref: str | None = None
    order_kind: str | None = None
    decision: Decision | None = None
    warned: Warned | None = None
    reply: Reply | None = None
    breach_ref: str | None = None
    closed_why: str = ""

    @property
    def rules(self) -> OrderRules | None:
        """The rules of the order, once it is known."""
        return None if self.order_kind is None else of_kind(self.order_kind)


# Whoever runs a session may report that it was missed; deciding asks for MANAGE_CASES besides.
FAILURE = RecordKind(
    "failure",
    "Failure to comply",
    "FA",
    Failure,
    Permission.SEE_CASEWORK,
    Permission.RUN_PROGRAMMES,
)


class Failing(msgspec.Struct, frozen=True):
    """A failure without good reason, as it counts: its day, and when the warning was given."""

    ref: str
    on: date
    warned_on: date | None = None


def must_refer(rules: OrderRules, failings: Iterable[Failing]) -> set[str]:
    """References of those that must go to an enforcement officer: the second within the window.

    The window begins with the earlier failure, or with its warning where that came later. Failures
    of one day are one (the project's own: no warning can have come between them).
    """
    if not rules.refer_second:
        return set()
    known = list(failings)
    return {each.ref for each in known if any(_follows(rules, other, each) for other in known)}


def _follows(rules: OrderRules, first: Failing, second: Failing) -> bool:
    begins = first.on if first.warned_on is None else max(first.on, first.warned_on)
    return first.on < second.on < months_after(begins, rules.window_months)


def state_of(failure: Failure, ref: str, must: set[str]) -> FailureState:
    """The state that follows from what is recorded; ``must`` as by :func:`must_refer`."""
    if failure.decision is None:
        return FailureState.AWAITING
    if failure.decision.acceptable:
        return FailureState.ACCEPTABLE
    if failure.breach_ref is not None:
        return FailureState.CLOSED if failure.closed_why else FailureState.REFERRED
    rules = failure.rules
    if ref in must or (rules is not None and rules.on_failure is OnFailure.POLICE):
        return FailureState.TO_REFER
    if failure.closed_why:
        return FailureState.CLOSED
    return FailureState.UNACCEPTABLE if failure.warned is None else FailureState.WARNED


def letter_by(rules: OrderRules, happened: date) -> date:
    """The last day for the warning letter."""
    return working_day_after(happened, rules.letter_working_days)


def evidence_by(rules: OrderRules, happened: date) -> date:
    """The last day on which the wearer can show a good reason."""
    if rules.evidence_working:
        return working_day_after(happened, rules.evidence_days)
    return date.fromordinal(happened.toordinal() + rules.evidence_days)


def due_of(failure: Failure, state: FailureState, at: datetime, who: int | None) -> Due | None:
    """What has to be done next and by when; None when nothing has."""
    happened = day_of(at)
    said = f"the failure of {happened.day} {happened:%B}"
    rules = failure.rules
    if state is FailureState.AWAITING:
        last = working_day_after(happened, DECIDE_WORKING_DAYS)
        return Due(end_of(last), f"Decide about {said}", who)
    if rules is None:
        return None
    if state is FailureState.UNACCEPTABLE:
        what = "Talk about" if rules.on_failure is OnFailure.TALK else "Send the warning letter for"
        return Due(end_of(letter_by(rules, happened)), f"{what} {said}", who)
    if state is FailureState.WARNED and failure.warned is not None:
        what = f"See what was answered about {said}, and close it"
        return Due(end_of(failure.warned.reply_by), what, who)
    if state is FailureState.TO_REFER:
        return Due(end_of(letter_by(rules, happened)), f"Refer {said}: it may not wait", who)
    return None


class Panel(msgspec.Struct, frozen=True):
    """What the head of the page says: ``tone`` is green, neutral or red."""

    count: int
    tone: str
    text: str


def panel(days: Iterable[date], today: date, *, breach: bool) -> Panel:
    """By failures without good reason in the last twelve months; ``breach``: one is under way."""
    count = sum(each <= today < months_after(each, PANEL_MONTHS) for each in days)
    failures = f"{count} failure{'' if count == 1 else 's'} without good reason"
    counted = f"{failures} in the last {PANEL_MONTHS} months"
    if breach:
        return Panel(count, "red", f"{counted}. A breach is under way.")
    if count == 0:
        return Panel(0, "green", f"No failure without good reason in {PANEL_MONTHS} months.")
    if count == 1:
        return Panel(1, "neutral", f"{counted}.")
    return Panel(count, "red", f"{counted}. No breach is under way yet.")
