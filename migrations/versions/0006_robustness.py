"""changed terms are judged backwards; a sign of life a process; holds on readings

Revision ID: 0006
Revises: 0005

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# What a clause, an order, a fitting or a device says to the rules; another text means other terms.
CLAUSE = ("kind", "severity", "clause", "order_id", "zone_id", "limits", "from_at")
WORN_BY = ("device_id", "wearer_id", "fitted_at")
# A changed zone is a new row: findings name its version, and processes keep it in memory.
SHAPE = ("ref", "version", "kind", "geometry", "buffer_m", "schedule", "timezone")

_WEARING = (
    "join fittings f on f.device_id = l.device_id join orders o on o.wearer_id = f.wearer_id "
    "where o.id = "
)


def upgrade() -> None:
    with op.batch_alter_table("pending_judgements") as batch:
        batch.add_column(sa.Column("cause", sa.String(20), nullable=True))
    _sign_of_life_by(["worker", "instance"], added=True)
    _holds()
    for mark in _marks():
        _add(mark)
    _keep_zones()


def _sign_of_life_by(key: list[str], *, added: bool) -> None:
    if added:
        with op.batch_alter_table("heartbeats") as batch:
            batch.add_column(
                sa.Column("instance", sa.String(64), nullable=False, server_default="")
            )
    if _is_postgresql():
        op.execute("alter table heartbeats drop constraint pk_heartbeats")
        op.create_primary_key("pk_heartbeats", "heartbeats", key)
    else:
        with op.batch_alter_table("heartbeats") as batch:
            batch.drop_constraint("pk_heartbeats", type_="primary")
            batch.create_primary_key("pk_heartbeats", key)
    if not added:
        with op.batch_alter_table("heartbeats") as batch:
            batch.drop_column("instance")


def _holds() -> None:
    op.create_table(
        "reading_holds",
        sa.Column("id", ID, nullable=False),
        sa.Column("wearer_id", ID, nullable=True),
        sa.Column("from_day", sa.Date(), nullable=True),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("placed_at", AT, nullable=False),
        sa.Column("lifted_at", AT, nullable=True),
        sa.Column("why_lifted", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_reading_holds_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_holds")),
    )


class Mark(NamedTuple):
    """Leave a mark for the devices of ``where`` (over ``device_latest l``), judged from ``since``.

    Where that is no instant, nothing that is stored is concerned.
    """

    name: str
    table: str
    event: str
    when: str
    where: str
    since: str


def _marks() -> list[Mark]:
    """Whatever changes the terms of what has been judged, and from which reading on."""
    of_clause, fitted = f"{_WEARING}{{row}}.order_id", "where l.device_id = {row}.device_id"
    new_clause, new_fitted = of_clause.format(row="new"), fitted.format(row="new")
    of_order = f"{_WEARING}new.id"
    worn = "join fittings f on f.device_id = l.device_id where l.device_id = new.id"

    def moved(column: str) -> str:
        return _first(f"old.{column}", f"new.{column}")

    return [
        Mark("conditions_new", "conditions", "insert", "", new_clause, "new.from_at"),
        Mark(
            *("conditions_gone", "conditions", "delete", ""),
            *(of_clause.format(row="old"), "old.from_at"),
        ),
        Mark(
            *("conditions_other", "conditions", "update", _differs(CLAUSE)),
            *(new_clause, moved("from_at")),
        ),
        Mark(
            *("conditions_end", "conditions", "update", _differs(("until_at",))),
            *(new_clause, moved("until_at")),
        ),
        Mark(
            *("orders_start", "orders", "update", _differs(("starts_on",))),
            *(of_order, _day(moved("starts_on"))),
        ),
        Mark(
            *("orders_end", "orders", "update", _differs(("ends_on",))),
            *(of_order, _day(moved("ends_on"))),
        ),
        Mark("fittings_new", "fittings", "insert", "", new_fitted, "new.fitted_at"),
        Mark(
            *("fittings_other", "fittings", "update", _differs(WORN_BY)),
            *(new_fitted, moved("fitted_at")),
        ),
        Mark(
            *("fittings_end", "fittings", "update", _differs(("removed_at",))),
            *(new_fitted, moved("removed_at")),
        ),
        Mark("devices_other", "devices", "update", _differs(("kind",)), worn, "f.fitted_at"),
    ]


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _differs(columns: tuple[str, ...]) -> str:
    """Whether a row's columns say something else than before; JSON is compared as text."""
    form = "old.{0}::text is distinct from new.{0}::text"
    form = form if _is_postgresql() else "old.{0} is not new.{0}"
    return " or ".join(form.format(column) for column in columns)


def _first(one: str, other: str) -> str:
    """The earlier of two instants; none is never."""
    if _is_postgresql():
        return f"least({one}, {other})"
    return f"coalesce(min({one}, {other}), {one}, {other})"


def _day(date: str) -> str:
    """When a day begins in London at the earliest: an hour before it does in UTC."""
    if _is_postgresql():
        return f"(({date})::timestamp at time zone 'UTC' - interval '1 hour')"
    return f"datetime({date}, '-1 hour')"


def _just_before(at: str) -> str:
    """An instant before one, so that a reading at an end that moves is judged again too."""
    if _is_postgresql():
        return f"({at} - interval '1 second')"
    return f"strftime('%Y-%m-%d %H:%M:%f000', {at}, '-1 second')"


def _add(mark: Mark) -> None:
    since = _just_before(mark.since)
    # Only where something as late was heard: of other terms nothing has been judged yet.
    statement = (
        "insert into pending_judgements (device_id, earliest_at, failures, cause) "  # noqa: S608
        f"select l.device_id, min({since}), 0, 'terms' from device_latest l {mark.where} "
        f"and l.measured_at >= {since} group by l.device_id"
    )
    _trigger(f"{mark.name}_marks", mark.table, mark.event, mark.when, statement)


def _trigger(
    name: str, table: str, event: str, condition: str, statement: str, *, moment: str = "after"
) -> None:
    when = f"when ({condition})" if condition else ""
    if not _is_postgresql():
        op.execute(
            f"create trigger {name} {moment} {event} on {table} {when} begin {statement}; end"
        )
        return
    op.execute(
        f"create function {name}() returns trigger language plpgsql as "
        f"$$ begin {statement}; return null; end $$"
    )
    op.execute(
        f"create trigger {name} {moment} {event} on {table} for each row {when} "
        f"execute function {name}()"
    )


def _keep_zones() -> None:
    text = "a changed zone is a new row with the next version"
    statement = (
        f"raise exception '{text}'" if _is_postgresql() else f"select raise(abort, '{text}')"
    )
    _trigger("zones_never_change", "zones", "update", _differs(SHAPE), statement, moment="before")


def downgrade() -> None:
    names = [(mark.table, f"{mark.name}_marks") for mark in _marks()]
    for table, name in (*names, ("zones", "zones_never_change")):
        op.execute(f"drop trigger {name}" + (f" on {table}" if _is_postgresql() else ""))
        if _is_postgresql():
            op.execute(f"drop function {name}()")
    op.drop_table("reading_holds")
    # One sign of life a worker, of whichever process.
    op.execute(
        "delete from heartbeats where exists (select 1 from heartbeats o "
        "where o.worker = heartbeats.worker and o.instance < heartbeats.instance)"
    )
    _sign_of_life_by(["worker"], added=False)
    with op.batch_alter_table("pending_judgements") as batch:
        batch.drop_column("cause")
