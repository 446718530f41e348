"""Indexes of hot days on PostgreSQL that are half empty, and how they are packed.

Thousands of devices write in turn, and each writes into the middle of the index: between its last
fix and the next device's first. Such a page is split in halves of which the left is never written
again, so that the index takes 43 bytes a fix (measured, 50 million fixes of 1,736 devices); built
anew it takes 28. ``reindex concurrently`` does that without stopping anybody.
"""

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from navigate_safer.db.partitions import SCHEMA
from navigate_safer.db.reading_rows import FixRow

# Packed, the key of a fix is 0.42 of its row, and then each device splits one full page. Above
# this share and that page it is packed again, which happens each time that a day has grown by a
# seventh.
LOOSE_SHARE = 0.45
# A smaller table is not worth it.
LEAST_BYTES = 8_000_000

_LOOSE = text(f"""
    select quote_ident(n.nspname) || '.' || quote_ident(i.relname)
    from pg_inherits h
    join pg_class c on c.oid = h.inhrelid
    join pg_index x on x.indrelid = c.oid and x.indisprimary
    join pg_class i on i.oid = x.indexrelid
    join pg_namespace n on n.oid = i.relnamespace
    where h.inhparent = cast('{FixRow.__tablename__}' as regclass)
      and c.relname not like '%rest'
      and pg_relation_size(c.oid) > :least
      and pg_relation_size(i.oid) > :share * pg_relation_size(c.oid)
          + 8192 * (select count(*) from device_latest)
    order by 1
""")
_LEFT = text(f"""
    select quote_ident(i.relname) from pg_index x
    join pg_class i on i.oid = x.indexrelid
    join pg_namespace n on n.oid = i.relnamespace
    where n.nspname = '{SCHEMA}' and not x.indisvalid
""")


def loose_indexes(session: Session, least_bytes: int = LEAST_BYTES) -> list[str]:
    """Names of the indexes that are worth packing."""
    values = {"least": least_bytes, "share": LOOSE_SHARE}
    return list(session.scalars(_LOOSE, values))


def drop_left_over(session: Session) -> int:
    """Drop what a packing that was cut off left behind; how many indexes that was."""
    names = session.scalars(_LEFT).all()
    for name in names:
        session.connection().exec_driver_sql(f"drop index {SCHEMA}.{name}")
    return len(names)


def pack(connection: Connection, index: str) -> None:
    """Build an index anew beside itself. The connection must commit by itself."""
    connection.exec_driver_sql(f"reindex index concurrently {index}")
