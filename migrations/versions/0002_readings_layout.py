"""readings layout: packed rows, day partitions on PostgreSQL, and how far each day has come

The reading tables are rewritten in this one step, which takes as long as they are large; the
release before cannot read them. What goes, both ways: the sender's message number of a reading,
and times of receiving and sending below 10 ms and 1 s.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")

# Table -> its own columns as (name, type, nullable), new and old.
OWN = {
    "alcohol_samples": (
        ("tac_ug_dl", sa.Integer(), False),
        ("ir_mv", sa.Integer(), True),
        ("skin_temp_centi_c", sa.SmallInteger(), True),
    ),
    "battery_levels": (("permille", sa.SmallInteger(), False), ("charging", sa.Boolean(), True)),
    "device_events": (("code", sa.String(64), False), ("state", sa.String(8), False)),
}
OLD_FIX = (
    ("lat_e7", sa.Integer(), False),
    ("lon_e7", sa.Integer(), False),
    ("accuracy_dm", sa.Integer(), False),
    ("source", sa.SmallInteger(), False),
    ("speed_dkmh", sa.SmallInteger(), True),
    ("heading_ddeg", sa.SmallInteger(), True),
    ("satellites", sa.SmallInteger(), True),
    ("hdop_tenths", sa.SmallInteger(), True),
)
NEW_FIX = (
    ("lat_e7", sa.Integer()),
    ("lon_e7", sa.Integer()),
    ("received_cs", sa.Integer()),
    ("quality", sa.Integer()),
    ("accuracy", sa.SmallInteger()),
    ("speed_dkmh", sa.SmallInteger()),
    ("heading_ddeg", sa.SmallInteger()),
    ("sent_s", sa.SmallInteger()),
)
TABLES = ("fixes", *OWN)


def upgrade() -> None:
    postgresql = _on_postgresql()
    if postgresql:
        # Beside the tables that people look at: there will be thousands of partitions.
        op.execute("create schema days")
        op.execute(REFUSE)
    for table in TABLES:
        _set_aside(table)
        _create(table, postgresql)
        expressions = _new_columns(table, postgresql)
        names, values = ", ".join(expressions), ", ".join(expressions.values())
        # Our own names and expressions, nothing from outside.
        op.execute(f"insert into {table} ({names}) select {values} from {table}_before")  # noqa: S608
        op.drop_table(f"{table}_before")
    op.create_table(
        "reading_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("changed_at", AT, nullable=False),
        sa.Column("late_rows", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("checksum", sa.String(40)),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("path", sa.String(300)),
        sa.PrimaryKeyConstraint("day", "kind", name=op.f("pk_reading_days")),
    )


# A closed day has no unique index. What has not been looked for there first is refused, as the
# index would refuse it, and intake takes the way that looks.
REFUSE = """
create function days.refuse_unchecked() returns trigger language plpgsql as $$
begin
    if current_setting('navigate_safer.checked', true) is distinct from 'yes' then
        raise exception 'a reading of a closed day is stored only after it was looked for'
            using errcode = 'unique_violation';
    end if;
    return new;
end $$
"""


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _set_aside(table: str) -> None:
    op.rename_table(table, f"{table}_before")
    if _on_postgresql():
        op.execute(f"alter index pk_{table} rename to pk_{table}_before")


def _create(table: str, postgresql: bool) -> None:
    columns: list[sa.Column[object]] = [
        sa.Column("device_id", ID, nullable=False),
        sa.Column("measured_at", INSTANT, nullable=False),
    ]
    if table == "fixes":
        columns += [sa.Column(name, kind, nullable=False) for name, kind in NEW_FIX]
    else:
        columns += [
            sa.Column("received_cs", sa.Integer(), nullable=False),
            sa.Column("sent_s", sa.SmallInteger(), nullable=False),
            sa.Column("doubts", sa.SmallInteger(), nullable=False),
        ]
        columns += [sa.Column(name, kind, nullable=null) for name, kind, null in OWN[table]]
    if not postgresql:
        key = sa.PrimaryKeyConstraint("device_id", "measured_at", name=op.f(f"pk_{table}"))
        op.create_table(table, *columns, key, sqlite_with_rowid=False)
        return
    # No key here: closed days have no unique index, and a parent's key would demand one.
    op.create_table(table, *columns, postgresql_partition_by="RANGE (measured_at)")
    rest = f"days.{table}_rest"
    op.execute(f"create table {rest} (like {table})")
    op.execute(
        f"alter table {rest} add constraint {table}_rest_key primary key (device_id, measured_at)"
    )
    op.execute(f"create index {table}_rest_at on {rest} using brin (measured_at)")
    op.execute(f"alter table {table} attach partition {rest} default")


def _floor(dividend: str, divisor: int) -> str:
    # Both databases cut towards zero; a clock that ran ahead gives a time below it.
    return f"(({dividend} - ((({dividend}) % {divisor}) + {divisor}) % {divisor}) / {divisor})"


def _delay_us(earlier: str, postgresql: bool) -> str:
    if postgresql:
        return f"(extract(epoch from received_at - {earlier}) * 1000000)::bigint"
    return f"({_us('received_at')} - {_us(earlier)})"


def _us(text: str) -> str:
    """SQLite's text of a time as microseconds since 1970."""
    return (
        f"(cast(strftime('%s', {text}) as integer) * 1000000"
        f" + cast(substr({text}, 21, 6) as integer))"
    )


def _new_columns(table: str, postgresql: bool) -> dict[str, str]:
    measured = (
        "measured_at + variant * interval '1 microsecond'"
        if postgresql
        else f"{_us('measured_at')} + variant"
    )
    seconds = _floor(f"({_delay_us('sent_at', postgresql)} + 500000)", 1_000_000)
    columns = {
        "device_id": "device_id",
        "measured_at": measured,
        "received_cs": _floor(_delay_us("measured_at", postgresql), 10_000),
        "sent_s": f"case when sent_at is null then -32768 "
        f"when abs({seconds}) <= 16384 then {seconds} "
        f"when abs({seconds}) >= 16384 + 60 * 16383 then sign({seconds}) * 32767 "
        f"else sign({seconds}) * (16384 + (abs({seconds}) - 16384) / 60) end",
    }
    if table != "fixes":
        names = ("doubts", *(name for name, _kind, _null in OWN[table]))
        return columns | {name: name for name in names}
    parts = {"source": 0, "doubts": 3, "coalesce(satellites, 255)": 11}
    parts["coalesce(hdop_tenths, 8191)"] = 19
    # In brackets: both databases give | and << one precedence.
    packed = " | ".join(f"(cast({part} as bigint) << {at})" for part, at in parts.items())
    packed = f"({packed})"
    return columns | {
        "lat_e7": "lat_e7",
        "lon_e7": "lon_e7",
        "quality": f"case when {packed} > 2147483647 then {packed} - 4294967296 else {packed} end",
        # A half to the even one, as the codec rounds.
        "accuracy": "case when accuracy_dm <= 32767 then accuracy_dm else"
        " case when accuracy_dm % 200 = 50 then 1 else 0 end - (accuracy_dm + 50) / 100 end",
        "speed_dkmh": "coalesce(speed_dkmh, -1)",
        "heading_ddeg": "coalesce(heading_ddeg, -1)",
    }


def downgrade() -> None:
    postgresql = _on_postgresql()
    archived = sa.text("select count(*) from reading_days where state = 'archived'")
    if op.get_bind().scalar(archived):
        raise RuntimeError("days are in the archive, which the release before cannot read")
    op.drop_table("reading_days")
    for table in TABLES:
        op.rename_table(table, f"{table}_after")
        if postgresql:
            op.execute(f"alter table days.{table}_rest rename to {table}_rest_after")
        own = OLD_FIX if table == "fixes" else OWN[table]
        op.create_table(
            table,
            *(sa.Column(name, kind, nullable=null) for name, kind, null in own),
            sa.Column("device_id", ID, nullable=False),
            sa.Column("measured_at", AT, nullable=False),
            sa.Column("variant", sa.SmallInteger(), nullable=False),
            sa.Column("sent_at", AT, nullable=True),
            sa.Column("received_at", AT, nullable=False),
            sa.Column("seq", sa.BigInteger(), nullable=True),
            sa.Column("doubts", sa.SmallInteger(), nullable=False),
            sa.ForeignKeyConstraint(
                ["device_id"], ["devices.id"], name=op.f(f"fk_{table}_device_id_devices")
            ),
            sa.PrimaryKeyConstraint(
                "device_id", "measured_at", "variant", name=op.f(f"pk_{table}")
            ),
        )
        expressions = _old_columns(table, postgresql)
        names, values = ", ".join(expressions), ", ".join(expressions.values())
        # Our own names and expressions, nothing from outside.
        op.execute(f"insert into {table} ({names}) select {values} from {table}_after")  # noqa: S608
        op.drop_table(f"{table}_after")
    if postgresql:
        op.execute("drop function days.refuse_unchecked()")
        op.execute("drop schema days")


def _old_columns(table: str, postgresql: bool) -> dict[str, str]:
    late_s = (
        "(case when abs(sent_s) <= 16384 then sent_s"
        " else sign(sent_s) * (16384 + (abs(sent_s) - 16384) * 60) end)"
    )
    if postgresql:
        measured = "date_trunc('milliseconds', measured_at)"
        variant = "extract(microseconds from measured_at)::bigint % 1000"
        received = f"{measured} + received_cs * interval '10 milliseconds'"
        sent = f"{received} - {late_s} * interval '1 second'"
    else:
        variant = "measured_at % 1000"
        received_us = f"(measured_at - {variant} + received_cs * 10000)"
        measured, received = _text(f"(measured_at - {variant})"), _text(received_us)
        sent = _text(f"({received_us} - {late_s} * 1000000)")
    columns = {
        "device_id": "device_id",
        "measured_at": measured,
        "variant": variant,
        "received_at": received,
        "sent_at": f"case when sent_s = -32768 then null else {sent} end",
    }
    if table != "fixes":
        names = ("doubts", *(name for name, _kind, _null in OWN[table]))
        return columns | {name: name for name in names}
    return columns | {
        "lat_e7": "lat_e7",
        "lon_e7": "lon_e7",
        "accuracy_dm": "case when accuracy >= 0 then accuracy else accuracy * -100 end",
        "source": "quality & 7",
        "doubts": "quality >> 3 & 255",
        "satellites": "nullif(quality >> 11 & 255, 255)",
        "hdop_tenths": "nullif(quality >> 19 & 8191, 8191)",
        "speed_dkmh": "nullif(speed_dkmh, -1)",
        "heading_ddeg": "nullif(heading_ddeg, -1)",
    }


def _text(us: str) -> str:
    """Microseconds since 1970 as SQLite's text of a time."""
    seconds = f"strftime('%Y-%m-%d %H:%M:%S', {us} / 1000000, 'unixepoch')"
    return f"{seconds} || '.' || printf('%06d', {us} % 1000000)"
