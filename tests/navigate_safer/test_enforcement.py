"""From a missed session to the breach pack: who decides, what must follow, and by when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from case_files import START
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from order_office import Office, draft
from watch import Watch

from navigate_safer.people import private_words
from navigate_safer.people.access import Forbidden, Role
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.failures import (
    FAILURE,
    Failing,
    Reply,
    Source,
    must_refer,
    panel,
)
from navigate_safer.people.notices import Notice
from navigate_safer.people.order_rules import of_kind
from navigate_safer.people.working_days import months_after
from navigate_safer.services import (
    breach_pack,
    breaches,
    enforcement,
    failures,
    notices,
    records,
    today,
    warning_letters,
)
from navigate_safer.services.casework import NotFound
from navigate_safer.services.enforcement_papers import PackAlert
from navigate_safer.services.failures import CannotClose, CannotDecide
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.orders import files_of
from navigate_safer.services.records import Stale

# The same SQL for both databases.
ON_SQLITE = pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
DAY = timedelta(days=1)
COMMUNITY = of_kind("community_order")


class Desk:
    """The officer of a wearer with a community order, and the facilitator of his group."""

    def __init__(self, office: Office, kind: str = "community_order") -> None:
        self.office = office
        first = day_of(START) - timedelta(days=200)
        last = first + timedelta(days=700)
        office.make(draft(kind, made_on=first, starts_on=first, ends_on=last))

    def missed(self, at: datetime, source_ref: str, role: Role = Role.PROGRAMME_FACILITATOR):
        """A session that was missed, as the register tells it."""
        with self.office.sessions.begin() as session:
            scope = self.office.scope(role)
            of, _ = records.about(session, scope, "W-NEW")
            return failures.propose(
                session, scope, of, "You missed your group session", at, source_ref, self.now
            )

    def taken_back(self, source_ref: str) -> bool:
        with self.office.sessions.begin() as session:
            scope = self.office.scope(Role.PROGRAMME_FACILITATOR)
            of, _ = records.about(session, scope, "W-NEW")
            return failures.withdraw(session, scope, of, source_ref, "Wrong person", self.now)

    def decide(self, record, *, acceptable: bool = False):
        with self.office.sessions.begin() as session:
            scope = self.office.scope()
            of, _ = records.about(session, scope, "W-NEW")
            ((_, file, _),) = files_of(session, scope, of)
        body = replace(
            record.body, requirement="Attend the programme", order_ref=file.order_ref,
            order_kind=file.kind,
        )  # fmt: skip
        return failures.decide(
            self.office.sessions, self.office.scope(), record.ref, body, acceptable=acceptable,
            why="No proof was shown", replaces=self.newest(record.ref).version, now=self.now,
        )  # fmt: skip

    def warn(self, record, sent_on: date | None = None):
        return warning_letters.send(
            self.office.sessions, self.office.scope(), record.ref, sent_on or day_of(self.now),
            replaces=self.newest(record.ref).version, now=self.now,
        )  # fmt: skip

    def refer(self, record):
        return breaches.refer(
            self.office.sessions, self.office.scope(), record.ref, why="The second in a year",
            referred_to="E. Officer", replaces=self.newest(record.ref).version, now=self.now,
        )  # fmt: skip

    def close(self, record):
        return failures.close(
            self.office.sessions, self.office.scope(), record.ref, "He came since",
            replaces=self.newest(record.ref).version, now=self.now,
        )  # fmt: skip

    def newest(self, ref: str):
        with self.office.sessions() as session:
            return records.newest(session, self.office.scope(), FAILURE, ref)

    def see(self):
        return enforcement.see(self.office.sessions, self.office.scope(), "W-NEW", self.now)

    @property
    def now(self) -> datetime:
        return self.office.now


@pytest.fixture
def office(watch: Watch) -> Office:
    return Office(watch)


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


@ON_SQLITE
def test_a_missed_session_awaits_a_decision_once_however_often_it_is_told(desk: Desk) -> None:
    first = desk.missed(START - DAY, "SE-1:W-NEW")
    assert desk.missed(START - DAY, "SE-1:W-NEW").ref == first.ref
    assert (first.state, first.body.source) == ("awaiting_decision", Source.SESSION)
    assert first.due is not None
    # A Thursday: two working days later is Monday.
    assert first.due.at == end_of(date(2026, 11, 23))
    waiting = today.see(desk.office.sessions, desk.office.scope(), desk.now + 3 * DAY, mine=False)
    due = [line for person in waiting.people for line in person.due]
    assert [line.record_ref for line in due if line.kind == "failure"] == [first.ref]


@ON_SQLITE
def test_a_register_filled_in_wrongly_takes_it_back_until_it_is_decided(desk: Desk) -> None:
    desk.missed(START - DAY, "SE-1:W-NEW")
    assert desk.taken_back("SE-1:W-NEW")
    assert not desk.taken_back("SE-1:W-NEW")
    again = desk.missed(START - DAY, "SE-1:W-NEW")
    assert again.state == "awaiting_decision"
    desk.decide(again)
    assert not desk.taken_back("SE-1:W-NEW"), "an officer has decided: it is theirs"
    states = sorted(each.state for each in desk.see().failures)
    assert states == ["unacceptable", "withdrawn"]


@ON_SQLITE
def test_who_runs_sessions_reports_and_only_an_officer_decides(desk: Desk) -> None:
    record = desk.missed(START - DAY, "SE-1:W-NEW")
    facilitator = desk.office.scope(Role.PROGRAMME_FACILITATOR)
    with pytest.raises(Forbidden):
        failures.decide(
            desk.office.sessions, facilitator, record.ref, record.body, acceptable=True,
            why="He said so", replaces=1, now=desk.now,
        )  # fmt: skip
    with pytest.raises(Forbidden):
        desk.missed(START, "SE-2:W-NEW", Role.IDVA)
    east = desk.office.scope(Role.OFFENDER_MANAGER, "east")
    with desk.office.sessions() as session, pytest.raises(NotFound):
        records.newest(session, east, FAILURE, record.ref)
    decided = desk.decide(record)
    assert decided.body.decision is not None
    assert decided.body.decision.by == "Ottoline Quarrington"
    with pytest.raises(Stale):
        failures.decide(
            desk.office.sessions, desk.office.scope(), record.ref, record.body, acceptable=True,
            why="Meanwhile", replaces=1, now=desk.now,
        )  # fmt: skip


@ON_SQLITE
def test_a_first_failure_is_warned_of_and_its_answer_can_change_the_decision(desk: Desk) -> None:
    decided = desk.decide(desk.missed(START - DAY, "SE-1"))
    assert decided.state == "unacceptable"
    assert decided.due is not None
    assert decided.due.what.startswith("Send the warning letter")
    with pytest.raises(Faulty):
        desk.warn(decided, day_of(desk.now) + DAY)
    warned = desk.warn(decided)
    assert warned.body.warned is not None
    # Six working days after Thursday 19 November.
    assert warned.body.warned.reply_by == date(2026, 11, 27)
    words = " ".join(warned.body.warned.text)
    assert "unacceptable" in words
    assert "brought before a court" in words
    assert "12 months" in words
    answer = Reply(day_of(desk.now), "A letter of the hospital", "")
    answered = failures.answered(
        desk.office.sessions, desk.office.scope(), warned.ref, answer, replaces=warned.version,
        now=desk.now,
    )  # fmt: skip
    assert answered.state == "warned"
    assert desk.see().panel.count == 1
    assert desk.decide(answered, acceptable=True).state == "acceptable"
    assert desk.see().panel.tone == "green"


@ON_SQLITE
def test_the_second_in_twelve_months_is_closed_only_after_it_was_referred(desk: Desk) -> None:
    unwarned = desk.decide(desk.missed(START - DAY, "SE-1"))
    with pytest.raises(CannotClose, match="warning letter"):
        desk.close(unwarned)
    first = desk.warn(unwarned)
    desk.close(first)
    desk.office.watch.clock.forward(days=60)
    second = desk.decide(desk.missed(desk.now - DAY, "SE-2"))
    assert second.state == "must_be_referred"
    assert desk.see().panel.tone == "red"
    with pytest.raises(CannotClose):
        desk.close(second)
    breach = desk.refer(second)
    assert breach.body.failure_refs == (first.ref, second.ref)
    assert breach.due is not None
    assert desk.newest(second.ref).state == "referred"
    assert desk.close(second).state == "closed"
    with pytest.raises(CannotDecide):
        desk.decide(second, acceptable=True)


def test_two_failures_that_are_referred_at_once_make_one_breach(desk: Desk) -> None:
    decided = [desk.decide(desk.missed(START - days * DAY, f"SE-{days}")) for days in (9, 5, 3, 1)]
    with ThreadPoolExecutor(len(decided)) as officers:
        referred = list(officers.map(desk.refer, decided))
    assert len({breach.ref for breach in referred}) == 1
    newest = max(referred, key=lambda each: each.version)
    assert set(newest.body.failure_refs) == {each.ref for each in decided}


def test_after_a_breach_is_closed_the_next_failure_begins_another(desk: Desk) -> None:
    closed = desk.refer(desk.decide(desk.missed(START - 9 * DAY, "SE-1")))
    sessions, scope = desk.office.sessions, desk.office.scope()
    breaches.sign(sessions, scope, closed.ref, "He did not come", replaces=1, now=desk.now)
    breaches.conclude(sessions, scope, closed.ref, "A fine", replaces=2, now=desk.now)
    second = desk.refer(desk.decide(desk.missed(START - DAY, "SE-2")))
    assert second.ref != closed.ref


@ON_SQLITE
def test_a_later_decision_about_an_earlier_failure_makes_the_later_one_the_second(
    desk: Desk,
) -> None:
    early, late = desk.missed(START - 9 * DAY, "SE-1"), desk.missed(START - DAY, "SE-2")
    assert desk.decide(late).state == "unacceptable"
    decided = desk.decide(early)
    assert decided.state == "unacceptable"
    assert desk.newest(late.ref).state == "must_be_referred"
    desk.decide(early, acceptable=True)
    assert desk.newest(late.ref).state == "unacceptable"


@ON_SQLITE
def test_a_breach_of_a_protection_order_goes_to_the_police_and_has_no_letter(
    office: Office,
) -> None:
    desk = Desk(office, "dapo")
    decided = desk.decide(desk.missed(START - DAY, "SE-1"))
    assert decided.state == "must_be_referred"
    with pytest.raises(Faulty, match="no warning"):
        desk.warn(decided)
    with pytest.raises(NotFound):
        warning_letters.pdf(office.sessions, office.scope(), decided.ref, desk.now)


@ON_SQLITE
def test_the_pack_has_ten_working_days_and_a_named_officer_signs(desk: Desk) -> None:
    desk.warn(desk.decide(desk.missed(START - 9 * DAY, "SE-1")))
    breach = desk.refer(desk.decide(desk.missed(START - DAY, "SE-2")))
    assert breach.due is not None
    assert breach.due.at == end_of(date(2026, 12, 3)), "ten working days after 19 November"
    scope = desk.office.scope()
    with pytest.raises(Faulty):
        breaches.conclude(
            desk.office.sessions, scope, breach.ref, "Fined", replaces=1, now=desk.now
        )
    signed = breaches.sign(
        desk.office.sessions, scope, breach.ref, "He missed two sessions.", replaces=1, now=desk.now
    )
    assert signed.body.signed is not None
    assert (signed.body.signed.by, signed.due) == ("Ottoline Quarrington", None)
    asked: list[str] = []

    def explain(reference: str) -> PackAlert | None:
        asked.append(reference)
        return None

    made = breach_pack.pdf(desk.office.sessions, scope, breach.ref, explain, desk.now)
    assert made.startswith(b"%PDF")
    assert made == breach_pack.pdf(desk.office.sessions, scope, breach.ref, explain, desk.now)
    assert asked == [], "no failure rests on an alert"
    # A third failure joins, and what was signed does not cover it.
    joined = desk.refer(desk.decide(desk.missed(START, "SE-3")))
    assert (joined.ref, joined.state, joined.body.signed) == (breach.ref, "pack_due", None)
    assert len(joined.body.failure_refs) == 3


@ON_SQLITE
def test_the_letter_is_a_draft_until_it_is_sent_and_then_stays_as_it_was(desk: Desk) -> None:
    decided = desk.decide(desk.missed(START - DAY, "SE-1"))
    scope = desk.office.scope()

    def printed() -> bytes:
        return warning_letters.pdf(desk.office.sessions, scope, decided.ref, desk.now)

    assert printed().startswith(b"%PDF")
    desk.warn(decided)
    sent = printed()
    desk.office.watch.clock.forward(days=3)
    assert printed() == sent
    facilitator = desk.office.scope(Role.PROGRAMME_FACILITATOR)
    with pytest.raises(Forbidden):
        warning_letters.pdf(desk.office.sessions, facilitator, decided.ref, desk.now)


@ON_SQLITE
def test_a_notice_has_one_clock_that_stops_when_a_court_has_heard_it(desk: Desk) -> None:
    scope, sessions = desk.office.scope(), desk.office.sessions
    given = Notice("dapn", START - DAY, "Inspector Marlowe, 4411")
    started = notices.start(sessions, scope, "W-NEW", given, desk.now)
    with pytest.raises(Faulty):
        notices.start(sessions, scope, "W-NEW", given, desk.now)
    once = notices.see_to(sessions, scope, started.ref, 1, desk.now)
    twice = notices.see_to(sessions, scope, started.ref, once.version, desk.now)
    assert twice.due is not None
    assert twice.due.at == given.ends_at
    with pytest.raises(Faulty):
        notices.see_to(sessions, scope, started.ref, twice.version, desk.now)
    heard = notices.heard(sessions, scope, started.ref, START, "Order made", 3, desk.now)
    assert (heard.state, heard.due) == ("heard", None)


def failings(*days: int, warned: tuple[int, ...] = ()) -> list[Failing]:
    first = date(2026, 1, 5)
    return [
        Failing(
            f"F{day}", first + timedelta(days=day),
            first + timedelta(days=day + 2) if day in warned else None,
        )
        for day in days
    ]  # fmt: skip


def test_the_window_begins_with_the_warning_and_ends_before_its_anniversary() -> None:
    # 365 days after the failure is over the year, and within the year of the warning.
    assert must_refer(COMMUNITY, failings(0, 365)) == set()
    assert must_refer(COMMUNITY, failings(0, 365, warned=(0,))) == {"F365"}
    assert must_refer(COMMUNITY, failings(0, 367, warned=(0,))) == set()
    assert must_refer(COMMUNITY, failings(0, 0)) == set(), "two of one day are one"
    assert must_refer(of_kind("licence"), failings(0, 1)) == set(), "recall goes by risk"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 1_000), max_size=8, unique=True))
def test_whoever_has_one_in_the_year_before_must_be_referred(days: list[int]) -> None:
    found = must_refer(COMMUNITY, failings(*days))
    for day in days:
        on = date(2026, 1, 5) + timedelta(days=day)
        earlier = [date(2026, 1, 5) + timedelta(days=each) for each in days if each < day]
        assert (f"F{day}" in found) is any(on < months_after(each, 12) for each in earlier)


@pytest.mark.parametrize(
    ("ages", "breach", "tone", "count"),
    [
        ([], False, "green", 0),
        ([366], False, "green", 0),
        ([364], False, "neutral", 1),
        ([1, 100], False, "red", 2),
        ([1], True, "red", 1),
    ],
)
def test_the_panel_tells_by_failures_of_twelve_months(
    ages: list[int], breach: bool, tone: str, count: int
) -> None:
    now = date(2026, 11, 20)
    shown = panel([now - timedelta(days=age) for age in ages], now, breach=breach)
    assert (shown.tone, shown.count) == (tone, count)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("You missed your appointment at 10:00 on 3 November", False),
        ("Case 0312345 of 2026, order CH/2026/11", False),
        ("He stood at 14 Fletching Row, CH1 2AB", True),
        ("She can be reached on 07700 900199", True),
        ("She is in the refuge", True),
        ("He refused to answer, and refuse was left", False),
    ],
)
def test_where_somebody_is_and_how_to_reach_them_is_refused(text: str, refused: bool) -> None:
    assert (private_words.fault(text) is not None) is refused
