"""The chain over the audit log and the history of alerts: who changes what happened is found."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from case_files import INSIDE, OUTSIDE, walk
from click.testing import CliRunner
from databases import Database
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError
from watch import Watch

from alerts.finding import Severity
from navigate_safer.cli import main
from navigate_safer.db import audit, invariants, seals
from navigate_safer.db.alerting import AlertHistoryRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.seals import ALERTS, AUDIT, LOGS, LogCheckpointRow, SealRow
from navigate_safer.people import log_chain
from navigate_safer.people.account import Act
from navigate_safer.people.log_chain import NOTHING_BEFORE, START, canonical, next_seal
from navigate_safer.services import health, sealing
from navigate_safer.services.checks import State
from navigate_safer.services.sealing import Proof

KEY, KEY_BEFORE = "a-key-of-the-tests-and-of-nothing-else", "the-key-before-of-the-same-tests-only"
TAMPERED = "the newest entries of a log are not what was sealed"
DAY = timedelta(days=1)


def never(_seconds: float) -> None:
    """Nobody else writes in these tests, so nobody is waited for."""
    raise AssertionError("somebody is writing")


@pytest.fixture
def sealed(watch: Watch) -> Watch:
    """A breach was told and acknowledged by nobody; what was logged of it is sealed and signed."""
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.deliver()
    write(watch, 5)
    look(watch)
    return watch


def write(watch: Watch, count: int = 1) -> None:
    """Somebody looks at a person so many times."""
    for _ in range(count):
        with watch.sessions.begin() as session:
            looked_at(session, watch.clock())


def looked_at(session, at: datetime) -> None:
    audit.record(
        session, Act.CONSULTATION, "person", at=at, actor="staff", subject_kind="wearer",
        subject_id=1, detail={"b": [1, 2.5], "a": "é"},
    )  # fmt: skip
    session.flush()


def look(watch: Watch, *keys: str) -> None:
    sealing.look(watch.sessions, watch.clock(), keys or (KEY,), never)


def proof(watch: Watch, log=AUDIT, *keys: str, **options) -> Proof:
    return sealing.prove(watch.sessions, log, keys or (KEY,), **options)


@contextmanager
def as_owner(database: Database) -> Iterator[Connection]:
    """Whoever owns the database can switch off what refuses changes."""
    with database.engine.begin() as connection:
        if database.kind == "postgresql":
            connection.execute(text("set local session_replication_role = replica"))
        else:
            named = "select name from sqlite_master where type = 'trigger' and name like '%_no_%'"
            for name in connection.scalars(text(named)).all():
                connection.execute(text(f"drop trigger {name}"))
        yield connection


def ids(watch: Watch) -> list[int]:
    return [row.id for row in watch.database.all(AuditRow)]


# The form


def test_the_form_that_is_hashed_is_the_documented_one():
    at = datetime(2026, 11, 22, 22, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    content = {"what": "person", "at": at, "staff_id": None, "detail": {"b": [1], "a": "é"}}
    said = (
        b'{"at":"2026-11-22T21:00:00.000005+00:00","detail":{"a":"\\u00e9","b":[1]},'
        b'"staff_id":null,"what":"person"}'
    )
    assert canonical(content) == said
    expected = hashlib.sha256(NOTHING_BEFORE.encode() + b"\n" + said).hexdigest()
    assert next_seal(START, 7, content) == log_chain.Seal(1, 7, expected)


def test_a_time_without_an_offset_has_no_form():
    with pytest.raises(TypeError, match="no canonical form"):
        canonical({"at": datetime(2026, 11, 22)})  # noqa: DTZ001


# Sealing


def test_what_was_logged_is_sealed_in_the_order_of_its_ids(sealed: Watch):
    for log in LOGS:
        rows = sealed.database.all(SealRow, SealRow.log == log.name)
        entries = [row.id for row in sealed.database.all(log.table)]
        assert entries
        assert [row.entry_id for row in rows] == entries
        assert [row.number for row in rows] == list(range(1, len(entries) + 1))
        found = proof(sealed, log)
        assert (found.fault, found.waiting, found.end.number) == (None, 0, len(entries))
        assert (found.signed, found.unsigned) == (1, 0)


def test_what_comes_later_goes_on_from_there(sealed: Watch):
    before = proof(sealed).end
    write(sealed, 3)
    assert proof(sealed).waiting == 3
    look(sealed)
    found = proof(sealed)
    assert (found.fault, found.waiting, found.end.number) == (None, 0, before.number + 3)


def test_many_parts_are_sealed_in_one_round(sealed: Watch):
    with sealed.sessions.begin() as session:
        for _ in range(2 * sealing.PART):
            audit.record(session, Act.COLLECTION, "batch", at=sealed.clock(), actor="ingest",
                         subject_kind="ingest_batch")  # fmt: skip
    look(sealed)
    found = proof(sealed)
    assert (found.fault, found.waiting) == (None, 0)
    assert found.end.number > 2 * sealing.PART


def test_a_transaction_that_commits_a_lower_id_late_is_waited_for(sealed: Watch):
    if sealed.database.kind != "postgresql":
        return  # SQLite has one writer at a time
    late = sealed.sessions()
    looked_at(late, sealed.clock())
    write(sealed)  # has the next id, and is committed before
    *_, lower, higher = [*ids(sealed)[:-1], ids(sealed)[-1] - 1, ids(sealed)[-1]]
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        write(sealed)  # who comes later is not waited for
        if len(waits) == 3:
            late.commit()
            late.close()

    assert sealing.seal(sealed.sessions, AUDIT, wait)
    rows = sealed.database.all(SealRow, SealRow.log == "audit")
    assert [row.entry_id for row in rows[-2:]] == [lower, higher]
    assert len(waits) == 3
    look(sealed)
    assert proof(sealed).fault is None


def test_while_somebody_writes_for_long_nothing_is_sealed_and_nobody_is_kept_waiting(sealed: Watch):
    if sealed.database.kind != "postgresql":
        return  # SQLite has one writer at a time
    before = sealed.database.count(SealRow)
    slow = sealed.sessions()
    looked_at(slow, sealed.clock())
    write(sealed)
    assert not sealing.seal(sealed.sessions, AUDIT, lambda _seconds: None)
    assert sealed.database.count(SealRow) == before
    slow.rollback()
    slow.close()
    assert sealing.seal(sealed.sessions, AUDIT, never), "an id that is never used is no gap"
    assert proof(sealed).fault is None


def test_two_schedulers_at_once_make_one_chain(sealed: Watch):
    write(sealed, 40)
    threads = [
        threading.Thread(target=sealing.seal, args=(sealed.sessions, AUDIT, lambda _s: None))
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    look(sealed)
    found = proof(sealed)
    assert (found.fault, found.waiting) == (None, 0)
    assert found.end.number == sealed.database.count(AuditRow)


# Who changes what happened


def changed(connection: Connection, third: int) -> None:
    connection.execute(update(AuditRow).where(AuditRow.id == third).values(actor="nobody"))


def changed_inside(connection: Connection, third: int) -> None:
    detail = {"b": [1, 2.5], "a": "e"}
    connection.execute(update(AuditRow).where(AuditRow.id == third).values(detail=detail))


def set_back(connection: Connection, third: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    connection.execute(update(AuditRow).where(AuditRow.id == third).values(at=at))


def deleted(connection: Connection, third: int) -> None:
    connection.execute(delete(AuditRow).where(AuditRow.id == third))


def deleted_with_its_seal(connection: Connection, third: int) -> None:
    deleted(connection, third)
    connection.execute(delete(SealRow).where(SealRow.log == "audit", SealRow.entry_id == third))


def exchanged(connection: Connection, third: int) -> None:
    for old, new in ((third, -1), (third + 1, third), (-1, third + 1)):
        connection.execute(update(AuditRow).where(AuditRow.id == old).values(id=new))


@pytest.mark.parametrize(
    ("how", "said", "after"),
    [
        (changed, "is not what was sealed", 0),
        (changed_inside, "is not what was sealed", 0),
        (set_back, "is not what was sealed", 0),
        (deleted, "is gone", 0),
        (exchanged, "is not what was sealed", 0),
        # Its place in the chain is empty: the entry after it is the first that cannot hold.
        (deleted_with_its_seal, "a seal before it is gone", 1),
    ],
)
def test_the_first_entry_that_is_not_what_was_sealed_is_named(sealed: Watch, how, said, after):
    third = ids(sealed)[-4]
    with as_owner(sealed.database) as connection:
        # Entries that were looked at are about one person each, or an exchange would change none.
        how(connection, third)
        if how is exchanged:
            changed(connection, third)
    found = proof(sealed)
    assert found.fault == f"entry {third + after} {said}"
    assert found.end.entry_id == third - 1


def test_an_entry_that_is_put_in_afterwards_is_named(sealed: Watch):
    newest = ids(sealed)[-1]
    with as_owner(sealed.database) as connection:
        connection.execute(update(AuditRow).where(AuditRow.id == newest).values(id=newest + 5))
        connection.execute(
            update(SealRow).where(SealRow.log == "audit", SealRow.entry_id == newest)
            .values(entry_id=newest + 5)
        )  # fmt: skip
        made = select(*(column for column in AuditRow.__table__.columns if column.name != "id"))
        row = connection.execute(made.where(AuditRow.id == newest + 5)).mappings().one()
        connection.execute(insert(AuditRow).values(id=newest + 1, **row))
    assert proof(sealed).fault == (
        f"entry {newest + 1} was put in between entries that were sealed"
    )


def test_a_tail_that_is_cut_off_with_its_seals_is_found_by_the_checkpoint(sealed: Watch):
    newest, count = ids(sealed)[-1], sealed.database.count(AuditRow)
    with as_owner(sealed.database) as connection:
        deleted_with_its_seal(connection, newest)
    assert proof(sealed).fault == f"the log ends after {count - 1} entries, and had {count}"


def sealed_anew(watch: Watch, connection: Connection) -> None:
    """Whoever owns the database works the chain out again over what he has changed."""
    connection.execute(delete(SealRow).where(SealRow.log == "audit"))
    before = START
    for row in connection.execute(select(AuditRow.__table__).order_by(AuditRow.id)).mappings():
        before = next_seal(before, row["id"], {name: row[name] for name in AUDIT.columns})
        values = {"log": "audit", "number": before.number, "entry_id": row["id"]}
        connection.execute(insert(SealRow).values(hash=before.hash, **values))


def test_a_chain_that_is_written_anew_is_found_by_the_checkpoint(sealed: Watch):
    entry = ids(sealed)[2]
    with as_owner(sealed.database) as connection:
        changed(connection, entry)
        sealed_anew(sealed, connection)
    newest = ids(sealed)[-1]
    assert proof(sealed).fault == (
        f"entry {newest} ends a chain that is not the one of which a checkpoint is kept"
    )


def test_who_writes_the_checkpoint_anew_too_cannot_sign_it(sealed: Watch):
    entry = ids(sealed)[2]
    with as_owner(sealed.database) as connection:
        changed(connection, entry)
        sealed_anew(sealed, connection)
        newest = select(SealRow.hash).where(SealRow.log == "audit")
        head = connection.scalar(newest.order_by(SealRow.number.desc()).limit(1))
        ours = update(LogCheckpointRow).where(LogCheckpointRow.log == "audit")
        connection.execute(ours.values(head=head))
    (row,) = sealed.database.all(LogCheckpointRow, LogCheckpointRow.log == "audit")
    assert proof(sealed).fault == f"the signature of checkpoint {row.id} is not that of its key"
    with as_owner(sealed.database) as connection:
        theirs = {"key_name": log_chain.name_of("theirs"),
                  "signature": log_chain.sign(row.signed, "theirs")}  # fmt: skip
        connection.execute(ours.values(**theirs))
    assert proof(sealed).fault == f"checkpoint {row.id} was signed with a key that is not set here"


def test_who_deletes_every_checkpoint_is_found_by_one_that_was_kept_elsewhere(sealed: Watch):
    end = proof(sealed).end
    entry = ids(sealed)[2]
    with as_owner(sealed.database) as connection:
        changed(connection, entry)
        sealed_anew(sealed, connection)
        connection.execute(delete(LogCheckpointRow))
    assert proof(sealed).fault is None, "the database alone cannot tell any more"
    assert proof(sealed, kept={end.number: end.hash}).fault is not None


def test_the_history_of_an_alert_is_kept_in_the_same_way(sealed: Watch):
    first = sealed.database.all(AlertHistoryRow)[0].id
    with as_owner(sealed.database) as connection:
        connection.execute(
            update(AlertHistoryRow).where(AlertHistoryRow.id == first).values(reason="another")
        )
    assert proof(sealed, ALERTS).fault == f"entry {first} is not what was sealed"
    assert proof(sealed).fault is None


@pytest.mark.parametrize("table", [SealRow, LogCheckpointRow], ids=lambda each: each.__tablename__)
@pytest.mark.parametrize("how", ["update", "delete", "replace", "truncate"])
def test_the_database_refuses_to_change_a_seal_or_a_checkpoint(sealed: Watch, table, how: str):
    name = table.__tablename__
    only_on = {"replace": "sqlite", "truncate": "postgresql"}
    if only_on.get(how, sealed.database.kind) != sealed.database.kind:
        return
    columns = ", ".join(column.name for column in table.__table__.columns)
    statement = {
        "update": f"update {name} set log = 'x'",
        "delete": f"delete from {name}",
        "replace": f"replace into {name} ({columns}) select {columns} from {name}",
        "truncate": f"truncate {name}",
    }[how]
    before = sealed.database.count(table)
    with (
        pytest.raises(DatabaseError, match=f"rows of {name} are never changed"),
        sealed.database.engine.begin() as connection,
    ):
        connection.execute(text(statement))
    assert sealed.database.count(table) == before > 0


# Checkpoints


def test_a_checkpoint_is_signed_each_day_and_no_oftener(sealed: Watch):
    sealed.clock.forward(hours=23)
    look(sealed)
    assert proof(sealed).signed == 1
    sealed.clock.forward(hours=1)
    look(sealed)
    assert proof(sealed).signed == 2


def test_what_an_earlier_key_signed_still_counts_while_that_key_is_set(sealed: Watch):
    sealed.clock.at += DAY
    look(sealed, KEY_BEFORE, KEY)
    assert proof(sealed, AUDIT, KEY_BEFORE, KEY).fault is None
    assert "a key that is not set here" in proof(sealed, AUDIT, KEY_BEFORE).fault


def test_without_a_key_the_log_is_checked_and_not_signed(watch: Watch):
    write(watch)
    sealing.look(watch.sessions, watch.clock(), (), never)
    found = sealing.prove(watch.sessions, AUDIT, ())
    assert (found.fault, found.signed, found.unsigned) == (None, 0, 1)


def test_an_empty_log_has_no_checkpoint(watch: Watch):
    assert not watch.database.count(AlertHistoryRow)
    look(watch)
    assert not watch.database.count(LogCheckpointRow, LogCheckpointRow.log == "alerts")


# Who is told


def broken(watch: Watch) -> dict[str, int]:
    with watch.sessions() as session:
        return invariants.broken(session, watch.clock())


def test_a_break_among_the_newest_entries_is_counted_with_what_must_hold(sealed: Watch):
    assert broken(sealed) == {}
    entry = ids(sealed)[-2]
    with as_owner(sealed.database) as connection:
        changed(connection, entry)
    assert broken(sealed) == {TAMPERED: 1}
    sealed.clock.forward(hours=1)
    write(sealed, seals.TAIL)
    look(sealed)
    assert TAMPERED not in broken(sealed), "old breaks are found by the check of each day"


def log_checks(watch: Watch):
    found = health.look(watch.sessions, watch.clock(), watch.clock(), slow=health.SlowChecks())
    return {each.name: each for each in found if each.name.startswith("log: ")}


def test_health_says_when_each_log_was_whole(sealed: Watch):
    sealed.clock.forward(hours=5)
    found = log_checks(sealed)
    assert set(found) == {"log: audit", "log: alerts"}
    assert {each.state for each in found.values()} == {State.OK}
    assert found["log: audit"].text == "The audit log was whole 5 hours ago (signed)."


def test_health_says_that_a_log_is_not_what_was_sealed_and_which_entry_to_who_mends_it(
    sealed: Watch,
):
    third = ids(sealed)[2]
    with as_owner(sealed.database) as connection:
        changed(connection, third)
    sealed.clock.at += DAY
    look(sealed)
    found = log_checks(sealed)["log: audit"]
    assert (found.state, found.told_as) == (State.WARNING, Severity.MEDIUM)
    assert (
        found.text == "The audit log is not what was sealed: its chain did not hold 0 seconds ago."
    )
    assert found.detail == f"entry {third} is not what was sealed."


def test_health_says_that_nobody_seals_or_checks(sealed: Watch):
    write(sealed)
    sealed.clock.forward(minutes=59)
    assert log_checks(sealed)["log: audit"].state is State.OK
    sealed.clock.forward(minutes=2)
    found = log_checks(sealed)["log: audit"]
    assert found.state is State.WARNING
    assert found.text == "The audit log is not sealed as it grows; it was checked 1 hour ago."
    sealed.clock.forward(days=2)
    assert log_checks(sealed)["log: alerts"].state is State.WARNING


# The command


def verify(watch: Watch, *args: str, key: str = KEY):
    env = {"NAVIGATE_SAFER_DATABASE_URL": watch.database.url, "NAVIGATE_SAFER_AUDIT_KEY": key}
    return CliRunner(env=env).invoke(main, ["audit", "verify", *args])


def test_the_command_says_how_far_each_log_holds_and_what_to_keep(sealed: Watch):
    shown = verify(sealed)
    assert shown.exit_code == 0, shown.output
    first, second = shown.stdout.splitlines()
    end = proof(sealed).end
    assert first.startswith(f"audit: {end.number} sealed entries hold (up to entry {end.entry_id})")
    assert "0 not sealed yet, 1 checkpoints signed, 0 not" in first
    assert second.startswith("alerts: ")
    kept = first.rsplit(" ", 1)[-1]
    assert kept.replace("-", "") == f"audit:{end.number}:{end.hash}"
    assert verify(sealed, "--kept", kept).exit_code == 0


def test_the_command_names_the_first_entry_that_does_not_hold_and_ends_with_2(sealed: Watch):
    third = ids(sealed)[2]
    with as_owner(sealed.database) as connection:
        changed(connection, third)
    shown = verify(sealed)
    assert shown.exit_code == 2
    said = f"the chain does not hold: audit: entry {third} is not what was sealed"
    assert said in shown.stderr
    assert "alerts: " in shown.stdout


def test_the_command_without_a_key_says_that_signatures_were_not_looked_at(sealed: Watch):
    shown = verify(sealed, key="")
    assert shown.exit_code == 0
    assert "Signatures were not looked at" in shown.stdout


def test_a_checkpoint_from_elsewhere_that_differs_or_is_none_ends_with_2(sealed: Watch):
    assert verify(sealed, "--kept", f"audit:2:{'0' * 64}").exit_code == 2
    refused = verify(sealed, "--kept", "audit:two")
    assert refused.exit_code == 2
    assert "--kept: give audit or alerts" in refused.stderr


def test_the_key_is_not_in_the_database(sealed: Watch):
    for row in sealed.database.all(LogCheckpointRow):
        said = repr(msgspec.structs.asdict(row.signed)) + f"{row.key_name}{row.signature}"
        assert KEY not in said
