"""Connections of the pool: one that died while it rested is not handed out."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from navigate_safer.db.base import make_engine, make_sessions


@pytest.fixture
def ended(database):
    """Makes sessions whose one pooled connection the server has ended since it was used."""
    engines = []

    def make(asked_after_s):
        engine = make_engine(database.url, asked_after_s=asked_after_s)
        engines.append(engine)
        sessions = make_sessions(engine)
        with sessions() as session:
            pid = session.scalar(text("select pg_backend_pid()"))
        with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s, 10000)", (pid,))
        return sessions

    if database.kind == "postgresql":
        yield make
    else:
        yield None
    for engine in engines:
        engine.dispose()


def test_one_that_rested_is_asked_and_another_is_made(ended):
    if ended is not None:
        with ended(0.0)() as session:
            assert session.scalar(text("select 1")) == 1


def test_one_that_has_just_been_used_is_not_asked_and_its_fault_is_the_database_s(ended):
    """The next use makes another: a worker's loop comes round again."""
    if ended is not None:
        sessions = ended(3_600.0)
        with sessions() as session, pytest.raises(OperationalError):
            session.scalar(text("select 1"))
        with sessions() as session:
            assert session.scalar(text("select 1")) == 1
