"""Put the breach pack together: order, clauses, variations, failures, letters and alerts."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.breaches import BREACH, Breach, pack_by
from navigate_safer.people.days import day_of
from navigate_safer.people.failures import FAILURE, Source
from navigate_safer.people.orders import ORDER, Clause, OrderFile
from navigate_safer.services import enforcement_papers, records
from navigate_safer.services.breaches import BreachRecord
from navigate_safer.services.enforcement_papers import Pack, PackAlert, PackFailure, moment, said
from navigate_safer.services.failures import FailureRecord
from navigate_safer.services.order_terms import clause_name
from navigate_safer.services.orders import OrderRecord, files_of

# What tells an alert in words, by its reference; None where nobody can.
Explain = Callable[[str], PackAlert | None]


def pdf(sessions: Sessions, scope: Scope, ref: str, explain: Explain, now: datetime) -> bytes:
    """The pack of a breach; raises NotFound, Forbidden.

    ``explain`` is asked after the transaction, for each alert that a failure rests on.
    """
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        breach = records.newest(session, scope, BREACH, ref)
        found = [records.newest(session, scope, FAILURE, each) for each in breach.body.failure_refs]
        found.sort(key=lambda each: each.at)
        made = _pack(session, scope, breach, found, now)
        records.consulted(session, scope, "breach pack", now, wearer_id=breach.wearer_id)
    told = [explain(each.body.source_ref) for each in found if each.body.source is Source.ALERT]
    return enforcement_papers.pack(made(tuple(each for each in told if each is not None)))


def _pack(
    session: Session,
    scope: Scope,
    breach: BreachRecord,
    found: list[FailureRecord],
    now: datetime,
) -> Callable[[tuple[PackAlert, ...]], Pack]:
    assert breach.wearer_ref is not None, "a breach is somebody's"
    of, wearer = records.about(session, scope, breach.wearer_ref)
    file, versions = _order(session, scope, of, breach.body)
    body, name, born_on = breach.body, wearer.name, wearer.born_on
    wearer_ref, signed = wearer.ref, body.signed

    def made(alerts: tuple[PackAlert, ...]) -> Pack:
        return Pack(
            ref=breach.ref,
            name=name,
            wearer_ref=wearer_ref,
            born_on=born_on,
            order=_order_lines(file),
            conditions=tuple(_condition(file, each) for each in file.clauses),
            variations=_variations(versions),
            failures=tuple(_failure(each) for each in found),
            alerts=alerts,
            why=body.why,
            referred=f"Referred to {body.referred_to} by {body.referred_by}",
            statement=body.statement,
            signed="" if signed is None else f"{signed.by}, {moment(signed.at)}",
            due=pack_by(body),
            printed=now,
        )

    return made


def _order(
    session: Session, scope: Scope, of: records.About, breach: Breach
) -> tuple[OrderFile, list[OrderRecord]]:
    known = [each for each in files_of(session, scope, of) if each[1].order_ref == breach.order_ref]
    assert known, "an order is never taken away"
    _, file, record = known[0]
    return file, [] if record is None else records.versions(session, scope, ORDER, record.ref)


def _order_lines(file: OrderFile) -> tuple[tuple[str, str], ...]:
    ends = "no end" if file.ends_on is None else said(file.ends_on)
    lines = [
        ("Kind", file.rules.label),
        ("Made by", file.made_by or "not on file"),
        ("Case number", file.case_number or "not on file"),
        ("Made on", said(file.made_on)),
        ("In force", f"{said(file.starts_on)} to {ends}"),
    ]
    if file.revoked_at is not None:
        lines.append(("Ended before its time", moment(file.revoked_at)))
    return tuple(lines)


def _condition(file: OrderFile, clause: Clause) -> tuple[str, str, str]:
    until = "" if clause.until_at is None else f" to {moment(clause.until_at)}"
    what = clause.text or (clause.monitored.label if clause.monitored else "")
    return clause_name(file.kind, clause), what, f"From {moment(clause.from_at)}{until}"


def _variations(versions: list[OrderRecord]) -> tuple[tuple[str, str], ...]:
    found = []
    for each in reversed(versions):
        if each.body.varied_by and each.body.varied_from is not None and each.reason != "Seen to":
            found.append((f"{moment(each.body.varied_from)}, {each.body.varied_by}", each.reason))
    return tuple(found)


def _failure(record: FailureRecord) -> PackFailure:
    body = record.body
    decided = "not decided"
    if body.decision is not None:
        word = "acceptable" if body.decision.acceptable else "unacceptable"
        on = said(day_of(body.decision.at))
        decided = f"{word}, by {body.decision.by} on {on}: {body.decision.why}"
    return PackFailure(
        ref=record.ref,
        happened=record.at,
        what=body.what,
        requirement=body.requirement,
        evidence=body.evidence,
        decided=decided,
        letter_on=None if body.warned is None else body.warned.sent_on,
        letter=() if body.warned is None else body.warned.text,
        reply="" if body.reply is None else f"{said(body.reply.on)}: {body.reply.text}",
    )
