"""Orders, failures, letters, a breach and a notice of the police, for a few of the cohort."""

from datetime import date, datetime, timedelta

from msgspec.structs import replace

from navigate_safer.demo.casework_staff import Office
from navigate_safer.people.access import Role
from navigate_safer.people.clause_catalogue import templates
from navigate_safer.people.days import LONDON, day_of
from navigate_safer.people.failures import FAILURE, Failure, Reply, Source
from navigate_safer.people.notices import Notice
from navigate_safer.people.orders import Clause, OrderFile
from navigate_safer.services import (
    breaches,
    failures,
    notices,
    order_clauses,
    orders,
    records,
    warning_letters,
)
from navigate_safer.services.failures import FailureRecord
from navigate_safer.services.orders import Variation

COURT = "Chester Magistrates' Court"
PROGRAMME = "df3f08a8-4ae0-41fe-b3bc-d0be1fd2d8aa"
RELATIONSHIPS = "db2d7e24-b130-4c7e-a1bf-6bb5f3036c02"
# Who has what, by place among the wearers of the area.
WARNED, REFERRED, WAITING, PROTECTED, SERVED = 1, 2, 3, 4, 5
_DAY = timedelta(days=1)


def sprinkle_orders(office: Office, now: datetime) -> None:
    """A few people's orders and what became of them; nothing where some are written already."""
    if len(office.wearers) <= SERVED or _is_written(office):
        return
    warned, referred = office.wearers[WARNED], office.wearers[REFERRED]
    order = _community_order(office, warned, now)
    first = _failure(office, warned, now - 16 * _DAY, "You missed your group session")
    _decided(office, first, order, "You showed no proof of the illness", now - 15 * _DAY)
    _sent(office, first.ref, now - 14 * _DAY)
    on = day_of(now - 9 * _DAY)
    reply = Reply(on, "He brought a sick note for another day", "")
    failures.answered(
        office.sessions, office.scope(Role.OFFENDER_MANAGER), first.ref, reply,
        replaces=3, now=now - 9 * _DAY,
    )  # fmt: skip
    _two_failures(office, referred, now)
    _failure(office, office.wearers[WAITING], now - _DAY, "You missed your first appointment")
    _protected(office, office.wearers[PROTECTED], now)
    given = Notice("dapn", now - timedelta(hours=20), "Inspector Halloran, 2217")
    scope = office.scope(Role.OFFENDER_MANAGER)
    notices.start(office.sessions, scope, office.wearers[SERVED], given, now)


def _is_written(office: Office) -> bool:
    with office.sessions() as session:
        return bool(records.listed(session, office.scope(Role.SUPERVISOR), FAILURE, limit=1))


def _two_failures(office: Office, wearer: str, now: datetime) -> None:
    order = _community_order(office, wearer, now)
    first = _failure(office, wearer, now - 70 * _DAY, "You left the session before its end")
    _decided(office, first, order, "You gave no reason", now - 69 * _DAY)
    _sent(office, first.ref, now - 68 * _DAY)
    failures.close(
        office.sessions, office.scope(Role.OFFENDER_MANAGER), first.ref, "He came since",
        replaces=3, now=now - 50 * _DAY,
    )  # fmt: skip
    second = _failure(office, wearer, now - 4 * _DAY, "You missed your group session")
    _decided(office, second, order, "You gave no reason", now - 3 * _DAY)
    breaches.refer(
        office.sessions, office.scope(Role.OFFENDER_MANAGER), second.ref,
        why="The second failure without good reason in twelve months",
        referred_to="The enforcement officer of the area", replaces=2, now=now - 2 * _DAY,
    )  # fmt: skip


def _community_order(office: Office, wearer: str, now: datetime) -> str:
    first = day_of(now) - 120 * _DAY
    draft = OrderFile(
        "", "community_order", COURT, "", first, first, first + timedelta(days=545)
    )  # fmt: skip
    text = templates()[PROGRAMME].filled(
        {"programme": "Building Better Relationships", "behaviour": "violence to partners"}
    )
    return _with_clause(office, wearer, draft, Clause(1, "1", PROGRAMME, text, _begins(first)), now)


def _protected(office: Office, wearer: str, now: datetime) -> None:
    first = day_of(now) - _DAY
    draft = OrderFile("", "dapo", COURT, "", first, first, first + timedelta(days=364))
    text = templates()[RELATIONSHIPS].text
    _with_clause(office, wearer, draft, Clause(1, "1", RELATIONSHIPS, text, _begins(first)), now)


def _with_clause(
    office: Office, wearer: str, draft: OrderFile, clause: Clause, now: datetime
) -> str:
    scope = office.scope(Role.OFFENDER_MANAGER)
    number = orders.make(office.sessions, scope, wearer, draft, now)
    variation = Variation(draft.made_by, clause.from_at, "As the court made it", 1)
    order_clauses.add_clause(office.sessions, scope, wearer, number, clause, variation, now)
    with office.sessions() as session:
        of, _ = records.about(session, scope, wearer)
        return next(
            row.ref for row, _, _ in orders.files_of(session, scope, of) if row.id == number
        )


def _begins(first: date) -> datetime:
    return datetime(first.year, first.month, first.day, tzinfo=LONDON)


def _failure(office: Office, wearer: str, at: datetime, what: str) -> FailureRecord:
    body = Failure(what, Source.OFFICER, "", "", "The register of the session")
    scope = office.scope(Role.OFFENDER_MANAGER)
    return failures.record(office.sessions, scope, wearer, body, at, at)


def _decided(office: Office, record: FailureRecord, order_ref: str, why: str, at: datetime) -> None:
    body = replace(
        record.body, requirement="To go to the programme that the court has ordered",
        order_ref=order_ref, order_kind="community_order",
    )  # fmt: skip
    failures.decide(
        office.sessions, office.scope(Role.OFFENDER_MANAGER), record.ref, body,
        acceptable=False, why=why, replaces=record.version, now=at,
    )  # fmt: skip


def _sent(office: Office, ref: str, at: datetime) -> None:
    scope = office.scope(Role.OFFENDER_MANAGER)
    warning_letters.send(office.sessions, scope, ref, day_of(at), replaces=2, now=at)
