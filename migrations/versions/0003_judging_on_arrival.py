"""judging on arrival: the last position and the calm of a device, silence without a write a reading

Revision ID: 0003
Revises: 0002

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
LATEST: dict[str, tuple[Any, dict[str, Any]]] = {
    "position_at": (AT, {}),
    "lat_e7": (sa.Integer(), {}),
    "lon_e7": (sa.Integer(), {}),
    "accuracy": (sa.SmallInteger(), {}),
    "fix_quality": (sa.Integer(), {}),
    "turn": (sa.BigInteger(), {"server_default": "0", "nullable": False}),
    "calm": (sa.Text(), {}),
}
JUDGEMENTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "quiet_s": (sa.Integer(), {}),
    "ends_at": (AT, {}),
}
# These rows are written once a batch; room on their page keeps the indexes out of it.
CROWDED = ("device_latest", "judgements")

_OF_ORDER = (
    "select f.device_id from fittings f join orders o on o.wearer_id = f.wearer_id "
    "where o.id = {order}"
)
# Whatever changes the terms of a device's judgement, by whichever hand: what intake has at hand
# about the device is old from the moment of that commit. (table, events, devices by row)
CHANGES = (
    ("devices", ("update",), "select {row}.id"),
    ("fittings", ("insert", "update", "delete"), "select {row}.device_id"),
    ("orders", ("update", "delete"), _OF_ORDER.format(order="{row}.id")),
    ("conditions", ("insert", "update", "delete"), _OF_ORDER.format(order="{row}.order_id")),
)


def upgrade() -> None:
    for table, columns in (("device_latest", LATEST), ("judgements", JUDGEMENTS)):
        with op.batch_alter_table(table, schema=None) as batch:
            for name, (kind, options) in columns.items():
                batch.add_column(sa.Column(name, kind, **options))
    with op.batch_alter_table("heartbeats", schema=None) as batch:
        batch.add_column(sa.Column("caught_up_since", AT))
    if op.get_bind().dialect.name == "postgresql":
        for table in CROWDED:
            op.execute(
                f"alter table {table} set (fillfactor = 60, "
                "autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)"
            )
    for table, events, devices in CHANGES:
        for event in events:
            _trigger(table, event, devices)


def _trigger(table: str, event: str, devices: str) -> None:
    # A row that is moved to another device concerns both.
    rows = {"insert": ("new",), "update": ("old", "new"), "delete": ("old",)}[event]
    name = f"{table}_{event}_turns"
    statement = "; ".join(
        "update device_latest set turn = turn + 1, calm = null "  # noqa: S608 - our own names
        f"where device_id in ({devices.format(row=row)})"
        for row in rows
    )
    if op.get_bind().dialect.name != "postgresql":
        op.execute(f"create trigger {name} after {event} on {table} begin {statement}; end")
        return
    op.execute(
        f"create function {name}() returns trigger language plpgsql as "
        f"$$ begin {statement}; return null; end $$"
    )
    op.execute(
        f"create trigger {name} after {event} on {table} for each row execute function {name}()"
    )


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table, events, _devices in CHANGES:
        for event in events:
            name = f"{table}_{event}_turns"
            op.execute(f"drop trigger {name}" + (f" on {table}" if postgresql else ""))
            if postgresql:
                op.execute(f"drop function {name}()")
    if postgresql:
        for table in CROWDED:
            op.execute(
                f"alter table {table} reset (fillfactor, "
                "autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_delay)"
            )
    with op.batch_alter_table("heartbeats", schema=None) as batch:
        batch.drop_column("caught_up_since")
    for table, columns in (("judgements", JUDGEMENTS), ("device_latest", LATEST)):
        with op.batch_alter_table(table, schema=None) as batch:
            for name in columns:
                batch.drop_column(name)
