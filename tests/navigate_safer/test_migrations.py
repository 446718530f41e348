"""The chain of migrations, run for real on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from case_files import INSIDE, OUTSIDE, START, walk
from databases import Database
from sqlalchemy import BigInteger, String, delete, insert, inspect, text, update
from sqlalchemy.exc import DatabaseError

from navigate_safer.db import schema
from navigate_safer.db.alerting import AlertHistoryRow, EpisodeHistoryRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.seals import AUDIT
from navigate_safer.services import sealing

APPEND_ONLY = [AuditRow, AlertHistoryRow, EpisodeHistoryRow]
ON_POSTGRESQL = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)


@pytest.fixture
def empty(factory, tmp_path):
    with factory.empty(tmp_path) as made:
        yield made


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_the_chain_has_one_head():
    assert len(ScriptDirectory.from_config(schema.config()).get_heads()) == 1


def test_upgrade_downgrade_and_upgrade_again(empty):
    assert not schema.is_current(empty.engine)
    schema.upgrade(empty.engine)
    assert schema.is_current(empty.engine)
    assert tables(empty) == set(schema.METADATA.tables)
    schema.downgrade(empty.engine, "base")
    assert tables(empty) == set()
    assert not schema.is_current(empty.engine)
    schema.upgrade(empty.engine)
    assert schema.is_current(empty.engine)
    assert tables(empty) == set(schema.METADATA.tables)


@ON_POSTGRESQL
def test_going_back_leaves_no_function_behind(empty):
    schema.upgrade(empty.engine)
    schema.downgrade(empty.engine, "base")
    own = text(
        "select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = 'public'"
    )
    with empty.engine.connect() as connection:
        assert connection.scalar(own) == 0


def test_migrating_a_database_that_is_current_changes_nothing(watch):
    before = watch.database.counts()
    schema.upgrade(watch.database.engine)
    assert watch.database.counts() == before


def test_the_migrations_and_the_tables_in_the_code_agree(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.METADATA) == []


def with_a_breach(watch) -> None:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))


@pytest.mark.parametrize("table", APPEND_ONLY, ids=lambda table: table.__tablename__)
@pytest.mark.parametrize("how", ["update", "delete"])
def test_what_happened_cannot_be_changed(watch, table, how):
    with_a_breach(watch)
    before = watch.database.count(table)
    assert before
    name = table.__tablename__
    statement = update(table).values(at=START) if how == "update" else delete(table)
    with (
        pytest.raises(DatabaseError, match=f"rows of {name} are never changed"),
        watch.database.engine.begin() as connection,
    ):
        connection.execute(statement)
    assert watch.database.count(table) == before


@pytest.mark.parametrize("table", APPEND_ONLY, ids=lambda table: table.__tablename__)
def test_what_happened_cannot_be_replaced(watch, table):
    if watch.database.kind != "sqlite":
        return  # only SQLite has REPLACE; PostgreSQL's ON CONFLICT is an update
    with_a_breach(watch)
    name = table.__tablename__
    columns = ", ".join(column.name for column in table.__table__.columns)
    with (
        pytest.raises(DatabaseError, match=f"rows of {name} are never changed"),
        watch.database.engine.begin() as connection,
    ):
        connection.execute(text(f"replace into {name} ({columns}) select {columns} from {name}"))


@ON_POSTGRESQL
@pytest.mark.parametrize("table", APPEND_ONLY, ids=lambda table: table.__tablename__)
def test_what_happened_cannot_be_truncated_either(watch, table):
    with_a_breach(watch)
    name = table.__tablename__
    with (
        pytest.raises(DatabaseError, match=f"rows of {name} are never changed"),
        watch.database.engine.begin() as connection,
    ):
        connection.execute(text(f"truncate {name} cascade"))
    assert watch.database.count(table)


def test_an_episode_with_history_cannot_be_deleted_from_under_it(watch):
    with_a_breach(watch)
    with pytest.raises(DatabaseError), watch.database.engine.begin() as connection:
        connection.execute(text("delete from alerts"))
    assert watch.database.count(AlertHistoryRow)


def test_ids_go_past_the_thirty_two_bits_at_which_others_have_stopped(database):
    past = 2**31 + 5
    values = {
        "act": "collection", "what": "a row", "actor": "test", "subject_kind": "test",
        "subject_id": past, "detail": {}, "at": START,
    }  # fmt: skip
    with database.engine.begin() as connection:
        connection.execute(insert(AuditRow).values(id=past, **values))
    row = database.one(AuditRow)
    assert (row.id, row.subject_id) == (past, past)


def test_what_was_logged_before_the_seals_is_sealed_after_the_upgrade(empty):
    schema.upgrade(empty.engine, "0023")
    values = {
        "act": "collection", "what": "a row", "actor": "test", "subject_kind": "test",
        "subject_id": 1, "detail": {"count": 2}, "at": START,
    }  # fmt: skip
    with empty.engine.begin() as connection:
        connection.execute(insert(AuditRow), [values] * 3)
    schema.upgrade(empty.engine)
    sealing.look(empty.sessions, START, (), lambda _seconds: None)
    proof = sealing.prove(empty.sessions, AUDIT, ())
    assert (proof.end.number, proof.waiting, proof.fault) == (3, 0, None)
    schema.downgrade(empty.engine, "0023")
    assert empty.count(AuditRow) == 3


@ON_POSTGRESQL
def test_on_postgresql_every_id_and_every_link_to_one_is_64_bits_wide(database):
    look = inspect(database.engine)
    narrow = []
    for table in schema.METADATA.sorted_tables:
        keys = look.get_foreign_keys(table.name)
        links = {name for key in keys for name in key["constrained_columns"]}
        for column in look.get_columns(table.name):
            is_id = column["name"] == "id" or column["name"].endswith("_id")
            wide = isinstance(column["type"], BigInteger | String)
            if (is_id or column["name"] in links) and not wide:
                narrow.append(f"{table.name}.{column['name']}")
    assert narrow == []


@ON_POSTGRESQL
def test_on_postgresql_the_numbers_handed_out_are_64_bits_wide_too(database):
    sequences = text("select sequencename, data_type::text from pg_sequences")
    with database.engine.connect() as connection:
        kinds = dict(connection.execute(sequences).all())
    assert "fixes_id_seq" not in kinds
    assert {"alerts_id_seq", "audit_entries_id_seq", "quarantine_id_seq"} <= set(kinds)
    assert set(kinds.values()) == {"bigint"}
